"""The prober's own limits and permissions: descriptors, memory, queues, families, policies of the kernel."""

import errno
import resource

import pytest

from support import kernel_refusals, peers
from support import network as net
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_problem, assert_success
from support.http_client import check_request, read_answer

OWN_PORT = 8091


def post(connection, target: str):
    connection.sendall(check_request(target))
    return read_answer(connection.makefile("rb"))


def test_no_free_descriptor_is_emfile(network):
    """The client's connection exists; the check's socket is one descriptor too many."""
    with Connectd(network.a, port=OWN_PORT) as connectd, peers.tcp_listener(network.b, net.OPEN) as listener:
        target = f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
        with connectd.unix.connect() as connection:
            connection.settimeout(10)
            assert_success(post(connection, target).json)
            used = connectd.open_descriptors()
            first_free = next(number for number in range(len(used) + 1) if number not in used)
            before = resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE, (first_free, before[1]))
            result = post(connection, target).json
            assert_failure(result, errno.EMFILE, "prober_exhausted", "prober", phase="socket")
            assert result["error"]["retryable"] is True
            resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE, before)
            assert_success(post(connection, target).json)


def test_a_cgroup_program_that_forbids_is_eperm(network, folder):
    with kernel_refusals.cgroup_that_forbids_connect(folder) as join, Connectd(network.a, port=OWN_PORT) as connectd:
        join(connectd.pid)
        attempt = assert_failure(connectd.client.check(f"tcp://{net.OPEN}:80"), errno.EPERM, "not_permitted", "prober")
        assert "icmp" not in attempt


@pytest.mark.parametrize(
    "number,outcome,fault",
    [
        (errno.EAFNOSUPPORT, "prober_misconfigured", "prober"),
        (errno.EPROTONOSUPPORT, "prober_misconfigured", "prober"),
        (errno.ESOCKTNOSUPPORT, "prober_misconfigured", "prober"),
        (errno.EACCES, "not_permitted", "prober"),
        (errno.EPERM, "not_permitted", "prober"),
        (errno.ENFILE, "prober_exhausted", "prober"),
        (errno.ENOSYS, "unclassified", "prober"),
    ],
)
def test_a_seccomp_filter_has_its_errno(network, number, outcome, fault):
    """As under systemd's RestrictAddressFamilies= and SystemCallErrorNumber=, or a container's profile."""
    with Connectd(network.a, port=OWN_PORT, prepare=kernel_refusals.seccomp_socket_refusal(10, number)) as connectd:
        result = connectd.client.check(f"tcp://[{net.OPEN6}]:80")
        assert_failure(result, number, outcome, fault, phase="socket")


def test_no_option_memory_is_enomem(network):
    configuration = {**OPEN_CONFIGURATION, "md5_keys": {"bgp": {"file": "bgp.key"}}}
    with Connectd(network.a, configuration, port=OWN_PORT, files={"bgp.key": "secret\n"}) as connectd:
        with network.a.setting("net.core.optmem_max", 0):
            result = connectd.client.check(f"tcp://{net.MD5}:179", socket={"tcp_md5": "bgp"}, timeout_ms=1000)
    assert_failure(result, errno.ENOMEM, "prober_exhausted", "prober", phase="socket")


def test_a_queue_that_drops_is_enobufs(api, network):
    with network.shaper_that_drops():
        result = api.check(f"udp://{net.OPEN}:9", dialog=[{"send": "x" * 1200}, {"expect": "y"}], timeout_ms=1000)
    assert_failure(result, errno.ENOBUFS, "prober_exhausted", "prober", phase="dialog")


def test_a_local_firewall_that_drops_a_datagram_is_eperm(api):
    result = api.check(f"udp://{net.OPEN}:{net.OWN_DROP}", dialog=[{"send": "x"}, {"expect": "y"}], timeout_ms=1000)
    assert_failure(result, errno.EPERM, "not_permitted", "prober", phase="dialog")


def test_a_datagram_that_is_too_long_is_emsgsize(api, network):
    def reply(peer) -> None:
        data, sender = peer.recvfrom(65535)
        peer.sendto(b"z" * 40000, sender)

    with peers.serving(peers.udp_socket(network.b, net.OPEN), reply) as peer:
        result = api.check(
            f"udp://{net.OPEN}:{peer.getsockname()[1]}",
            timeout_ms=2000,
            dialog=[{"send": "x"}, {"expect": "^(z+)$"}, {"send": "${1}${1}"}],
        )
    assert_failure(result, errno.EMSGSIZE, "unclassified", None, phase="dialog")


@pytest.fixture(scope="module")
def as_nobody(network):
    with Connectd(network.a, port=OWN_PORT + 1, user="nobody") as running:
        yield running.client


def test_a_mark_without_the_capability_is_eperm(as_nobody):
    result = as_nobody.check(f"tcp://{net.OPEN}:80", socket={"mark": 7})
    assert_failure(result, errno.EPERM, "not_permitted", "prober", phase="socket")


def test_a_privileged_port_needs_a_privileged_user(as_nobody, network):
    before = network.a.get("net.ipv4.ip_unprivileged_port_start")
    assert int(before) > 7
    result = as_nobody.check(f"tcp://{net.OPEN}:80", bind={"port": 7})
    assert_failure(result, errno.EACCES, "prober_misconfigured", "request", phase="bind")


def test_an_unprivileged_user_can_run_a_check(as_nobody, network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        assert_success(as_nobody.check(f"tcp://{net.OPEN}:{listener.getsockname()[1]}"))


def test_disabled_mptcp_is_enoprotoopt(api, network):
    """The kernel returns ENOPROTOOPT, which is neither the network's nor the target's fault."""
    with network.a.setting("net.mptcp.enabled", 0):
        result = api.check(f"tcp://{net.OPEN}:80", socket={"mptcp": True})
    assert (result["error"]["errno"], result["phase"]) == (errno.ENOPROTOOPT, "socket"), result
    assert result["ok"] is False


def test_hard_denied_addresses_with_an_exact_rule_are_tried(network):
    rules = [
        {"action": "allow", "cidr": f"{address}/32"} for address in ("224.0.0.1", net.BROADCAST, "255.255.255.255")
    ]
    configuration = {"policy": {**OPEN_CONFIGURATION["policy"], "rules": rules}}
    with Connectd(network.a, configuration, port=OWN_PORT) as connectd:
        client = connectd.client
        for address in ("224.0.0.1", "255.255.255.255"):
            result = client.check(f"tcp://{address}:80")
            assert_failure(result, errno.ENETUNREACH, "unreachable", "network")
        result = client.check(f"udp://{net.BROADCAST}:9")
        assert_failure(result, errno.EACCES, "not_permitted", "prober")
        assert_problem(client.post_check("tcp://224.0.0.2:80"), 403)
