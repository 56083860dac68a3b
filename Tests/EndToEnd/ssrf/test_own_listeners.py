"""The service's own listeners: every address of this machine with one of their ports, and no other address."""

import pytest

from support.answering_internet import LOCAL_ADDRESSES, PROBER, PROBER6
from support.policy_oracle import PolicyOracle
from support.ssrf_judge import judged
from support.ssrf_vectors import literal

OWN_PORT, HEALTH_PORT = 8080, 8082
ROUTED = "45.99.0.7"


@pytest.fixture(scope="module")
def service(internet):
    """45.99.0.0/24 is on no interface, but its route has the type local."""
    internet.prober.ip("route add local 45.99.0.0/24 dev lo")
    oracle = PolicyOracle("internal", own_port=OWN_PORT, local_addresses=LOCAL_ADDRESSES)
    with judged(internet, oracle, {"health_listen": [f"127.0.0.1:{HEALTH_PORT}"]}) as running:
        yield running
    internet.prober.ip("route del local 45.99.0.0/24 dev lo")


def status(service, address: str, port: int, transport: str = "tcp") -> int:
    return service.client.post_check(f"{transport}://{address}:{port}", timeout_ms=1000).status


@pytest.mark.parametrize("address", [
    *sorted(literal(address) for address in LOCAL_ADDRESSES), ROUTED, "127.9.9.9", f"[::ffff:{PROBER}]", f"[::ffff:{ROUTED}]",
    "[::ffff:127.0.0.1]", f"[64:ff9b::{PROBER}]", "localhost",
])  # fmt: skip
def test_every_own_address_is_denied(service, address):
    for port in (OWN_PORT, HEALTH_PORT):
        for transport in ("tcp", "udp"):
            before = service.seen()
            assert status(service, address, port, transport) == 403
            assert service.seen() == before, "not even a datagram socket was associated with it"


@pytest.mark.parametrize("address", [PROBER, f"[{PROBER6}]", ROUTED, "127.0.0.1"])
def test_another_port_of_an_own_address_is_allowed(service, address):
    assert status(service, address, OWN_PORT + 1) == 200


@pytest.mark.parametrize("setting", ["net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind"])
def test_an_address_of_another_machine_is_allowed(service, setting):
    """Also if the kernel lets a socket be bound to any address."""
    for value in (0, 1):
        with service.connectd.namespace.setting(setting, value):
            for address in ("8.8.8.8", "45.99.1.1", "[2606:4700::1111]", "[::ffff:8.8.8.8]"):
                assert status(service, address, OWN_PORT) == 200
            assert status(service, ROUTED, OWN_PORT) == status(service, PROBER, OWN_PORT) == 403
