"""TLS handshakes: each kind of certificate, version, cipher and client certificate, with its verdict."""

import contextlib
import pathlib
import ssl
import time

import pytest

from support import network as net
from support import tls_peers
from support.certificates import HOST, openssl
from support.connectd_process import Connectd
from support.expectations import assert_problem, assert_shape, assert_success
from support.tls_checks import BOTH, PORT, check
from support.tls_expectations import (
    assert_alert,
    assert_chain,
    assert_report,
    assert_tls_failure,
    assert_verified,
    assert_verify_error,
)

# A good handshake.


def test_a_good_peer_is_connected_with_a_full_report(api, authorities, showing):
    result = check(api, showing(authorities.good))
    report = assert_verified(result, authorities.good)
    assert report["version"] == "TLSv1.3"
    assert report["cipher"] == "TLS_AES_256_GCM_SHA384"
    assert report["group"].lower() == "x25519"
    assert (report["alpn"], report["server_name"]) == (None, HOST)
    assert report["ocsp"] == {"stapled": False}
    root = authorities.root.certificate
    assert_chain(report["verified_chain"], [*authorities.good.chain, root])
    assert report["chain"][0]["serial"] == "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    assert 0 < report["handshake_ms"] <= result["timings_ms"]["tls"] + 0.1
    assert result["timings_ms"]["total"] >= result["timings_ms"]["connect"] + result["timings_ms"]["tls"] - 0.1
    assert "alert" not in report


def test_the_peer_sees_the_name_a_complete_handshake_and_a_close_notify(api, authorities, network):
    context = tls_peers.server_context(authorities.good)
    names, ends = [], []
    context.sni_callback = lambda connection, name, _: names.append(name)

    def script(inside) -> None:
        ends.append((inside.session_reused, inside.recv(100)))

    with tls_peers.listening(network.b, tls_peers.tls(context, script)) as port:
        for _ in range(2):
            assert_success(check(api, port))
    assert names == [HOST] * 2
    assert ends == [(False, b"")] * 2, "no session is used again, and the end is a close_notify"


def test_an_address_is_verified_but_not_sent_as_a_name(api, authorities, network):
    identity = authorities.for_addresses(net.OPEN, net.OPEN6)
    context = tls_peers.server_context(identity)
    names = []
    context.sni_callback = lambda connection, name, _: names.append(name)
    for address, shown in ((net.OPEN, net.OPEN), (net.OPEN6, f"[{net.OPEN6}]")):
        with tls_peers.listening(network.b, tls_peers.tls(context), address) as port:
            result = api.check(f"tcp://{shown}:{port}", tls={"ca": "tests"})
            report = assert_verified(result, identity)
            assert report["server_name"] is None
            assert f"IP:{address}" in report["chain"][0]["sans"]
    assert names == [None, None]


def test_an_address_missing_in_the_certificate_is_a_mismatch(api, authorities, showing):
    port = showing(authorities.good)
    result = api.check(f"tcp://{net.OPEN}:{port}", tls={"ca": "tests"})
    assert_tls_failure(result, "CERT_NAME_MISMATCH")
    assert_verify_error(result, 64)
    assert_report(result, authorities.good)


def test_the_certificate_must_have_the_targets_name(api, authorities, showing):
    port = showing(authorities.good)
    report = assert_verified(api.check(f"tcp://{HOST}:{port}", tls={"ca": "tests"}), authorities.good)
    assert report["server_name"] == HOST
    result = api.check(f"tcp://{BOTH}:{port}", tls={"ca": "tests"})
    assert_tls_failure(result, "CERT_NAME_MISMATCH")
    assert result["tls"]["server_name"] == BOTH
    assert_verified(api.check(f"tcp://{BOTH}:{port}", tls={"ca": "tests", "server_name": HOST}), authorities.good)


def test_a_tls_url_uses_the_authorities_of_the_system(api, authorities, showing):
    port = showing(authorities.good)
    for result in (api.check(f"tls://{HOST}:{port}"), api.check(f"tcp://{HOST}:{port}", tls=True)):
        assert_tls_failure(result, "CERT_UNKNOWN_AUTHORITY")
        assert_verify_error(result, 20, depth=1)
        assert_report(result, authorities.good)
        assert result["tls"]["verified_chain"] is None
    assert_verified(api.check(f"tls://{HOST}:{port}", tls={"ca": "tests"}), authorities.good)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_environment_sets_the_authorities_of_the_system(network, hosts, authorities, showing, folder, variable):
    """OpenSSL's environment variables name their place."""
    path = pathlib.Path(folder) / "root.pem"
    path.write_text(authorities.root_pem)
    openssl("rehash", folder)
    place = {"SSL_CERT_FILE": str(path), "SSL_CERT_DIR": folder}[variable]
    port = showing(authorities.good)
    with Connectd(network.a, port=PORT + 1, environment={variable: place}) as running:
        report = assert_verified(running.client.check(f"tls://{HOST}:{port}"), authorities.good)
        assert_chain(report["verified_chain"], [*authorities.good.chain, authorities.root.certificate])
        assert_tls_failure(running.client.check(f"tls://{BOTH}:{port}"), "CERT_NAME_MISMATCH")


# The certificates.

TRUSTED = [
    "good",
    "high_serial",
    "reversed",
    "with_root",
    "with_stranger",
    "wildcard",
    "p384",
    "ed25519",
    "rsa2048",
    "rsa4096",
    "rsa8192",
    "expires_soon",
    "authority_as_leaf",
]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("name", TRUSTED)
def test_a_trusted_certificate_is_verified(api, authorities, showing, name, version):
    identity = getattr(authorities, name)
    result = check(api, showing(identity, lowest=version, highest=version))
    report = assert_verified(result, identity)
    assert report["version"] == f"TLSv{version}"
    verified = [identity.leaf, authorities.intermediate.certificate, authorities.root.certificate]
    assert_chain(report["verified_chain"], verified)


# identity: (name, code, depth, options of its server)
DISTRUSTED = {
    "expired": ("CERT_EXPIRED", 10, 0, {}),
    "future": ("CERT_NOT_YET_VALID", 9, 0, {}),
    "wrong_host": ("CERT_NAME_MISMATCH", 62, 0, {}),
    "wildcard_above": ("CERT_NAME_MISMATCH", 62, 0, {}),
    "no_san": ("CERT_NAME_MISMATCH", 62, 0, {}),
    "self_signed": ("CERT_SELF_SIGNED", 18, 0, {}),
    "unknown_authority": ("CERT_UNKNOWN_AUTHORITY", 20, 0, {}),
    "unknown_authority_with_root": ("CERT_UNKNOWN_AUTHORITY", 19, 1, {}),
    "incomplete": ("CERT_UNKNOWN_AUTHORITY", 20, 0, {}),
    "sha1": ("CERT_WEAK", 68, 0, {}),
    "md5": ("CERT_WEAK", 68, 0, {}),
    "rsa512": ("CERT_WEAK", 66, 0, {"highest": "1.2"}),
    "rsa1024": ("CERT_WEAK", 66, 0, {}),
    "clients_usage": ("CERT_INVALID", 26, 0, {}),
    "below_a_leaf": ("CERT_INVALID", 79, 1, {}),
}


@pytest.mark.parametrize("name", DISTRUSTED)
def test_an_untrusted_certificate_has_its_error(api, authorities, showing, name):
    identity = getattr(authorities, name)
    verdict, code, depth, options = DISTRUSTED[name]
    failures = []
    port = showing(identity, failures=failures, **options)
    result = check(api, port)
    error = assert_tls_failure(result, verdict)
    assert error["retryable"] is (verdict == "CERT_NOT_YET_VALID")
    assert_report(result, identity)
    assert_verify_error(result, code, depth)
    assert result["attempts"][0]["outcome"] == "tls_failed"
    # Without verification it is a success with the same report about the chain.
    result = check(api, port, verify=False)
    assert_success(result)
    assert_report(result, identity)
    assert_verify_error(result, code, depth)


def test_a_certificate_with_1000_names_is_reported(api, authorities, showing):
    result = check(api, showing(authorities.sans1000))
    report = assert_verified(result, authorities.sans1000, names=False)
    leaf = report["chain"][0]
    listed = ["DNS:" + HOST, *(f"DNS:n{number}.example.test" for number in range(999))]
    assert leaf["sans"] == listed[: len(leaf["sans"])]
    assert len(leaf["sans"]) + leaf.get("further_sans", 0) == 1000
    assert len(leaf["sans"]) >= 50


@pytest.mark.parametrize("verify", [True, False])
def test_a_certificate_with_10000_names_is_too_large(api, authorities, showing, verify):
    started = time.monotonic()
    result = check(api, showing(authorities.sans10000), verify=verify)
    error = assert_tls_failure(result, "TLS_PROTOCOL")
    assert "excessive message size" in error["message"]
    assert_alert(error, "illegal_parameter", "prober")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "name,least,verdict",
    [
        ("expires_soon", 14, "CERT_EXPIRES_SOON"),
        ("expires_soon", 4, None),
        ("good", 14, None),
        ("good", 0, None),
        ("good", 91, "CERT_EXPIRES_SOON"),
        ("expired", 14, "CERT_EXPIRED"),
    ],
)
def test_too_few_days_left_is_expires_soon(api, authorities, showing, name, least, verdict):
    identity = getattr(authorities, name)
    result = check(api, showing(identity), min_days_left=least)
    if verdict is None:
        assert_verified(result, identity)
    else:
        assert_tls_failure(result, verdict)
        report = assert_report(result, identity)
        assert report["verified"] is (verdict == "CERT_EXPIRES_SOON")


# A verified chain is cached while it is valid.


def test_a_verified_chain_that_expires_later_fails(api, authorities, showing):
    seconds = 4
    brief = authorities.identity(
        "brief", [authorities.leaf(ends=seconds / 86400), authorities.intermediate.certificate])
    port = showing(brief)
    assert_verified(check(api, port), brief)
    again = check(api, port)
    assert_verified(again, brief)
    assert again["tls"]["chain"][0]["expires_in_seconds"] <= seconds
    # The certificate expires by the clock.
    time.sleep(max(0, brief.leaf.not_valid_after_utc.timestamp() + 1.1 - time.time()))
    assert_tls_failure(check(api, port), "CERT_EXPIRED")


def test_a_cached_chain_is_not_valid_for_another_name(api, authorities, showing):
    port = showing(authorities.good)
    for _ in range(2):
        assert_verified(check(api, port), authorities.good)
        assert_tls_failure(check(api, port, server_name="other.example.test"), "CERT_NAME_MISMATCH")
        others = api.check(f"tcp://{net.OPEN}:{port}", tls={"server_name": HOST})
        assert_tls_failure(others, "CERT_UNKNOWN_AUTHORITY")


# Trust.


def test_each_authority_of_a_file_is_trusted(api, authorities, showing):
    for identity in (authorities.good, authorities.unknown_authority):
        assert_verified(check(api, showing(identity), ca="both"), identity)


# Versions and ciphers.


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_old_version_is_refused_by_default(api, authorities, showing, version):
    port = showing(authorities.rsa2048, lowest=version, highest=version)
    error = assert_tls_failure(check(api, port), "TLS_VERSION")
    assert_alert(error, "protocol_version", "peer")


@pytest.mark.parametrize("version,shown", [("1.0", {"TLSv1", "TLSv1.0"}), ("1.1", {"TLSv1.1"})])
def test_an_old_version_is_used_if_requested(api, authorities, showing, version, shown):
    port = showing(authorities.rsa2048, lowest=version, highest=version)
    report = assert_verified(check(api, port, min_version=version), authorities.rsa2048)
    assert report["version"] in shown
    report = assert_verified(check(api, port, min_version="1.0", max_version=version), authorities.rsa2048)
    assert report["version"] in shown


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_requested_version_is_used(api, authorities, showing, version):
    port = showing(authorities.good, lowest=version, highest=version)
    report = assert_verified(check(api, port, min_version=version, max_version=version), authorities.good)
    assert report["version"] == f"TLSv{version}"
    assert report["group"].lower() == "x25519"
    other = {"1.2": {"min_version": "1.3"}, "1.3": {"max_version": "1.2"}}[version]
    error = assert_tls_failure(check(api, port, **other), "TLS_VERSION")
    assert_alert(error, "protocol_version", "peer")


@pytest.mark.parametrize("curve,group", [("prime256v1", "secp256r1"), ("secp384r1", "secp384r1"), ("X25519", "x25519")])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_group_is_reported(api, authorities, showing, version, curve, group):
    """With TLS 1.3 a server that wants another group asks for a second ClientHello."""
    port = showing(authorities.good, curve=curve, lowest=version, highest=version)
    report = assert_verified(check(api, port), authorities.good)
    assert report["group"].lower() in (group, curve.lower())


def test_null_ciphers_are_not_offered(api, authorities, showing):
    ciphers = "NULL-SHA256:NULL-SHA:ECDHE-RSA-NULL-SHA:@SECLEVEL=0"
    error = assert_tls_failure(
        check(api, showing(authorities.rsa2048, ciphers=ciphers, highest="1.2")), "TLS_NO_SHARED_CIPHER"
    )
    assert_alert(error, "handshake_failure", "peer")


def test_anonymous_ciphers_are_not_shared(api, authorities, showing):
    port = showing(authorities.rsa2048, ciphers="ADH:AECDH:@SECLEVEL=0", highest="1.2")
    assert_tls_failure(check(api, port), "TLS_NO_SHARED_CIPHER")


def test_this_build_of_openssl_has_no_rc4():
    """No peer here can use RC4: test_hostile_peers.py sends its records as bytes."""
    assert "RC4" not in openssl("ciphers", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")


def test_requested_ciphers_are_used(api, authorities, showing):
    port = showing(authorities.good)
    report = assert_verified(
        check(api, port, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256", max_version="1.2"), authorities.good
    )
    assert report["cipher"] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    report = assert_verified(check(api, port, ciphers="TLS_CHACHA20_POLY1305_SHA256"), authorities.good)
    assert report["cipher"] == "TLS_CHACHA20_POLY1305_SHA256"
    error = assert_tls_failure(
        check(api, port, ciphers="ECDHE-RSA-AES256-GCM-SHA384", max_version="1.2"), "TLS_NO_SHARED_CIPHER"
    )
    assert_alert(error, "handshake_failure", "peer")


def test_unknown_ciphers_are_400(api):
    assert_problem(api.post_check(f"tcp://{net.OPEN}:9", tls={"ciphers": "NO-SUCH-CIPHER"}), 400, "/tls/ciphers")


@pytest.fixture(scope="module")
def dh_parameters(module_folder) -> str:
    # -dsaparam: as good for this, and made at once.
    path = f"{module_folder}/dh1024.pem"
    openssl("dhparam", "-dsaparam", "-out", path, "1024")
    return path


def test_dh_parameters_of_1024_bits_are_too_weak(api, authorities, showing, dh_parameters):
    ciphers = "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0"
    port = showing(authorities.rsa2048, ciphers=ciphers, highest="1.2", dh_parameters=dh_parameters)
    error = assert_tls_failure(check(api, port), "TLS_NO_SHARED_CIPHER")
    assert_alert(error, "handshake_failure", "prober")
    assert "dh key too small" in error["message"]
    # Without a verdict, the report still shows the parameters.
    result = check(api, port, verify=False)
    assert_success(result)
    assert result["tls"]["cipher"] == "DHE-RSA-AES256-GCM-SHA384"
    assert result["tls"]["verified"] is True


@pytest.mark.parametrize("verify", [True, False])
def test_dh_parameters_of_512_bits_are_always_too_weak(api, authorities, network, verify):
    def script(connection) -> None:
        connection.sendall(tls_peers.flight_with_small_dh(authorities.rsa2048, tls_peers.read_record(connection), 512))
        tls_peers.until_the_end(connection)

    with tls_peers.listening(network.b, script) as port:
        error = assert_tls_failure(check(api, port, verify=verify), "TLS_NO_SHARED_CIPHER")
    assert_alert(error, "handshake_failure", "prober")
    assert "dh key too small" in error["message"]


# Client certificates.


@pytest.mark.parametrize("version", ["1.2", "1.3"])
class TestClientCertificates:
    def server(self, authorities, showing, version, **options) -> int:
        options = {"client_authorities": authorities.root_pem, **options}
        return showing(authorities.good, lowest=version, highest=version, **options)

    def test_a_required_certificate_that_is_missing_is_the_requests_fault(self, api, authorities, showing, version):
        result = check(api, self.server(authorities, showing, version))
        error = assert_tls_failure(result, "TLS_CLIENT_CERT_REQUIRED", fault="request")
        assert_alert(error, {"1.2": "handshake_failure", "1.3": "certificate_required"}[version], "peer")
        assert assert_report(result, authorities.good)["verified"] is True

    def test_a_valid_client_certificate_is_accepted(self, api, authorities, network, version):
        seen = []

        def script(inside) -> None:
            seen.append(inside.getpeercert()["subject"][-1])
            tls_peers.until_the_end(inside)

        context = tls_peers.server_context(
            authorities.good, lowest=version, highest=version, client_authorities=authorities.root_pem
        )
        with tls_peers.listening(network.b, tls_peers.tls(context, script)) as port:
            assert_verified(check(api, port, client_certificate="probe"), authorities.good)
        assert seen == [(("commonName", "probe"),)]

    @pytest.mark.parametrize("name,alert", [("stranger", "unknown_ca"), ("old", "certificate_expired")])
    def test_an_invalid_client_certificate_has_the_alert(self, api, authorities, showing, version, name, alert):
        result = check(api, self.server(authorities, showing, version), client_certificate=name)
        error = assert_tls_failure(result, "TLS_ALERT")
        assert_alert(error, alert, "peer")
        assert_report(result, authorities.good)

    def test_a_client_certificate_is_unused_if_not_requested(self, api, authorities, showing, version):
        port = showing(authorities.good, lowest=version, highest=version)
        assert_verified(check(api, port, client_certificate="probe"), authorities.good)

    def test_without_an_optional_certificate_it_connects(self, api, authorities, showing, version):
        port = self.server(authorities, showing, version, client_certificate=ssl.CERT_OPTIONAL)
        assert_verified(check(api, port), authorities.good)

    def test_without_an_optional_certificate_a_silent_peer_connects(self, api, authorities, showing, version):
        """The wait for later messages of the server is bounded."""
        port = self.server(authorities, showing, version, client_certificate=ssl.CERT_OPTIONAL, tickets=0)
        started = time.monotonic()
        assert_verified(check(api, port), authorities.good)
        assert time.monotonic() - started < 4

    def test_an_expected_alert_is_a_success(self, api, authorities, showing, version):
        alert = {"1.2": "handshake_failure", "1.3": "certificate_required"}[version]
        port = self.server(authorities, showing, version)
        result = check(api, port, expect_alert=alert)
        assert_success(result)
        assert (result["tls"]["alert"], result["tls"]["alert_from"]) == (alert, "peer")
        # Another one than was expected is a failure by its own name.
        result = check(api, port, expect_alert="unknown_ca")
        assert_tls_failure(result, "TLS_CLIENT_CERT_REQUIRED", fault="request")
        # And so is a peer that does not refuse.
        result = check(api, port, expect_alert=alert, client_certificate="probe")
        assert_shape(result)
        assert (result["ok"], result["outcome"], result["phase"]) == (False, "tls_failed", "tls")


def test_a_client_certificate_that_is_too_weak_is_the_probers_fault(api, authorities, showing):
    """The configuration accepts it, because `ciphers` may lower the security level."""
    port = showing(authorities.good)
    result = check(api, port, client_certificate="weak")
    assert "key too small" in assert_tls_failure(result, "TLS_PROTOCOL", fault="prober")["message"]
    assert result["error"]["retryable"] is False
    assert_success(check(api, port, client_certificate="weak", ciphers="DEFAULT:@SECLEVEL=0"))


def test_a_client_certificate_is_not_used_for_other_targets(api):
    answer = api.post_check(f"tcp://{net.OPEN}:9", tls={"client_certificate": "elsewhere"})
    assert_problem(answer, 403, "/tls/client_certificate")


# ALPN.


def test_a_common_protocol_is_negotiated(api, authorities, showing):
    port = showing(authorities.good, alpn=["h2"])
    assert assert_verified(check(api, port, alpn=["http/1.1", "h2"]), authorities.good)["alpn"] == "h2"
    assert assert_verified(check(api, port), authorities.good)["alpn"] is None


def test_a_peer_that_refuses_every_protocol_is_tls_alpn(api, authorities, network):
    with tls_peers.openssl_server(network.b, authorities.good, "-alpn", "h2") as (port, _):
        error = assert_tls_failure(check(api, port, alpn=["nothing/1", "nothing/2"]), "TLS_ALPN")
        assert_alert(error, "no_application_protocol", "peer")
        assert assert_verified(check(api, port, alpn=["h2"]), authorities.good)["alpn"] == "h2"


@pytest.mark.parametrize("has", [None, ["http/1.1"]])
def test_a_peer_that_ignores_alpn_is_tls_alpn(api, authorities, showing, has):
    """RFC 7301, 3.2: a server may continue without ALPN; a client that wanted a protocol then has none."""
    result = check(api, showing(authorities.good, alpn=has), alpn=["h2"])
    error = assert_tls_failure(result, "TLS_ALPN")
    assert "alert" not in error
    report = assert_report(result, authorities.good)
    assert (report["alpn"], report["verified"]) == (None, True)


# OCSP.


@pytest.fixture
def stapling(network, authorities):
    with contextlib.ExitStack() as stack:

        def start(verdict: str, **options) -> int:
            file = authorities.ocsp_response(authorities.good, verdict, **options)
            server = tls_peers.openssl_server(network.b, authorities.good, "-status_file", file)
            return stack.enter_context(server)[0]

        yield start


def test_a_good_staple_is_reported(api, authorities, stapling):
    port = stapling("good")
    for revocation in ("none", "ocsp_stapled"):
        report = assert_verified(check(api, port, revocation=revocation), authorities.good)
        ocsp = report["ocsp"]
        assert (ocsp["stapled"], ocsp["status"], ocsp["revoked_at"]) == (True, "good", None)
        assert ocsp["this_update"] < ocsp["next_update"]


def test_a_revoked_staple_is_cert_revoked(api, authorities, stapling):
    port = stapling("revoked")
    result = check(api, port, revocation="ocsp_stapled")
    assert_tls_failure(result, "CERT_REVOKED")
    report = assert_report(result, authorities.good)
    assert (report["ocsp"]["stapled"], report["ocsp"]["status"]) == (True, "revoked")
    assert report["ocsp"]["revoked_at"] < report["ocsp"]["this_update"]
    # Not requested: it is reported, and does not change the verdict.
    result = check(api, port)
    assert_success(result)
    assert result["tls"]["ocsp"]["status"] == "revoked"


def test_a_required_staple_that_is_missing_fails(api, authorities, showing):
    result = check(api, showing(authorities.good), revocation="ocsp_stapled")
    assert_tls_failure(result, "CERT_INVALID")
    assert assert_report(result, authorities.good)["ocsp"] == {"stapled": False}
    assert "staple" in result["error"]["hint"]


def test_a_staple_for_another_certificate_fails(api, authorities, network):
    file = authorities.ocsp_response(authorities.client, "good")
    with tls_peers.openssl_server(network.b, authorities.good, "-status_file", file) as (port, _):
        result = check(api, port, revocation="ocsp_stapled")
    assert_tls_failure(result, "CERT_INVALID")
    assert (result["tls"]["ocsp"]["stapled"], result["tls"]["ocsp"]["status"]) == (True, "invalid")


def test_an_invalid_staple_fails(api, authorities, stapling):
    for port in (stapling("good", age=30), stapling("good", signer=authorities.other_root)):
        result = check(api, port, revocation="ocsp_stapled")
        assert_tls_failure(result, "CERT_INVALID")
        assert (result["tls"]["ocsp"]["stapled"], result["tls"]["ocsp"]["status"]) == (True, "invalid")


def test_a_staple_with_status_unknown_fails(api, stapling):
    result = check(api, stapling("unknown"), revocation="ocsp_stapled")
    assert_tls_failure(result, "CERT_INVALID")
    assert result["tls"]["ocsp"]["status"] == "unknown"
