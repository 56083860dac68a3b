"""Real servers for the presets, each in its own directory, in a namespace with loopback only, and ended by its process ID.

None of them uses files under /etc or /var. Each listens on 127.0.0.1 and ::1.
"""

import contextlib
import pathlib
import socket
import subprocess
import sys
from collections.abc import Callable

from support.real_servers import STARTING, _end, program
from support.waiting import wait_until

ADDRESSES = ("127.0.0.1", "::1")
# Port 500: strongSwan expects the marker of port 4500 on every other port.
PORTS = {"unbound": 5353, "dnsmasq": 5354, "chrony": 5123, "coturn": 5478, "snmpd": 5161, "strongswan": 500, "aioquic": 5443}


@contextlib.contextmanager
def _process(namespace, command: list[str], folder: pathlib.Path, port: int, is_ready: Callable | None = None, **options):
    """Runs a server in the foreground until the block ends; the block begins once its ports are bound."""
    log = folder / "log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            namespace.command(*command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
            start_new_session=True, **options,
        )  # fmt: skip

    def is_bound() -> bool:
        assert running.poll() is None, f"{command} ended with {running.returncode}:\n{log.read_text(errors='replace')}"
        return all(_is_taken(namespace, address, port) for address in ADDRESSES) and (is_ready is None or is_ready())

    try:
        wait_until(is_bound, STARTING, lambda: f"{command} listens:\n{log.read_text(errors='replace')}", 0.05)
        yield
    finally:
        _end(running)


def _is_taken(namespace, address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with namespace.socket(family, socket.SOCK_DGRAM) as probe:
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return True
        return False


def unbound(namespace, folder: pathlib.Path):
    lines = ["server:", *(f" interface: {address}@{PORTS['unbound']}" for address in ADDRESSES)]
    lines += [" do-daemonize: no", " use-syslog: no", ' chroot: ""', ' username: ""', ' pidfile: ""', f' directory: "{folder}"']
    lines += [' local-zone: "." static', ' local-data: ". NS a.root-servers.test."', ' local-data: ". NS b.root-servers.test."']
    (folder / "conf").write_text("\n".join([*lines, "remote-control:", " control-enable: no", ""]))
    return _process(namespace, [program("unbound"), "-d", "-c", str(folder / "conf")], folder, PORTS["unbound"])


def dnsmasq(namespace, folder: pathlib.Path):
    options = ["--keep-in-foreground", "--no-resolv", "--no-hosts", f"--port={PORTS['dnsmasq']}", "--bind-interfaces"]
    options += [f"--listen-address={address}" for address in ADDRESSES]
    command = [program("dnsmasq"), *options, "--conf-file=/dev/null", "--pid-file="]
    return _process(namespace, command, folder, PORTS["dnsmasq"])


def chrony(namespace, folder: pathlib.Path):
    lines = ["local stratum 3", "allow", f"port {PORTS['chrony']}", "cmdport 0", "bindcmdaddress /", f"pidfile {folder}/pid"]
    (folder / "conf").write_text("\n".join([*lines, ""]))
    # -x: it never touches the clock.
    command = [program("chronyd"), "-d", "-x", "-U", "-u", "root", "-f", str(folder / "conf")]
    return _process(namespace, command, folder, PORTS["chrony"])


def coturn(namespace, folder: pathlib.Path):
    command = [program("turnserver"), "-n", "-c", "/dev/null", "-p", str(PORTS["coturn"]), "--relay-ip", "127.0.0.1", "-z"]
    command += [part for address in ADDRESSES for part in ("--listening-ip", address)]
    command += ["--no-tls", "--no-dtls", "--no-cli", "--log-file", "stdout", "--simple-log"]
    command += ["--pidfile", str(folder / "pid"), "--userdb", str(folder / "db")]
    return _process(namespace, command, folder, PORTS["coturn"])


def snmpd(namespace, folder: pathlib.Path):
    (folder / "conf").write_text(f"agentAddress udp:127.0.0.1:{PORTS['snmpd']},udp6:[::1]:{PORTS['snmpd']}\n")
    command = [program("snmpd"), "-f", "-Lo", "-C", "-c", str(folder / "conf"), "-p", str(folder / "pid")]
    command += ["-I", "-smux,mteTrigger,mteTriggerConf"]
    environment = {"SNMP_PERSISTENT_DIR": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return _process(namespace, command, folder, PORTS["snmpd"], env=environment)


STRONGSWAN = """
charon {
  load = random nonce aes sha1 sha2 hmac kdf gmp openssl pem x509 pkcs1 pubkey kernel-netlink socket-default vici
  filelog { stdout { default = 1 } }
  plugins { vici { socket = unix://FOLDER/vici } }
}
swanctl { load = random openssl pem }
"""
# Over IPv4 it accepts the proposal, and over IPv6 none.
CONNECTIONS = """
connections {
  accepts { local_addrs = 127.0.0.1
    version = 2
    proposals = aes256-sha256-modp2048
    local { auth = psk }
    remote { auth = psk } }
  refuses { local_addrs = ::1
    version = 2
    proposals = aes128-sha384-ecp384
    local { auth = psk }
    remote { auth = psk } }
}
"""


def strongswan(namespace, folder: pathlib.Path):
    (folder / "strongswan.conf").write_text(STRONGSWAN.replace("FOLDER", str(folder)))
    (folder / "swanctl.conf").write_text(CONNECTIONS)
    environment = {"STRONGSWAN_CONF": str(folder / "strongswan.conf"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    load = [program("swanctl"), "--load-conns", "--file", str(folder / "swanctl.conf"), "--uri", f"unix://{folder}/vici"]

    def is_configured() -> bool:
        loaded = subprocess.run(namespace.command(*load), env=environment, capture_output=True, text=True)
        return "loaded 2 connections" in loaded.stdout

    charon = pathlib.Path("/usr/lib/ipsec/charon")
    path = str(charon) if charon.exists() else program("charon")
    # Its PID file has a fixed place in /run.
    command = ["unshare", "-m", "sh", "-c", f"mount -t tmpfs tmpfs /run && exec {path}"]
    return _process(namespace, command, folder, PORTS["strongswan"], is_configured, env=environment)


QUIC = """
import asyncio, sys
from aioquic.asyncio import serve
from aioquic.quic.configuration import QuicConfiguration
async def main():
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    configuration.load_cert_chain(sys.argv[1], sys.argv[2])
    for address in sys.argv[4:]:
        await serve(address, int(sys.argv[3]), configuration=configuration)
    await asyncio.Future()
asyncio.run(main())
"""


def aioquic(namespace, folder: pathlib.Path):
    key, chain = folder / "key.pem", folder / "chain.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=quic.test"]
    subprocess.run([*make, "-days", "2", "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True)
    command = [sys.executable, "-c", QUIC, str(chain), str(key), str(PORTS["aioquic"]), *ADDRESSES]
    return _process(namespace, command, folder, PORTS["aioquic"])
