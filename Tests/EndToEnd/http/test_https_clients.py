"""Client certificates: who has access over HTTPS, under which name, and what a reload changes for open connections."""

import contextlib
import json
import pathlib
import ssl
import subprocess
import time

import pytest

from support.connectd_process import OPEN_CONFIGURATION, Connectd, run
from support.expectations import assert_problem
from support.http_client import Client, check_request, read_answer
from support.https_peers import PORT, certify, connector, https
from support.waiting import wait_until

LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
REFUSED = "tcp://127.0.0.1:9"
EITHER = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
CLIENT_ONLY, SERVER_ONLY = "extendedKeyUsage=clientAuth", "extendedKeyUsage=serverAuth"


@pytest.fixture(scope="module")
def certificates(module_folder):
    folder = pathlib.Path(module_folder)
    for name in ("server", "ca", "other"):
        certify(folder, name)
    certify(folder, "probe", "ca", extensions=(CLIENT_ONLY,))
    certify(folder, "expired", "ca", starts=-30, days=-2)
    certify(folder, "early", "ca", starts=5)
    certify(folder, "serverish", "ca", extensions=(SERVER_ONLY,))
    certify(folder, "alien", "other")
    certify(folder, "selfsigned")
    certify(folder, "below", "probe")
    certify(folder, "intermediate", "ca", is_authority=True)
    certify(folder, "deep", "intermediate")
    (folder / "deep.pem").write_text((folder / "deep.pem").read_text() + (folder / "intermediate.pem").read_text())
    certify(folder, "odd", "ca", subject="/CN=a\\\"b\x1b[31m {é}\U0001f600\\, x")
    certify(folder, "long", "ca", subject="/CN=" + "n" * 64 + "/O=" + "o" * 64)
    certify(folder, "nameless", "ca", subject="/O=Example", names="subjectAltName=URI:spiffe://example/ns/web")
    return folder


def mutual(certificates, **more) -> dict:
    return {**OPEN_CONFIGURATION, "https": https(certificates, mutual=True), "log": {"level": "debug"}, **more}


@pytest.fixture
def running(loopback_only, certificates):
    with Connectd(loopback_only, mutual(certificates), port=PORT) as it:
        yield it


def asks(namespace, certificates, client, **settings) -> int:
    return Client(connector(namespace, certificates, client=client, **settings)).post_check(REFUSED).status


@pytest.mark.parametrize("version", EITHER)
@pytest.mark.parametrize("client", ["probe", "deep", "odd", "long", "nameless"])
def test_a_known_client_is_allowed(running, loopback_only, certificates, client, version):
    assert asks(loopback_only, certificates, client, minimum_version=version, maximum_version=version) == 200


@pytest.mark.parametrize("version", EITHER)
@pytest.mark.parametrize(
    "client,reason",
    [
        (None, "peer did not return a certificate"), ("expired", "certificate has expired"),
        ("early", "certificate is not yet valid"), ("serverish", "un"), ("alien", "unable to get local issuer"),
        ("selfsigned", "self-signed certificate"), ("below", "un"),
    ],
)
def test_unknown_clients_are_refused_with_a_reason_in_the_log(running, loopback_only, certificates, client, reason, version):
    before = len(running.log)
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        asks(loopback_only, certificates, client, minimum_version=version, maximum_version=version)
    running.wait_for_log(f"a TLS handshake with 127.0.0.1 failed: {reason}", before)


def test_the_server_names_the_accepted_client_authorities(running, loopback_only):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}"]
    ran = subprocess.run(loopback_only.command(*command), capture_output=True, text=True, input="Q\n", timeout=30)
    assert "Acceptable client certificate CA names\nCN = ca" in ran.stdout


def counted(running) -> dict[str, str]:
    lines = running.unix.get("/metrics").body.decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line.startswith("connectd_client_checks_total{"))


def test_a_certificate_has_a_name_in_logs_and_metrics(running, loopback_only, certificates):
    names = {
        "probe": "cert:probe", "nameless": "cert:URI:spiffe://example/ns/web", "long": "cert:" + "n" * 64,
        "odd": 'cert:a"b\\x1B[31m',
    }
    for client, name in names.items():
        before = len(running.log)
        asks(loopback_only, certificates, client)
        checks = [json.loads(line) for line in running.log[before:].splitlines() if '"message":"check"' in line]
        assert len(checks) == 1 and checks[0]["client"].startswith(name[:20]), checks
        assert "\x1b" not in checks[0]["client"]
    assert any(label.startswith('connectd_client_checks_total{client="cert:probe"}') for label in counted(running))


def test_with_tokens_both_are_required_and_the_token_is_the_name(loopback_only, certificates):
    # A certificate and a token may have the same name; the prefix shows which one it was.
    files = {"tokens": "probe:0123456789abcdef0123\n"}
    bearer = {"Authorization": "Bearer 0123456789abcdef0123"}
    configuration = mutual(certificates, auth={"tokens_file": "tokens"})
    with Connectd(loopback_only, configuration, port=PORT, files=files) as it:
        known = Client(connector(loopback_only, certificates, client="probe"))
        assert_problem(known.post_check(REFUSED), 401)
        assert known.post("/v1/checks", {"target": REFUSED}, bearer).status == 200
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            Client(connector(loopback_only, certificates)).post("/v1/checks", {"target": REFUSED}, bearer)
        counts = known.get("/metrics", bearer).body.decode()
        assert 'connectd_client_checks_total{client="probe"} 1' in counts and "cert:" not in counts


def test_an_intermediate_can_be_the_authority(loopback_only, certificates):
    configuration = mutual(certificates)
    configuration["https"]["client_authorities"] = f"{certificates}/intermediate.pem"
    with Connectd(loopback_only, configuration, port=PORT):
        assert asks(loopback_only, certificates, "deep") == 200
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            asks(loopback_only, certificates, "probe")


def is_open(connection) -> bool:
    try:
        connection.sendall(LIVE)
        return read_answer(connection.makefile("rb")).status == 200
    except (OSError, EOFError):
        return False


def test_a_reload_of_client_authorities_closes_connections(loopback_only, certificates):
    """A reload closes connections without a certificate once one is required. Connections that would be accepted again stay open."""
    anonymous = {**OPEN_CONFIGURATION, "https": https(certificates)}
    known = {**OPEN_CONFIGURATION, "https": https(certificates, mutual=True)}
    others = {**OPEN_CONFIGURATION, "https": {**known["https"], "client_authorities": f"{certificates}/other.pem"}}
    with Connectd(loopback_only, anonymous, port=PORT) as it:
        with connector(loopback_only, certificates)() as kept:
            assert is_open(kept)
            it.reload(anonymous)
            assert is_open(kept)
            it.reload(known)
            assert not is_open(kept)
        with connector(loopback_only, certificates, client="probe")() as kept:
            assert is_open(kept)
            it.reload(known)
            assert is_open(kept)
            it.reload(others)
            assert not is_open(kept)
        with connector(loopback_only, certificates, client="alien")() as kept:
            assert is_open(kept)
            it.reload(anonymous)
            assert is_open(kept)


def test_an_additional_authority_closes_no_connection(loopback_only, certificates):
    """Adding an authority closes no connection. Only removing one does."""
    both = "".join(pathlib.Path(certificates, f"{name}.pem").read_text() for name in ("other", "ca"))
    pathlib.Path(certificates, "both.pem").write_text(both)
    known = {**OPEN_CONFIGURATION, "https": https(certificates, mutual=True)}
    more = {**OPEN_CONFIGURATION, "https": {**known["https"], "client_authorities": f"{certificates}/both.pem"}}
    with Connectd(loopback_only, known, port=PORT) as it:
        with connector(loopback_only, certificates, client="probe")() as kept:
            assert is_open(kept)
            it.reload(more)
            assert is_open(kept)
            it.reload(known)
            assert not is_open(kept)


def test_a_new_connection_gets_503_after_a_reload_of_client_authorities(loopback_only, certificates):
    """Its first request may be in flight, so the connection must not close without a response."""
    with Connectd(loopback_only, {**OPEN_CONFIGURATION, "https": https(certificates)}, port=PORT) as it:
        with connector(loopback_only, certificates)() as fresh:
            time.sleep(0.2)  # Until the handshake ends on the other side: no condition shows that.
            it.reload({**OPEN_CONFIGURATION, "https": https(certificates, mutual=True)})
            fresh.sendall(LIVE)
            problem = assert_problem(read_answer(stream := fresh.makefile("rb")), 503)
            assert "other client certificates" in problem["detail"] and stream.read() == b""


def test_a_slow_reader_sends_no_more_requests_after_a_reload(loopback_only, certificates):
    """A response that was sent may have promised to keep the connection open. Later bytes on it are not read as requests."""
    monitors = [
        {"name": f"m{number}", "interval_ms": 86_400_000, "check": {"target": "tcp://127.0.0.1:1"}}
        for number in range(4000)
    ]
    anonymous = {**OPEN_CONFIGURATION, "https": https(certificates), "monitors": monitors}
    known = {**anonymous, "https": https(certificates, mutual=True)}
    with Connectd(loopback_only, anonymous, port=PORT) as it, connector(loopback_only, certificates)() as kept:
        kept.sendall(b"GET /v1/monitors HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        time.sleep(1)  # Until the first responses fill the buffers: no condition shows that.
        it.reload(known)
        stream, answers = kept.makefile("rb"), []
        with contextlib.suppress(OSError, EOFError):
            while True:
                answers.append(read_answer(stream))
        told = [answer for answer in answers if answer.status == 503]
        served = [answer for answer in answers if answer.status == 200]
        assert served and len(answers) < 20 and all(len(answer.json["monitors"]) == 4000 for answer in served)
        assert not any("connection" in answer.headers for answer in served), "a request was read after the reload"
        assert len(told) <= 1 and answers[len(served) :] == told


def test_a_check_in_flight_is_answered_before_the_connection_closes(loopback_only, certificates):
    anonymous = {**OPEN_CONFIGURATION, "https": https(certificates)}
    with Connectd(loopback_only, anonymous, port=PORT) as it:
        silent = loopback_only.socket()
        with silent, connector(loopback_only, certificates)() as kept:
            silent.bind(("127.0.0.1", 8299))
            silent.listen(1)
            kept.sendall(check_request("tcp://127.0.0.1:8299", timeout_ms=2000, dialog=[{"expect": "never"}]))
            held = silent.accept()
            it.reload({**OPEN_CONFIGURATION, "https": https(certificates, mutual=True)})
            answer = read_answer(kept.makefile("rb"))
            assert answer.status == 200 and answer.json["outcome"] == "timeout", held
            assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "origin,status",
    [(f"https://127.0.0.1:{PORT}", 200), (f"http://127.0.0.1:{PORT}", 403), ("https://evil.example", 403), ("null", 403)],
)
def test_an_origin_must_be_our_own_and_use_tls(running, loopback_only, certificates, origin, status):
    """A browser presents its user's certificate for requests from any page."""
    client = Client(connector(loopback_only, certificates, client="probe"), host=f"127.0.0.1:{PORT}")
    assert client.post("/v1/checks", {"target": REFUSED}, {"Origin": origin}).status == status
    assert client.post("/v1/checks", {"target": REFUSED}, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert client.get("/livez", {"Host": "127.0.0.1"}).status == 200


# Invalid pairs of certificate and key.


@pytest.fixture
def refused(certificates, tmp_path):
    def check(certificate: str, key: str) -> str:
        file = tmp_path / "connectd.yaml"
        file.write_text(f"listen: ['127.0.0.1:{PORT}']\nhttps: {{certificate: {certificate}, key: {key}}}\n")
        ran = run("config", "check", str(file))
        return f"{ran.returncode} {ran.stdout}{ran.stderr}"

    return check


def test_an_invalid_pair_is_refused_with_file_and_reason(refused, certificates, tmp_path):
    server, key = f"{certificates}/server.pem", f"{certificates}/server.key"
    assert refused(server, key).startswith("0 ok ")
    said = refused(server, f"{certificates}/ca.key")
    assert said.startswith("1 ") and ":2:" in said and "ca.key" in said and "a key that is not the certificate's" in said
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", locked], check=True)
    assert "locked.key\" has a key that needs a passphrase" in refused(server, str(locked))
    assert "has no certificate" in refused(key, key)
    assert "cannot be read: No such file" in refused(server, "/no/such.key")
    weak = tmp_path / "weak"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=w", "-keyout", f"{weak}.key",
         "-out", f"{weak}.pem"], check=True, capture_output=True,
    )
    assert "may be too weak" in refused(f"{weak}.pem", f"{weak}.key")


def test_expiry_dates_are_warnings(refused, certificates):
    certify(certificates, "soon", days=5)
    said = {name: refused(f"{certificates}/{name}.pem", f"{certificates}/{name}.key") for name in ("soon", "server")}
    assert said["soon"].startswith("0 ") and "soon.pem\" has a certificate that expires in" in said["soon"]
    assert "has a certificate that" not in said["server"]
    for name, words in (("expired", "expired 2 days ago"), ("early", "is not valid yet")):
        assert words in refused(f"{certificates}/{name}.pem", f"{certificates}/{name}.key"), name


def test_metrics_show_when_the_certificate_expires(loopback_only, certificates):
    name = "connectd_https_certificate_expiry_timestamp_seconds"

    def expiry(it) -> list[str]:
        return [line for line in it.unix.get("/metrics").body.decode().splitlines() if line.startswith(name)]

    certify(certificates, "soon", days=5)
    with Connectd(loopback_only, {**OPEN_CONFIGURATION, "https": https(certificates)}, port=PORT) as it:
        days = (float(expiry(it)[0].split()[1]) - time.time()) / 86400
        assert 89 < days < 91
        said = it.reload({**OPEN_CONFIGURATION, "https": https(certificates, "soon")})
        assert "expires in" in said and "soon.pem" in said
        wait_until(lambda: (float(expiry(it)[0].split()[1]) - time.time()) / 86400 < 6, 30, "the metric shows the new expiry")
    with Connectd(loopback_only, port=PORT) as it:
        assert expiry(it) == []


def test_the_log_describes_each_listener(loopback_only, certificates):
    configuration = mutual(certificates, health_listen=["127.0.0.1:8242"])
    with Connectd(loopback_only, configuration, port=PORT) as it:
        it.wait_for_log('"listening"')
        started = next(json.loads(line) for line in it.log.splitlines() if '"listening"' in line)
        assert started["listeners"] == (
            f"https 127.0.0.1:{PORT} (client certificates), http unix:{it.socket_path}, health 127.0.0.1:8242"
        )


def test_tls_alone_is_not_authentication(loopback_only, certificates, tmp_path):
    file = tmp_path / "connectd.yaml"
    for demands in (False, True):
        pair = "".join(f"{key}: {value}, " for key, value in https(certificates, mutual=demands).items())
        file.write_text(f"listen: ['0.0.0.0:{PORT}']\nhttps: {{{pair}}}\npolicy: {{profile: internal}}\n")
        ran = run("config", "check", str(file))
        assert ran.returncode == (0 if demands else 1), ran.stderr
        assert ("No authentication configured" in ran.stderr) == (not demands)
