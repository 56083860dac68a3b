"""Traces through a chain of routers that reject, drop, lose, shrink, limit, or answer for others."""

import contextlib
import json
import subprocess

import pytest

from support import peers
from support.connectd_process import Connectd, binary_for_everybody
from support.expectations import assert_shape
from support.router_chain import HOPS, HOPS6, OTHERS, OTHERS6, TARGET, TARGET6, RouterChain
from support.specification import assert_documented
from support.waiting import wait_until

PORT = 7400
OTHER_PORT = 8290  # of a second service
FAMILIES = pytest.mark.parametrize("target,hops", [(TARGET, HOPS), (f"[{TARGET6}]", HOPS6)], ids=["ipv4", "ipv6"])
FLOWS = pytest.mark.parametrize("flow", ["varied", "fixed"])
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])


@pytest.fixture(scope="module")
def chain(root_and_namespaces):
    made = RouterChain()
    with contextlib.ExitStack() as listeners:
        try:
            for address in (TARGET, TARGET6):
                listener = listeners.enter_context(peers.tcp_listener(made["t"], address, PORT))
                # Connections that are never accepted would fill the backlog.
                listeners.enter_context(peers.serving(listener, lambda it: it.accept()[0].close()))
            yield made
        finally:
            made.remove()


@pytest.fixture(scope="module")
def service(chain):
    with Connectd(chain["p"]) as running:
        yield running


@pytest.fixture
def trace(service):
    def run(target: str, **members) -> dict:
        options = {"when": "always", **members}
        answer = service.client.post("/v1/checks", {"target": target, "timeout_ms": 300, "trace": options})
        assert answer.status == 200, answer.json
        assert_documented(answer, "/v1/checks", "POST")
        assert_shape(answer.json)
        return answer.json["trace"]

    return run


def senders(found: dict) -> list:
    return [hop["from"] for hop in found["hops"]]


@FAMILIES
@FLOWS
def test_each_router_and_the_target_are_hops(trace, target, hops, flow):
    found = trace(f"tcp://{target}:{PORT}", flow=flow)
    assert senders(found) == hops
    assert [hop["ttl"] for hop in found["hops"]] == [1, 2, 3, 4, 5]
    assert all(hop["rtt_ms"] > 0 and hop["others"] == [] for hop in found["hops"])
    assert [hop["icmp"] and hop["icmp"]["meaning"] for hop in found["hops"]] == ["time exceeded in transit"] * 4 + [None]
    assert (found["reached"], found["stop"], found["flow"]) == (True, "reached", flow)
    assert (found["last_answer_ttl"], found["last_answer_from"]) == (5, hops[-1])
    assert (found["source_port"] is None) == (flow == "varied")
    assert found["mtu"] is None


@FAMILIES
@FLOWS
@TRANSPORTS
def test_refusal_of_the_target_is_its_answer(trace, target, hops, flow, transport):
    found = trace(f"{transport}://{target}:9", flow=flow)
    assert senders(found) == hops
    assert (found["reached"], found["stop"]) == (True, "refused")
    meaning = "port unreachable" if transport == "udp" else None
    assert (found["hops"][-1]["icmp"] or {}).get("meaning") == meaning


@FLOWS
def test_datagram_that_is_answered_reaches_the_target(trace, chain, flow):
    with peers.udp_socket(chain["t"], TARGET, PORT) as echo, peers.serving(echo, lambda it: it.sendto(b"!", it.recvfrom(99)[1])):
        found = trace(f"udp://{TARGET}:{PORT}", flow=flow)
    assert senders(found) == HOPS
    assert (found["reached"], found["stop"], found["hops"][-1]["icmp"]) == (True, "reached", None)


@pytest.mark.parametrize(
    "transport,target,hops,flow",
    [
        ("tcp", TARGET, HOPS, "varied"), ("tcp", f"[{TARGET6}]", HOPS6, "fixed"),
        ("udp", TARGET, HOPS, "fixed"), ("udp", f"[{TARGET6}]", HOPS6, "varied"),
    ],
)  # fmt: skip
def test_answers_end_where_a_target_is_silent(trace, chain, target, hops, flow, transport):
    with chain.rules("t", "meta l4proto { tcp, udp } drop", hook="input"):
        found = trace(f"{transport}://{target}:{PORT}", flow=flow)
    assert senders(found) == hops[:4] + [None] * 5
    assert (found["reached"], found["stop"]) == (False, "gap")
    assert (found["last_answer_ttl"], found["last_answer_from"]) == (4, hops[3])


REJECTIONS = [
    "net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable", "net-prohibited", "host-prohibited",
    "admin-prohibited",
]  # fmt: skip
REJECTIONS6 = ["no-route", "admin-prohibited", "addr-unreachable", "port-unreachable", "policy-fail", "reject-route"]


@pytest.mark.parametrize(
    "target,hops,rule",
    [(TARGET, HOPS, f"ip protocol tcp reject with icmp {kind}") for kind in REJECTIONS]
    + [(f"[{TARGET6}]", HOPS6, f"meta l4proto tcp ip6 nexthdr tcp reject with icmpv6 {kind}") for kind in REJECTIONS6],
)
def test_router_that_rejects_ends_the_path(trace, chain, target, hops, rule):
    with chain.rules("a3", rule):
        found = trace(f"tcp://{target}:{PORT}")
        fixed = trace(f"tcp://{target}:{PORT}", flow="fixed")
    assert senders(found) == senders(fixed) == hops[:3] + [hops[2]]
    assert (found["reached"], found["stop"], fixed["stop"]) == (False, "unreachable", "unreachable")
    assert found["hops"][-1]["icmp"]["type"] == (1 if ":" in target else 3)


def test_rejection_by_the_target_itself_reaches_it(trace, chain):
    with chain.rules("t", "tcp dport 7400 reject with icmp admin-prohibited", hook="input"):
        found = trace(f"tcp://{TARGET}:{PORT}")
    assert senders(found) == HOPS
    assert (found["reached"], found["stop"]) == (True, "unreachable")


def test_reset_that_a_router_forges_looks_like_the_target(trace, chain):
    with chain.rules("a3", "tcp dport 7400 reject with tcp reset"):
        found = trace(f"tcp://{TARGET}:{PORT}")
    assert senders(found) == [*HOPS[:3], TARGET]
    assert (found["reached"], found["stop"]) == (True, "refused")


@FLOWS
def test_silent_router_is_a_hop_without_answer(trace, chain, flow):
    with chain.rules("a3", "icmp type time-exceeded drop", hook="output"):
        found = trace(f"tcp://{TARGET}:{PORT}", flow=flow)
    assert senders(found) == [*HOPS[:2], None, *HOPS[3:]]
    assert found["hops"][2] == {"ttl": 3, "from": None, "rtt_ms": None, "icmp": None, "others": []}
    assert (found["reached"], found["stop"]) == (True, "reached")


@FLOWS
def test_hop_that_was_silent_is_asked_again(trace, chain, flow):
    """The router loses the first answers, as one that limits their rate."""
    with chain.rules("a2", "icmp type time-exceeded limit rate over 1/second burst 1 packets drop", hook="output"):
        trace(f"tcp://{TARGET}:{PORT}", flow=flow)
        found = trace(f"tcp://{TARGET}:{PORT}", flow=flow)
    assert senders(found) == HOPS


def test_default_rate_limit_of_linux_hides_no_hop(trace, chain):
    with contextlib.ExitStack() as limits:
        for router in ("r1", "a2", "a3", "r4"):
            limits.enter_context(chain[router].setting("net.ipv4.icmp_ratelimit", 1000))
        traces = [trace(f"tcp://{TARGET}:{PORT}", flow=flow) for flow in ("varied", "varied", "fixed")]
    assert [senders(found) for found in traces] == [HOPS] * 3


def test_lossy_router_hides_no_hop_that_answers_at_last(trace, chain):
    with chain.rules("r1", "ip protocol tcp numgen inc mod 4 0 drop"):
        found = trace(f"tcp://{TARGET}:{PORT}")
    assert [hop["from"] or None for hop in found["hops"][:1]] == HOPS[:1]
    assert found["last_answer_from"] == TARGET
    assert all(one in (None, other) for one, other in zip(senders(found), HOPS))


WAYS = {HOPS[1]: HOPS[2], OTHERS[2]: OTHERS[3], HOPS6[1]: HOPS6[2], OTHERS6[2]: OTHERS6[3]}


def is_one_path(found: dict) -> bool:
    return WAYS[found["hops"][1]["from"]] == found["hops"][2]["from"]


@FAMILIES
def test_fixed_stays_on_one_of_two_paths(trace, chain, target, hops):
    with chain.two_paths():
        traces = [trace(f"tcp://{target}:{PORT}", flow="fixed") for _ in range(8)]
    assert all(is_one_path(found) and found["source_port"] for found in traces)
    assert {found["hops"][1]["from"] for found in traces} <= set(WAYS)


@FAMILIES
@TRANSPORTS
def test_varied_reports_the_other_path_and_mixes_none(trace, chain, target, hops, transport):
    with chain.two_paths():
        traces = [trace(f"{transport}://{target}:{9 if transport == 'udp' else PORT}") for _ in range(6)]
    assert all(is_one_path(found) for found in traces)
    found = next(found for found in traces if found["hops"][1]["others"])
    assert {found["hops"][1]["from"], *found["hops"][1]["others"]} == {hops[1], (OTHERS6 if ":" in target else OTHERS)[2]}
    assert (found["flow"], found["stop"]) == ("varied", "refused" if transport == "udp" else "reached")
    assert found["source_port"] > 0


@TRANSPORTS
def test_paths_of_different_lengths_are_told_apart(trace, chain, transport):
    paths = [HOPS, [OTHERS[2], OTHERS[3], *HOPS[3:]]]
    target = f"{transport}://{TARGET}:{9 if transport == 'udp' else PORT}"
    with chain.two_uplinks():
        fixed = [senders(trace(target, flow="fixed")) for _ in range(8)]
        varied = [trace(target) for _ in range(4)]
    assert all(found in paths for found in fixed)
    assert all(senders(found) in paths for found in varied)
    assert any(found["hops"][0]["others"] for found in varied)


@FAMILIES
@TRANSPORTS
def test_router_reports_the_path_mtu(trace, chain, target, hops, transport):
    with chain.link_mtu("a2", "a3", 3, 1400), chain.link_mtu("a3", "r4", 4, 1300):
        found = [trace(f"{transport}://{target}:{PORT}")["mtu"] for _ in range(2)]
    # The second time, the kernel of the prober already knows it.
    assert found == [{"value": 1300, "from": hops[2], "ttl": 3}] * 2


def test_max_ttl_ends_the_trace(trace):
    found = trace(f"tcp://{TARGET}:{PORT}", max_ttl=3)
    assert senders(found) == HOPS[:3]
    assert (found["reached"], found["stop"]) == (False, "max_ttl")


@FLOWS
def test_timeout_ends_the_trace(trace, chain, flow):
    with chain.rules("t", "tcp dport 7400 drop", hook="input"):
        found = trace(f"tcp://{TARGET}:{PORT}", flow=flow, timeout_ms=200)
    assert senders(found)[:4] == HOPS[:4]
    assert 190 < found["duration_ms"] < 1500
    assert found["stop"] in ("deadline", "gap")


def test_trace_has_its_own_time_after_a_timeout(service, chain):
    with chain.rules("t", "tcp dport 7400 drop", hook="input"):
        check = {"target": f"tcp://{TARGET}:{PORT}", "timeout_ms": 100, "trace": "on_failure"}
        result = service.client.post("/v1/checks", check).json
    assert result["outcome"] == "timeout"
    assert result["timings_ms"]["total"] < 300
    assert result["trace"]["last_answer_from"] == HOPS[3]


def test_only_failures_are_traced_on_failure(service):
    check = {"target": f"tcp://{TARGET}:{PORT}", "trace": "on_failure"}
    assert "trace" not in service.client.post("/v1/checks", check).json
    refused = {**check, "target": f"tcp://{TARGET}:9"}
    assert service.client.post("/v1/checks", refused).json["trace"]["stop"] == "refused"
    assert "trace" not in service.client.post("/v1/checks", {**refused, "expect": "refused"}).json
    assert "trace" not in service.client.post("/v1/checks", {**refused, "trace": "never"}).json


def test_requested_port_is_the_source_port(service):
    for _ in range(2):
        check = {"target": f"tcp://{TARGET}:9", "trace": "always", "bind": {"port": 41414}}
        found = service.client.post("/v1/checks", check).json["trace"]
        assert (found["flow"], found["source_port"], senders(found)) == ("fixed", 41414, HOPS)


def test_port_in_time_wait_is_replaced(service, chain):
    with peers.tcp_listener(chain["t"], TARGET, 7401):
        check = {"target": f"tcp://{TARGET}:7401", "trace": "always", "bind": {"port": 41415}}
        found = service.client.post("/v1/checks", check).json["trace"]
    assert (found["flow"], senders(found)) == ("fixed", HOPS)
    assert found["source_port"] not in (None, 41415)


def test_missing_route_is_unreachable(service, chain):
    chain["p"].ip("route add unreachable 10.71.0.0/16")
    check = {"target": "tcp://10.71.0.1:80", "trace": "on_failure"}
    found = service.client.post("/v1/checks", check).json["trace"]
    assert (found["hops"], found["reached"], found["stop"]) == ([], False, "unreachable")


def test_batch_items_have_traces(service):
    body = {
        "checks": [{"target": f"tcp://{TARGET}:{PORT}"}, {"target": f"tcp://{TARGET}:9", "trace": {"flow": "fixed"}}],
        "defaults": {"trace": {"when": "always", "max_ttl": 9}},
    }
    results = service.client.post("/v1/checks/batch", body).json["results"]
    assert [result["trace"]["flow"] for result in results] == ["varied", "fixed"]
    assert all(senders(result["trace"]) == HOPS for result in results)


def test_probe_has_a_trace(service):
    answer = service.client.get(f"/v1/probe?target=tcp://{TARGET}:9&trace=on_failure")
    assert (answer.status, senders(answer.json["trace"])) == (502, HOPS)
    wrong = service.client.get("/v1/probe?target=unix:/x&trace=always")
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (400, "/trace")


def test_metrics_of_a_probe_show_the_path(service):
    answer = service.client.get(f"/probe?module=tcp_connect&target={TARGET}:9&trace=on_failure")
    lines = answer.body.decode().splitlines()
    for line in (
        "probe_success 0", "probe_trace_hops 5", "probe_trace_reached 1", 'probe_trace_stop_info{stop="refused"} 1',
        f'probe_trace_last_answer_info{{address="{TARGET}"}} 1',
    ):  # fmt: skip
        assert line in lines
    plain = service.client.get(f"/probe?module=tcp_connect&target={TARGET}:{PORT}").body.decode()
    assert "probe_trace" not in plain


def test_monitor_traces_only_the_change_of_its_state(chain):
    check = {"target": f"tcp://{TARGET}:9", "trace": "on_failure"}
    configuration = {"monitors": [{"name": "m", "interval_ms": 100, "down_after": 2, "check": check}]}
    with Connectd(chain["p"], configuration=configuration, port=OTHER_PORT) as service:
        service.wait_for_monitor("m", "down")
        wait_until(lambda: service.monitor("m")["consecutive"] > 4, 20, "further rounds")
        found = service.monitor("m")
        assert_documented(service.client.get("/v1/monitors/m"), "/v1/monitors/{name}")
    assert senders(found["trace"]) == HOPS
    assert "trace" not in found["last"]


# Policy


def test_denied_address_gets_no_packet(chain):
    policy = {"profile": "internal", "rules": [{"action": "deny", "cidr": f"{TARGET}/32"}]}
    with (
        chain.rules("r1", f'ip daddr {TARGET} counter comment "seen"'),
        Connectd(chain["p"], configuration={"policy": policy}, port=OTHER_PORT) as service,
    ):
        answer = service.client.post("/v1/checks", {"target": f"tcp://{TARGET}:{PORT}", "trace": "always"})
        assert answer.status == 403
        assert chain["r1"].counter("seen") == 0


def test_path_mtu_needs_permission_for_udp(chain):
    policy = {"profile": "rules", "rules": [{"action": "allow", "cidr": f"{TARGET}/32", "transports": ["tcp"]}]}
    with (
        chain.link_mtu("a3", "r4", 4, 1300),
        chain.rules("r1", 'ip protocol udp counter comment "datagrams"'),
        Connectd(chain["p"], configuration={"policy": policy}, port=OTHER_PORT) as service,
    ):
        found = service.client.post("/v1/checks", {"target": f"tcp://{TARGET}:{PORT}", "trace": "always"}).json["trace"]
        assert (senders(found), found["mtu"]) == (HOPS, None)
        assert chain["r1"].counter("datagrams") == 0


def test_public_profile_hides_the_path(chain):
    """Only global addresses are allowed there; a rule allows this target."""
    policy = {"profile": "public", "rules": [{"action": "allow", "cidr": f"{TARGET}/32"}]}
    with Connectd(chain["p"], configuration={"policy": policy}, port=OTHER_PORT) as service:
        answer = service.client.post("/v1/checks", {"target": f"tcp://{TARGET}:{PORT}", "trace": "always"})
        metrics = service.client.get(f"/probe?module=tcp_connect&target={TARGET}:9&trace=always").body.decode()
    assert_documented(answer, "/v1/checks", "POST")
    found = answer.json["trace"]
    assert (found["reached"], found["last_answer_ttl"], senders(found)) == (True, 5, [None] * 5)
    assert all(hop["rtt_ms"] > 0 for hop in found["hops"])
    assert all(address not in json.dumps(found) for address in HOPS)
    assert "probe_trace_hops 5" in metrics
    assert "last_answer_info" not in metrics


def test_sockets_are_closed(service, chain):
    before = service.open_descriptors()
    for flow in ("varied", "fixed"):
        check = {"target": f"tcp://{TARGET}:9", "trace": {"when": "always", "flow": flow}}
        batch = {"checks": [check] * 40, "concurrency": 20}
        results = service.client.post("/v1/checks/batch", batch).json["results"]
        assert all(result["trace"]["hops"] for result in results)
    wait_until(lambda: len(service.open_descriptors()) <= len(before) + 4, 20, "all sockets are closed")


# Command line


def connectd(chain, *arguments: str) -> subprocess.CompletedProcess:
    """As a user without any privilege."""
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", str(binary_for_everybody())]
    return subprocess.run(chain["p"].command(*command, *arguments), check=False, capture_output=True, text=True, timeout=60)


@FAMILIES
@FLOWS
def test_trace_command_needs_no_privilege(chain, target, hops, flow):
    done = connectd(chain, "trace", f"{target}:{PORT}", "--flow", flow)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines if line and line[0].isdigit()] == [[str(ttl), hop] for ttl, hop in enumerate(hops, 1)]
    assert done.stdout.splitlines()[-1] == f"The target {hops[-1]} answered at TTL 5."


def test_trace_command_prints_one_document(chain):
    done = connectd(chain, "trace", "--json", "--max-ttl", "3", f"{TARGET}:{PORT}")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["schema"], found["target"], found["ok"], found["address"], found["port"]) == (
        1, f"{TARGET}:{PORT}", False, TARGET, PORT,
    )  # fmt: skip
    assert senders(found["trace"]) == HOPS[:3]
    assert all(isinstance(hop["ttl"], int) and isinstance(hop["rtt_ms"], float) for hop in found["trace"]["hops"])
    assert found["sentence"].startswith("The target is farther than TTL 3")


def test_trace_command_follows_one_path_after_a_contradiction(chain):
    with chain.two_paths():
        done = connectd(chain, "trace", f"{TARGET}:{PORT}")
    assert done.returncode == 0
    assert "The hops above are from more than one path. These are on one path:" in done.stdout
    assert "another path" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["unix:/run/x.sock"], ["--max-ttl", "0", "10.0.0.1:1"], ["--preset", "dns", "10.0.0.1:53"], ["nonsense"], []]
)
def test_wrong_usage_of_the_trace_command(chain, arguments):
    done = connectd(chain, "trace", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_trace_command_of_an_unknown_name(chain):
    done = connectd(chain, "trace", "--json", "nowhere.invalid:80")
    found = json.loads(done.stdout)
    assert (done.returncode, found["trace"]) == (1, None)
    assert found["error"]["class"] == "resolve_failed"


def test_check_command_traces(chain):
    done = connectd(chain, "check", "--json", "--trace", f"{TARGET}:{PORT}", f"{TARGET}:9")
    assert [senders(result["trace"]) for result in json.loads(done.stdout)] == [HOPS, HOPS]
    done = connectd(chain, "check", "--trace-failures", f"{TARGET}:{PORT}", f"{TARGET}:9")
    assert done.stdout.count(f"The target {TARGET} refused at TTL 5.") == 1
