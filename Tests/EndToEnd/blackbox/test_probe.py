"""/probe: connectd and Debian's blackbox_exporter with the same modules file and targets give the same metrics."""

import concurrent.futures
import pathlib
import re
import shutil
import signal
import subprocess
import time
import urllib.parse

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support import peers, tls_peers
from support.blackbox_exporter import (
    EXPORTER,
    LOOPBACK,
    NAMED,
    REFERENCE_PORT,
    Both,
    failure,
    mail,
    parsed,
    repeats,
    resets,
    says,
    started,
    tcp,
    upgrades,
    value,
    wait_for,
)
from support.certificates import Authority
from support.connectd_process import Connectd
from support.http_client import Client, tcp_connector

# Compared with each other.


def test_a_connect_has_the_same_metrics(both):
    with tls_peers.listening(both.namespace, says(), LOOPBACK) as port:
        found = both.compare(target=f"{LOOPBACK}:{port}", module="connect")
        assert value(found, "probe_success") == 1 and value(found, "probe_ip_addr_hash") == 3668918509
        assert value(both.compare(target=f"{NAMED}:{port}", module="four"), "probe_ip_protocol") == 4
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="source"), "probe_success") == 1
        assert value(both.compare(target=f"localhost:{port}", module="connect"), "probe_success") == 1


def test_both_prefer_the_same_address_family(both):
    """One address is tried: if IPv6 is preferred and refused, IPv4 is not tried."""
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
def test_a_failure_has_the_same_metrics(both, target):
    # Go finds an address without bytes for an empty host, if only one family is wanted.
    modules = ("connect", "tls_unverified") if target.startswith(":") else ("connect", "tls_unverified", "four_only")
    for module in modules:
        found = both.compare(target=target, module=module)
        assert value(found, "probe_success") == 0 and "probe_failure_info" in found


@pytest.mark.parametrize("target", BAD_TARGETS)
def test_an_invalid_target_is_explained(both, target):
    _, text = both.ask(target=target, module="connect")
    label = re.search('reason="([^"]+)"', failure(parsed(text)))
    assert label is not None, failure(parsed(text))
    _, text = both.ask(target=target, module="connect", debug="true")
    assert "reason=" in text and label[1][:12] in text.partition("Metrics that")[0]


def test_an_invalid_port_is_not_connected_to(both):
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
def test_a_dialog_has_the_same_result(both, module, script, success, regex):
    with tls_peers.listening(both.namespace, script, LOOPBACK) as port:
        found = both.compare(target=f"{LOOPBACK}:{port}", module=module)
        assert value(found, "probe_success") == success
        assert value(found, "probe_failed_due_to_regex") == regex
        assert value(found, "probe_failed_due_to_bytes") == 0


def test_both_send_the_same_bytes(both):
    heard: list = []
    with tls_peers.listening(both.namespace, mail(heard), LOOPBACK) as port:
        assert value(both.compare(target=f"{LOOPBACK}:{port}", module="mail"), "probe_success") == 1
    assert heard == [b"EHLO ESMTP ready mx.example  $5 \n", b"QUIT \n"] * 2


def test_starttls_in_a_dialog_has_the_same_result(both, authorities):
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


def test_serial_and_subject_match_the_check(both, authorities):
    with tls_peers.listening(
        both.namespace, tls_peers.tls(tls_peers.server_context(authorities.good)), LOOPBACK
    ) as port:
        _, text = both.ask(target=f"{LOOPBACK}:{port}", module="tls_unverified")
        leaf = both.connectd.client.post_check(f"tls://{LOOPBACK}:{port}", tls={"verify": False}).json["tls"]["chain"][0]
    [sample] = parsed(text)["probe_ssl_last_chain_info"][2]
    for label, member in (("serialnumber", "serial"), ("subject", "subject"), ("issuer", "issuer")):
        shown = leaf[member].replace("\\", r"\\")
        assert f'{label}="{shown}"' in sample



def test_certificates_have_the_same_metrics(both, authorities):
    identity = authorities.for_addresses(LOOPBACK)
    for module in ("tls", "tls_unverified", "tls12"):
        with tls_peers.listening(both.namespace, tls_peers.tls(tls_peers.server_context(identity)), LOOPBACK) as port:
            found = both.compare(target=f"{LOOPBACK}:{port}", module=module)
            assert value(found, "probe_success") == 1
            assert value(found, "probe_ssl_earliest_cert_expiry") > time.time()
            version = "TLS 1.2" if module == "tls12" else "TLS 1.3"
            assert f'probe_tls_version_info{{version="{version}"}}' in found["probe_tls_version_info"][2]


@pytest.mark.parametrize("module", ["tls", "tls_system"])
def test_a_certificate_that_fails_is_described_too(both, authorities, module):
    context = tls_peers.server_context(authorities.expired)
    with tls_peers.listening(both.namespace, tls_peers.tls(context), LOOPBACK) as port:
        found = both.compare(target=f"{LOOPBACK}:{port}", module=module)
        assert value(found, "probe_success") == 0
        assert value(found, "probe_ssl_earliest_cert_expiry") < time.time()
        assert "probe_ssl_last_chain_info" in found and 'phase="tls"' in failure(found)


def test_both_send_the_same_server_name_and_client_certificate(both, authorities, files):
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


def test_invalid_requests_have_the_same_response(both):
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


@pytest.mark.deadline
@pytest.mark.parametrize(("header", "seconds"), [("1", 0.5), ("0.7", 0.2), ("10", 2), ("0.3", 2), ("-1", 2)])
def test_the_prometheus_timeout_header_has_the_same_effect(both, header, seconds):
    with tls_peers.listening(both.namespace, says(stays=True), LOOPBACK) as port:
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": header}

        def probe(client) -> tuple[float, dict]:
            begin = time.monotonic()
            _, text = both.probe(client, headers, target=f"{LOOPBACK}:{port}", module="banner")
            return time.monotonic() - begin, parsed(text)

        with concurrent.futures.ThreadPoolExecutor() as pool:
            (own_time, found), (time_of_reference, expected) = pool.map(probe, [both.connectd.client, both.reference])
        assert value(found, "probe_timeout_seconds") == pytest.approx(seconds)
        for took in (own_time, time_of_reference):
            assert seconds - 0.02 <= took < seconds + 0.4
        assert value(expected, "probe_success") == value(found, "probe_success") == 0


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


@pytest.mark.deadline
def test_a_failure_names_errno_and_fault(both):
    _, text = both.ask(target="127.0.0.1:1", module="connect")
    assert failure(parsed(text)) == (
        'probe_failure_info{phase="connect",outcome="refused",errno="ECONNREFUSED",class="refused",fault="target"}')
    found = ask(both, says(b"no\n", stays=True), "banner", timeout_ms=100)
    assert 'phase="dialog"' in failure(found) and value(found, "probe_timeout_seconds") == 0.1
    phases = found["probe_phase_duration_seconds"][2]
    assert 0.05 < phases['probe_phase_duration_seconds{phase="dialog"}'] < 0.3


def test_each_address_is_reported(both):
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
        # Without a dialog, UDP has no response, and so no verdict.
        _, text = both.ask(target=f"udp://{LOOPBACK}:{peer.getsockname()[1]}", module="connect")
        assert value(parsed(text), "probe_success") == 0 and 'reason="not verified' in failure(parsed(text))
    _, text = both.ask(target="udp://127.0.0.1:1", module="send")
    assert 'errno="ECONNREFUSED"' in failure(parsed(text))


@pytest.mark.parametrize("query", [
    "timeout_ms=0", "family=ip4", "addresses=one", "hostname=a%00b", "hostname=%20", "debug=%zz",
])
def test_an_invalid_setting_is_refused(both, query):
    answer = both.connectd.client.get(f"/probe?target=127.0.0.1:1&module=connect&{query}")
    assert answer.status == 400 and answer.headers["content-type"].startswith("text/plain")


def test_a_module_of_another_prober_is_named(both):
    status, text = both.ask(target="127.0.0.1:1", module="web")
    assert status == 400 and "http" in text
    assert both.connectd.log.count("does not support: web (http)") == 1


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


def test_an_unknown_module_lists_the_modules_of_the_file(both):
    status, text = both.ask(target="127.0.0.1:1", module="tcp_tls")
    assert status == 400 and text.startswith('Unknown module "tcp_tls". ')
    assert "across, banner, bytes" in text and " more. " in text
    status, text = both.ask(target="127.0.0.1:1", module="web")
    assert status == 400 and "its prober is http" in text


# Several valid chains.


def authority(authorities, common_name: str, issuer=None, key=None, ends: float = 3650) -> Authority:
    """An authority with any expiry date. With the key of another authority, it is a cross-signed certificate of that one."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    certificate = authorities.leaf(
        common_name, sans=None, starts=-10, ends=ends, issuer=issuer or Authority(FakeSubject(common_name), key),
        usages=(), is_authority=True, public_key=key.public_key())
    return Authority(certificate, key)


class FakeSubject:
    """What a self-signed certificate takes its issuer's name from."""

    def __init__(self, common_name: str):
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@pytest.fixture(scope="module")
def cross_signed(authorities):
    """Chains by their names: the roots that are trusted, what the server sends, and the days of the best chain."""
    old, new = authority(authorities, "old root"), authority(authorities, "new root")
    short = authority(authorities, "cross", issuer=old, ends=5)
    direct = authority(authorities, "cross", issuer=new, key=short.key, ends=100)
    expired = authority(authorities, "cross", issuer=new, key=short.key, ends=-1)
    forged = Authority(authority(authorities, "cross", issuer=Authority(new.certificate, old.key), key=short.key,
                                 ends=300).certificate, short.key)
    leaf = authorities.leaf(sans=("127.0.0.1",), ends=200, issuer=short)
    below = authority(authorities, "below", issuer=short, ends=150)
    deep = authorities.leaf(sans=("127.0.0.1",), ends=200, issuer=below)
    both_roots, one_root = [old.certificate, new.certificate], [old.certificate]
    return {
        "short first": (both_roots, [leaf, short.certificate, direct.certificate], 100),
        "direct first": (both_roots, [leaf, direct.certificate, short.certificate], 100),
        "only one trusted": (one_root, [leaf, short.certificate, direct.certificate], 5),
        "one expired": (both_roots, [leaf, short.certificate, expired.certificate], 5),
        "one forged": (both_roots, [leaf, short.certificate, forged.certificate], 5),
        "good and forged": (both_roots, [leaf, short.certificate, direct.certificate, forged.certificate], 100),
        "deeper": (both_roots, [deep, below.certificate, short.certificate, direct.certificate], 100),
        "trusted intermediate": ([old.certificate, direct.certificate], [leaf, short.certificate], 100),
        "trusted leaf": ([old.certificate, leaf], [leaf, short.certificate], 200),
    }


CHAINS = ["short first", "direct first", "only one trusted", "one expired", "one forged", "good and forged", "deeper",
          "trusted intermediate", "trusted leaf"]


@pytest.fixture(scope="module")
def chains(loopback_only, authorities, cross_signed, tmp_path_factory):
    """Both services with a module for each of the chains."""
    files = {f"{name.replace(' ', '_')}.pem": authorities.pem(*roots) for name, (roots, _, _) in cross_signed.items()}
    modules = {name: tcp(tls=True, tls_config={"ca_file": f"{name.replace(' ', '_')}.pem"}) for name in cross_signed}
    text = yaml.safe_dump({"modules": modules})
    folder = tmp_path_factory.mktemp("chains")
    for name, content in (files | {"blackbox.yml": text}).items():
        (folder / name).write_text(content)
    program = shutil.which(EXPORTER)
    if program is None:
        pytest.skip(f"not installed: {EXPORTER}")
    arguments = ["--config.file=blackbox.yml", f"--web.listen-address={LOOPBACK}:{REFERENCE_PORT + 1}"]
    exporter = subprocess.Popen(
        loopback_only.command(program, *arguments), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    reference = Client(tcp_connector(loopback_only, LOOPBACK, REFERENCE_PORT + 1), host="localhost")
    own = {"policy": {"profile": "internal"}, "modules_file": "chains.yml"}
    try:
        with Connectd(loopback_only, own, port=8252, files=files | {"chains.yml": text}) as connectd:
            wait_for(reference, exporter)
            yield Both(loopback_only, connectd, reference)
    finally:
        exporter.send_signal(signal.SIGTERM)
        exporter.wait(10)


@pytest.mark.parametrize("chain", CHAINS)
def test_the_chain_that_expires_last_sets_the_expiry_date(chains, authorities, cross_signed, chain):
    _, sent, days = cross_signed[chain]
    context = tls_peers.server_context(authorities.identity(f"cross_{chain.replace(' ', '_')}", sent))
    with tls_peers.listening(chains.namespace, tls_peers.tls(context), LOOPBACK) as port:
        query = {"target": f"{LOOPBACK}:{port}", "module": chain}
        found = chains.compare(**query)
    assert value(found, "probe_success") == 1
    end = value(found, "probe_ssl_last_chain_expiry_timestamp_seconds")
    assert end == pytest.approx(time.time() + days * 86400, abs=3700)


@pytest.mark.parametrize("kind", ["loop", "forged"])
def test_a_peer_cannot_make_the_chain_search_slow(chains, authorities, cross_signed, kind):
    """Authorities with one name: each may have issued each other, or a trusted root appears to have issued them."""
    roots, [leaf, short, _], _ = cross_signed["short first"]
    key = authorities.leaf_key
    issuer = Authority(short if kind == "loop" else roots[1], key)
    flood = [authority(authorities, "cross", issuer=issuer, key=key, ends=300 + number).certificate
             for number in range(60)]
    context = tls_peers.server_context(authorities.identity(f"cross_{kind}", [leaf, short, *flood]))
    with tls_peers.listening(chains.namespace, tls_peers.tls(context), LOOPBACK) as port:
        begin = time.monotonic()
        _, text = chains.ask(target=f"{LOOPBACK}:{port}", module="short first")
        took = time.monotonic() - begin
    found = parsed(text)
    assert value(found, "probe_success") == 1 and took < 2
    end = value(found, "probe_ssl_last_chain_expiry_timestamp_seconds")
    assert end == pytest.approx(time.time() + 5 * 86400, abs=3700)


# Names of the service, and targets that are encoded twice.


@pytest.mark.parametrize(("host", "name"), [
    ("blackbox.monitoring.svc", "blackbox.monitoring.svc"), ("Blackbox.Monitoring.SVC:9115", "blackbox.monitoring.svc"),
    ("blackbox.monitoring.svc.cluster.local.:9115", "blackbox.monitoring.svc.cluster.local"), ("blackbox", "blackbox"),
])
def test_a_421_contains_the_missing_entry(loopback_only, files, host, name):
    path = "/probe?target=127.0.0.1:1&module=connect"
    with started(loopback_only, files, port=8253) as connectd:
        for asked in (path, "/metrics", "/config", "/"):
            answer = connectd.http.get(asked, headers={"Host": host})
            assert answer.status == 421 and f'hosts: ["{name}"]' in answer.json["detail"], answer.body
        written = yaml.safe_load(re.search(r"hosts: \[[^]]*\]", answer.json["detail"])[0])
        configuration = yaml.safe_load(connectd.configuration_path.read_text())
        connectd.configuration_path.write_text(yaml.safe_dump(configuration | written))
        assert connectd.client.request("POST", "/-/reload").status == 200
        for asked in (path, "/metrics", "/config", "/"):
            assert connectd.http.get(asked, headers={"Host": host}).status == 200


@pytest.mark.parametrize("host", ["a b", "x:y", "[::1", "127.1", "", "<script>"])
def test_a_421_for_an_invalid_host_suggests_nothing(both, host):
    answer = both.connectd.http.get("/metrics", headers={"Host": host})
    assert answer.status in (400, 421) and b"hosts:" not in answer.body


def test_a_target_encoded_twice_is_decoded(both):
    with tls_peers.listening(both.namespace, says(), LOOPBACK) as port:
        for target in (f"127.0.0.1:{port}", f"127.0.0.1%3A{port}", f"127.0.0.1%253A{port}",
                       f"tcp%253A%252F%252F127.0.0.1%253A{port}", f"%255B::ffff:127.0.0.1%255D%253A{port}"):
            text = both.connectd.client.get(f"/probe?module=connect&target={target}").body.decode()
            assert value(parsed(text), "probe_success") == 1, text
    answer = both.connectd.client.get("/probe?module=connect&target=127.0.0.1%253A1&debug=true")
    assert b" target=127.0.0.1:1 " in answer.body
    # A zone is not an encoding.
    text = both.connectd.client.get("/probe?module=connect&target=%5Bfe80::1%2512%5D:1").body.decode()
    assert 'class="invalid"' not in failure(parsed(text)), text
