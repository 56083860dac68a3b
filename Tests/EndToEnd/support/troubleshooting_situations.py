"""The situations of docs/troubleshooting.md, made on the real kernel: one for each heading with an example.

A situation gives the namespace that it is asked from, or None for the prober's.
"""

import contextlib
import pathlib
import socket
import time

from support import network as net
from support import peers, tls_peers
from support.certificates import HOST, Authorities, Identity
from support.connectd_process import Connectd
from support.dns_server import DNSServer, zone
from support.http_client import check_request
from support.namespace import Namespace
from support.network import Network, new_name

SITUATIONS = {}


class Stage:
    """The environment of a situation: the prober's namespace `network.a`, its peers, and files under `folder`."""

    def __init__(self, network: Network, authorities: Authorities, folder: pathlib.Path, service: Connectd):
        self.network, self.authorities, self.folder, self.service = network, authorities, folder, service

    def path(self, name: str) -> str:
        return str(self.folder / name)


def situation(heading: str):
    def register(make):
        SITUATIONS[heading] = contextlib.contextmanager(make)
        return make

    return register


@contextlib.contextmanager
def listening(stage: Stage, port: int, address: str = net.OPEN, script=tls_peers.until_the_end):
    with tls_peers.listening(stage.network.b, script, address, port):
        yield


@contextlib.contextmanager
def name_server(stage: Stage, table: dict[str, list[str]], *lines: str):
    """A name server that knows these names, in a resolv.conf with these further lines."""
    stage.network.a.write_etc("resolv.conf", "\n".join([f"nameserver {net.PEER}", *lines]) + "\n")
    try:
        with DNSServer(stage.network.b, net.PEER, zone(table)):
            yield
    finally:
        stage.network.a.write_etc("resolv.conf", "nameserver 127.0.0.1\n")


@contextlib.contextmanager
def tls_server(stage: Stage, identity: Identity, name: str):
    """A server with this name, and the file of its certificate authority."""
    (stage.folder / "ca.pem").write_text(stage.authorities.root_pem)
    script = tls_peers.tls(tls_peers.server_context(identity))
    with name_server(stage, {name: [net.OPEN]}), listening(stage, 8443, script=script):
        yield


@situation("Refused, but the service is running")
def another_address(stage):
    with listening(stage, 5432, net.SECOND):
        yield


@situation("Refused for localhost inside a container")
def another_loopback(stage):
    with listening(stage, 5432, "127.0.0.1"):
        yield


@situation("Refused by the host or by a firewall?")
def rejects(stage):
    stage.network.b.nft(
        "table inet rejects { chain c { type filter hook forward priority -10;\n"
        f"ip daddr {net.FORGED} tcp dport 5432 reject with tcp reset\n}}\n}}"
    )
    try:
        yield
    finally:
        stage.network.b.run("nft", "delete", "table", "inet", "rejects")


@situation("Timeout: DEADLINE or ETIMEDOUT?")
def silence(stage):
    yield


@situation("Timeout, but the service is running")
def full_backlog(stage):
    with peers.full_tcp_listener(stage.network.b, net.OPEN, 5432):
        yield


@situation("EHOSTUNREACH after three seconds, or at once")
def dead_neighbor(stage):
    yield


@situation("EHOSTUNREACH over IPv4, EACCES over IPv6: one firewall rule")
def prohibited(stage):
    yield


@situation("EACCES or EPERM from connect")
def own_firewall(stage):
    yield


@situation("ENETUNREACH, or IPv6 without a route")
def no_route(stage):
    with name_server(stage, {"both.example": [net.OPEN, net.NOWHERE6]}), listening(stage, 5432):
        yield


@situation("EINVAL for a valid address")
def blackhole(stage):
    yield


@situation("EADDRNOTAVAIL without any `bind`")
def no_port(stage):
    range_of_ports = "net.ipv4.ip_local_port_range"
    before = stage.network.a.get(range_of_ports).replace("\t", " ")
    with listening(stage, 5432), stage.network.a.setting(range_of_ports, before):
        stage.network.a.set(range_of_ports, "50000 50001")
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                client = stack.enter_context(stage.network.a.socket())
                client.connect((net.OPEN, 5432))
            yield


@situation("EADDRNOTAVAIL for every IPv6 address")
def no_ipv6(stage):
    elsewhere = Namespace(new_name("f"))
    try:
        elsewhere.set("net.ipv6.conf.all.disable_ipv6", 1)
        yield elsewhere
    finally:
        elsewhere.remove()


@situation("UNIX sockets: ENOENT, ECONNREFUSED, EACCES, EAGAIN")
def unix_sockets(stage):
    peers.unix_listener(stage.path("stale.sock")).close()
    with contextlib.ExitStack() as stack:
        stack.enter_context(peers.unix_listener(stage.path("locked.sock"), mode=0o600))
        stack.enter_context(peers.unix_listener(stage.path("busy.sock"), backlog=0))
        for client in peers.fill_backlog(stage.path("busy.sock")):
            stack.enter_context(client)
        yield


@situation("Connected, but nothing works behind the load balancer")
def load_balancer(stage):
    """Accepts without a backend: one listener closes, the other resets."""

    def resetting(connection: socket.socket) -> None:
        time.sleep(0.2)  # The peer needs a while to find that it has no backend.
        tls_peers.end_with_a_reset(connection)

    with listening(stage, 5432, script=lambda connection: time.sleep(0.2)), listening(stage, 5433, script=resetting):
        yield


@situation("Not verified: UDP and `associated`")
def datagrams(stage):
    with peers.serving(peers.udp_socket(stage.network.b, net.OPEN, 7), peers.echo_datagram):
        with peers.udp_socket(stage.network.b, net.OPEN, 5000):
            yield


@situation("403, but `connectd check` works")
def denied(stage):
    with peers.unix_listener(stage.path("app.sock")):
        yield


@situation("421, 415, 503: the service's own answers")
def own_answers(stage):
    with Connectd(stage.network.a, {"limits": {"in_flight": 1, "queue": 0}}, port=8081) as service:
        with service.unix.connect() as waiting:
            waiting.sendall(check_request(f"{net.DROPPED}:80", timeout_ms=20000))
            service.wait_until_connecting()
            yield


@situation("It connects from here, but not from there")
def routes(stage):
    yield


@situation("EMFILE, ENFILE, ENOBUFS, ENOMEM")
def descriptors(stage):
    with listening(stage, 5432):
        yield


@situation("NXDOMAIN, but the name exists")
def search_domains(stage):
    with name_server(stage, {"db.corp.example": [net.OPEN]}, "search corp.example"), listening(stage, 5432):
        yield


@situation("CERT_UNKNOWN_AUTHORITY, but browsers accept the site")
def incomplete_chain(stage):
    with tls_server(stage, stage.authorities.incomplete, HOST):
        yield


@situation("CERT_NAME_MISMATCH")
def another_name(stage):
    with tls_server(stage, stage.authorities.good, "db.example"):
        yield


@situation("TLS_NOT_TLS")
def plain_text(stage):
    def greeting(connection: socket.socket) -> None:
        connection.sendall(b"220 mail.example ESMTP\r\n")
        tls_peers.until_the_end(connection)

    with listening(stage, 2525, script=greeting):
        yield
