"""What the scenarios need: a namespace, targets of every kind in it, and a connectd with the shim."""

import contextlib
import functools
import pathlib
import shutil
import socket
import tempfile

from support import peers, preset_peers, tls_peers
from support.certificates import HOST, Authorities
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.dns_server import DNSServer, zone
from support.http_client import Client
from support.https_peers import certify, connector, https
from support.namespace import Namespace
from support.network import new_name
from support.starttls_peers import LINES
from support.tls_checks import material

LOCAL = "127.0.0.1"
PORT, HEALTH = 8080, 8081
NAMES = {"open.example.test": [LOCAL, "::1"], "alias.example.test": ["cname:open.example.test"], HOST: [LOCAL]}
CERTIFICATES = ("server", "later")


class Stage(contextlib.ExitStack):
    """The targets, by name; they live until the stage is closed."""

    def __init__(self):
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cdt", dir="/tmp"))
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)
        self.namespace = Namespace(new_name("t"))
        self.callback(self.namespace.remove)
        # c-ares keeps a query whose answer it dropped, and its socket, for this long.
        self.namespace.write_etc("resolv.conf", f"nameserver {LOCAL}\noptions timeout:1 attempts:2\n")
        self.authorities = Authorities(self.folder)
        self.system_authorities = self.folder / "system.pem"
        self.system_authorities.write_text(self.authorities.root_pem)
        self.listener_folder = self.folder / "listener"
        self.listener_folder.mkdir()
        for name in (*CERTIFICATES, "ca"):
            certify(self.listener_folder, name)
        certify(self.listener_folder, "client", "ca")
        self._start_targets()

    def _start_targets(self) -> None:
        self.enter_context(DNSServer(self.namespace, LOCAL, zone(NAMES)))
        identity = self.authorities
        self.open = self._tcp(lambda connection: None)
        self.open6 = self._tcp(lambda connection: None, "::1", self.open)
        self.holding = self._tcp(tls_peers.until_the_end)
        self.greeting = self._tcp(_greet)
        self.tls = self._tcp(self._in_tls(identity.good, client_authorities=identity.root_pem, alpn=["h2"]))
        self.other_tls = self._tcp(self._in_tls(identity.wrong_host))
        self.smtp = self._tcp(self._starttls)
        self.dialog_tls = self._tcp(self._dialog_then_tls)
        self.udp = self._udp(peers.echo_datagram)
        self.udp_dns = self._udp(preset_peers.answering("dns"))
        self.stream = str(self.folder / "stream.sock")
        self._serve(peers.unix_listener(self.stream), peers.on_each_connection_at_once(lambda connection: None))
        self.forbidden = str(self.folder / "forbidden")
        self._serve(peers.unix_listener(self.forbidden), peers.on_each_connection_at_once(lambda connection: None))
        self.datagram = str(self.folder / "datagram.sock")
        self.enter_context(peers.unix_listener(self.datagram, socket.SOCK_DGRAM))

    def _serve(self, listener: socket.socket, act) -> None:
        self.enter_context(peers.serving(listener, act))

    def _tcp(self, script, address: str = LOCAL, port: int = 0) -> int:
        listener = peers.tcp_listener(self.namespace, address, port, backlog=512)
        self._serve(listener, peers.on_each_connection_at_once(script))
        return listener.getsockname()[1]

    def _udp(self, act) -> int:
        peer = peers.udp_socket(self.namespace, LOCAL)
        self._serve(peer, act)
        return peer.getsockname()[1]

    def _in_tls(self, identity, script=tls_peers.until_the_end, **options):
        options.setdefault("client_certificate", tls_peers.ssl.CERT_OPTIONAL)
        return tls_peers.tls(tls_peers.server_context(identity, **options), script)

    @functools.cached_property
    def _good_tls(self):
        return self._in_tls(self.authorities.good)

    def _starttls(self, connection: socket.socket) -> None:
        LINES["smtp"].talk(connection, "willing")
        self._good_tls(connection)

    def _dialog_then_tls(self, connection: socket.socket) -> None:
        connection.sendall(b"220 ready\r\n")
        assert connection.recv(100) == b"STARTTLS\r\n"
        connection.sendall(b"220 go ahead\r\n")
        self._good_tls(connection)

    def configuration(self, certificate: str = CERTIFICATES[0], **members) -> tuple[dict, dict]:
        """The configuration of the service under test, and the files that it names."""
        entries, files = material(self.authorities)
        rules = [{"action": "allow", "path": f"{self.folder}/*.sock"}]
        configuration = {
            "policy": {**OPEN_CONFIGURATION["policy"], "rules": rules}, "workers": 1, **entries,
            "https": https(self.listener_folder, certificate, mutual=True), "health_listen": [f"{LOCAL}:{HEALTH}"],
            "drain": {"delay_ms": 0, "limit_ms": 3000}, "log": {"level": "info"}, **members,
        }  # fmt: skip
        return configuration, files

    def service(self, environment: dict[str, str]) -> Connectd:
        """A connectd that starts; the caller waits until it is live, and stops it."""
        configuration, files = self.configuration()
        return Connectd(self.namespace, configuration, port=PORT, files=files, environment=environment)

    def https_client(self, certificate: str, client: str | None = "client") -> Client:
        connect = connector(self.namespace, self.listener_folder, certificate, client, port=PORT)
        return Client(connect, host=f"{LOCAL}:{PORT}")


def _greet(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example.test ready\r\n")
    while line := connection.recv(1000):
        connection.sendall(b"250 " + line)
