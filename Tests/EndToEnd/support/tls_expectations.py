"""Assertions about the member `tls` of a result."""

from datetime import datetime

from support.certificates import Identity, expected_report, now
from support.expectations import assert_failure, assert_success

TLS_MEMBERS = {
    "version",
    "cipher",
    "group",
    "alpn",
    "server_name",
    "verified",
    "verify_error",
    "chain",
    "verified_chain",
    "ocsp",
}


def assert_certificate(said: dict, certificate, names: bool = True) -> None:
    """Compares one entry of a chain with what another library reads from the same certificate."""
    wanted = expected_report(certificate)
    got = {member: said[member] for member in wanted}
    for member in ("not_before", "not_after"):
        assert got[member].endswith("Z")
        got[member] = datetime.fromisoformat(got[member])
    for one in (got, wanted):
        one["signature_algorithm"] = one["signature_algorithm"].lower()
        if not names:
            del one["sans"]
    assert got == wanted
    left = (certificate.not_valid_after_utc - now()).total_seconds()
    assert abs(said["expires_in_seconds"] - left) <= 3


def assert_chain(said: list, chain, names: bool = True) -> None:
    assert len(said) == len(chain), said
    for entry, certificate in zip(said, chain):
        assert_certificate(entry, certificate, names)


def assert_report(result: dict, identity: Identity, names: bool = True) -> dict:
    """The report's members, and the peer's chain in it."""
    report = result["tls"]
    assert TLS_MEMBERS <= set(report), TLS_MEMBERS - set(report)
    assert_chain(report["chain"], identity.chain, names)
    assert isinstance(report["verified"], bool)
    assert result["timings_ms"]["tls"] > 0
    return report


def assert_verified(result: dict, identity: Identity, names: bool = True) -> dict:
    """Asserts a success with a chain that leads to an authority."""
    assert_success(result, "connected")
    report = assert_report(result, identity, names)
    assert (report["verified"], report["verify_error"]) == (True, None)
    return report


def assert_tls_failure(result: dict, name: str, fault: str = "target") -> dict:
    """Class `tls_failed`; returns the error."""
    assert_failure(result, None, "tls_failed", fault, phase="tls", source="tls", name=name)
    return result["error"]


def assert_verify_error(result: dict, code: int, depth: int = 0) -> None:
    report = result["tls"]
    assert report["verified"] is False
    error = report["verify_error"]
    assert (error["code"], error["name"], error["depth"]) == (code, verify_name(code), depth), error
    assert error["message"]


def verify_name(code: int) -> str:
    """X509_V_ERR_… by its number."""
    return _VERIFY_NAMES[code]


_VERIFY_NAMES = {
    9: "X509_V_ERR_CERT_NOT_YET_VALID",
    10: "X509_V_ERR_CERT_HAS_EXPIRED",
    18: "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT",
    19: "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN",
    20: "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    26: "X509_V_ERR_INVALID_PURPOSE",
    62: "X509_V_ERR_HOSTNAME_MISMATCH",
    64: "X509_V_ERR_IP_ADDRESS_MISMATCH",
    66: "X509_V_ERR_EE_KEY_TOO_SMALL",
    68: "X509_V_ERR_CA_MD_TOO_WEAK",
    79: "X509_V_ERR_INVALID_CA",
}


def assert_alert(error: dict, name: str, sender: str) -> None:
    assert (error["alert"], error["alert_from"]) == (name, sender), error
