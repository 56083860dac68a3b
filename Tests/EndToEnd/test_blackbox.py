"""/probe and its like: Debian's blackbox_exporter beside connectd, on one module file and the same targets."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest
import yaml

import peers
import tls_peers
from client import Client, tcp_connector
from connectd_process import Connectd

PORT, REFERENCE_PORT = 8241, 9115
LOOPBACK = "127.0.0.1"
NAMED = "blackbox.example.test"
EXPORTER = "prometheus-blackbox-exporter"
# What only says how long something took.
DURATIONS = {"probe_dns_lookup_time_seconds", "probe_duration_seconds"}
SECONDS = {"timeout": "2s"}


def tcp(**settings) -> dict:
    return {"prober": "tcp", **SECONDS, "tcp": settings}


def answers(*entries: dict, **settings) -> dict:
    return tcp(query_response=list(entries), **settings)


# What both know. Patterns that RE2 and PCRE2 read alike.
MODULES = {
    "connect": tcp(),
    "four": tcp(preferred_ip_protocol="ip4"),
    "six_only": tcp(preferred_ip_protocol="ip6", ip_protocol_fallback=False),
    "four_only": tcp(preferred_ip_protocol="ip4", ip_protocol_fallback=False),
    "source": tcp(source_ip_address="127.0.0.9"),
    "banner": answers({"expect": "^SSH-2.0-"}),
    "whole_line": answers({"expect": "^OK$"}, {"expect": "^OK$"}),
    "twice": answers({"expect": "OK"}, {"expect": "OK"}),
    "end_of_line": answers({"expect": "second$"}, {"expect": "^third"}),
    "across": answers({"expect": "first[^x]*second"}),
    "prompt": {**answers({"expect": "login: "}), "timeout": "500ms"},
    "mail": answers(
        {"expect": r"^220 (?P<name>\S+) (.*)$", "send": "EHLO $2 ${name} $1x $$5 ${9}"},
        {"expect": "^250 ok", "send": "QUIT $1"}),
    "send": answers({"send": "price $1 $$"}, {"expect": "^price \\$1 \\$\\$$"}),
    "upgrade": answers(
        {"expect": "^220", "send": "STARTTLS"}, {"expect": "^220", "starttls": True}, {"send": "EHLO"}, {"expect": "EHLO"},
        tls_config={"insecure_skip_verify": True}),
    "upgrade12": answers(
        {"expect": "^220", "send": "STARTTLS"}, {"expect": "^220", "starttls": True}, {"send": "EHLO"}, {"expect": "EHLO"},
        tls_config={"insecure_skip_verify": True, "max_version": "TLS12"}),
    "tls": tcp(tls=True, tls_config={"ca_file": "root.pem"}),
    "tls_named": tcp(tls=True, tls_config={"ca_file": "root.pem", "server_name": "good.example.test"}),
    "tls_unverified": tcp(tls=True, tls_config={"insecure_skip_verify": True}),
    "tls_system": tcp(tls=True),
    "tls12": tcp(tls=True, tls_config={"insecure_skip_verify": True, "max_version": "TLS12"}),
    "tls_client": tcp(
        tls=True, tls_config={"ca_file": "root.pem", "cert_file": "client.pem", "key_file": "client.key"}),
    "web": {"prober": "http"},
}
# What Debian's blackbox_exporter does not know yet.
NEWER = {
    "bytes": answers({"expect_bytes": "AB"}, {"expect_bytes": "C\n"}, {"expect": "^rest"}),
    "labels": answers({"expect": "^SSH-([0-9.]+)-(.*)$", "labels": [
        {"name": "version", "value": "v${1}"}, {"name": "software", "value": "$2"}]}),
    "path": {"prober": "unix", **SECONDS, "unix": {"query_response": [{"send": "ping"}, {"expect": "^ping$"}]}},
}


def says(*parts: bytes, stays: bool = False):
    """A peer that says this, and then closes or waits for the other end."""

    def script(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.01)
        if stays:
            tls_peers.until_the_end(connection)

    return script


def repeats(connection: socket.socket) -> None:
    while data := connection.recv(4096):
        connection.sendall(data)


def resets(connection: socket.socket) -> None:
    tls_peers.end_with_a_reset(connection)


def mail(heard: list):
    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 mx.example ESMTP ready\r\n")
        heard.append(connection.recv(4096))
        connection.sendall(b"250-one\r\n250 ok\r\n")
        heard.append(connection.recv(4096))

    return script


def upgrades(context):
    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 ready\r\n")
        assert connection.recv(4096) == b"STARTTLS\n"
        connection.sendall(b"220 go\r\n")
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(secured.recv(4096))
            secured.recv(1)

    return script


class Both:
    """The two services, the peers in their namespace, and what is asked of them."""

    def __init__(self, namespace, connectd, reference):
        self.namespace, self.connectd, self.reference = namespace, connectd, reference

    def probe(self, client, headers: dict | None = None, **query) -> tuple[int, str]:
        answer = client.get("/probe?" + urllib.parse.urlencode(query), headers=headers)
        return answer.status, answer.body.decode()

    def ask(self, headers: dict | None = None, **query) -> tuple[int, str]:
        return self.probe(self.connectd.client, headers, **query)

    def compare(self, headers: dict | None = None, **query) -> dict:
        """Asks both; every metric of blackbox_exporter has to be there with its type, help, labels and value."""
        theirs = self.probe(self.reference, headers, **query)
        ours = self.ask(headers, **query)
        assert ours[0] == theirs[0], (ours, theirs)
        if theirs[0] != 200:
            return {}
        wanted, found = parsed(theirs[1]), parsed(ours[1])
        for name, family in wanted.items():
            assert name in found, f"{name} is missing:\n{ours[1]}"
            assert family[:2] == found[name][:2], name
            samples = as_in_0_23(found[name][2])
            assert family[2].keys() == samples.keys(), name
            if name not in DURATIONS:
                assert family[2] == samples, name
        return found


def parsed(text: str) -> dict:
    """Families by their names: type, help, and samples with their labels."""
    families: dict = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, described = line.split(" ", 3)
            families[name] = [None, described, {}]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            families[name][0] = kind
        else:
            sample, _, value = line.rpartition(" ")
            families[sample.partition("{")[0]][2][sample] = float(value)
    return families


def as_in_0_23(samples: dict) -> dict:
    """Samples without the label that blackbox_exporter has had since 0.26."""
    return {re.sub('serialnumber="[^"]*",', "", sample): number for sample, number in samples.items()}


def value(families: dict, name: str) -> float:
    [number] = families[name][2].values()
    return number


def failure(families: dict) -> str:
    [sample] = families["probe_failure_info"][2]
    return sample


@pytest.fixture(scope="module")
def files(authorities) -> dict[str, str]:
    client = authorities.client
    return {
        "root.pem": authorities.root_pem,
        "client.pem": pathlib.Path(client.chain_file).read_text(),
        "client.key": pathlib.Path(client.key_file).read_text(),
    }


@pytest.fixture(scope="module")
def both(loopback_only, files, tmp_path_factory):
    loopback_only.write_etc("hosts", f"127.0.0.1 localhost\n::1 localhost6\n127.0.0.1 {NAMED}\n::1 {NAMED}\n")
    folder = tmp_path_factory.mktemp("reference")
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "blackbox.yml").write_text(yaml.safe_dump({"modules": MODULES}))
    program = shutil.which(EXPORTER)
    if program is None:
        pytest.skip(f"not installed: {EXPORTER}")
    arguments = ["--config.file=blackbox.yml", f"--web.listen-address={LOOPBACK}:{REFERENCE_PORT}"]
    log = (folder / "log").open("wb")
    exporter = subprocess.Popen(loopback_only.command(program, *arguments), cwd=folder, stdout=log, stderr=log)
    reference = Client(tcp_connector(loopback_only, LOOPBACK, REFERENCE_PORT), host="localhost")
    try:
        with started(loopback_only, files) as connectd:
            wait_for(reference, exporter)
            yield Both(loopback_only, connectd, reference)
    finally:
        exporter.send_signal(signal.SIGTERM)
        exporter.wait(10)
        log.close()


def wait_for(client: Client, process: subprocess.Popen) -> None:
    limit = time.monotonic() + 10
    while True:
        assert process.poll() is None and time.monotonic() < limit
        try:
            if client.get("/-/healthy").status == 200:
                return
        except (OSError, EOFError):
            time.sleep(0.05)


def started(namespace, files: dict[str, str], configuration: dict | None = None, **options) -> Connectd:
    modules = yaml.safe_dump({"modules": MODULES | NEWER})
    own = {"policy": {"profile": "internal"}, "modules_file": "blackbox.yml"}
    return Connectd(
        namespace, own | (configuration or {}), port=options.pop("port", PORT), files=files | {"blackbox.yml": modules},
        **options)


# Beside each other.


def test_a_connect_is_told_alike(both):
    with tls_peers.listening(both.namespace, says(), LOOPBACK) as port:
        found = both.compare(target=f"{LOOPBACK}:{port}", module="connect")
        assert value(found, "probe_success") == 1 and value(found, "probe_ip_addr_hash") == 3668918509
        assert value(both.compare(target=f"{NAMED}:{port}", module="four"), "probe_ip_protocol") == 4
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="source"), "probe_success") == 1
        assert value(both.compare(target=f"localhost:{port}", module="connect"), "probe_success") == 1


def test_a_family_is_preferred_alike(both):
    """One address is tried: where IPv6 is preferred and shut, IPv4 is no way out."""
    with tls_peers.listening(both.namespace, says(), LOOPBACK) as port:
        found = both.compare(target=f"{NAMED}:{port}", module="connect")
        assert value(found, "probe_success") == 0 and value(found, "probe_ip_protocol") == 6
        assert value(both.compare(target=f"{NAMED}:{port}", module="four_only"), "probe_success") == 1
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="six_only"), "probe_success") == 0
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="four_only"), "probe_success") == 1
    with tls_peers.listening(both.namespace, says(), "::1") as port:
        found = both.compare(target=f"[::1]:{port}", module="connect")
        assert value(found, "probe_success") == 1 and value(found, "probe_ip_protocol") == 6


BAD_TARGETS = [
    "127.0.0.1:0", "[::1]:0", "localhost:0", f"{NAMED}:0", "127.0.0.1:", "localhost:", "127.0.0.1:65536", "localhost:70000",
    "127.0.0.1:-1", "localhost:nosuch", "127.0.0.1:1/path", "http://127.0.0.1:80", "http://127.0.0.1", "https://localhost",
    "http://localhost/path", "ftp://[::1]:21", "user@127.0.0.1:1", "user:password@127.0.0.1:1", "noport", "127.0.0.1",
    "a:b:c", "::1:80", "[::1", "[::1]", "[::1]x:80", ":1", ":", " 127.0.0.1:1", "127.0.0.1:1 ", "/run/x.sock",
    "unix:/run/x.sock", "a..b:1", "x" * 300 + ":1",
]


@pytest.mark.parametrize("target", ["127.0.0.1:1", "[::1]:1", "nosuch.invalid:80", "[localhost]:1", *BAD_TARGETS])
def test_a_failure_is_told_alike(both, target):
    # Go finds an address without bytes for an empty host, if only one family is wanted.
    modules = ("connect", "tls_unverified") if target.startswith(":") else ("connect", "tls_unverified", "four_only")
    for module in modules:
        found = both.compare(target=target, module=module)
        assert value(found, "probe_success") == 0 and "probe_failure_info" in found


@pytest.mark.parametrize("target", BAD_TARGETS)
def test_a_bad_target_is_explained(both, target):
    _, text = both.ask(target=target, module="connect")
    label = re.search('reason="([^"]+)"', failure(parsed(text)))
    assert label is not None, failure(parsed(text))
    _, text = both.ask(target=target, module="connect", debug="true")
    assert "reason=" in text and label[1][:12] in text.partition("Metrics that")[0]


def test_a_bad_port_is_not_connected_to(both):
    """Whatever the port, the host is resolved and no socket is made."""
    with tls_peers.listening(both.namespace, says(), LOOPBACK) as port:
        for target in (f"{LOOPBACK}:0", f"{LOOPBACK}:{port}/", f"localhost:{port + 65536}"):
            _, text = both.ask(target=target, module="connect")
            found = parsed(text)
            assert value(found, "probe_success") == 0 and value(found, "probe_ip_protocol") == 4
            assert "probe_tcp_rtt_seconds" not in found and 'class="invalid"' in failure(found)


@pytest.mark.parametrize(("module", "script", "success", "regex"), [
    ("banner", says(b"hello\r\nSSH-2.0-x\r\n"), 1, 0),
    ("banner", says(b"hello\n"), 0, 1),
    ("banner", says(), 0, 1),
    ("banner", says(b"hello\n", stays=True), 0, 0),
    ("banner", resets, 0, 0),
    ("whole_line", says(b"OK", b"\r\nOK"), 1, 0),
    ("whole_line", says(b"OK OK\nOK\n"), 0, 1),
    ("twice", says(b"OK OK\n"), 0, 1),
    ("twice", says(b"OK OK\nOK\n"), 1, 0),
    ("end_of_line", says(b"first\nsecond\nthird\n"), 1, 0),
    ("across", says(b"first\nsecond\n"), 0, 1),
    ("across", says(b"first and second\n"), 1, 0),
    ("prompt", says(b"login: ", stays=True), 0, 0),
    ("prompt", says(b"login: "), 1, 0),
    ("send", repeats, 1, 0),
])
def test_a_dialog_is_held_alike(both, module, script, success, regex):
    with tls_peers.listening(both.namespace, script, LOOPBACK) as port:
        found = both.compare(target=f"{LOOPBACK}:{port}", module=module)
        assert value(found, "probe_success") == success
        assert value(found, "probe_failed_due_to_regex") == regex
        assert value(found, "probe_failed_due_to_bytes") == 0


def test_both_say_the_same_to_the_peer(both):
    heard: list = []
    with tls_peers.listening(both.namespace, mail(heard), LOOPBACK) as port:
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="mail"), "probe_success") == 1
    assert heard == [b"EHLO ESMTP ready mx.example  $5 \n", b"QUIT \n"] * 2


def test_a_dialog_is_upgraded_alike(both, authorities):
    context = tls_peers.server_context(authorities.good)
    with tls_peers.listening(both.namespace, upgrades(context), LOOPBACK) as port:
        found = both.compare(target=f"{LOOPBACK}:{port}", module="upgrade")
        assert value(found, "probe_success") == 1 and "probe_ssl_last_chain_info" in found
        assert_handshake_is_described(found, cipher="TLS_AES_", version="TLS 1.3", group=('X25519', 29))


def assert_handshake_is_described(found: dict, cipher: str, version: str, group: tuple[str, int]) -> None:
    """The three metrics of a handshake, the group in the words of Go's tls.CurveID."""
    [sample] = found["probe_tls_cipher_info"][2]
    assert sample.startswith(f'probe_tls_cipher_info{{cipher="{cipher}'), sample
    name, number = group
    assert found["probe_tls_group_info"][2] == {f'probe_tls_group_info{{group="{name}",id="{number}"}}': 1}
    assert found["probe_tls_version_info"][2] == {f'probe_tls_version_info{{version="{version}"}}': 1}


@pytest.mark.parametrize(("curve", "group"), [
    ("prime256v1", ("CurveP256", 23)), ("secp384r1", ("CurveP384", 24)), ("X25519", ("X25519", 29)),
])
@pytest.mark.parametrize("module", ["upgrade", "upgrade12", "tls_unverified", "tls12"])
def test_a_handshake_is_described_with_and_without_starttls(both, authorities, module, curve, group):
    context = tls_peers.server_context(authorities.good)
    context.set_ecdh_curve(curve)
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
    script = upgrades(context) if module.startswith("upgrade") else tls_peers.tls(context)
    with tls_peers.listening(both.namespace, script, LOOPBACK) as port:
        found = both.compare(target=f"{LOOPBACK}:{port}", module=module)
    assert value(found, "probe_success") == 1
    is_old = module in ("upgrade12", "tls12")
    assert_handshake_is_described(
        found, cipher="TLS_ECDHE_" if is_old else "TLS_AES_", version="TLS 1.2" if is_old else "TLS 1.3", group=group)


def test_serial_and_subject_are_those_of_the_check(both, authorities):
    with tls_peers.listening(
        both.namespace, tls_peers.tls(tls_peers.server_context(authorities.good)), LOOPBACK
    ) as port:
        _, text = both.ask(target=f"{LOOPBACK}:{port}", module="tls_unverified")
        leaf = both.connectd.client.post_check(f"tls://{LOOPBACK}:{port}", tls={"verify": False}).json["tls"]["chain"][0]
    [sample] = parsed(text)["probe_ssl_last_chain_info"][2]
    for label, member in (("serialnumber", "serial"), ("subject", "subject"), ("issuer", "issuer")):
        shown = leaf[member].replace("\\", r"\\")
        assert f'{label}="{shown}"' in sample



def test_certificates_are_told_alike(both, authorities):
    identity = authorities.for_addresses(LOOPBACK)
    for module in ("tls", "tls_unverified", "tls12"):
        with tls_peers.listening(both.namespace, tls_peers.tls(tls_peers.server_context(identity)), LOOPBACK) as port:
            found = both.compare(target=f"{LOOPBACK}:{port}", module=module)
            assert value(found, "probe_success") == 1
            assert value(found, "probe_ssl_earliest_cert_expiry") > time.time()
            version = "TLS 1.2" if module == "tls12" else "TLS 1.3"
            assert f'probe_tls_version_info{{version="{version}"}}' in found["probe_tls_version_info"][2]


@pytest.mark.parametrize("module", ["tls", "tls_system"])
def test_a_certificate_that_fails_is_described_all_the_same(both, authorities, module):
    context = tls_peers.server_context(authorities.expired)
    with tls_peers.listening(both.namespace, tls_peers.tls(context), LOOPBACK) as port:
        found = both.compare(target=f"{LOOPBACK}:{port}", module=module)
        assert value(found, "probe_success") == 0
        assert value(found, "probe_ssl_earliest_cert_expiry") < time.time()
        assert "probe_ssl_last_chain_info" in found and 'phase="tls"' in failure(found)


def test_a_name_and_a_client_certificate_are_shown_alike(both, authorities, files):
    with tls_peers.listening(
        both.namespace, tls_peers.tls(tls_peers.server_context(authorities.good)), LOOPBACK
    ) as port:
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="tls_named"), "probe_success") == 1
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="tls"), "probe_success") == 0
        # The parameter `hostname` is newer than Debian's.
        _, text = both.ask(target=f"{LOOPBACK}:{port}", module="tls", hostname="good.example.test")
        assert value(parsed(text), "probe_success") == 1
    context = tls_peers.server_context(
        authorities.for_addresses(LOOPBACK), client_authorities=files["root.pem"], highest="1.2")
    with tls_peers.listening(both.namespace, tls_peers.tls(context), LOOPBACK) as port:
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="tls_client"), "probe_success") == 1
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="tls"), "probe_success") == 0


def test_requests_that_are_wrong_are_answered_alike(both):
    both.compare(target="x:1", module="nosuch")
    both.compare(target="x:1")
    both.compare(module="connect")
    both.compare(target="", module="connect")
    malformed = {"X-Prometheus-Scrape-Timeout-Seconds": "abc"}
    both.compare(malformed, target="127.0.0.1:1", module="connect")
    both.compare(malformed, module="connect")
    both.compare(malformed, target="127.0.0.1:1", module="nosuch")
    for path in ("/-/healthy", "/-/reload", "/config", "/logs?id=99999", "/logs?id=0"):
        ours, theirs = both.connectd.client.get(path), both.reference.get(path)
        assert ours.status == theirs.status, path
    assert both.connectd.client.get("/-/healthy").body == both.reference.get("/-/healthy").body == b"Healthy"


@pytest.mark.parametrize(("header", "seconds"), [("1", 0.5), ("0.7", 0.2), ("10", 2), ("0.3", 2), ("-1", 2)])
def test_prometheus_timeout_is_kept_alike(both, header, seconds):
    with tls_peers.listening(both.namespace, says(stays=True), LOOPBACK) as port:
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": header}
        begin = time.monotonic()
        theirs = both.probe(both.reference, headers, target=f"{LOOPBACK}:{port}", module="banner")
        middle = time.monotonic()
        found = parsed(both.ask(headers, target=f"{LOOPBACK}:{port}", module="banner")[1])
        assert value(found, "probe_timeout_seconds") == pytest.approx(seconds)
        for took in (middle - begin, time.monotonic() - middle):
            assert seconds - 0.02 <= took < seconds + 0.4
        assert value(parsed(theirs[1]), "probe_success") == value(found, "probe_success") == 0


# Beyond Debian's version, and beyond blackbox_exporter.


def ask(both, script, module: str, **query) -> dict:
    with tls_peers.listening(both.namespace, script, LOOPBACK) as port:
        status, text = both.ask(target=f"{LOOPBACK}:{port}", module=module, **query)
        assert status == 200, text
        return parsed(text)


@pytest.mark.parametrize(("said", "success", "flag"), [
    ((b"A", b"BC\nrest\n"), 1, 0), ((b"AX",), 0, 1), ((b"xAB",), 0, 1), ((b"A",), 0, 0),
])
def test_bytes_are_expected_exactly(both, said, success, flag):
    found = ask(both, says(*said), "bytes")
    assert value(found, "probe_success") == success
    assert value(found, "probe_failed_due_to_bytes") == flag and value(found, "probe_failed_due_to_regex") == 0


def test_labels_are_filled_in(both):
    found = ask(both, says(b"SSH-2.0-x y\r\n"), "labels")
    assert found["probe_expect_info"][2] == {'probe_expect_info{version="v2.0",software="x y"}': 1}
    assert "probe_expect_info" not in ask(both, says(b"SSH-2\r\n"), "labels")


def test_a_path_is_probed(loopback_only, files, folder):
    rules = {"policy": {"profile": "internal", "rules": [{"action": "allow", "path": f"{folder}/*"}]}}
    listener = peers.unix_listener(f"{folder}/x.sock")
    with started(loopback_only, files, rules, port=8242) as connectd, peers.serving(
        listener, peers.on_each_connection(repeats)
    ):
        for target in (f"{folder}/x.sock", f"unix:{folder}/x.sock"):
            query = urllib.parse.urlencode({"target": target, "module": "path"})
            found = parsed(connectd.client.get(f"/probe?{query}").body.decode())
            assert value(found, "probe_success") == 1
            assert not {"probe_ip_protocol", "probe_ip_addr_hash", "probe_dns_lookup_time_seconds"} & found.keys()
        query = urllib.parse.urlencode({"target": f"{folder}/none.sock", "module": "path"})
        found = parsed(connectd.client.get(f"/probe?{query}").body.decode())
        assert 'errno="ENOENT"' in failure(found)


def test_a_failure_names_errno_and_fault(both):
    _, text = both.ask(target="127.0.0.1:1", module="connect")
    assert failure(parsed(text)) == (
        'probe_failure_info{phase="connect",outcome="refused",errno="ECONNREFUSED",class="refused",fault="target"}')
    found = ask(both, says(b"no\n", stays=True), "banner", timeout_ms=100)
    assert 'phase="dialog"' in failure(found) and value(found, "probe_timeout_seconds") == 0.1
    phases = found["probe_phase_duration_seconds"][2]
    assert 0.05 < phases['probe_phase_duration_seconds{phase="dialog"}'] < 0.3


def test_every_address_is_told(both):
    with tls_peers.listening(both.namespace, says(), LOOPBACK) as port:
        _, text = both.ask(target=f"{NAMED}:{port}", module="connect", addresses="all")
        found = parsed(text)
        assert found["probe_address_success"][2] == {
            'probe_address_success{address="::1"}': 0, 'probe_address_success{address="127.0.0.1"}': 1}
        assert value(found, "probe_success") == 0
        _, text = both.ask(target=f"{NAMED}:{port}", module="connect", addresses="first")
        assert value(parsed(text), "probe_success") == 1
        _, text = both.ask(target=f"{NAMED}:{port}", module="connect", family="ipv4")
        assert value(parsed(text), "probe_success") == 1 and value(parsed(text), "probe_tcp_rtt_seconds") > 0


def test_udp_is_probed(both):
    peer = peers.udp_socket(both.namespace, LOOPBACK)
    with peers.serving(peer, peers.echo_datagram):
        _, text = both.ask(target=f"udp://{LOOPBACK}:{peer.getsockname()[1]}", module="send")
        assert value(parsed(text), "probe_success") == 1
        # Without a dialog nothing is heard, and so nothing is known.
        _, text = both.ask(target=f"udp://{LOOPBACK}:{peer.getsockname()[1]}", module="connect")
        assert value(parsed(text), "probe_success") == 0 and 'reason="not verified' in failure(parsed(text))
    _, text = both.ask(target="udp://127.0.0.1:1", module="send")
    assert 'errno="ECONNREFUSED"' in failure(parsed(text))


@pytest.mark.parametrize("query", [
    "timeout_ms=0", "family=ip4", "addresses=one", "hostname=a%00b", "hostname=%20", "debug=%zz",
])
def test_a_setting_that_is_none_is_refused(both, query):
    answer = both.connectd.client.get(f"/probe?target=127.0.0.1:1&module=connect&{query}")
    assert answer.status == 400 and answer.headers["content-type"].startswith("text/plain")


def test_a_module_of_another_prober_is_named(both):
    status, text = both.ask(target="127.0.0.1:1", module="web")
    assert status == 400 and "http" in text
    assert both.connectd.log.count("are left out: web (http)") == 1


def test_without_a_modules_file_three_modules_are_built_in(loopback_only, authorities, folder):
    rules = [{"action": "allow", "path": f"{folder}/*"}]
    own = {"policy": {"profile": "internal", "rules": rules}}
    root = pathlib.Path(folder) / "root.pem"
    root.write_text(authorities.root_pem)
    trusted = {"SSL_CERT_FILE": str(root)}
    with Connectd(loopback_only, own, port=8251, environment=trusted) as connectd:
        def probe(**query) -> tuple[int, str]:
            answer = connectd.client.get("/probe?" + urllib.parse.urlencode(query))
            return answer.status, answer.body.decode()

        context = tls_peers.server_context(authorities.for_addresses(LOOPBACK))
        with tls_peers.listening(loopback_only, tls_peers.tls(context), LOOPBACK) as port:
            for module in ("tcp_connect", "tcp_tls"):
                status, text = probe(target=f"{LOOPBACK}:{port}", module=module)
                assert status == 200 and value(parsed(text), "probe_success") == 1, text
            assert "probe_ssl_last_chain_info" in parsed(text)
        listener = peers.unix_listener(f"{folder}/x.sock")
        with peers.serving(listener, peers.on_each_connection(repeats)):
            status, text = probe(target=f"{folder}/x.sock", module="unix_connect")
            assert status == 200 and value(parsed(text), "probe_success") == 1, text
        for query in ({}, {"module": "http_2xx"}, {"module": "tcp"}, {"module": ""}):
            status, text = probe(target="127.0.0.1:1", **query)
            assert status == 400 and text.startswith('Unknown module "'), text
            assert "tcp_connect, tcp_tls, unix_connect" in text and "modules_file: /" in text, text
        shown = yaml.safe_load(connectd.client.get("/config").body)
        assert shown["modules"].keys() == {"tcp_connect", "tcp_tls", "unix_connect"}


def test_an_unknown_module_names_those_of_the_file(both):
    status, text = both.ask(target="127.0.0.1:1", module="tcp_tls")
    assert status == 400 and text.startswith('Unknown module "tcp_tls". ')
    assert "across, banner, bytes" in text and " more. " in text
    status, text = both.ask(target="127.0.0.1:1", module="web")
    assert status == 400 and "its prober is http" in text


# Logs, configuration, reload.


def test_debug_shows_log_metrics_and_module(both):
    _, text = both.ask(target="127.0.0.1:1", module="connect", debug="true")
    _, theirs = both.probe(both.reference, target="127.0.0.1:1", module="connect", debug="true")
    heads = ["Logs for the probe:\n", "\n\n\n\nMetrics that would have been returned:\n", "\n\n\n\nModule configuration:\n"]
    for head in heads:
        assert text.count(head) == theirs.count(head) == 1
    assert 'msg="Probe failed"' in text and "errno=ECONNREFUSED" in text and "\nprober: tcp\n" in text
    assert "probe_success 0\n" in text


def test_the_last_probes_can_be_looked_at(both):
    both.ask(target="127.0.0.1:1", module="connect")
    client = both.connectd.client
    newest = client.get("/logs").body.decode().splitlines()[0]
    number = next(word for word in newest.split() if word.startswith("id=")).removeprefix("id=")
    by_number = client.get(f"/logs?id={number}").body
    assert by_number.startswith(b"Logs for the probe:\n") and b"ECONNREFUSED" in by_number
    assert client.get("/logs?target=127.0.0.1:1&module=connect").body == by_number
    assert client.get("/logs?target=127.0.0.1:2").status == 404
    assert client.get("/logs?id=1&target=127.0.0.1:1").status == client.get("/logs?id=x").status == 400


def test_the_configuration_is_shown_and_can_be_read_again(both):
    shown = yaml.safe_load(both.connectd.client.get("/config").body)
    assert shown["modules"].keys() == (MODULES | NEWER).keys() - {"web"}
    hidden = [entry | {"send": "<secret>"} for entry in MODULES["mail"]["tcp"]["query_response"]]
    assert shown["modules"]["mail"]["tcp"]["query_response"] == hidden
    assert shown["modules"]["tls_client"]["tcp"]["tls_config"] == MODULES["tls_client"]["tcp"]["tls_config"]


def test_a_key_in_the_file_is_never_shown(loopback_only, files):
    config = {"cert": files["client.pem"], "key": files["client.key"]}
    modules = yaml.safe_dump({"modules": {"m": tcp(tls=True, tls_config=config)}})
    own = {"modules_file": "own.yml"}
    with started(loopback_only, files | {"own.yml": modules}, own, port=8243) as connectd:
        shown = connectd.client.get("/config").body + connectd.client.get(
            "/probe?target=127.0.0.1:1&module=m&debug=true").body + connectd.client.get("/logs?id=0").body
        assert shown.count(b"<secret>") == 3 and b"PRIVATE KEY" not in shown
        assert "PRIVATE KEY" not in connectd.log


def test_what_a_module_sends_is_never_shown(loopback_only, files):
    """Also not where the peer repeats it, nor in an answer that says why a reload failed."""
    modules = {"modules": {"m": answers({"send": "AUTH hunter2"}, {"expect": "^welcome"}) | {"timeout": "500ms"}}}
    own = {"modules_file": "own.yml"}
    with started(loopback_only, files | {"own.yml": yaml.safe_dump(modules)}, own, port=8250) as connectd:
        with tls_peers.listening(loopback_only, repeats, LOOPBACK) as port:
            path = f"/probe?target={LOOPBACK}:{port}&module=m"
            shown = [connectd.client.get(path + "&debug=true"), connectd.client.get(path)]
        shown += [connectd.client.get(other) for other in ("/config", "/logs?id=0", "/logs", "/metrics", "/")]
        (connectd.folder / "own.yml").write_text(yaml.safe_dump(modules) + "      sennd: AUTH hunter2\n")
        shown.append(connectd.client.request("POST", "/-/reload"))
        assert shown[-1].status == 500
        assert all(b"hunter2" not in answer.body for answer in shown)
        assert b"send: <secret>" in shown[0].body and b"received=" in shown[0].body
        assert "hunter2" not in connectd.log


def test_reload_puts_new_modules_in_force_or_says_why_not(loopback_only, files):
    with started(loopback_only, files, port=8244) as connectd:
        path = connectd.folder / "blackbox.yml"
        path.write_text("modules: {fresh: {prober: tcp}}\n")
        assert connectd.client.get("/probe?target=127.0.0.1:1&module=fresh").status == 400
        for method in ("POST", "PUT"):
            answer = connectd.client.request(method, "/-/reload")
            assert answer.status == 200, answer.body
        assert connectd.client.get("/probe?target=127.0.0.1:1&module=fresh").status == 200
        path.write_text("modules: {fresh: {prober: tcp, tcp: {query_response: [{expect: '('}]}}}\n")
        answer = connectd.client.request("POST", "/-/reload")
        assert answer.status == 500
        assert b"failed to reload config: " in answer.body and b"blackbox.yml:1:" in answer.body
        assert connectd.client.get("/probe?target=127.0.0.1:1&module=fresh").status == 200
        assert connectd.client.get("/-/reload").status == 405


def test_a_wrong_modules_file_keeps_the_service_from_starting(loopback_only, files):
    own = {"modules_file": "wrong.yml"}
    with pytest.raises(AssertionError, match="wrong.yml:1:34: modules.m.tcp.tsl: there is no such key"):
        with started(
            loopback_only, files | {"wrong.yml": "modules: {m: {prober: tcp, tcp: {tsl: true}}}"}, own, port=8245
        ):
            pass


# Who may ask, and for what.


def test_a_denied_target_is_a_failed_probe_without_details(loopback_only, files):
    rules = {"policy": {"profile": "internal", "rules": [{"action": "deny", "host": "*.corp.test"}]}}
    with started(loopback_only, files, rules, port=8246) as connectd:
        texts = []
        for target in ("169.254.169.254:80", "x.corp.test:80", "127.0.0.1:8246"):
            answer = connectd.client.get(f"/probe?target={target}&module=connect")
            assert answer.status == 200
            found = parsed(answer.body.decode())
            assert value(found, "probe_success") == 0 and 'outcome="denied"' in failure(found)
            texts.append(answer.body)
        assert len(set(texts)) == 1, "a denial tells nothing of the target"


def test_dialogs_of_modules_can_be_switched_off(loopback_only, files):
    for word, outcome in (("none", "denied"), ("configured", "refused")):
        own = {"policy": {"profile": "internal", "dialogs": word, "options": []}}
        with started(loopback_only, files, own, port=8247) as connectd:
            text = connectd.client.get("/probe?target=127.0.0.1:1&module=banner").body.decode()
            assert f'outcome="{outcome}"' in failure(parsed(text))
            text = connectd.client.get("/probe?target=127.0.0.1:1&module=connect").body.decode()
            assert 'outcome="refused"' in failure(parsed(text))


def test_a_request_cannot_use_what_is_a_modules_own(both):
    for member in ({"ca": "module:tls"}, {"client_certificate": "module:tls_client"}):
        answer = both.connectd.client.post_check("tls://127.0.0.1:1", tls=member)
        assert answer.status == 400, answer.body


def test_with_tokens_everything_needs_one(loopback_only, files):
    own = {"auth": {"tokens_file": "tokens"}}
    tokens = {"tokens": "prometheus:0123456789abcdef\n"}
    with started(loopback_only, files | tokens, own, port=8248) as connectd:
        requests = [("GET", "/probe?target=127.0.0.1:1&module=connect"), ("GET", "/config"), ("GET", "/logs"),
                    ("GET", "/-/healthy"), ("POST", "/-/reload")]
        for method, path in requests:
            assert connectd.client.request(method, path).status == 401, path
            bearer = {"Authorization": "Bearer 0123456789abcdef"}
            assert connectd.client.request(method, path, headers=bearer).status == 200, path


def test_a_page_of_another_site_cannot_reload(both):
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert both.connectd.http.request("POST", "/-/reload", headers=headers).status == 403
    assert both.connectd.http.get("/probe?target=127.0.0.1:1&module=connect", headers=headers).status == 403


def test_an_overload_is_not_the_targets_failure(loopback_only, files):
    own = {"limits": {"in_flight": 1, "queue": 0}}
    with started(loopback_only, files, own, port=8249) as connectd, tls_peers.listening(
        loopback_only, says(stays=True), LOOPBACK
    ) as port:
        path = f"/probe?target={LOOPBACK}:{port}&module=banner"
        first = threading.Thread(target=connectd.client.get, args=(path,))
        first.start()
        time.sleep(0.3)
        answer = connectd.client.get(path)
        first.join()
        assert answer.status == 503 and answer.headers["retry-after"] == "1" and b"probe_success" not in answer.body


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (package prometheus) is not installed")
@pytest.mark.parametrize("query", [
    {"target": "127.0.0.1:1", "module": "connect"}, {"target": "noport", "module": "connect"},
    {"target": "127.0.0.1:1", "module": "connect", "addresses": "all"},
])
def test_promtool_finds_nothing_to_complain_of(both, query):
    _, text = both.ask(**query)
    run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_openmetrics_has_the_same_families(both):
    headers = {"Accept": "application/openmetrics-text"}
    _, text = both.ask(headers, target="127.0.0.1:1", module="connect")
    assert text.endswith("# EOF\n")
    plain = parsed(both.ask(target="127.0.0.1:1", module="connect")[1])
    assert parsed(text.removesuffix("# EOF\n")).keys() == plain.keys()


# Prometheus itself, with the relabelling that docs/migration-from-blackbox.md shows.

RULES = """
groups:
  - name: probes
    rules:
      - alert: ProbeFailedBecause
        expr: probe_failure_info
        annotations: {summary: "{{ $labels.instance }}: {{ $labels.errno }} in {{ $labels.phase }}, fault: {{ $labels.fault }}"}
"""


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="not installed: prometheus")
def test_prometheus_scrapes_by_relabelling_and_an_alert_names_the_errno(both, tmp_path):
    scrape = {
        "job_name": "tcp", "metrics_path": "/probe", "params": {"module": ["connect"]},
        "static_configs": [{"targets": ["127.0.0.1:1", f"{LOOPBACK}:{REFERENCE_PORT}"]}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"{LOOPBACK}:{PORT}"},
        ],
    }
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"], "scrape_configs": [scrape]}))
    subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], check=True, capture_output=True)
    command = both.namespace.command(
        shutil.which("prometheus"), f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address={LOOPBACK}:9090")
    with (tmp_path / "log").open("wb") as log:
        prometheus = subprocess.Popen(command, stdout=log, stderr=log)
    client = Client(tcp_connector(both.namespace, LOOPBACK, 9090))

    def ask(path: str) -> dict:
        return json.loads(client.get(path).body)["data"]

    try:
        limit = time.monotonic() + 30
        alerts: list = []
        while not alerts:
            assert time.monotonic() < limit, (tmp_path / "log").read_text()
            time.sleep(0.2)
            try:
                alerts = ask("/api/v1/alerts")["alerts"]
            except (OSError, EOFError, ValueError, KeyError):
                continue
        [alert] = alerts
        assert alert["annotations"]["summary"] == "127.0.0.1:1: ECONNREFUSED in connect, fault: target"
        # Each target is scraped at a moment of its own within the interval.
        wanted = {"127.0.0.1:1": "0", f"{LOOPBACK}:{REFERENCE_PORT}": "1"}
        found: dict = {}
        while found != wanted:
            assert time.monotonic() < limit, found
            time.sleep(0.2)
            result = ask("/api/v1/query?query=probe_success")["result"]
            found = {item["metric"]["instance"]: item["value"][1] for item in result}
        assert {item["value"][1] for item in ask("/api/v1/query?query=up")["result"]} == {"1"}
    finally:
        prometheus.send_signal(signal.SIGTERM)
        prometheus.wait(20)
