"""The setups of the other tests with plain sockets: does this kernel return the errno at all?

connectd is not involved. If one of these fails, the kernel behaves differently, not the service.
"""

import errno
import os
import socket
import subprocess
import sys

import pytest

from support import icmp_forger, kernel_refusals, peers
from support import network as net
from support.namespace import Namespace

IP_RECVERR, IPV6_RECVERR, MSG_ERRQUEUE = 11, 25, 0x2000
TCP_SYNCNT = 7
IP_ICMP, ICMP6 = 2, 3


def family_of(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def try_connect(namespace, address: str, port: int = 80, kind=socket.SOCK_STREAM, timeout: float = 5):
    """(errno or 0, ICMP (type, code, from) or None)."""
    family = family_of(address)
    with namespace.socket(family, kind) as client:
        client.settimeout(timeout)
        if family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            client.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        if kind == socket.SOCK_STREAM:
            client.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 1)
        try:
            client.connect((address, port))
            return 0, None
        except TimeoutError as error:
            return error.errno or "deadline", None
        except OSError as error:
            return error.errno, _icmp(client, family)


def _icmp(client, family):
    client.setblocking(False)
    try:
        _, ancillary, _, _ = client.recvmsg(256, 512, MSG_ERRQUEUE)
    except BlockingIOError:
        return None
    data = ancillary[0][2]
    if data[4] not in (IP_ICMP, ICMP6):
        return None
    sender = data[20:24] if family == socket.AF_INET else data[24:40]
    return data[5], data[6], socket.inet_ntop(family, sender)


@pytest.mark.parametrize(
    "kind,number,code",
    [
        ("port-unreachable", errno.ECONNREFUSED, 3),
        ("admin-prohibited", errno.EHOSTUNREACH, 13),
        ("host-unreachable", errno.EHOSTUNREACH, 1),
        ("net-unreachable", errno.ENETUNREACH, 0),
        ("prot-unreachable", errno.ENOPROTOOPT, 2),
        ("host-prohibited", errno.EHOSTUNREACH, 10),
        ("net-prohibited", errno.ENETUNREACH, 9),
    ],
)
def test_a_rejecting_router_has_its_errno(network, kind, number, code):
    assert try_connect(network.a, net.ROUTER_REJECTS[kind]) == (number, (3, code, net.PEER))


@pytest.mark.parametrize(
    "kind,number,code",
    [
        ("port-unreachable", errno.ECONNREFUSED, 4),
        ("admin-prohibited", errno.EACCES, 1),
        ("addr-unreachable", errno.EHOSTUNREACH, 3),
        ("no-route", errno.ENETUNREACH, 0),
    ],
)
def test_a_rejecting_router_over_ipv6_has_its_errno(network, kind, number, code):
    assert try_connect(network.a, net.ROUTER_REJECTS6[kind]) == (number, (1, code, net.PEER6))


def test_target_and_local_firewall_reject_from_their_addresses(network):
    assert try_connect(network.a, net.OPEN, net.TARGET_REJECTS["port-unreachable"]) == (111, (3, 3, net.OPEN))
    assert try_connect(network.a, net.OPEN, net.OWN_REJECTS["admin-prohibited"]) == (113, (3, 13, net.PROBER))


@pytest.mark.parametrize(
    "kind,number",
    [
        ("unreachable", errno.EHOSTUNREACH),
        ("prohibit", errno.EACCES),
        ("blackhole", errno.EINVAL),
        ("throw", errno.ENETUNREACH),
    ],
)
def test_each_route_type_has_its_errno(network, kind, number):
    assert try_connect(network.a, net.ROUTE_TYPES[kind])[0] == number
    if kind in net.ROUTE_TYPES6:
        assert try_connect(network.a, net.ROUTE_TYPES6[kind])[0] == number


def test_tcp_without_a_route_to_multicast_and_to_broadcast_is_enetunreach(network):
    for address in (net.NOWHERE, net.NOWHERE6, "224.0.0.1", "255.255.255.255"):
        assert try_connect(network.a, address)[0] == errno.ENETUNREACH, address


def test_udp_to_broadcast_is_eacces(network):
    assert try_connect(network.a, net.BROADCAST, kind=socket.SOCK_DGRAM)[0] == errno.EACCES


def test_a_closed_port_refuses_and_a_drop_times_out(network):
    assert try_connect(network.a, net.OPEN, 81) == (errno.ECONNREFUSED, None)
    assert try_connect(network.a, net.DROPPED)[0] == errno.ETIMEDOUT


@pytest.mark.parametrize(
    "kind,code,number",
    [
        (3, 5, errno.EOPNOTSUPP),
        (3, 7, errno.EHOSTDOWN),
        (3, 8, errno.ENONET),
        (12, 0, errno.EPROTO),
        (11, 0, errno.EHOSTUNREACH),
    ],
)
def test_forged_messages_have_their_errno(network, kind, code, number):
    with icmp_forger.forging(network.b, net.FORGED, kind, code, "10.99.9.9"):
        assert try_connect(network.a, net.FORGED) == (number, (kind, code, "10.99.9.9"))


def test_a_forged_parameter_problem_over_ipv6_is_eproto(network):
    with icmp_forger.forging(network.b, net.FORGED6, 4, 0, "fd00:99::9"):
        assert try_connect(network.a, net.FORGED6) == (errno.EPROTO, (4, 0, "fd00:99::9"))


def test_a_reset_in_a_simultaneous_open_is_econnreset(network):
    with icmp_forger.answering(network.b, net.FORGED, icmp_forger.reset_in_simultaneous_open):
        assert try_connect(network.a, net.FORGED)[0] == errno.ECONNRESET


def test_no_free_ephemeral_port_is_eaddrnotavail(network):
    listener = peers.tcp_listener(network.b, net.OPEN, 9600)
    with listener, network.a.setting("net.ipv4.ip_local_port_range", "40000\t40001"):
        with peers.tcp_listener(network.a, net.PROBER, 40000), peers.tcp_listener(network.a, net.PROBER, 40001):
            assert try_connect(network.a, net.OPEN, 9600)[0] == errno.EADDRNOTAVAIL


def test_disabled_ipv6_is_eaddrnotavail(root_and_namespaces):
    space = Namespace(net.new_name("x"))
    try:
        space.set("net.ipv6.conf.all.disable_ipv6", 1)
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            assert try_connect(space, "fd00:99::1", kind=kind)[0] == errno.EADDRNOTAVAIL
    finally:
        space.remove()


def test_a_loopback_source_to_another_host_is_einval(network):
    with network.a.socket() as client:
        client.bind(("127.0.0.1", 0))
        with pytest.raises(OSError) as caught:
            client.connect((net.OPEN, 80))
    assert caught.value.errno == errno.EINVAL


def test_a_killed_connect_is_econnaborted(network):
    with network.a.socket() as client:
        client.setblocking(False)
        assert client.connect_ex((net.DROPPED, 4711)) == errno.EINPROGRESS
        network.a.run("ss", "-K", "dst", net.DROPPED, "dport", "=", "4711")
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNABORTED


def test_a_dropping_shaper_is_enobufs_with_recverr(network):
    with network.shaper_that_drops(), network.a.socket(kind=socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        client.connect((net.OPEN, 9))
        assert _send(client, b"x" * 1200) == errno.ENOBUFS


def _send(client, data: bytes) -> int:
    try:
        client.send(data)
        return 0
    except OSError as error:
        return error.errno


def test_udp_with_a_local_drop_is_eperm(network):
    with network.a.socket(kind=socket.SOCK_DGRAM) as client:
        client.connect((net.OPEN, net.OWN_DROP))
        assert _send(client, b"x") == errno.EPERM


def test_no_option_memory_is_enomem(network):
    with network.a.setting("net.core.optmem_max", 0), network.a.socket() as client:
        with pytest.raises(OSError) as caught:
            client.setsockopt(socket.IPPROTO_TCP, 14, peers.md5_signature(net.MD5, b"secret"))
    assert caught.value.errno == errno.ENOMEM


def test_tcp_md5_connects_with_the_key_and_is_silent_without(network):
    with peers.tcp_listener(network.b, net.MD5, 179) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, 14, peers.md5_signature(net.PROBER, b"secret"))
        with network.a.socket() as client:
            client.setsockopt(socket.IPPROTO_TCP, 14, peers.md5_signature(net.MD5, b"secret"))
            client.settimeout(3)
            client.connect((net.MD5, 179))
        assert try_connect(network.a, net.MD5, 179, timeout=0.5)[0] == "deadline"


def test_disabled_mptcp_is_enoprotoopt(network):
    with network.a.setting("net.mptcp.enabled", 0), pytest.raises(OSError) as caught:
        network.a.socket(protocol=262)
    assert caught.value.errno == errno.ENOPROTOOPT


def test_a_forbidding_cgroup_program_is_eperm(root_and_namespaces, folder):
    with kernel_refusals.cgroup_that_forbids_connect(folder) as join:
        code = "import socket; print(socket.socket().connect_ex(('127.0.0.1', 9)))"
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, preexec_fn=lambda: join(os.getpid())
        )
    assert ran.stdout.strip() == str(errno.EPERM), ran.stderr


def test_a_seccomp_filter_of_a_family_has_its_errno(root_and_namespaces):
    code = "import socket\ntry: socket.socket(socket.AF_INET6)\nexcept OSError as e: print(e.errno)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        preexec_fn=kernel_refusals.seccomp_socket_refusal(socket.AF_INET6, errno.EAFNOSUPPORT),
    )
    assert ran.stdout.strip() == str(errno.EAFNOSUPPORT), ran.stderr


def unix_errno(path: str, kind=socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_UNIX, kind) as client:
        client.setblocking(False)
        return client.connect_ex(path)


def test_a_failing_file_system_gives_its_own_errno(root_and_namespaces, folder):
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no /dev/fuse")
    mount = kernel_refusals.FailingFileSystem(f"{folder}/f")
    try:
        for number in (errno.EIO, errno.ESTALE, errno.EREMOTEIO, errno.ENFILE):
            assert unix_errno(f"{folder}/f/e{number}") == number
        mount.die()
        assert unix_errno(f"{folder}/f/gone") == errno.ENOTCONN
    finally:
        mount.remove()


def test_each_path_has_its_errno(folder):
    with peers.unix_listener(f"{folder}/s"), peers.unix_listener(f"{folder}/full", backlog=0):
        waiting = peers.fill_backlog(f"{folder}/full")
        os.symlink(f"{folder}/l2", f"{folder}/l1")
        os.symlink(f"{folder}/l1", f"{folder}/l2")
        os.symlink("n" * 256, f"{folder}/long")
        open(f"{folder}/plain", "w").close()
        assert unix_errno(f"{folder}/s") == 0
        assert unix_errno(f"{folder}/full") == errno.EAGAIN
        assert unix_errno(f"{folder}/none") == errno.ENOENT
        assert unix_errno(f"{folder}/s/x") == errno.ENOTDIR
        assert unix_errno(f"{folder}/l1") == errno.ELOOP
        assert unix_errno(f"{folder}/long") == errno.ENAMETOOLONG
        assert unix_errno(f"{folder}/plain") == errno.ECONNREFUSED
        assert unix_errno(folder) == errno.ECONNREFUSED
        assert unix_errno("\0nobody-listens") == errno.ECONNREFUSED
        assert unix_errno(f"{folder}/s", socket.SOCK_DGRAM) == errno.EPROTOTYPE
        assert unix_errno(f"{folder}/s", socket.SOCK_SEQPACKET) == errno.EPROTOTYPE
        for client in waiting:
            client.close()


def test_a_datagram_socket_that_is_connected_elsewhere_is_eperm(folder):
    with (
        peers.unix_listener(f"{folder}/d", socket.SOCK_DGRAM) as bound,
        peers.unix_listener(f"{folder}/e", socket.SOCK_DGRAM),
    ):
        bound.connect(f"{folder}/e")
        assert unix_errno(f"{folder}/d", socket.SOCK_DGRAM) == errno.EPERM
