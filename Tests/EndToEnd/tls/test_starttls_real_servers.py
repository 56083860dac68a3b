"""STARTTLS with real servers: they send what the scripted peers send."""

import contextlib
import os
import pathlib
import shutil
import socket
import tempfile
import threading
import time

import pytest

from support import network as net
from support import real_servers, tls_peers
from support.certificates import HOST
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.tls_expectations import assert_report, assert_tls_failure, assert_verified

pytestmark = pytest.mark.integration

PORT = 8251
# protocol: the server that speaks it
SERVERS = {
    "smtp": real_servers.postfix,
    "lmtp": real_servers.dovecot,
    "imap": real_servers.dovecot,
    "pop3": real_servers.dovecot,
    "sieve": real_servers.dovecot,
    "ftp": real_servers.vsftpd,
    "ldap": real_servers.slapd,
    "postgres": real_servers.postgresql,
    "mysql": real_servers.mariadb,
    "xmpp": real_servers.prosody,
    "xmpp-server": real_servers.prosody,
    "nntp": real_servers.nnrpd,
    "irc": real_servers.inspircd,
}


@pytest.fixture(scope="module")
def connectd(network, authorities):
    configuration = {**OPEN_CONFIGURATION, "authorities": {"tests": {"file": "tests.pem"}}}
    with Connectd(network.a, configuration, port=PORT, files={"tests.pem": authorities.root_pem}) as running:
        yield running


@pytest.fixture(scope="module")
def running(network, authorities):
    """Starts the server of a protocol once; gives it and what it shows."""
    started = {}
    with contextlib.ExitStack() as stack:

        def start(protocol: str) -> tuple:
            function = SERVERS[protocol]
            if function not in started:
                folder = pathlib.Path(tempfile.mkdtemp(prefix="cd", dir="/tmp"))
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
                os.chmod(folder, 0o755)
                # An EC key with a chain, but for the one that knows RSA only.
                identity = authorities.rsa2048 if function is real_servers.vsftpd else authorities.good
                try:
                    server = stack.enter_context(function(network.b, net.OPEN, folder, identity))
                except real_servers.Missing as reason:
                    pytest.skip(str(reason))
                started[function] = server, identity
            server, identity = started[function]
            if protocol not in server.ports:
                pytest.skip(f"not installed: the part of {function.__name__} for {protocol}")
            return server, identity

        yield start


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_real_server_is_verified(api, running, protocol):
    server, identity = running(protocol)
    target = f"tcp://{server.address}:{server.ports[protocol]}"
    options = {"server_name": HOST, "ca": "tests", "starttls": protocol}
    report = assert_verified(api.check(target, tls=options, timeout_ms=10000), identity)
    assert report["version"] in ("TLSv1.2", "TLSv1.3")
    result = api.check(target, tls={**options, "server_name": f"not-{HOST}"}, timeout_ms=10000)
    if protocol in ("xmpp", "xmpp-server"):
        # A host that the server does not have: it may refuse before it comes to certificates.
        assert result["outcome"] == "tls_failed"
        assert result["error"]["name"] in ("STARTTLS_REFUSED", "CERT_NAME_MISMATCH")
    else:
        assert_tls_failure(result, "CERT_NAME_MISMATCH")
        assert_report(result, identity)


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_real_server_with_another_protocol_fails(api, running, protocol):
    """The peer speaks another protocol: the check ends with a reason, at its deadline at the latest."""
    server, _ = running(protocol)
    target = f"tcp://{server.address}:{server.ports[protocol]}"
    other = "pop3" if protocol != "pop3" else "smtp"
    for options in ({"starttls": other, "verify": False}, {"verify": False}):
        result = api.check(target, tls=options, timeout_ms=1000)
        assert (result["ok"], result["phase"]) == (False, "tls"), result
        assert result["outcome"] in ("tls_failed", "timeout", "reset"), result
        if result["outcome"] == "tls_failed":
            assert result["error"]["name"] in ("STARTTLS_REFUSED", "TLS_NOT_TLS", "TLS_CLOSED"), result


class SlowWords:
    """A proxy that forwards a server's bytes one by one until the client begins with TLS."""

    def __init__(self, namespace, server: tuple[str, int]):
        self.namespace, self.server = namespace, server
        self.said = b""
        self.said_when_tls_began = None

    def __call__(self, client: socket.socket) -> None:
        with self.namespace.socket() as server:
            server.connect(self.server)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            words = threading.Thread(target=self._say, args=(server, client))
            words.start()
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    if data[0] == 0x16 and self.said_when_tls_began is None:
                        self.said_when_tls_began = self.said
                    server.sendall(data)
                server.shutdown(socket.SHUT_WR)
            words.join()

    def _say(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self.said_when_tls_began is not None:
                    client.sendall(data)
                    continue
                for byte in data:
                    client.sendall(bytes([byte]))
                    self.said += bytes([byte])
                    time.sleep(0.002)  # Each byte is a packet of its own.


def test_a_starttls_step_waits_for_the_whole_reply(api, running, network):
    """Postfix discards bytes that arrive before its go-ahead: a ClientHello that comes too early gets no answer."""
    server, identity = running("smtp")
    slow = SlowWords(network.b, (server.address, server.ports["smtp"]))
    dialog = [
        {"expect": "^220"},
        {"send": "EHLO me.example.test\r\n"},
        {"expect": "^250[- ]STARTTLS"},
        {"send": "STARTTLS\r\n"},
        {"expect": "^220"},
        {"starttls": True},
        {"send": "EHLO me.example.test\r\n"},
        {"expect": r"^250[- ](?<name>\S+)"},
    ]
    with tls_peers.listening(network.b, slow) as port:
        options = {"server_name": HOST, "ca": "tests"}
        result = api.check(f"tcp://{net.OPEN}:{port}", tls=options, dialog=dialog, timeout_ms=10000)
    assert_verified(result, identity)
    assert result["dialog"]["groups"] == {"name": HOST}
    assert slow.said_when_tls_began.endswith(b"\r\n") and slow.said_when_tls_began.splitlines()[-1].startswith(b"220 ")


def test_a_dialog_runs_after_starttls(api, running):
    server, _ = running("smtp")
    dialog = [
        {"send": "EHLO me.example.test\r\n"},
        {"expect": r"^250[- ](?<name>\S+)"},
        {"expect": "^250 "},
        {"send": "QUIT\r\n"},
        {"expect": "^221"},
    ]
    options = {"server_name": HOST, "ca": "tests", "starttls": "smtp"}
    result = api.check(f"tcp://{server.address}:{server.ports['smtp']}", tls=options, dialog=dialog)
    assert result["outcome"] == "connected", result
    assert result["dialog"]["groups"] == {"name": HOST}
    assert "STARTTLS" not in result["dialog"]["steps"][1]["received"]
