"""Batches over places of a fleet, and monitors that other places confirm, with the real broker."""

import collections
import contextlib
import os
import signal
import threading

import pytest
import yaml

from support import connectd_process
from support import network as net
from support import peers
from support.batches import assert_each_once, parse_lines, post, results
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_problem
from support.nats_server import NatsServer
from support.waiting import wait_until

ANONYMOUS = ("--allow-anonymous",)
DENIED = "127.0.0.9"


@pytest.fixture(scope="module")
def broker(network):
    with NatsServer(network.a) as broker:
        yield broker


def place(network, broker, name: str, rules: tuple = (), labels: dict | None = None) -> Connectd:
    """A place of the fleet without a TCP listener."""
    configuration = {
        "policy": {"profile": "internal", "rules": list(rules)},
        "fleet": {"servers": [broker.url], "place": name, "labels": labels or {}},
    }
    return Connectd(network.a, configuration, port=0, arguments=ANONYMOUS)


def hub(network, broker, **more) -> Connectd:
    configuration = OPEN_CONFIGURATION | {"fleet": {"servers": [broker.url], "place": "hub", "answers": False}} | more
    return Connectd(network.a, configuration, port=0)


def wait_for_places(connectd, *names: str) -> None:
    def are_up() -> bool:
        found = connectd.client.get("/v1/vantages").json["vantages"]
        return set(names) <= {vantage["place"] for vantage in found if vantage["state"] == "up"}

    wait_until(are_up, 20, lambda: f"the places {names} are up: {connectd.log}")


@pytest.fixture(scope="module")
def fleet(network, broker):
    with contextlib.ExitStack() as stack:
        rule = {"action": "deny", "cidr": f"{DENIED}/32"}
        stack.enter_context(place(network, broker, "ams", (rule,), {"region": "eu"}))
        stack.enter_context(place(network, broker, "nyc", (), {"region": "us"}))
        connectd = stack.enter_context(hub(network, broker))
        wait_for_places(connectd, "ams", "nyc")
        yield connectd


@pytest.fixture(scope="module")
def open_target(network):
    listener = peers.tcp_listener(network.a, "127.0.0.1", backlog=1024)
    with peers.serving(listener, peers.on_each_connection(lambda connection: None)):
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def test_checks_are_spread_over_all_instances(fleet, open_target):
    answer = post(fleet.client, {"checks": [{"target": open_target}] * 100, "from": "any", "concurrency": 10}, lines=True)
    lines, summary = parse_lines(answer.body)
    assert_each_once(lines, 100)
    assert summary["ok"] == 100 and summary["by_outcome"] == {"connected": 100}
    counts = collections.Counter(line["place"] for line in lines)
    assert set(counts) == {"ams", "nyc"} and min(counts.values()) >= 20, counts


def test_places_take_turns_and_judge_by_their_own_policy(fleet):
    target = f"tcp://{DENIED}:1"
    found = results(
        fleet.client,
        {"checks": [{"target": target, "id": str(number)} for number in range(6)] + [{"target": target, "expect": "refused"}] * 3
         + [{"target": "nothing"}], "from": ["ams", "here", {"labels": {"region": "us"}}]})  # fmt: skip
    assert [result["place"] for result in found] == ["ams", "here", "nyc"] * 3 + ["ams"]
    assert [result["outcome"] for result in found] == ["denied", "refused", "refused"] * 3 + ["invalid"]
    assert [result["ok"] for result in found] == [False] * 6 + [False, True, True, False]
    assert [result["id"] for result in found[:6]] == [str(number) for number in range(6)]
    assert found[0]["error"]["name"] == "DENIED" and "ams" in found[0]["error"]["hint"]
    assert all("index" not in result for result in found)


def test_a_place_that_is_not_there_says_nothing_about_the_target(fleet, open_target):
    gone, there, nowhere = (
        results(fleet.client, {"checks": [{"target": open_target, "timeout_ms": 300}], "from": where})[0]
        for where in (["lhr"], ["nyc"], {"labels": {"region": "asia"}}))  # fmt: skip
    assert there["ok"] and there["place"] == "nyc"
    for result in (gone, nowhere):
        assert not result["ok"] and result["outcome"] == "prober_exhausted"
        assert (result["error"]["name"], result["error"]["fault"]) == ("PLACE_UNAVAILABLE", "prober")
    assert gone["place"] == "lhr" and nowhere["place"] is None


@pytest.mark.parametrize(("where", "pointer"), [("all", "/from"), ([], "/from"), (["*"], "/from/0"), ({"limit": 1}, "/from/labels")])
def test_invalid_places(fleet, where, pointer):
    answer = post(fleet.client, {"checks": [], "from": where})
    assert_problem(answer, 400)
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_without_a_fleet_there_are_no_places(api):
    answer = post(api, {"checks": [], "from": "any"})
    assert_problem(answer, 400)
    assert [error["pointer"] for error in answer.json["errors"]] == ["/from"] and "fleet" in answer.json["errors"][0]["detail"]


def test_open_checks_of_a_killed_instance_are_asked_again(network, broker):
    # Nothing accepts: the connections stay in the backlog, and are held open.
    listener = peers.tcp_listener(network.a, "127.0.0.1", backlog=1024)
    check = {"target": f"tcp://127.0.0.1:{listener.getsockname()[1]}", "timeout_ms": 500, "hold_ms": 200}
    victim = place(network, broker, "lax").wait_until_live()
    with listener, place(network, broker, "lax"), hub(network, broker) as connectd:
        wait_until(
            lambda: any(found["place"] == "lax" and found["instances"] == 2
                        for found in connectd.client.get("/v1/vantages").json["vantages"]),
            20, "both instances are known")  # fmt: skip
        timer = threading.Timer(0.5, lambda: os.kill(victim.pid, signal.SIGKILL))
        timer.start()
        answer = post(connectd.client, {"checks": [check] * 100, "from": ["lax"], "concurrency": 20}, lines=True, timeout=60)
        timer.join()
        victim.stop()
        lines, summary = parse_lines(answer.body)
        assert_each_once(lines, 100)
        assert summary["by_outcome"] == {"connected": 100}, summary
        # The killed instance had open checks, which were asked again.
        assert summary["duration_ms"] > 1500, summary


def monitor(name: str, target: str, **more) -> dict:
    return {"name": name, "interval_ms": 200, "check": {"target": target, "timeout_ms": 300}, **more}


def test_a_monitor_is_down_only_if_other_places_agree(network, fleet, open_target):
    with NatsServer(network.a) as own_broker, contextlib.ExitStack() as stack:
        for name in ("ams", "nyc"):
            stack.enter_context(place(network, own_broker, name))
        closed = f"tcp://{DENIED}:1"
        # The hub's own policy denies a target that the other places reach.
        policy = {"profile": "internal", "rules": [{"action": "deny", "cidr": "127.0.0.1/32"}]}
        connectd = stack.enter_context(hub(network, own_broker, policy=policy, monitors=[
            monitor("closed", closed, confirm={"ask": 2, "agree": 2}),
            monitor("path", open_target, required=True, confirm={"from": ["ams", "nyc"], "ask": 2, "agree": 1}),
            monitor("alone", closed),
        ]))  # fmt: skip
        connectd.wait_for_monitor("alone", "down")
        connectd.wait_for_monitor("closed", "down")
        connectd.wait_for_monitor("path", "degraded")
        wait_until(lambda: connectd.monitor("path")["confirmation"]["ok"] == 2, 20, "both places have answered")
        confirmation = connectd.monitor("closed")["confirmation"]
        assert (confirmation["asked"], confirmation["agree"], confirmation["agreed"]) == (2, 2, 2)
        assert {entry["place"]: entry["outcome"] for entry in confirmation["places"]} == {"ams": "refused", "nyc": "refused"}
        assert "confirmation" not in connectd.monitor("alone")
        # A confirmed failure is not asked about again.
        assert connectd.monitor("closed")["confirmation"]["at"] == confirmation["at"]
        metrics = connectd.client.get("/metrics").body
        assert b'connectd_monitor_degraded{monitor="path"} 1' in metrics and b'connectd_monitor_up{monitor="path"} 0' in metrics
        ready = connectd.client.get("/readyz")
        assert ready.status == 503 and ready.json["missing"][0]["state"] == "degraded"
        own_broker.kill()
        wait_until(lambda: connectd.monitor("path")["confirmation"]["unavailable"] == 2, 20, "no place answers")
        assert connectd.monitor("path")["state"] == "degraded" and connectd.monitor("alone")["state"] == "down"
        assert "None of 2 places answered" in connectd.monitor("path")["confirmation"]["summary"]


@pytest.mark.parametrize(("confirm", "says"), [
    ({"from": ["here", "a"]}, "monitors[0].confirm.from: must not contain here"),
    ({"from": ["a"]}, "monitors[0].confirm.from: must name at least as many places as must agree (2), got 1"),
    ({"from": ["a.b", "c"]}, "monitors[0].confirm.from[0]: must have 1 to 63 letters"),
    ({"ask": 1}, "monitors[0].confirm: agree must be at most ask"),
])  # fmt: skip
def test_config_check_judges_confirm(tmp_path, confirm, says):
    file = tmp_path / "connectd.yaml"
    file.write_text(yaml.safe_dump({
        "fleet": {"servers": ["nats://127.0.0.1"], "answers": False},
        "monitors": [monitor("a", net.REFUSED, confirm=confirm)],
    }))  # fmt: skip
    ran = connectd_process.run("config", "check", str(file))
    assert ran.returncode == 1 and says in ran.stderr, ran.stderr
