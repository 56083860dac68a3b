"""`connectd healthcheck` over HTTPS: which certificates it trusts, which it presents, and its default address."""

import pathlib
import subprocess

import pytest
import yaml

from support.connectd_process import OPEN_CONFIGURATION, Connectd, run
from support.https_peers import PORT, certify, https

URL = f"https://127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def certificates(module_folder):
    for name in ("server", "later", "ca"):
        certify(module_folder, name)
    certify(module_folder, "client", "ca")
    certify(module_folder, "expired", days=-1, starts=-9)
    return module_folder


@pytest.fixture
def health(loopback_only):
    def ask(*arguments: str, **options) -> subprocess.CompletedProcess:
        return run("healthcheck", *arguments, namespace=loopback_only, **options)

    return ask


@pytest.fixture
def running(loopback_only, certificates):
    with Connectd(loopback_only, {**OPEN_CONFIGURATION, "https": https(certificates)}, port=PORT) as it:
        yield it


def test_a_certificate_is_verified_by_default(running, health, certificates):
    server = f"{certificates}/server.pem"
    for arguments in (
        ("--ca", server, URL), ("--ca", server, f"{URL}/readyz"), ("--no-verify", URL),
        ("--ca", server, "--server-name", "server.example", URL),
    ):
        ran = health(*arguments)
        assert ran.returncode == 0 and ran.stdout.startswith("ok    https://"), ran.stdout + ran.stderr
    for arguments, reason in (
        ((URL,), "CERT_SELF_SIGNED"), (("--ca", f"{certificates}/later.pem", URL), "CERT_SELF_SIGNED"),
        (("--ca", server, "--server-name", "other.example", URL), "CERT_NAME_MISMATCH"),
        (("--ca", server, f"{URL}/nothing"), "404"),
    ):
        ran = health(*arguments)
        assert ran.returncode == 1 and reason in ran.stdout, ran.stdout + ran.stderr


def test_plain_http_to_the_https_listener_gets_a_response(running, health):
    ran = health(f"http://127.0.0.1:{PORT}/livez")
    assert ran.returncode == 1 and "400 Bad Request" in ran.stdout and "https://" in ran.stdout


def test_a_listener_without_tls_fails_the_handshake(running, health, loopback_only):
    with Connectd(loopback_only, port=8247, unix=False):
        ran = health("--no-verify", "https://127.0.0.1:8247")
        # Either may occur: a ClientHello has random bytes, and not all of them form a line that the server can answer.
        assert ran.returncode == 1 and ("TLS_NOT_TLS" in ran.stdout or "TLS_CLOSED" in ran.stdout)


def test_wrong_usage_exits_with_1(health, certificates):
    pem = f"{certificates}/client.pem"
    for arguments in (
        ("--no-verify", "http://127.0.0.1:1"), ("--ca", "/no/such", URL), ("--client-certificate", pem, URL),
        ("--client-certificate", pem, "--key", f"{certificates}/ca.key", URL), ("--config", pem, URL),
        ("--server-name", "a b", URL),
    ):
        ran = health(*arguments)
        assert ran.returncode == 1 and "Error" in ran.stderr and not ran.stdout, (arguments, ran)


def test_it_presents_a_client_certificate_if_required(health, loopback_only, certificates):
    configuration = {**OPEN_CONFIGURATION, "https": https(certificates, mutual=True)}
    with Connectd(loopback_only, configuration, port=PORT):
        ca = ("--ca", f"{certificates}/server.pem")
        shown = ("--client-certificate", f"{certificates}/client.pem", "--key", f"{certificates}/client.key")
        assert health(*ca, *shown, URL).returncode == 0
        ran = health(*ca, URL)
        assert ran.returncode == 1 and "TLS_CLIENT_CERT_REQUIRED" in ran.stdout, ran.stdout


def written(folder, **keys) -> str:
    file = pathlib.Path(folder) / "connectd.yaml"
    file.write_text(yaml.safe_dump({**OPEN_CONFIGURATION, **keys}))
    return str(file)


@pytest.mark.parametrize("name", ["server", "expired"])
def test_without_a_url_the_configured_certificate_is_required(health, loopback_only, certificates, tmp_path, name):
    """The service must present the configured certificate; its name and dates do not matter."""
    listen = [f"0.0.0.0:{PORT}"]
    file = written(tmp_path, listen=listen, https=https(certificates, name))
    with Connectd(loopback_only, {**OPEN_CONFIGURATION, "https": https(certificates, name)}, port=PORT):
        ran = health("--config", file)
        assert ran.returncode == 0 and f"{URL}/livez" in ran.stdout, ran.stdout + ran.stderr
        variables = {
            "CONNECTD_LISTEN": listen[0], "CONNECTD_HTTPS__CERTIFICATE": f"{certificates}/{name}.pem",
            "CONNECTD_HTTPS__KEY": f"{certificates}/{name}.key", "CONNECTD_POLICY__PROFILE": "internal",
        }
        ran = health(environment=variables)
        assert ran.returncode == 0 and f"{URL}/livez" in ran.stdout, ran.stdout + ran.stderr
        other = written(tmp_path, listen=listen, https=https(certificates, "later"))
        ran = health("--config", other)
        assert ran.returncode == 1 and "is not the configured one" in ran.stdout


def test_without_a_url_plain_listeners_are_preferred(running, health, certificates, tmp_path):
    plain = f"unix:{running.socket_path}"
    for keys, asked in (
        ({"listen": [f"127.0.0.1:{PORT}", plain]}, plain),
        ({"listen": [f"127.0.0.1:{PORT}"], "health_listen": [plain]}, plain),
    ):
        ran = health("--config", written(tmp_path, https=https(certificates), **keys))
        assert ran.returncode == 0 and asked in ran.stdout, ran.stdout + ran.stderr
    ran = health("--config", written(tmp_path, listen=["127.0.0.1:1"]))
    assert ran.returncode == 1 and "http://127.0.0.1:1/livez" in ran.stdout
    ran = health("--config", written(tmp_path, listen=["nonsense"]))
    assert ran.returncode == 1 and "has no port" in ran.stdout
