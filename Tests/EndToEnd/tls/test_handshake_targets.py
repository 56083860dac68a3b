"""TLS handshakes over UNIX sockets, IPv6 and several addresses, and from probes and the command line."""

import errno
import json
import pathlib
import socket
import threading
import time
from urllib.parse import quote

import pytest

from support import connectd_process, peers, tls_peers
from support import network as net
from support.certificates import HOST
from support.expectations import assert_failure, assert_problem, assert_shape, assert_success
from support.tls_checks import BOTH, HALF, check
from support.tls_expectations import (
    assert_report,
    assert_tls_failure,
    assert_verified,
)


def test_a_handshake_works_over_a_unix_socket(api, authorities, module_folder):
    path = f"{module_folder}/tls"
    script = tls_peers.tls(tls_peers.server_context(authorities.good))
    with peers.serving(peers.unix_listener(path), peers.on_each_connection(script)):
        report = assert_verified(api.check(f"unix:{path}", tls={"server_name": HOST, "ca": "tests"}), authorities.good)
        assert report["server_name"] == HOST
        result = api.check(f"unix:{path}", tls={"verify": False})
        assert_success(result)
        assert_report(result, authorities.good)
        assert result["tls"]["server_name"] is None
        assert_problem(api.post_check(f"unix:{path}", tls=True), 400, "/tls/server_name")


def test_a_handshake_works_over_ipv6_and_by_name(api, authorities, showing):
    port = showing(authorities.good, address=net.OPEN6)
    result = api.check(f"tls://v6.example.test:{port}", tls={"ca": "tests", "server_name": HOST})
    assert_verified(result, authorities.good)
    assert result["attempts"][0]["family"] == "ipv6"


def test_without_a_connection_there_is_no_handshake(api):
    result = api.check(f"tls://{net.OPEN}:9")
    assert result["outcome"] == "refused"
    assert "tls" not in result
    assert result["timings_ms"]["tls"] == 0


def test_one_of_two_addresses_with_an_expired_certificate_fails_all(api, authorities, showing):
    port = showing(authorities.good)
    showing(authorities.expired, address=net.SECOND, port=port)
    options = {"server_name": HOST, "ca": "tests"}
    result = api.check(f"tcp://{HALF}:{port}", tls=options, resolve={"addresses": "all"})
    assert_tls_failure(result, "CERT_EXPIRED")
    outcomes = {attempt["address"]: attempt["outcome"] for attempt in result["attempts"]}
    assert outcomes == {net.OPEN: "connected", net.SECOND: "tls_failed"}
    assert_report(result, authorities.expired)


def test_two_addresses_with_valid_certificates_connect(api, authorities, showing):
    port = showing(authorities.good)
    showing(authorities.good, address=net.SECOND, port=port)
    options = {"server_name": HOST, "ca": "tests"}
    result = api.check(f"tcp://{BOTH}:{port}", tls=options, resolve={"addresses": "all"})
    assert_verified(result, authorities.good)
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["connected"] * 2


def test_the_hello_is_sent_with_the_syn(api, authorities, network):
    """TCP Fast Open: the second connection and the third have a cookie, and each byte is sent once."""
    script = peers.on_each_connection(tls_peers.tls(tls_peers.server_context(authorities.good)))
    with network.a.setting("net.ipv4.tcp_fastopen", 1), network.b.setting("net.ipv4.tcp_fastopen", 3):
        listener = peers.tcp_listener(network.b, net.OPEN)
        listener.setsockopt(socket.IPPROTO_TCP, net.FASTOPEN, 16)
        port = listener.getsockname()[1]
        with peers.serving(listener, script):
            before = net.counter(network.a, "TCPFastOpenActive")
            for _ in range(3):
                result = check(api, port, members={"socket": {"tcp_fast_open": True}})
                assert_verified(result, authorities.good)
            assert net.counter(network.a, "TCPFastOpenActive") >= before + 2, "no SYN carried bytes"
        result = check(api, port, members={"socket": {"tcp_fast_open": True}})
        assert_failure(result, 111, "refused", "target")


def test_an_expected_failure_is_ok(api, authorities, showing):
    port = showing(authorities.expired)
    result = check(api, port, members={"expect": "tls_failed"})
    assert (result["ok"], result["outcome"]) == (True, "tls_failed")
    assert check(api, port, members={"expect": "!tls_failed"})["ok"] is False


@pytest.mark.parametrize("close,error", [("rst", errno.ECONNRESET), ("fin", 0)])
@pytest.mark.parametrize("options", [{"highest": "1.2"}, {"lowest": "1.3", "tickets": 0}])
def test_the_peer_sees_fin_or_rst(api, authorities, network, options, close, error):
    """Without session tickets: unread tickets would turn every close into a reset."""
    context = tls_peers.server_context(authorities.good, **options)
    seen = []

    def script(inside) -> None:
        time.sleep(0.2)  # The check's FIN or RST must have arrived before this reads the socket's error.
        seen.append(inside.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    with tls_peers.listening(network.b, tls_peers.tls(context, script)) as port:
        assert_success(check(api, port, members={"socket": {"close": close}}))
    assert seen == [error]


def test_many_concurrent_handshakes_succeed(api, authorities, showing):
    port = showing(authorities.good)
    results = []

    def one() -> None:
        results.append(check(api, port))

    threads = [threading.Thread(target=one) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 16
    for result in results:
        assert_verified(result, authorities.good)


def probe(api, target: str, **parameters):
    query = "".join(f"&{name}={quote(str(value), safe='')}" for name, value in parameters.items())
    return api.get(f"/v1/probe?target={quote(target, safe='')}{query}")


def test_a_probe_reports_the_handshake(api, authorities, showing):
    port = showing(authorities.good)
    answer = probe(api, f"tls://{net.OPEN}:{port}", server_name=HOST)
    assert (answer.status, answer.headers["connectd-outcome"]) == (502, "tls_failed")
    assert_tls_failure(answer.json, "CERT_UNKNOWN_AUTHORITY")
    answer = probe(api, f"tls://{net.OPEN}:{port}", server_name=HOST, verify="false")
    assert (answer.status, answer.headers["connectd-outcome"]) == (200, "connected")
    assert assert_report(answer.json, authorities.good)["server_name"] == HOST
    answer = probe(api, f"tcp://{net.OPEN}:{port}", verify="false", min_days_left=91)
    assert answer.status == 502
    assert_tls_failure(answer.json, "CERT_EXPIRES_SOON")
    assert probe(api, f"tcp://{net.OPEN}:{port}", verify="false", min_days_left=14).status == 200


def test_check_reports_the_handshake(network, hosts, authorities, showing):
    target = f"tls://{HOST}:{showing(authorities.good)}"
    ran = connectd_process.run("check", target, namespace=network.a)
    assert ran.returncode == 1, ran.stderr
    assert "CERT_UNKNOWN_AUTHORITY" in ran.stdout
    ran = connectd_process.run("check", "--json", target, namespace=network.a)
    (result,) = json.loads(ran.stdout)
    assert_tls_failure(result, "CERT_UNKNOWN_AUTHORITY")
    assert_report(result, authorities.good)


def test_tls_flags_enable_the_handshake(network, hosts, authorities, showing):
    target = f"tcp://{HOST}:{showing(authorities.expired)}"
    ran = connectd_process.run("check", "--tls", "--json", target, namespace=network.a)
    (result,) = json.loads(ran.stdout)
    assert_shape(result)
    assert (ran.returncode, result["outcome"], result["phase"]) == (1, "tls_failed", "tls")


@pytest.mark.parametrize(
    "entries",
    [
        {"authorities": {"x": {"file": "absent.pem"}}},
        {"authorities": {"x": {"file": "empty.pem"}}},
        {"client_certificates": {"x": {"certificate": "good.pem", "key": "other.key"}}},
        {"client_certificates": {"x": {"certificate": "good.pem"}}},
    ],
)
def test_unusable_files_prevent_the_start(authorities, folder, entries):
    folder = pathlib.Path(folder)
    (folder / "empty.pem").write_text("nothing\n")
    (folder / "good.pem").write_text(pathlib.Path(authorities.good.chain_file).read_text())
    (folder / "other.key").write_text(pathlib.Path(authorities.p384.key_file).read_text())
    (folder / "connectd.yaml").write_text(json.dumps(entries))
    ran = connectd_process.run("config", "check", str(folder / "connectd.yaml"))
    assert ran.returncode == 1, (ran.stdout, ran.stderr)
    assert "PRIVATE" not in ran.stdout + ran.stderr
