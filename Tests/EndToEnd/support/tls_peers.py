"""TLS peers: Python's `ssl` if possible, otherwise `openssl s_server`, and records that no server should send."""

import contextlib
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest.mock
import warnings

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from support import peers
from support.certificates import Identity
from support.network import OPEN

ALERT, HANDSHAKE, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HEARTBEAT = 21, 22, 23, 20, 24
# RFC 5746: OpenSSL's client needs it.
SECURE_RENEGOTIATION = b"\xff\x01\x00\x01\x00"
OLD_CIPHERS = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


def server_context(
    identity: Identity,
    lowest: str | None = None,
    highest: str | None = None,
    ciphers: str = OLD_CIPHERS,
    alpn: list[str] | None = None,
    client_authorities: str | None = None,
    client_certificate: ssl.VerifyMode = ssl.CERT_REQUIRED,
    curve: str | None = None,
    dh_parameters: str | None = None,
    tickets: int | None = None,
) -> ssl.SSLContext:
    """A server context that allows everything, because connectd must find the weaknesses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    context.load_cert_chain(identity.chain_file, identity.key_file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if lowest is not None:
            context.minimum_version = VERSIONS[lowest]
        if highest is not None:
            context.maximum_version = VERSIONS[highest]
    if alpn is not None:
        context.set_alpn_protocols(alpn)
    if client_authorities is not None:
        context.load_verify_locations(cadata=client_authorities)
        context.verify_mode = client_certificate
    # OpenSSL prefers X25519, and Debian 12's Python does not know it as a curve.
    if curve not in (None, "X25519"):
        context.set_ecdh_curve(curve)
    if dh_parameters is not None:
        context.load_dh_params(dh_parameters)
    if tickets is not None:
        context.num_tickets = tickets
    return context


def until_the_end(connection) -> None:
    """A script: reads until EOF."""
    while connection.recv(65536):
        pass


def tls(context: ssl.SSLContext, script=until_the_end, failures: list | None = None):
    """A script that does the handshake, then runs another script inside TLS."""

    def run(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as inside:
            try:
                inside.do_handshake()
            except OSError as error:
                if failures is not None:
                    failures.append(error)
                # The alert is in flight. Closing with unread bytes would send a reset, which could overtake it.
                with contextlib.suppress(OSError):
                    end_in_good_order(inside)
                return
            script(inside)

    return run


def end_in_good_order(connection: socket.socket, seconds: float = 2) -> None:
    """Sends FIN, then reads until EOF, so that no reset is sent."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(seconds)
    while connection.recv(65536):
        pass


def end_with_a_reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, peers.RESET)


@contextlib.contextmanager
def listening(namespace, script, address: str = OPEN, port: int = 0):
    """A TCP peer that runs the script on each connection, one at a time; returns its port."""
    listener = peers.tcp_listener(namespace, address, port)
    with peers.serving(listener, peers.on_each_connection(script)):
        yield listener.getsockname()[1]


@contextlib.contextmanager
def openssl_server(namespace, identity: Identity, *options: str, address: str = OPEN):
    """Runs `openssl s_server`; returns its port and the process, whose stdin accepts s_server's commands."""
    with peers.tcp_listener(namespace, address) as probe:
        port = probe.getsockname()[1]
    command = ["openssl", "s_server", "-accept", f"{address}:{port}", "-cert", identity.chain_file]
    command += ["-key", identity.key_file, *options]
    if len(identity.chain) > 1:
        command += ["-cert_chain", identity.rest_file]
    process = subprocess.Popen(
        namespace.command(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    try:
        said = b""
        while b"ACCEPT" not in said:
            part = os.read(process.stdout.fileno(), 4096)
            assert part, f"openssl s_server ended: {said.decode()}"
            said += part
        threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
        yield port, process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdin.close()


@contextlib.contextmanager
def without_renegotiation_info(namespace, identity: Identity, address: str = OPEN):
    """A TLS 1.2 server without secure renegotiation (RFC 5746), like old TLS libraries; returns its port."""
    # OpenSSL's own server always answers that extension.
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
    from tlslite.constants import ExtensionType
    from tlslite.messages import ServerHello

    class OldHello(ServerHello):
        def write(self):
            self.extensions = [one for one in self.extensions or [] if one.extType != ExtensionType.renegotiation_info]
            return super().write()

    chain = X509CertChain()
    chain.parsePemList(open(identity.chain_file).read())
    key = parsePEMKey(open(identity.key_file).read(), private=True)
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 3)

    def script(connection: socket.socket) -> None:
        server = TLSConnection(connection)
        with contextlib.suppress(Exception):
            server.handshakeServer(certChain=chain, privateKey=key, settings=settings)
            server.read(1)

    with unittest.mock.patch("tlslite.tlsconnection.ServerHello", OldHello):
        with listening(namespace, script, address) as port:
            yield port


def _drain(stream) -> None:
    """Reads its output, so that it never blocks on a full pipe."""
    while stream.read(65536):
        pass


# Raw records.


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    return bytes([kind]) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def alert(level: int, code: int) -> bytes:
    return record(ALERT, bytes([level, code]))


def message(kind: int, body: bytes, claimed: int | None = None) -> bytes:
    """A handshake message; `claimed` is the length in its header, if not the real one."""
    length = len(body) if claimed is None else claimed
    return bytes([kind]) + length.to_bytes(3, "big") + body


def server_hello(
    version: int = 0x0303,
    cipher: int = 0xC02B,
    random: bytes = b"r" * 32,
    session: bytes = b"",
    extensions: bytes = b"",
) -> bytes:
    body = version.to_bytes(2, "big") + random + bytes([len(session)]) + session + cipher.to_bytes(2, "big") + b"\0"
    return message(2, body + len(extensions).to_bytes(2, "big") + extensions)


def flight_with_small_dh(identity: Identity, hello: bytes, bits: int) -> bytes:
    """The messages of a TLS 1.2 server with an RSA key and Diffie-Hellman parameters that OpenSSL's server rejects."""
    random = b"r" * 32
    certificates = b"".join(
        len(der).to_bytes(3, "big") + der for der in (item.public_bytes(Encoding.DER) for item in identity.chain)
    )
    prime = (1 << (bits - 1)) + 1
    numbers = (prime, 2, prime // 3)
    fields = [number.to_bytes((number.bit_length() + 7) // 8, "big") for number in numbers]
    parameters = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    key = load_pem_private_key(pathlib.Path(identity.key_file).read_bytes(), None)
    # The client's random comes after the headers of the record and the message, and the version.
    signature = key.sign(hello[11:43] + random + parameters, padding.PKCS1v15(), hashes.SHA256())
    exchange = parameters + b"\x04\x01" + len(signature).to_bytes(2, "big") + signature
    messages = (
        server_hello(cipher=0x009F, random=random, extensions=SECURE_RENEGOTIATION)
        + message(11, len(certificates).to_bytes(3, "big") + certificates)
        + message(12, exchange)
        + message(14, b"")
    )
    return record(HANDSHAKE, messages)


def exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError("the client closed")
        data += part
    return data


def read_record(connection: socket.socket) -> bytes:
    """Reads one record with its header; the first is the ClientHello."""
    head = exactly(connection, 5)
    return head + exactly(connection, int.from_bytes(head[3:], "big"))


class MemoryServer:
    """A real server on memory buffers, whose output can be truncated, delayed or repeated."""

    def __init__(self, context: ssl.SSLContext):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def answer(self, data: bytes) -> bytes:
        """The server's response to these bytes."""
        self.incoming.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.session.do_handshake()
        return self.outgoing.read()


def first_flight(context: ssl.SSLContext, connection: socket.socket) -> bytes:
    """Reads the ClientHello; returns the answer of a real server."""
    return MemoryServer(context).answer(read_record(connection))


def one_byte_records(flight: bytes) -> bytes:
    """The same handshake messages in records of one byte each."""
    cut = b""
    while flight:
        kind, length = flight[0], int.from_bytes(flight[3:5], "big")
        body, flight = flight[5 : 5 + length], flight[5 + length :]
        cut += b"".join(record(kind, bytes([byte])) for byte in body)
    return cut


def repeat(connection: socket.socket, data: bytes, seconds: float = 5) -> None:
    """Sends the same bytes repeatedly until the client disconnects."""
    many = data * max(1, 16384 // max(1, len(data)))
    limit = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < limit:
            connection.sendall(many)
