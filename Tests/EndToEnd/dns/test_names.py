"""Names: dnsmasq in the router's namespace, /etc/hosts, search domains, several addresses."""

import shutil
import subprocess

import pytest

from support import network as net
from support import peers
from support.connectd_process import Connectd
from support.dns_server import DNSServer, zone
from support.expectations import assert_failure, assert_problem, assert_success
from support.waiting import wait_until

PORT = 9800
DNSMASQ = f"""
no-resolv
no-hosts
no-daemon
bind-interfaces
listen-address={net.PEER}
local=/example/
host-record=one.corp.example,{net.OPEN}
host-record=six.corp.example,{net.OPEN6}
host-record=both.corp.example,{net.OPEN},{net.OPEN6}
host-record=two.corp.example,{net.OPEN}
host-record=two.corp.example,{net.SECOND}
host-record=half.corp.example,{net.OPEN}
host-record=half.corp.example,{net.NOWHERE}
host-record=dead.corp.example,{net.NOWHERE}
host-record=dead.corp.example,{net.ROUTER_REJECTS["admin-prohibited"]}
host-record=slow.corp.example,{net.DROPPED6},{net.OPEN}
host-record=metadata.corp.example,169.254.169.254
host-record=partly.corp.example,169.254.169.254
host-record=partly.corp.example,{net.OPEN}
host-record=forbidden.corp.example,{net.OPEN}
host-record=xn--mnchen-3ya.corp.example,{net.OPEN}
host-record=xn--bses-5qa.evil.example,{net.OPEN}
cname=alias.corp.example,one.corp.example
cname=innocent.corp.example,forbidden.corp.example
txt-record=text.corp.example,nothing
"""


@pytest.fixture(scope="module")
def dnsmasq(network, tmp_path_factory):
    if shutil.which("dnsmasq") is None:
        pytest.skip("not installed: dnsmasq")
    file = tmp_path_factory.mktemp("dns") / "dnsmasq.conf"
    file.write_text(DNSMASQ)
    process = subprocess.Popen(
        network.b.command("dnsmasq", f"--conf-file={file}", "--pid-file="), stderr=subprocess.PIPE, text=True
    )
    try:
        network.b.wait_for_listener(net.PEER, 53, 5, lambda: f"dnsmasq listens, or has ended: {process.poll()}")
        yield
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture(scope="module")
def connectd(network, dnsmasq):
    network.a.write_etc("resolv.conf", f"nameserver {net.PEER}\nsearch corp.example\n")
    network.a.write_etc(
        "hosts",
        f"127.0.0.1 localhost\n::1 localhost\n{net.OPEN} inhosts.example alias-of-hosts # x\n"
        f"{net.OPEN6} inhosts.example\n169.254.169.254 badhosts.example\n",
    )
    rules = [{"action": "deny", "host": "forbidden.corp.example"}, {"action": "deny", "host": "*.evil.example"},
             {"action": "deny", "host": "verböten.corp.example"}]
    with Connectd(network.a, {"policy": {"profile": "internal", "rules": rules}}, port=8141) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def listeners(network):
    with (
        peers.tcp_listener(network.b, net.OPEN, PORT),
        peers.tcp_listener(network.b, net.OPEN6, PORT),
        peers.tcp_listener(network.b, net.SECOND, PORT),
    ):
        yield


def test_a_name_is_resolved(api):
    result = api.check(f"tcp://one.corp.example:{PORT}")
    attempt = assert_success(result)
    assert attempt["address"] == net.OPEN
    resolution = result["resolution"]
    assert (resolution["name"], resolution["addresses"], resolution["source"]) == (
        "one.corp.example",
        [net.OPEN],
        "dns",
    )
    assert result["timings_ms"]["resolve"] > 0


@pytest.mark.parametrize("name", ["ONE.Corp.EXAMPLE", "one.corp.example."])
def test_case_and_trailing_dot_do_not_matter(api, name):
    assert_success(api.check(f"tcp://{name}:{PORT}"))


@pytest.mark.parametrize("name", ["m\u00fcnchen.corp.example", "M\u00dcNCHEN.Corp.Example.", "mu\u0308nchen\u3002corp.example"])
def test_an_international_name_is_resolved_in_ascii_and_echoed_as_written(api, name):
    for target in (f"tcp://{name}:{PORT}", {"transport": "tcp", "host": name, "port": PORT}):
        result = api.check(target)
        assert assert_success(result)["address"] == net.OPEN
        assert result["target"] == f"tcp://{name}:{PORT}"
        assert result["resolution"]["name"].rstrip(".") == "xn--mnchen-3ya.corp.example"


@pytest.mark.parametrize("name", ["b\u00f6ses.evil.example", "x\u3002\uff45vil.example", "VERB\u00d6TEN.corp.example", "xn--verbten-d1a.corp.example"])
def test_host_rules_judge_the_ascii_form(api, name):
    assert_problem(api.post_check(f"tcp://{name}:{PORT}"), 403)


@pytest.mark.parametrize("name", ["\U0001f4a9.example", "\uff11\uff12\uff17.0.0.1", "a\u200bb", "xn--a", "\u0308a", "\u00fc..b"])
def test_what_is_not_an_international_name_is_refused(api, name):
    answer = api.post_check(f"tcp://{name}:{PORT}")
    assert answer.status == 400 and answer.pointers == ["/target"], answer.body


def test_an_ipv6_only_name_is_resolved(api):
    assert assert_success(api.check(f"tcp://six.corp.example:{PORT}"))["address"] == net.OPEN6


@pytest.mark.parametrize("family,address", [("ipv4", net.OPEN), ("ipv6", net.OPEN6)])
def test_a_family_limits_the_addresses(api, family, address):
    result = api.check(f"tcp://both.corp.example:{PORT}", resolve={"family": family})
    assert_success(result)
    assert result["resolution"]["addresses"] == [address]


@pytest.mark.parametrize(
    "name,family", [("one.corp.example", "ipv6"), ("six.corp.example", "ipv4"), ("text.corp.example", "any")]
)
def test_a_name_without_such_an_address_is_nodata(api, name, family):
    result = api.check(f"tcp://{name}:{PORT}", resolve={"family": family})
    assert_failure(result, None, "resolve_failed", "resolver", phase="resolve", source="resolver", name="NODATA")
    assert result["attempts"] == []


def test_a_missing_name_is_nxdomain(api):
    result = api.check(f"tcp://nothing.corp.example:{PORT}")
    assert_failure(result, None, "resolve_failed", "resolver", phase="resolve", source="resolver", name="NXDOMAIN")
    assert result["attempts"] == []


def test_the_canonical_name_is_reported(api):
    result = api.check(f"tcp://alias.corp.example:{PORT}")
    assert_success(result)
    assert result["resolution"]["canonical_name"].rstrip(".") == "one.corp.example"


def test_search_domains_are_applied(api):
    result = api.check(f"tcp://one:{PORT}")
    assert_success(result)
    assert result["resolution"]["name"] == "one"


def test_the_hosts_file_takes_precedence(api):
    result = api.check(f"tcp://inhosts.example:{PORT}", resolve={"family": "ipv4"})
    assert_success(result)
    assert (result["resolution"]["source"], result["resolution"]["addresses"]) == ("hosts", [net.OPEN])
    assert_success(api.check(f"tcp://INHOSTS.example.:{PORT}"))
    assert_success(api.check(f"tcp://alias-of-hosts:{PORT}"))
    result = api.check(f"tcp://inhosts.example:{PORT}")
    assert set(result["resolution"]["addresses"]) == {net.OPEN, net.OPEN6}


def test_first_stops_at_the_first_success(api):
    result = api.check(f"tcp://two.corp.example:{PORT}")
    assert_success(result)
    assert len(result["attempts"]) == 1
    assert set(result["resolution"]["addresses"]) == {net.OPEN, net.SECOND}


@pytest.fixture(scope="module")
def hanging_first(network):
    """A name server whose answer begins with the silent address. RFC 6724 ranks the addresses equally, so the order stays."""
    table = {"hanging.example": [net.DROPPED, net.OPEN]}
    with DNSServer(network.b, net.SECOND, zone(table), port=5354):
        yield {"server": f"{net.SECOND}:5354", "family": "ipv4"}


@pytest.mark.deadline
def test_first_gives_each_address_an_equal_share_of_the_time(api, hanging_first):
    result = api.check(f"tcp://hanging.example:{PORT}", timeout_ms=2000, resolve=hanging_first)
    assert (result["ok"], result["outcome"]) == (True, "connected"), result
    hanging, connected = result["attempts"]
    assert (hanging["address"], hanging["outcome"]) == (net.DROPPED, "timeout")
    assert 850 < hanging["duration_ms"] < 1100
    assert (connected["address"], connected["outcome"]) == (net.OPEN, "connected")


@pytest.mark.deadline
def test_a_race_starts_the_next_address_after_a_delay(api, hanging_first):
    resolve = {**hanging_first, "addresses": "race"}
    result = api.check(f"tcp://hanging.example:{PORT}", timeout_ms=5000, resolve=resolve)
    assert assert_success_of_race(result)["address"] == net.OPEN
    assert 90 < result["timings_ms"]["total"] < 1500, "RFC 8305: 250 ms, at least 100 ms"


def test_all_waits_for_the_hanging_address(api, hanging_first):
    resolve = {**hanging_first, "addresses": "all"}
    result = api.check(f"tcp://hanging.example:{PORT}", timeout_ms=500, resolve=resolve)
    assert (result["ok"], result["outcome"]) == (False, "timeout")
    assert {attempt["outcome"] for attempt in result["attempts"]} == {"connected", "timeout"}


def test_addresses_are_sorted_by_rfc_6724(api):
    """IPv4 comes before a unique local address, and an address without a source address comes last."""
    assert api.check(f"tcp://both.corp.example:{PORT}")["attempts"][0]["address"] == net.OPEN
    result = api.check(f"tcp://half.corp.example:{PORT}")
    assert [attempt["address"] for attempt in result["attempts"]] == [net.OPEN]


def test_all_tries_and_needs_each_address(api):
    result = api.check(f"tcp://two.corp.example:{PORT}", resolve={"addresses": "all"})
    assert_success(result)
    assert {attempt["address"] for attempt in result["attempts"]} == {net.OPEN, net.SECOND}
    result = api.check(f"tcp://half.corp.example:{PORT}", resolve={"addresses": "all"})
    assert_failure(result, 101, "unreachable", "network")
    assert sorted(attempt["outcome"] for attempt in result["attempts"]) == ["connected", "unreachable"]


@pytest.mark.deadline
def test_all_tries_addresses_concurrently(api):
    result = api.check(f"tcp://slow.corp.example:{PORT}", timeout_ms=600, resolve={"addresses": "all"})
    assert result["outcome"] == "timeout"
    assert {attempt["outcome"] for attempt in result["attempts"]} == {"connected", "timeout"}
    assert all(attempt["start_ms"] < 300 for attempt in result["attempts"])
    assert result["timings_ms"]["total"] < 800


def test_the_error_is_from_the_attempt_in_the_latest_phase(api):
    result = api.check(f"tcp://dead.corp.example:{PORT}")
    assert result["ok"] is False
    assert len(result["attempts"]) == 2
    assert result["outcome"] == "unreachable"
    assert result["error"]["errno"] in [attempt["error"]["errno"] for attempt in result["attempts"]]


@pytest.mark.deadline
def test_a_race_does_not_wait_for_a_hanging_address(api):
    result = api.check(f"tcp://slow.corp.example:{PORT}", timeout_ms=3000, resolve={"addresses": "race"})
    attempt = assert_success_of_race(result)
    assert attempt["address"] == net.OPEN
    assert result["timings_ms"]["total"] < 800


def assert_success_of_race(result: dict) -> dict:
    assert (result["ok"], result["outcome"]) == (True, "connected"), result
    return next(attempt for attempt in result["attempts"] if attempt["outcome"] == "connected")


def test_a_name_with_a_denied_address_is_denied(api):
    direct = assert_problem(api.post_check("tcp://169.254.169.254:80"), 403)
    assert assert_problem(api.post_check("tcp://metadata.corp.example:80"), 403) == direct
    assert assert_problem(api.post_check("tcp://badhosts.example:80"), 403) == direct


@pytest.mark.parametrize("addresses", ["first", "race"])
def test_a_denied_address_among_others_is_skipped(api, addresses):
    result = api.check(f"tcp://partly.corp.example:{PORT}", resolve={"addresses": addresses})
    assert_success(result)
    assert [attempt["address"] for attempt in result["attempts"]] == [net.OPEN]


def test_all_reports_a_denied_address(api):
    result = api.check(f"tcp://partly.corp.example:{PORT}", resolve={"addresses": "all"})
    assert result["ok"] is False
    outcomes = {attempt["address"]: attempt["outcome"] for attempt in result["attempts"]}
    assert outcomes == {net.OPEN: "connected", "169.254.169.254": "denied"}
    denied = next(attempt for attempt in result["attempts"] if attempt["outcome"] == "denied")
    assert (denied["error"]["fault"], denied["error"]["source"]) == ("request", "policy")


@pytest.mark.parametrize(
    "name",
    [
        "forbidden.corp.example",
        "FORBIDDEN.corp.Example",
        "forbidden.corp.example.",
        "forbidden",
        "innocent.corp.example",
        "innocent",
        "x.evil.example",
        "a.b.evil.example",
        "X.EVIL.example.",
    ],
)
def test_a_host_rule_denies_in_every_spelling(api, name):
    assert_problem(api.post_check(f"tcp://{name}:{PORT}"), 403)


def test_changed_resolv_conf_and_hosts_files_apply(network, dnsmasq):
    """With one worker, because each worker checks the files itself, at most once a second."""
    files = {name: (network.a.etc / name).read_text() for name in ("resolv.conf", "hosts")}

    def outcome(name: str) -> str:
        return connectd.client.check(f"tcp://{name}.example:{PORT}")["outcome"]

    def wait_for_outcome(name: str) -> None:
        wait_until(lambda: outcome(name) == "connected", 30, f"{name}.example is known", 0.1)

    with (
        Connectd(network.a, {"policy": {"profile": "internal"}, "workers": 1}, port=8142) as connectd,
        DNSServer(network.b, net.SECOND, zone({"fresh.example": [net.OPEN]})),
    ):
        try:
            assert [outcome("fresh"), outcome("later")] == ["resolve_failed", "resolve_failed"]
            network.a.write_etc("resolv.conf", f"nameserver {net.SECOND}\n")
            wait_for_outcome("fresh")
            network.a.write_etc("resolv.conf", files["resolv.conf"])
            wait_for_outcome("one.corp")
            network.a.write_etc("hosts", files["hosts"] + f"{net.OPEN} later.example\n")
            wait_for_outcome("later")
        finally:
            for name, text in files.items():
                network.a.write_etc(name, text)


def test_the_server_of_a_request_is_queried(api, network):
    with DNSServer(network.b, net.SECOND, zone({"own.example": [net.OPEN]}), port=5353):
        result = api.check(f"tcp://own.example:{PORT}", resolve={"server": f"{net.SECOND}:5353"})
        assert_success(result)
        assert_failure(
            api.check(f"tcp://own.example:{PORT}"),
            None,
            "resolve_failed",
            "resolver",
            phase="resolve",
            source="resolver",
            name="NXDOMAIN",
        )


def test_a_udp_target_can_have_a_name(api):
    assert_success(api.check(f"udp://one.corp.example:{PORT}"), "associated")


@pytest.mark.parametrize("address,family", [("[::1]", "ipv4"), ("127.0.0.1", "ipv6")])
def test_an_address_of_the_other_family_is_not_tried(api, address, family):
    result = api.post_check(f"tcp://{address}:9", resolve={"family": family}).json
    assert (result["outcome"], result["error"]["name"], result["error"]["fault"]) == ("resolve_failed", "NODATA", "request")
    assert result["attempts"] == [] and result["phase"] == "resolve"
