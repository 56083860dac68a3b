"""Faults of TLS, each with its sentence."""

import contextlib
import ssl

import pytest

from support import network as net
from support import peers, tls_peers
from support.certificates import HOST
from support.diagnosis import black_hole, diagnose, names

A = net.OPEN


@pytest.fixture(scope="module", autouse=True)
def hosts(network):
    with names(network, f"{A} {HOST} other.example.test\n"):
        yield


@pytest.fixture(scope="module")
def root_file(authorities):
    path = authorities.folder / "root-of-diagnosis.pem"
    path.write_text(authorities.root_pem)
    return str(path)


@pytest.fixture
def showing(network):
    with contextlib.ExitStack() as stack:

        def start(identity, **options) -> int:
            script = tls_peers.tls(tls_peers.server_context(identity, **options))
            return stack.enter_context(tls_peers.listening(network.b, script))

        yield start


@pytest.fixture
def tls(network, root_file):
    def run(port: int, *arguments: str, host: str = HOST, **options):
        return diagnose(network.a, f"tls://{host}:{port}", "--ca", root_file, *arguments, **options)

    return run


def test_nothing_is_wrong(authorities, showing, tls):
    port = showing(authorities.good)
    tls(port).must_be("ok", "certain", f"{HOST}:{port} accepts connections; the diagnosis found nothing wrong.")


def test_an_expired_certificate(authorities, showing, tls):
    port = showing(authorities.expired)
    day = authorities.expired.leaf.not_valid_after_utc.date()
    tls(port).must_be(
        "target", "certain", f"The TLS handshake with {HOST}:{port} fails: the certificate expired on {day}."
    )


def test_a_certificate_for_another_name(authorities, showing, tls):
    port = showing(authorities.good)
    report = tls(port, host="other.example.test")
    report.must_be(
        "target", "certain",
        f"The TLS handshake with other.example.test:{port} fails: the certificate is for {HOST}, not for "
        "other.example.test.",
    )  # fmt: skip


# From here, a CA that is not trusted and an intermediate that the server does not send look the same.
def test_an_unknown_authority(authorities, showing, tls):
    port = showing(authorities.incomplete)
    report = tls(port)
    assert report.causes == ["untrusted_authority", "missing_intermediate"]
    issuer = report.findings["issuer_unknown"]["evidence"]["issuer"]
    report.must_be(
        "target", "possible",
        f"The TLS handshake with {HOST}:{port} fails: either this prober does not trust the CA {issuer}, or the server "
        "does not send its intermediate certificate.",
    )  # fmt: skip


def test_a_root_that_is_not_trusted(authorities, showing, tls):
    port = showing(authorities.unknown_authority_with_root)
    report = tls(port)
    issuer = report.findings["root_untrusted"]["evidence"]["issuer"]
    report.must_be(
        "target", "certain",
        f"The TLS handshake with {HOST}:{port} fails: this prober does not trust the CA {issuer}.",
    )  # fmt: skip


def test_a_self_signed_certificate(authorities, showing, tls):
    port = showing(authorities.self_signed)
    tls(port).must_be(
        "target", "certain", f"The TLS handshake with {HOST}:{port} fails: the certificate is self-signed."
    )


@pytest.fixture
def demanding_name(network, authorities):
    """A server that accepts only clients that send its name."""
    context = tls_peers.server_context(authorities.good)
    context.sni_callback = lambda socket, name, context: (
        None if name == HOST else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    )
    with tls_peers.listening(network.b, tls_peers.tls(context)) as port:
        yield port


def test_a_missing_server_name(demanding_name, tls):
    tls(demanding_name, host=A).must_be(
        "request", "likely",
        f"The TLS handshake with {A}:{demanding_name} fails, probably because the server needs a server name (SNI), and "
        "none was sent.",
    )  # fmt: skip


def test_a_server_name_that_is_not_known(demanding_name, tls):
    tls(demanding_name, host="other.example.test").must_be(
        "target", "likely",
        f"The TLS handshake with other.example.test:{demanding_name} fails, probably because the server does not know "
        "the name other.example.test.",
    )  # fmt: skip


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_version_that_is_too_old(authorities, showing, tls, version):
    port = showing(authorities.good, lowest="1.0", highest=version)
    name = "TLSv1" if version == "1.0" else "TLSv1.1"
    tls(port).must_be(
        "target", "certain", f"The TLS handshake with {HOST}:{port} fails: the server speaks only {name}."
    )


def test_a_port_without_tls(network, tls):
    def greet(connection) -> None:
        connection.sendall(b"220 mail.example.test ESMTP\r\n")
        tls_peers.until_the_end(connection)

    with tls_peers.listening(network.b, greet) as port:
        report = tls(port)
    report.must_be(
        "target", "certain", f"The TLS handshake with {HOST}:{port} fails: the port does not speak TLS."
    )
    assert report.findings["not_tls"]["evidence"]["received"].startswith("220 mail")


def test_a_client_certificate_that_is_required(authorities, showing, tls):
    port = showing(authorities.good, client_authorities=authorities.root_pem)
    tls(port).must_be(
        "request", "certain",
        f"The TLS handshake with {HOST}:{port} fails: the server requires a client certificate.",
    )  # fmt: skip


def test_a_service_that_says_nothing(network, tls):
    with peers.tcp_listener(network.b, A) as listener:
        port = listener.getsockname()[1]
        report = tls(port)
    report.must_be(
        "target", "possible",
        f"{HOST}:{port} does not answer in the TLS handshake: either the service hangs, or the port does not speak TLS.",
    )  # fmt: skip
    assert {"mtu_black_hole", "hello_dropped"} <= report.ruled_out


def test_an_mtu_black_hole(network, authorities, tls):
    script = tls_peers.tls(tls_peers.server_context(authorities.rsa4096, highest="1.2"))
    listener = peers.tcp_listener(network.b, A)
    with peers.serving(listener, peers.on_each_connection_at_once(script)), black_hole(network, listener.getsockname()[1]):
        port = listener.getsockname()[1]
        report = tls(port, "--no-verify")
    report.must_be(
        "network", "likely",
        f"{HOST}:{port} does not answer in the TLS handshake, probably because a router on the path drops large packets "
        "(an MTU black hole).",
    )  # fmt: skip
    assert "service_hangs" in report.ruled_out
