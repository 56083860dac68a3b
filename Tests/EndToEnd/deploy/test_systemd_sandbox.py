"""What the unit's sandbox denies to connectd, and what it must allow: each check runs inside and outside of the unit.

Outside, the same program runs in the same network namespace as an unprivileged user. The unit is tested twice:
unchanged, and with every forbidden system call ending the service.
"""

import contextlib
import os
import pathlib
import re
import socket
import ssl
import subprocess

import pytest
import yaml

from support import network as net
from support import peers, tls_peers
from support.certificates import HOST
from support.connectd_process import Connectd
from support.dns_server import NXDOMAIN, DNSServer, address_record
from support.http_client import Client, check_request
from support.systemd_machine import CONFIGURATION, SERVICE
from support.waiting import wait_until

TCP, UDP, TLS, MD5 = 7001, 7002, 7443, 7179
ASKED, LISTED = "asked.example.test", "listed.example.test"
KEY = b"k3y-of-bgp"
CREDENTIALS = f"/run/credentials/{SERVICE}"
ECHO = [{"send": "ping"}, {"expect": "p(?<rest>i.g)"}]
PEER = "tcp://" + net.OPEN

CHECKS = {
    "tcp": (f"{PEER}:{TCP}", {}),
    "tcp over IPv6": (f"tcp://[{net.OPEN6}]:{TCP}", {}),
    "refused": (f"{PEER}:9", {}),
    "deadline": (f"tcp://{net.DROPPED}:80", {"timeout_ms": 300}),
    "no route": (f"tcp://{net.NOWHERE}:80", {}),
    "blackhole": (f"tcp://{net.ROUTE_TYPES['blackhole']}:80", {}),
    "ICMP of a router": (f"tcp://{net.ROUTER_REJECTS['admin-prohibited']}:80", {}),
    "ICMPv6 of a router": (f"tcp://[{net.ROUTER_REJECTS6['admin-prohibited']}]:80", {}),
    "ICMP of the own firewall": (f"{PEER}:{net.OWN_REJECTS['admin-prohibited']}", {}),
    "expired TTL": (f"tcp://{net.UNTTL}:80", {"socket": {"ttl": 1}}),
    "udp dialog": (f"udp://{net.OPEN}:{UDP}", {"dialog": ECHO}),
    "udp refused": (f"udp://{net.OPEN}:9", {"dialog": ECHO}),
    "unix stream": ("unix:{folder}/stream", {}),
    "unix dgram": ("unix+dgram:{folder}/dgram", {}),
    "unix seqpacket": ("unix+seqpacket:{folder}/seqpacket", {}),
    "unix abstract": ("unix:@connectd-sandbox", {}),
    "unix absent": ("unix:{folder}/absent", {}),
    "unix for root alone": ("unix:{folder}/root", {}),
    "unix of the journal": ("unix+dgram:{folder}/wrong-type", {}),
    "name by DNS": (f"tcp://{ASKED}:{TCP}", {}),
    "name of /etc/hosts": (f"tcp://{LISTED}:{TCP}", {}),
    "every address": (f"tcp://{ASKED}:{TCP}", {"resolve": {"addresses": "all"}}),
    "race": (f"tcp://{ASKED}:{TCP}", {"resolve": {"addresses": "race"}}),
    "no such name": ("tcp://absent.example.test:80", {}),
    "another name server": (f"tcp://{ASKED}:{TCP}", {"resolve": {"server": "127.0.0.1:53"}}),
    "tls by the system's authorities": (f"tls://{HOST}:{TLS}", {}),
    "tls by name": (f"tls://{LISTED}:{TLS}", {}),
    "dialog inside of TLS": (f"tcp://{HOST}:{TLS}", {"tls": True, "dialog": ECHO}),
    "bind.interface": (f"{PEER}:{TCP}", {"bind": {"interface": "link0"}}),
    "bind.interface that is absent": (f"{PEER}:{TCP}", {"bind": {"interface": "absent0"}}),
    "bind.address": (f"{PEER}:{TCP}", {"bind": {"address": net.PROBER, "port": 45001}, "socket": {"close": "rst"}}),
    "bind to a low port": (f"{PEER}:{TCP}", {"bind": {"address": net.PROBER, "port": 45}}),
    "bind to an address of others": (f"{PEER}:{TCP}", {"bind": {"address": net.OPEN}}),
    "mark": (f"{PEER}:{TCP}", {"socket": {"mark": 7}}),
    "md5": (f"tcp://{net.MD5}:{MD5}", {"socket": {"tcp_md5": "bgp"}}),
    "options": (f"{PEER}:{TCP}", {"socket": {"ttl": 33, "dscp": 46, "tcp_syn_retries": 1, "close": "rst"}}),
    "mptcp": (f"{PEER}:{TCP}", {"socket": {"mptcp": True}}),
    "fast open": (f"tcp://{net.OPEN}:{TCP}", {"socket": {"tcp_fast_open": True}, "dialog": [{"send": "ping"}]}),
}
# Differences that the sandbox makes, as the README says.
DIFFERENT = {"peer_credentials"}
VARYING = {"timings_ms", "start_ms", "duration_ms", "started_at", "handshake_ms", "expires_in_seconds", "prober"}


def configuration(folder, key: str) -> dict:
    rules = [{"action": "allow", "path": f"{folder}/**"}, {"action": "allow", "path": "@connectd-sandbox"}]
    rules += [{"action": "allow", "path": path} for path in ("/tmp/**", "/home/**")]
    policy = {"profile": "internal", "dialogs": "any", "options": ["bind", "interface", "mark", "md5"], "rules": rules}
    return {"policy": policy, "md5_keys": {"bgp": {"file": key}}}


def fixed(value):
    """A result without what differs from one check to the next."""
    if isinstance(value, list):
        return [fixed(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: fixed(item) for name, item in value.items() if name not in VARYING | DIFFERENT}
    if isinstance(value.get("local"), dict):
        kept["local"].pop("port", None)
    if "tcp_info" in value:
        kept["tcp_info"] = sorted(value["tcp_info"])
    return kept


def name_server(question):
    if question.name != ASKED:
        return question.reply(code=NXDOMAIN)
    address = {1: net.OPEN, 28: net.OPEN6}.get(question.kind)
    return question.reply([address_record(ASKED, address)] if address else [])


@pytest.fixture(scope="module")
def targets(machine, network, authorities):
    """All that CHECKS connect to, and the names in /etc/hosts."""
    before = (network.a.etc / "hosts").read_text()
    network.a.write_etc("hosts", f"{before}{net.OPEN} {HOST} {LISTED}\n")
    silent = peers.on_each_connection(tls_peers.until_the_end)
    folder = machine.folder
    with contextlib.ExitStack() as stack:
        for address in (net.OPEN, net.OPEN6):
            stack.enter_context(peers.serving(peers.tcp_listener(network.b, address, TCP), silent))
        stack.enter_context(peers.serving(peers.udp_socket(network.b, net.OPEN, UDP), peers.echo_datagram))
        signed = peers.tcp_listener(network.b, net.MD5, MD5)
        signed.setsockopt(socket.IPPROTO_TCP, peers.TCP_MD5SIG, peers.md5_signature(net.PROBER, KEY))
        stack.enter_context(peers.serving(signed, silent))
        echo = tls_peers.tls(tls_peers.server_context(authorities.good), lambda connection: connection.send(connection.recv(99)))
        stack.enter_context(tls_peers.listening(network.b, echo, net.OPEN, TLS))
        stack.enter_context(DNSServer(network.a, "127.0.0.1", name_server))
        kinds = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}
        for name, kind in kinds.items():
            stack.enter_context(contextlib.closing(peers.unix_listener(f"{folder}/{name}", kind, backlog=64)))
        stack.enter_context(contextlib.closing(peers.unix_listener(f"{folder}/root", mode=0o600)))
        stack.enter_context(contextlib.closing(peers.unix_listener(f"{folder}/wrong-type")))
        with network.a.entered():
            abstract = peers.unix_listener("\0connectd-sandbox", backlog=64)
        stack.enter_context(contextlib.closing(abstract))
        yield machine
    network.a.write_etc("hosts", before)


@pytest.fixture(scope="module")
def outside(targets, authorities):
    """The same program outside the unit; it finds the system's authorities in a file."""
    bundle = pathlib.Path(targets.folder) / "authorities.pem"
    bundle.write_text(authorities.root_pem)
    running = Connectd(
        targets.network.a, configuration(targets.folder, "bgp.key"), port=8231, user="nobody",
        files={"bgp.key": KEY.decode()}, environment={"SSL_CERT_FILE": str(bundle)},
    )  # fmt: skip
    with running:
        yield running.http


@pytest.fixture(scope="module", params=["as it is", "forbidden calls are deadly"])
def inside(request, targets, authorities):
    machine = targets
    machine.reset()
    machine.write("/usr/local/share/ca-certificates/tests.crt", authorities.root_pem)
    machine.sh("update-ca-certificates")
    machine.write("/etc/connectd/bgp.key", KEY.decode(), mode="600")
    # libdispatch tries it and works without; a comment in the unit says why it is forbidden.
    deadly = ["SystemCallErrorNumber=kill", "SystemCallFilter=setpriority"] if request.param != "as it is" else []
    machine.edit(SERVICE, "Service", "LoadCredential=bgp.key:/etc/connectd/bgp.key", *deadly)
    machine.write(CONFIGURATION, yaml.safe_dump(configuration(machine.folder, f"{CREDENTIALS}/bgp.key")))
    machine.sh(f"systemctl restart {SERVICE}")
    since = machine.now()
    yield machine
    assert "Main process exited" not in machine.journal(since), "a signal ended it"


def test_a_forbidden_system_call_ends_the_strict_service(machine):
    """The sandbox of the tests below is active: without the exception for setpriority, the service ends."""
    machine.reset()
    machine.edit(SERVICE, "Service", "SystemCallErrorNumber=kill", "Restart=no")
    machine.sh(f"systemctl restart {SERVICE}; sleep 1", check=False)
    assert machine.show("Result") in ("signal", "core-dump") and machine.show("ExecMainStatus") == "31"  # SIGSYS


@pytest.mark.parametrize("name", CHECKS)
def test_checks_have_the_same_results_in_the_unit_and_outside(inside, outside, name):
    target, members = CHECKS[name]
    target = target.replace("{folder}", str(inside.folder))
    here, there = (client.check(target, **members) for client in (inside.http, outside))
    assert fixed(here) == fixed(there)
    if name == "mark":
        assert here["error"]["name"] == "EPERM" and here["outcome"] == "not_permitted"
        assert "CAP_NET_ADMIN" in here["error"]["hint"]


def test_routes_are_the_same_in_the_unit_and_outside(inside, outside):
    body = {"destinations": [net.OPEN, net.OPEN6, net.NOWHERE, "127.0.0.1"]}
    here, there = (client.post("/v1/routes", body).json for client in (inside.http, outside))
    assert here == there


@contextlib.contextmanager
def without_ipv6(space):
    """The prober's namespace has no IPv6 address at all, and then what network.py gave it."""
    space.set("net.ipv6.conf.all.disable_ipv6", 1)
    try:
        yield
    finally:
        space.set("net.ipv6.conf.all.disable_ipv6", 0)
        space.ip(f"addr add {net.PROBER6}/64 dev link0 nodad")
        space.ip(f"-6 route add fd00:88::/32 via {net.PEER6}")
        for kind, address in net.ROUTE_TYPES6.items():
            space.ip(f"-6 route add {kind} {address}/128")


def test_results_are_the_same_without_ipv6_addresses(inside, outside):
    """It uses netlink, which the unit allows for this."""
    with without_ipv6(inside.network.a):
        here, there = (client.check(f"tcp://[{net.OPEN6}]:{TCP}") for client in (inside.http, outside))
    assert fixed(here) == fixed(there)
    assert here["error"]["name"] == "EADDRNOTAVAIL" and here["outcome"] == "prober_misconfigured"


LISTEN = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); sys.stdin.read()"


@contextlib.contextmanager
def listener_of(user: str, path: str):
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "/usr/bin/python3", "-c", LISTEN, path]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, preexec_fn=lambda: os.umask(0))
    try:
        yield
    finally:
        process.communicate(timeout=10)


def test_peer_credentials_of_other_users_have_the_overflow_id(inside, outside):
    folder = inside.folder / "of-users"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    expected = {"root": (0, 0), "daemon": (1, 65534)}
    for user, numbers in expected.items():
        path = f"{folder}/{user}"
        with listener_of(user, path):
            wait_until(lambda: outside.check(f"unix:{path}")["outcome"] == "connected", 60, f"{path} accepts", 0.2)
            seen = [client.check(f"unix:{path}")["attempts"][0]["peer_credentials"]["uid"] for client in (outside, inside.http)]
        pathlib.Path(path).unlink()
        assert tuple(seen) == numbers


def test_the_unit_hides_directories(inside):
    inside.sh("mkdir -p /home/someone; chmod 755 /home/someone")
    with contextlib.ExitStack() as stack:
        for path in ("/tmp/hidden", "/home/hidden"):
            root = f"/proc/{inside.pid}/root"
            stack.enter_context(contextlib.closing(peers.unix_listener(root + path)))
            stack.callback(pathlib.Path(root + path).unlink)
        assert inside.http.check("unix:/tmp/hidden")["outcome"] == "no_such_socket"
        assert inside.http.check("unix:/home/hidden")["outcome"] in ("not_permitted", "no_such_socket")


def test_hundreds_of_concurrent_checks_have_descriptors(inside):
    soft, hard = re.search(r"Max open files +(\d+) +(\d+)", inside.sh(f"cat /proc/{inside.main_pid}/limits")).groups()
    assert soft == hard and int(hard) >= 16384, "LimitNOFILE, as far as the container allows"
    request = check_request(f"tcp://{net.DROPPED}:80", timeout_ms=4000)
    held = [inside.http.connect() for _ in range(1200)]
    for connection in held:
        connection.sendall(request)
    wait_until(
        lambda: int(inside.sh(f"ls /proc/{inside.main_pid}/fd | wc -l")) > 2000, 30, "more than 2000 descriptors are open", 0.2
    )
    for connection in held:
        connection.settimeout(20)
        assert connection.recv(64).split()[1] == b"200"
        connection.close()


def test_https_monitors_reload_and_metrics_work(inside, authorities):
    """In the same sandbox, with a key that is a credential."""
    identity = authorities.for_addresses("127.0.0.1")
    for name, file in (("server.pem", identity.chain_file), ("server.key", identity.key_file)):
        inside.write(f"/etc/connectd/{name}", pathlib.Path(file).read_text(), mode="600")
    before = inside.sh(f"cat {CONFIGURATION}")
    override = inside.sh(f"cat /etc/systemd/system/{SERVICE}.d/override.conf").splitlines()[1:]
    material = [f"LoadCredential={name}:/etc/connectd/{name}" for name in ("server.pem", "server.key")]
    inside.edit(SERVICE, "Service", *override, *material)
    https = {"certificate": f"{CREDENTIALS}/server.pem", "key": f"{CREDENTIALS}/server.key"}
    checks = {"tcp": f"{PEER}:{TCP}", "tls": f"tls://{HOST}:{TLS}", "name": f"tcp://{ASKED}:{TCP}"}
    monitors = [{"name": name, "interval_ms": 200, "check": {"target": target}} for name, target in checks.items()]
    inside.write(CONFIGURATION, yaml.safe_dump({**yaml.safe_load(before), "https": https, "monitors": monitors}))
    inside.sh(f"systemctl restart {SERVICE}")
    pid = inside.main_pid
    try:
        context = ssl.create_default_context(cadata=authorities.root_pem)
        client = Client(lambda: context.wrap_socket(inside.http.connect(), server_hostname="127.0.0.1"))
        assert client.get("/livez").status == 200
        states = lambda: {m["name"]: m["state"] for m in client.get("/v1/monitors").json["monitors"]}  # noqa: E731
        wait_until(lambda: set(states().values()) == {"up"}, 60, lambda: f"each monitor is up: {states()}", 0.2)
        for _ in range(2):
            inside.sh(f"systemctl reload {SERVICE}")
        assert set(states().values()) == {"up"} and "process_resident_memory_bytes" in client.get("/metrics").body.decode()
        for page in ("/docs", "/openapi.yaml", "/v1/errors", f"/v1/probe?target={net.OPEN}:{TCP}"):
            assert client.get(page).status == 200
        assert inside.main_pid == pid and inside.show("NRestarts") == "0"
    finally:
        inside.write(CONFIGURATION, before)
        inside.edit(SERVICE, "Service", *override)
        inside.sh(f"systemctl restart {SERVICE}")


# Permissions that the README adds again.


def edited(machine, *lines: str) -> Client:
    machine.reset(yaml.safe_dump(configuration(machine.folder, "bgp.key") | {"md5_keys": {}}))
    machine.edit(SERVICE, "Service", *lines)
    machine.sh(f"systemctl restart {SERVICE}")
    return machine.http


def test_a_mark_works_with_the_added_capability(targets):
    client = edited(targets, "AmbientCapabilities=CAP_NET_ADMIN", "CapabilityBoundingSet=CAP_NET_ADMIN", "PrivateUsers=no")
    before = targets.network.a.counter("mark")
    assert client.check(f"{PEER}:{TCP}", socket={"mark": 7})["outcome"] == "connected"
    assert targets.network.a.counter("mark") > before


def test_a_socket_works_with_the_added_group(targets):
    path = f"{targets.folder}/group"
    with contextlib.closing(peers.unix_listener(path, mode=0o660)):
        targets.sh(f"chgrp users {path}")
        assert edited(targets).check(f"unix:{path}")["error"]["name"] == "EACCES"
        assert edited(targets, "SupplementaryGroups=users").check(f"unix:{path}")["outcome"] == "connected"


def test_hidden_directories_can_be_shown_again(targets):
    targets.sh("mkdir -p /tmp/app /home/app")
    client = edited(targets, "ProtectHome=tmpfs", "BindReadOnlyPaths=/tmp/app /home/app")
    with contextlib.ExitStack() as stack:
        for path in ("/tmp/app/shown", "/home/app/shown"):
            root = f"/proc/{targets.pid}/root"
            stack.enter_context(contextlib.closing(peers.unix_listener(root + path)))
            stack.callback(pathlib.Path(root + path).unlink)
            assert client.check(f"unix:{path}")["outcome"] == "connected"
