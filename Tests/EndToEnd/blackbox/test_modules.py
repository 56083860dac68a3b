"""Modules files: connectd accepts and refuses the same files as Debian's blackbox_exporter."""

import pathlib
import shutil
import subprocess

import pytest

from support import tls_peers
from support.blackbox_exporter import EXPORTER, LOOPBACK, Both, says, started, value, wait_for
from support.connectd_process import binary
from support.http_client import Client, tcp_connector

STOCK = pathlib.Path("/etc/prometheus/blackbox.yml")
needs_exporter = pytest.mark.skipif(shutil.which(EXPORTER) is None, reason=f"not installed: {EXPORTER}")


def tcp(settings: str) -> str:
    return f"modules: {{m: {{prober: tcp, tcp: {{{settings}}}}}}}\n"


DOCUMENTS = [
    "", "# x\n", "~\n", "modules:\n", "modules: {}\n", "modules: []\n", "module: {}\n", "modules: {m: }\n", "modules: {m: {}}\n",
    "modules: {m: {prober: nosuch}}\n", "modules: {m: {prober: [tcp]}}\n", "modules: {1: {prober: 5}}\n",
    "modules: {m: {prober: tcp, timeot: 5s}}\n", "modules: {m: {prober: tcp}}\n---\nfoo: [\n", "a: [\n", "\tm: 1\n",
    "%YAML 1.1\n---\nmodules: {}\n", "%YAML 1.2\n---\nmodules: {}\n", "modules: {~: {}}\n", "modules: {m: {prober: tcp}, m: {}}\n",
    "modules: {m: {prober: http, http: {headers: {A: 1, A: 2}}}}\n", "modules: {m: {prober: tcp, tcp: }}\n",
    "modules: {m: {prober: tcp, tcp: []}}\n", 'modules: {m: {prober: tcp, tcp: ""}}\n', "modules: !mine {m: !x {prober: !y tcp}}\n",
    *(f"modules: {{m: {{prober: tcp, timeout: {text}}}}}\n" for text in [
        "5s", "1m30s", "0.5s", ".5s", "-5s", "5", "0", '"0"', '"5"', "1_0", "0x10", "1.5", '""', "~", "5d", "[]", "!!str 0", "2026-01-01"]),
    *(tcp(f"tls: {text}") for text in [
        "yes", "Yes", "on", "ON", "y", "n", "OFF", "true", "TRUE", "tRue", '"true"', '"yes"', "'on'", "1", "~", '""', "!!bool true",
        "!!bool yes", "!!str yes", "!!str true", "!!bool 'true'"]),
    *(tcp(f"preferred_ip_protocol: {text}") for text in ['""', "ip4", "ipv4", "4", "[]", "!!int 4", "!!int x", "!!float 1", "!!bool 1"]),
    *(tcp(f"source_ip_address: {text}") for text in ['""', "127.0.0.1", "127.1", "x", "0x1F"]),
    *(tcp(f"query_response: [{text}]") for text in [
        "", "~", "a", "[]", "{}", "{expect: a, expect: b}", "{send: !!binary AAAACATSFi8=}", "{send: !!binary A}", "{expect: !!binary /w==}",
        "{send: !!binary [x]}", "{starttls: true}, {starttls: true}", "{expect: '(?P<n>a)(?P<n>b)'}", "{expect: ''}", "{expct: x}",
        "{send: 5}", "{send: 1e3}", "{send: !mine x}", "{send: !!null x}", "{send: !!null ''}", "{send: ~}", "{expect: '^+OK'}"]),
    tcp("tls: true, query_response: [{starttls: true}]"), tcp("query_response: {}"),
    *(tcp(f"tls_config: {{{text}}}") for text in [
        "ca_file: /no/such", "cert_file: /no/such", "key_file: /no/such", "min_version: TLS13, max_version: TLS12", "min_version: TLS99",
        "min_version: 1.2", "insecure_skip_verify: yes", "server_name: 5"]),
    "modules: {a: &a {prober: tcp}, b: *a}\n", "modules: {b: *a}\n", "modules: &a {b: *a}\n", "modules: {a: &a {prober: tcp}, a: *a}\n",
    "modules: {a: &a {prober: tcp}, b: {<<: *a, timeout: 1s}}\n", "modules: {a: &a {prober: tcp}, b: {<<: [*a, {timeout: 1s}]}}\n",
    "modules: {a: &a [x], b: {<<: *a}}\n", "modules: {b: {<<: 5}}\n", "modules: {b: {<<: ~}}\n", "modules: {b: {<<: []}}\n",
    "modules: {b: {<<: {}, <<: {}}}\n", 'modules: {b: {"<<": {}}}\n', "modules: {b: {<<: {prober: tcp, timeot: 1s}}}\n",
    "modules: {a: &a {prober: tcp, timeout: 1s}, b: {<<: {<<: *a, prober: unix}, timeout: 5s}}\n",
]


@needs_exporter
def test_both_load_the_same_documents(tmp_path):
    different = []
    (tmp_path / "connectd.yaml").write_text("modules_file: blackbox.yml\n")
    for text in DOCUMENTS:
        path = tmp_path / "blackbox.yml"
        path.write_text(text)
        theirs = subprocess.run([EXPORTER, "--config.check", f"--config.file={path}"], capture_output=True, text=True, check=False)
        ours = subprocess.run(
            [binary(), "config", "check", tmp_path / "connectd.yaml"], capture_output=True, text=True, check=False)
        if theirs.returncode != ours.returncode:
            different.append((text, theirs.stderr, ours.stderr))
        if ours.returncode != 0:
            assert "blackbox.yml" in ours.stderr and "Fatal error" not in ours.stderr
    assert not different, "\n".join(map(str, different))


@pytest.mark.skipif(not STOCK.exists(), reason="the package's file is not there")
def test_the_packaged_file_loads_unchanged(tmp_path):
    shutil.copy(STOCK, tmp_path / "blackbox.yml")
    (tmp_path / "connectd.yaml").write_text("modules_file: blackbox.yml\n")
    run = subprocess.run(
        [binary(), "config", "check", tmp_path / "connectd.yaml"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("warning: ") == 1 and "does not support: " in run.stderr


SAME = """
modules:
  mail: &mail
    prober: tcp
    timeout: 2s
    tcp: &dialog {query_response: [{expect: "^+OK"}]}
  merged: {<<: *mail, tcp: {<<: *dialog, preferred_ip_protocol: ip4}}
  binary: {prober: tcp, timeout: 2s, tcp: {query_response: [{send: !!binary AAAACATSFi8=}, {expect: x}]}}
  no_ca: {prober: tcp, timeout: 2s, tcp: {tls: true, tls_config: {ca_file: /no/such}}}
  no_ca_later: {prober: tcp, timeout: 2s, tcp: {query_response: [{expect: OK}, {starttls: true}], tls_config: {ca_file: /no/such}}}
  no_ca_unused: {prober: tcp, timeout: 2s, tcp: {tls_config: {ca_file: /no/such}}}
  versions: {prober: tcp, timeout: 2s, tcp: {tls: true, tls_config: {min_version: TLS13, max_version: TLS12}}}
  twice: {prober: tcp, timeout: 2s, tcp: {tls: true, query_response: [{expect: OK}, {starttls: true}], tls_config: {insecure_skip_verify: true}}}
  empty_send: {prober: tcp, timeout: 2s, tcp: {query_response: [{expect: "^(x)?.OK", send: $1}, {expect: end, send: done}]}}
"""


@pytest.fixture(scope="module")
def pair(both, files, tmp_path_factory):
    """A second pair of services, with other modules."""
    folder = tmp_path_factory.mktemp("modules")
    path = folder / "blackbox.yml"
    path.write_text(SAME)
    arguments = [f"--config.file={path}", f"--web.listen-address={LOOPBACK}:9135"]
    with (folder / "log").open("wb") as log:
        exporter = subprocess.Popen(both.namespace.command(shutil.which(EXPORTER), *arguments), stdout=log, stderr=log)
    reference = Client(tcp_connector(both.namespace, LOOPBACK, 9135), host="localhost")
    own = {"policy": {"profile": "internal"}, "modules_file": "same.yml"}
    try:
        with started(both.namespace, files | {"same.yml": SAME}, own, port=8261) as connectd:
            wait_for(reference, exporter)
            yield Both(both.namespace, connectd, reference)
    finally:
        exporter.terminate()
        exporter.wait(10)


def test_both_run_modules_in_the_same_way(pair):
    with tls_peers.listening(pair.namespace, says(b"+OK POP3\n"), LOOPBACK) as port:
        for module, success in (("mail", 0), ("merged", 0), ("no_ca_unused", 1), ("no_ca", 0), ("no_ca_later", 0), ("versions", 0)):
            found = pair.compare(target=f"{LOOPBACK}:{port}", module=module)
            # `^+OK` means `^OK` to Go, and a POP3 greeting begins with a plus sign.
            assert value(found, "probe_success") == success, module


def test_decoded_bytes_are_sent(pair):
    heard: list = []

    def script(connection) -> None:
        heard.append(connection.recv(100))
        connection.sendall(b"x\n")

    with tls_peers.listening(pair.namespace, script, LOOPBACK) as port:
        assert value(pair.compare(target=f"{LOOPBACK}:{port}", module="binary"), "probe_success") == 1
    assert heard == [b"\0\0\0\x08\x04\xd2\x16\x2f\n"] * 2


def test_an_empty_send_sends_nothing(pair):
    heard: list = []

    def script(connection) -> None:
        connection.sendall(b"+OK\nend\n")
        heard.append(connection.recv(100))

    with tls_peers.listening(pair.namespace, script, LOOPBACK) as port:
        assert value(pair.compare(target=f"{LOOPBACK}:{port}", module="empty_send"), "probe_success") == 1
    assert heard == [b"done\n"] * 2


def test_a_second_starttls_fails_at_its_step(pair, authorities):
    def script(connection) -> None:
        connection.sendall(b"OK\n")
        tls_peers.until_the_end(connection)

    context = tls_peers.server_context(authorities.good)

    def secured(connection) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            inner.sendall(b"OK\n")
            inner.recv(1000)

    with tls_peers.listening(pair.namespace, secured, LOOPBACK) as port:
        found = pair.compare(target=f"{LOOPBACK}:{port}", module="twice")
        assert value(found, "probe_success") == 0 and "probe_ssl_earliest_cert_expiry" in found


def test_an_unusable_module_is_reported_at_startup_and_with_debug(pair):
    log = pair.connectd.log
    assert "modules.no_ca.tcp.tls_config.ca_file" in log and "/no/such" in log
    assert "TLS cannot begin twice" in log
    with tls_peers.listening(pair.namespace, says(b"OK\n", stays=True), LOOPBACK) as port:
        for module in ("no_ca", "no_ca_later"):
            _, text = pair.ask(target=f"{LOOPBACK}:{port}", module=module, debug="true")
            assert "/no/such" in text and "No such file or directory" in text, text
            assert 'phase="tls"' in text, text
