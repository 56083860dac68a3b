"""Verdicts about servers found in practice: names with underscores, long chains, missing names, old TLS libraries."""

import contextlib
import socket
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from support import connectd_process, tls_peers
from support import network as net
from support.certificates import HOST
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_problem
from support.waiting import wait_until

PORT = 8237
UNDERSCORE = "code_cube.example.test"


@pytest.fixture(scope="module")
def connectd(network, authorities):
    configuration = {**OPEN_CONFIGURATION, "authorities": {"tests": {"file": "tests.pem"}}}
    with Connectd(network.a, configuration, port=PORT, files={"tests.pem": authorities.root_pem}) as running:
        yield running


def shown(api, network, identity, **tls) -> dict:
    with tls_peers.listening(network.b, tls_peers.tls(tls_peers.server_context(identity))) as port:
        return api.check(f"tcp://{net.OPEN}:{port}", tls={"ca": "tests", "server_name": HOST, **tls})


@contextlib.contextmanager
def speaking(network, words: bytes):
    """A peer that reads what comes first, answers with these bytes, and ends."""

    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(words)
        tls_peers.end_in_good_order(connection)

    with tls_peers.listening(network.b, script) as port:
        yield port


@pytest.mark.parametrize("host", [UNDERSCORE, "_x.example.test", UNDERSCORE.upper()])
def test_a_wildcard_matches_an_underscore(api, network, authorities, host):
    result = shown(api, network, authorities.wildcard, server_name=host)
    assert result["ok"] and result["tls"]["verified"], result


@pytest.mark.parametrize("san", ["c*.example.test", "code_*.example.test", "*.test", "*.*.test"])
def test_a_part_of_a_label_is_not_a_wildcard(api, network, authorities, san):
    names = x509.SubjectAlternativeName([x509.DNSName(san)])
    leaf = authorities.leaf(sans=None)
    builder = x509.CertificateBuilder(
        leaf.issuer, leaf.subject, leaf.public_key(), leaf.serial_number, leaf.not_valid_before_utc, leaf.not_valid_after_utc
    ).add_extension(names, critical=False)
    certificate = builder.sign(authorities.intermediate.key, hashes.SHA256())
    identity = authorities.identity(f"part{abs(hash(san))}", [certificate, authorities.intermediate.certificate])
    result = shown(api, network, identity, server_name="code_cube.test" if san == "*.test" else UNDERSCORE)
    assert result["error"]["name"] == "CERT_NAME_MISMATCH" and not result["tls"]["verified"]


@pytest.mark.parametrize("count", [12, 40])
def test_a_long_chain_is_verified(api, network, authorities, count):
    issuer, chain = authorities.root, []
    for index in range(count):
        issuer = authorities._authority(f"level {index}", issuer)
        chain.insert(0, issuer.certificate)
    identity = authorities.identity(f"long{count}", [authorities.leaf(issuer=issuer), *chain])
    result = shown(api, network, identity)
    assert result["ok"] and len(result["tls"]["verified_chain"]) == count + 2, result.get("error")


def test_a_certificate_without_names_has_its_hint(api, network, authorities):
    error = shown(api, network, authorities.no_san)["error"]
    assert error["name"] == "CERT_NAME_MISMATCH"
    assert "subject alternative name (SAN)" in error["hint"] and "common name is not used" in error["hint"]


@pytest.mark.parametrize(
    "alert,error_name",
    [(40, "TLS_NO_SHARED_CIPHER"), (112, "TLS_ALERT"), (80, "TLS_ALERT"), (None, "TLS_CLOSED")],
)
@pytest.mark.parametrize("server_name", [None, HOST])
def test_a_server_that_needs_a_name_has_its_hint(api, network, alert, error_name, server_name):
    with speaking(network, b"" if alert is None else tls_peers.alert(2, alert)) as port:
        tls = {"server_name": server_name} if server_name else True
        error = api.check(f"tcp://{net.OPEN}:{port}", tls=tls)["error"]
    assert error["name"] == error_name
    assert ("no server_name" in error["hint"]) == (server_name is None), error["hint"]


def test_subject_and_serial_match_openssl(api, network, authorities):
    subject = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Škoda a\u202eb, Straße"),
        x509.NameAttribute(NameOID.COMMON_NAME, "münchen.example"),
    ])
    leaf = authorities.leaf(serial=0xF0 << 144 | 1)
    builder = x509.CertificateBuilder(
        leaf.issuer, subject, leaf.public_key(), leaf.serial_number, leaf.not_valid_before_utc, leaf.not_valid_after_utc
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    certificate = builder.sign(authorities.intermediate.key, hashes.SHA256())
    identity = authorities.identity("named", [certificate, authorities.intermediate.certificate])
    report = shown(api, network, identity)["tls"]["chain"][0]
    shows = ["openssl", "x509", "-in", identity.chain_file, "-noout", "-serial"]
    serial = subprocess.run(shows, capture_output=True, text=True, check=True).stdout.strip().removeprefix("serial=")
    assert report["serial"] == serial.lower() == "f0" + "00" * 17 + "01"
    assert report["subject"] == "CN=münchen.example,O=Škoda a\\E2\\80\\AEb\\, Straße"


def test_a_server_without_secure_renegotiation_has_its_hint(api, network, authorities):
    with tls_peers.without_renegotiation_info(network.b, authorities.good) as port:
        tls = {"ca": "tests", "server_name": HOST}
        refused = api.check(f"tcp://{net.OPEN}:{port}", tls=tls)
        assert refused["error"]["name"] == "TLS_PROTOCOL" and refused["phase"] == "tls"
        assert refused["error"]["retryable"] is False and "RFC 5746" in refused["error"]["hint"]
        accepted = api.check(f"tcp://{net.OPEN}:{port}", tls={**tls, "legacy_renegotiation": True})
        assert accepted["ok"] and accepted["tls"]["verified"], accepted.get("error")
        ran = connectd_process.run(
            "check", "--no-verify", "--legacy-renegotiation", f"tls://{net.OPEN}:{port}", namespace=network.a)
        assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("dialogs", ["none", "configured"])
def test_no_client_text_reaches_a_plain_listener(network, authorities, dialogs):
    heard = []

    def script(connection: socket.socket) -> None:
        connection.settimeout(1)
        with contextlib.suppress(OSError):
            while data := connection.recv(4096):
                heard.append(data)

    configuration = {**OPEN_CONFIGURATION, "policy": {**OPEN_CONFIGURATION.get("policy", {}), "dialogs": dialogs}}
    with Connectd(network.a, configuration, port=PORT + 1) as running, tls_peers.listening(network.b, script) as port:
        target = f"tcp://{net.OPEN}:{port}"
        for alpn in (["\r\nset x 0 0 4\r\nevil\r\n"], ['"FLUSHALL"', "aaaaaaaaaa"], ["evil evil"], ["é"]):
            answer = running.client.post_check(target, tls={"verify": False, "alpn": alpn})
            assert_problem(answer, 403, "/tls/alpn")
        assert heard == []
        running.client.check(target, timeout_ms=500, tls={"verify": False, "alpn": ["h2", "x-own/1"]})
        wait_until(lambda: b"x-own/1" in b"".join(heard), 30, "the peer hears the protocol's name")
