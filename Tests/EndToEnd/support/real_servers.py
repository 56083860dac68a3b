"""Real servers of Debian with STARTTLS, each in its own directory, and ended by its process ID.

None of them uses files under /etc. Each is a context manager that returns a running `Server`.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass

from support.certificates import Identity
from support.waiting import wait_until

STARTING = 20  # seconds


class Missing(Exception):
    """The program is not installed."""


@dataclass
class Server:
    address: str
    ports: dict[str, int]  # by the name that `tls.starttls` has


def program(*names: str) -> str:
    """The path of the first program that exists."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/lib/news/bin", "/usr/lib/postgresql/15/bin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise Missing(f"not installed: {' or '.join(names)}")


def free_ports(namespace, address: str, count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(namespace.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((address, 0))
        return [one.getsockname()[1] for one in sockets]


def materials(folder: pathlib.Path, identity: Identity, user: str | None = None) -> tuple[str, str]:
    """Copies of the chain and the key that the server's user may read. No other user may read the key."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    shutil.copy(identity.chain_file, chain)
    shutil.copy(identity.key_file, key)
    chain.chmod(0o644)
    key.chmod(0o600)
    if user is not None:
        for path in (folder, key):
            shutil.chown(path, user)
    return str(chain), str(key)


@contextlib.contextmanager
def process(
    namespace, command: list[str], folder: pathlib.Path, server: Server, stop: list[str] | None = None, **options
):
    """Runs a server in the foreground until the block ends; the block begins once each of its ports accepts connections."""
    log = folder / "log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            namespace.command(*command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **options,
        )
    try:
        for port in server.ports.values():
            _wait_until_it_listens(namespace, running, log, server.address, port)
        yield server
    finally:
        if stop is not None:
            subprocess.run(namespace.command(*stop), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        _end(running)


def _wait_until_it_listens(namespace, running, log: pathlib.Path, address: str, port: int) -> None:
    def listens() -> bool:
        assert running.poll() is None, f"{running.args} ended with {running.returncode}:\n{log.read_text(errors='replace')}"
        with namespace.socket() as client:
            client.settimeout(1)
            return client.connect_ex((address, port)) == 0

    wait_until(listens, STARTING, lambda: f"{running.args} listens:\n{log.read_text(errors='replace')}", 0.05)


def _end(running: subprocess.Popen) -> None:
    """Ends its whole session, so its children end with it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(5)


def postfix(namespace, address: str, folder: pathlib.Path, identity: Identity):
    command = program("postfix")
    proto = pathlib.Path("/etc/postfix/master.cf.proto").read_text()
    chain, key = materials(folder, identity)
    (port,) = free_ports(namespace, address, 1)
    lines = []
    for line in proto.splitlines():
        line = re.sub(r"^(\w\S*\s+(?:inet|unix|unix-dgram|fifo)\s+\S+\s+\S+\s+)y", r"\1n", line)
        lines.append(re.sub(r"^smtp(\s+inet)", rf"{port}\1", line))
    (folder / "master.cf").write_text("\n".join(lines) + "\n")
    for name in ("queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    settings = {
        "compatibility_level": "3.6",
        "queue_directory": folder / "queue",
        "data_directory": folder / "data",
        "inet_interfaces": address,
        "inet_protocols": "ipv4",
        "myhostname": "good.example.test",
        "mydestination": "",
        "smtpd_tls_cert_file": chain,
        "smtpd_tls_key_file": key,
        "smtpd_tls_security_level": "may",
        "maillog_file": folder / "mail.log",
        "maillog_file_prefixes": folder,
    }
    (folder / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    stop = [command, "-c", str(folder), "stop"]
    return process(namespace, [command, "-c", str(folder), "start-fg"], folder, Server(address, {"smtp": port}), stop)


def dovecot(namespace, address: str, folder: pathlib.Path, identity: Identity):
    command = program("dovecot")
    chain, key = materials(folder, identity)
    protocols = {"imap": "imap", "pop3": "pop3", "lmtp": "lmtp", "sieve": "managesieve"}
    there = {name: kind for name, kind in protocols.items() if pathlib.Path("/usr/lib/dovecot", kind).exists()}
    ports = dict(zip(there, free_ports(namespace, address, len(there))))
    services = "".join(
        f"service {kind if name == 'lmtp' else kind + '-login'} {{\n"
        f" inet_listener {name} {{\n  address = {address}\n  port = {ports[name]}\n }}\n"
        + (f" inet_listener {name}s {{\n  port = 0\n }}\n" if name in ("imap", "pop3") else "")
        + "}\n"
        for name, kind in there.items()
    )
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        f"base_dir = {folder}/run\nstate_dir = {folder}/state\nlog_path = {folder}/dovecot.log\nlisten = {address}\n"
        f"protocols = {' '.join(there)}\nssl = yes\nssl_cert = <{chain}\nssl_key = <{key}\n"
        f"mail_location = maildir:{folder}/mail\npassdb {{\n driver = static\n args = password=x\n}}\n"
        f"userdb {{\n driver = static\n args = uid=dovecot gid=dovecot home={folder}\n}}\n{services}"
    )
    return process(namespace, [command, "-F", "-c", str(configuration)], folder, Server(address, ports))


def slapd(namespace, address: str, folder: pathlib.Path, identity: Identity):
    command = program("slapd")
    chain, key = materials(folder, identity)
    (port,) = free_ports(namespace, address, 1)
    configuration = folder / "slapd.conf"
    configuration.write_text(
        f"pidfile {folder}/pid\nTLSCertificateFile {chain}\nTLSCertificateKeyFile {key}\ndatabase monitor\n"
    )
    arguments = ["-d", "0", "-h", f"ldap://{address}:{port}", "-f", str(configuration)]
    return process(namespace, [command, *arguments], folder, Server(address, {"ldap": port}))


def postgresql(namespace, address: str, folder: pathlib.Path, identity: Identity):
    server, initdb = program("postgres"), program("initdb")
    chain, key = materials(folder, identity, "postgres")
    (port,) = free_ports(namespace, address, 1)
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    data = str(folder / "data")
    made = subprocess.run(
        [*as_user, initdb, "-D", data, "-N", "--auth=trust"], cwd=folder, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    settings = {
        "ssl": "on",
        "ssl_cert_file": chain,
        "ssl_key_file": key,
        "listen_addresses": address,
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return process(
        namespace, [*as_user, server, "-D", data, *options], folder, Server(address, {"postgres": port}), cwd=folder
    )


def vsftpd(namespace, address: str, folder: pathlib.Path, identity: Identity):
    command = program("vsftpd")
    chain, key = materials(folder, identity)
    (port,) = free_ports(namespace, address, 1)
    (folder / "empty").mkdir()
    settings = {
        "listen": "YES",
        "background": "NO",
        "seccomp_sandbox": "NO",
        "listen_address": address,
        "listen_port": port,
        "anonymous_enable": "YES",
        "anon_root": folder / "empty",
        "secure_chroot_dir": folder / "empty",
        "ssl_enable": "YES",
        "rsa_cert_file": chain,
        "rsa_private_key_file": key,
    }
    configuration = folder / "vsftpd.conf"
    configuration.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    configuration.chmod(0o600)
    return process(namespace, [command, str(configuration)], folder, Server(address, {"ftp": port}))


def mariadb(namespace, address: str, folder: pathlib.Path, identity: Identity):
    command = program("mariadbd")
    user = "nobody"
    chain, key = materials(folder, identity, user)
    (port,) = free_ports(namespace, address, 1)
    (folder / "data").mkdir()
    shutil.chown(folder / "data", user)
    arguments = [
        "--no-defaults",
        f"--user={user}",
        f"--datadir={folder}/data",
        f"--socket={folder}/s",
        f"--pid-file={folder}/pid",
        f"--bind-address={address}",
        f"--port={port}",
        f"--ssl-cert={chain}",
        f"--ssl-key={key}",
        "--skip-grant-tables",
        "--innodb-buffer-pool-size=8M",
        "--skip-log-bin",
    ]
    return process(namespace, [command, *arguments], folder, Server(address, {"mysql": port}))


def prosody(namespace, address: str, folder: pathlib.Path, identity: Identity):
    command = program("prosody")
    chain, key = materials(folder, identity, "prosody")
    client, server = free_ports(namespace, address, 2)
    (folder / "data").mkdir()
    shutil.chown(folder / "data", "prosody")
    configuration = folder / "prosody.cfg.lua"
    configuration.write_text(
        f'daemonize = false\npidfile = "{folder}/pid"\ndata_path = "{folder}/data"\nplugin_paths = {{}}\n'
        f'interfaces = {{ "{address}" }}\nc2s_ports = {{ {client} }}\ns2s_ports = {{ {server} }}\n'
        'modules_enabled = { "tls", "saslauth", "disco", "s2s" }\nmodules_disabled = { "admin_shell" }\n'
        'log = { info = "*console" }\nauthentication = "internal_hashed"\n'
        f'ssl = {{ certificate = "{chain}", key = "{key}" }}\nVirtualHost "good.example.test"\n'
    )
    as_user = ["setpriv", "--reuid=prosody", "--regid=prosody", "--clear-groups", "--"]
    ports = {"xmpp": client, "xmpp-server": server}
    arguments = [*as_user, command, "-F", "--config", str(configuration)]
    return process(namespace, arguments, folder, Server(address, ports), cwd=folder)


def nnrpd(namespace, address: str, folder: pathlib.Path, identity: Identity):
    """INN's reader alone: STARTTLS needs no news spool."""
    try:
        command = program("nnrpd")
    except Missing:
        # The only server that scripts/install-dependencies leaves out.
        raise Missing("nnrpd is optional: its package inn2 needs a machine whose name has a domain") from None
    chain, key = materials(folder, identity, "news")
    (port,) = free_ports(namespace, address, 1)
    for name in ("db", "run", "etc", "spool", "logs", "tmp", "overview"):
        (folder / name).mkdir()
        shutil.chown(folder / name, "news")
    (folder / "db" / "active").write_text("example.test 0000000000 0000000001 y\n")
    for name in ("history", "history.dir", "history.hash", "history.index", "newsgroups"):
        (folder / "db" / name).write_text("")
    configuration = folder / "inn.conf"
    configuration.write_text(
        f"mta: /bin/true\ndomain: example.test\npathhost: good.example.test\nhismethod: hisv6\novmethod: tradindexed\n"
        f"pathnews: /usr/lib/news\npathdb: {folder}/db\npathrun: {folder}/run\npathetc: {folder}/etc\n"
        f"pathspool: {folder}/spool\npathoverview: {folder}/overview\npathlog: {folder}/logs\npathtmp: {folder}/tmp\n"
        f"tlscertfile: {chain}\ntlskeyfile: {key}\ntlscafile: {chain}\n"
    )
    (folder / "etc" / "storage.conf").write_text("method trash {\n newsgroups: *\n class: 0\n}\n")
    (folder / "etc" / "readers.conf").write_text(
        'auth all { hosts: "*" default: "<all>" }\naccess all { users: "*" newsgroups: "*" }\n'
    )
    as_user = ["setpriv", "--reuid=news", "--regid=news", "--clear-groups", "--"]
    environment = {**os.environ, "INNCONF": str(configuration)}
    # Makes an empty overview, without which the reader refuses all clients.
    make = [*as_user, program("tdx-util"), "-c", "-n", "example.test"]
    made = subprocess.run(make, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    arguments = [command, "-D", "-f", "-p", str(port), "-4", address, "-c", str(folder / "etc" / "readers.conf")]
    return process(namespace, [*as_user, *arguments], folder, Server(address, {"nntp": port}), env=environment)


def inspircd(namespace, address: str, folder: pathlib.Path, identity: Identity):
    command = program("inspircd")
    chain, key = materials(folder, identity, "irc")
    (port,) = free_ports(namespace, address, 1)
    configuration = folder / "inspircd.conf"
    configuration.write_text(
        '<config format="xml">\n<server name="good.example.test" description="test" network="Test">\n'
        '<admin name="a" nick="a" email="a@example.test">\n'
        f'<bind address="{address}" port="{port}" type="clients">\n<connect allow="*">\n'
        f'<pid file="{folder}/pid">\n<log method="stderr" type="*" level="default" target="{folder}/irc.log">\n'
        '<module name="ssl_gnutls">\n<module name="cap">\n<module name="starttls">\n'
        f'<sslprofile name="test" provider="gnutls" certfile="{chain}" keyfile="{key}">\n<starttls provider="test">\n'
    )
    configuration.chmod(0o644)
    as_user = ["setpriv", "--reuid=irc", "--regid=irc", "--clear-groups", "--"]
    arguments = [*as_user, command, "--nofork", "--nolog", "--nopid", "--config", str(configuration)]
    return process(namespace, arguments, folder, Server(address, {"irc": port}))
