"""The profile `public` reveals nothing about the prober's own network."""

import json

import pytest

from support import icmp_forger
from support import network as net
from support.connectd_process import OPEN_CONFIGURATION, Connectd

PORT = 8097
PRIVATE_ROUTERS = ["10.77.0.2", "192.168.3.1", "100.64.0.1", "169.254.1.1", "172.16.9.9"]
PUBLIC_ROUTER = "8.8.4.4"
# Of an address that a rule allows: targets of the internet would need a real one.
RULES = [{"action": "allow", "cidr": f"{net.FORGED}/32"}, {"action": "allow", "cidr": "10.88.0.0/16"}]


@pytest.fixture(scope="module")
def public(network):
    with Connectd(network.a, {"policy": {"profile": "public", "rules": RULES, "options": ["bind"]}}, port=PORT) as running:
        yield running.client


def icmp_of(api, target: str) -> tuple[dict, str]:
    answer = api.post_check(target, timeout_ms=1500)
    assert answer.status == 200, answer.body
    return answer.json["attempts"][0]["icmp"], json.dumps(answer.json)


@pytest.mark.parametrize("router", PRIVATE_ROUTERS)
def test_a_private_router_is_not_named(public, network, router):
    with icmp_forger.forging(network.b, net.FORGED, 3, 13, router):
        icmp, text = icmp_of(public, f"tcp://{net.FORGED}:80")
    assert (icmp["type"], icmp["code"]) == (3, 13)
    assert "from" not in icmp
    assert router not in text and net.PROBER not in text


def test_a_router_of_the_internet_is_named(public, network):
    with icmp_forger.forging(network.b, net.FORGED, 3, 13, PUBLIC_ROUTER):
        icmp, _ = icmp_of(public, f"tcp://{net.FORGED}:80")
    assert icmp["from"] == PUBLIC_ROUTER


def test_the_target_itself_is_named(public, network):
    """The client already knows the address."""
    with icmp_forger.forging(network.b, net.FORGED, 3, 13, net.FORGED):
        icmp, _ = icmp_of(public, f"tcp://{net.FORGED}:80")
    assert icmp["from"] == net.FORGED


def test_real_routers_are_not_named(public):
    for address in net.ROUTER_REJECTS.values():
        answer = public.post_check(f"tcp://{address}:80", timeout_ms=1500)
        assert net.PEER not in json.dumps(answer.json) and net.PROBER not in json.dumps(answer.json)


def test_other_profiles_name_each_router(network):
    with Connectd(network.a, OPEN_CONFIGURATION, port=PORT + 1) as running:
        with icmp_forger.forging(network.b, net.FORGED, 3, 13, PRIVATE_ROUTERS[1]):
            icmp, _ = icmp_of(running.client, f"tcp://{net.FORGED}:80")
    assert icmp["from"] == PRIVATE_ROUTERS[1]
