"""Name servers that are dead, slow or lying, in more than 50 ways: each has its verdict, alone and all at once."""

import concurrent.futures

import pytest

from support import peers
from support.connectd_process import Connectd
from support.expectations import assert_shape
from support.hostile_dns import FORGED, GOOD, MODES, HostileNameServer
from support.long_form import figure

PORT = 9377
SERVER, SECOND, ABSENT = "127.0.0.53", "127.0.0.54", "127.0.0.55"


@pytest.fixture(scope="module")
def server(loopback_only):
    made = [HostileNameServer(loopback_only, address) for address in (SERVER, SECOND)]
    yield made[0]
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def connectd(loopback_only, server):
    loopback_only.write_etc("resolv.conf", f"nameserver {SERVER}\n")
    rules = [{"action": "deny", "host": "forbidden.test"}, {"action": "deny", "cidr": f"{FORGED}/32"}]
    configuration = {"policy": {"profile": "internal", "rules": rules}}
    with Connectd(loopback_only, configuration, port=8347) as running, peers.tcp_listener(loopback_only, GOOD, PORT, backlog=1000):
        yield running
    loopback_only.write_etc("resolv.conf", "nameserver 127.0.0.1\n")


def verdict(connectd, label: str, server: str | None = None) -> tuple[str, dict]:
    """The outcome or, if the name was not resolved, the name of the error; and the result."""
    mode = MODES[label]
    resolve = {"family": mode.family, **({"server": f"{server}:53"} if server else {})}
    answer = connectd.client.post_check(f"tcp://{label}.hostile.test:{PORT}", timeout_ms=mode.timeout_ms, resolve=resolve)
    if answer.status == 403:
        return "denied", {}
    assert answer.status == 200, answer.body
    result = answer.json
    assert_shape(result)
    if result["outcome"] != "resolve_failed":
        return result["outcome"], result
    error = result["error"]
    assert (error["fault"], error["source"], result["phase"]) == ("resolver", "resolver", "resolve"), result
    assert result["attempts"] == []
    return error["name"], result


def assert_right(label: str, found: tuple[str, dict]) -> None:
    name, result = found
    assert name in MODES[label].right, f"{label}: {name} instead of {MODES[label].right}: {result}"
    for address in result.get("resolution", {}).get("addresses", []):
        assert address != FORGED, f"{label}: the forged address was used: {result}"


@pytest.mark.parametrize("label", MODES)
def test_each_mode_has_its_verdict(connectd, server, label):
    assert_right(label, verdict(connectd, label))
    assert label in server.asked, "the server was asked"


def test_a_dead_name_server_is_unreachable(connectd):
    assert verdict(connectd, "ttl-zero", server=ABSENT)[0] == "DNS_UNREACHABLE"


def test_all_modes_at_once_do_not_disturb_each_other(connectd):
    labels = list(MODES) * figure(2, 20)
    used = len(connectd.open_descriptors())
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        for label, found in zip(labels, pool.map(lambda label: verdict(connectd, label, SECOND), labels)):
            assert_right(label, found)
    connectd.wait_for_descriptors(used + 2)
