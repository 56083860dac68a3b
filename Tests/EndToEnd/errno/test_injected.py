"""Errnos that no real path causes here: injected into connect(2) or socket(2) by strace."""

import errno
import json
import subprocess

import pytest

from support import network as net
from support.connectd_process import Connectd, binary
from support.expectations import assert_failure, assert_shape
from support.tracing import needs_strace, traced

PORT = 8111
TARGET = f"tcp://{net.OPEN}:9"


@pytest.fixture(scope="module")
def connectd(network):
    needs_strace()
    with Connectd(network.a, port=PORT) as running:
        yield running


def injecting(pid: int, call: str, number: int):
    return traced(pid, "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={number}")


@pytest.mark.parametrize(
    "number,outcome,fault",
    [
        (errno.ECONNREFUSED, "refused", "target"),
        (errno.ECONNRESET, "reset", "target"),
        (errno.ECONNABORTED, "reset", "target"),
        (errno.EPIPE, "reset", "target"),
        (errno.ETIMEDOUT, "timeout", "network"),
        (errno.EHOSTUNREACH, "unreachable", "network"),
        (errno.ENETUNREACH, "unreachable", "network"),
        (errno.EHOSTDOWN, "unreachable", "network"),
        (errno.ENONET, "unreachable", "network"),
        (errno.ENOPROTOOPT, "unreachable", "network"),
        (errno.EPROTO, "unreachable", "network"),
        (errno.EOPNOTSUPP, "unreachable", "network"),
        (errno.EINVAL, "unreachable", "network"),
        (errno.EACCES, "not_permitted", "prober"),
        (errno.EPERM, "not_permitted", "prober"),
        (errno.EADDRINUSE, "prober_exhausted", "prober"),
        (errno.EADDRNOTAVAIL, "prober_exhausted", "prober"),
        (errno.EAGAIN, "prober_exhausted", "prober"),
        (errno.ENOBUFS, "prober_exhausted", "prober"),
        (errno.ENOMEM, "prober_exhausted", "prober"),
        (errno.ENFILE, "prober_exhausted", "prober"),
        (errno.EMFILE, "prober_exhausted", "prober"),
        (errno.ENETDOWN, "prober_misconfigured", "prober"),
        (errno.ENODEV, "prober_misconfigured", "prober"),
        (errno.EAFNOSUPPORT, "prober_misconfigured", "prober"),
        (errno.EBADF, "internal", "prober"),
        (errno.EFAULT, "internal", "prober"),
        (errno.EISCONN, "internal", "prober"),
        (errno.ENOTSOCK, "internal", "prober"),
        (errno.EIO, "unclassified", "prober"),
        (errno.ENOSYS, "unclassified", "prober"),
        (errno.EUCLEAN, "unclassified", "prober"),
        (errno.ENOLINK, "unclassified", "prober"),
        (errno.ENXIO, "unclassified", "prober"),
    ],
)
def test_each_errno_of_connect_has_its_class(connectd, number, outcome, fault):
    with injecting(connectd.pid, "connect", number):
        result = connectd.client.check(TARGET, timeout_ms=3000)
    assert_failure(result, number, outcome, fault)


@pytest.mark.parametrize("number", [errno.EINTR, errno.EALREADY, errno.EINPROGRESS])
def test_errnos_of_a_connect_in_progress_are_not_a_success(connectd, number):
    """No connect was started, so none can succeed. These errnos are handled internally, or are a bug of connectd."""
    with injecting(connectd.pid, "connect", number):
        result = connectd.client.check(TARGET, timeout_ms=500)
    assert_shape(result)
    assert result["ok"] is False
    assert result["outcome"] in ("timeout", "internal"), result


@pytest.mark.parametrize(
    "number,outcome",
    [
        (errno.ENFILE, "prober_exhausted"),
        (errno.EMFILE, "prober_exhausted"),
        (errno.ENOBUFS, "prober_exhausted"),
        (errno.ENOMEM, "prober_exhausted"),
        (errno.EAFNOSUPPORT, "prober_misconfigured"),
        (errno.EPROTONOSUPPORT, "prober_misconfigured"),
        (errno.ESOCKTNOSUPPORT, "prober_misconfigured"),
        (errno.EACCES, "not_permitted"),
        (errno.EPERM, "not_permitted"),
    ],
)
def test_each_errno_of_socket_has_its_class(connectd, number, outcome):
    with injecting(connectd.pid, "socket", number):
        result = connectd.client.check(TARGET, timeout_ms=3000)
    assert_failure(result, number, outcome, "prober", phase="socket")


def test_an_errno_without_a_name_is_reported_by_its_number(connectd):
    with injecting(connectd.pid, "connect", 999):
        result = connectd.client.check(TARGET, timeout_ms=3000)
    assert_shape(result)
    error = result["error"]
    assert (error["errno"], error["class"], error["message"]) == (999, "unclassified", "Unknown error 999")


def test_a_bind_failure_for_lack_of_memory_is_prober_misconfigured(connectd):
    with injecting(connectd.pid, "bind", errno.ENOMEM):
        result = connectd.client.check(TARGET, bind={"port": 34567})
    assert_failure(result, errno.ENOMEM, "prober_misconfigured", "prober", phase="bind")


def test_a_failing_getsockopt_is_not_a_success(connectd):
    """A failure of getsockopt is neither a success nor the end of the service."""
    with injecting(connectd.pid, "getsockopt", errno.ENOBUFS):
        answer = connectd.client.post_check(TARGET, timeout_ms=1000)
    assert answer.status == 200
    assert answer.json["ok"] is False
    assert connectd.client.check(TARGET)["outcome"] == "refused"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_without_a_socket_no_name_is_resolved(connectd, number):
    with injecting(connectd.pid, "socket", number):
        result = connectd.client.check("tcp://name.example:9", timeout_ms=500)
    assert_failure(result, number, "prober_exhausted", "prober", phase="resolve")


@pytest.mark.parametrize(
    "number,outcome", [(errno.ENOSPC, "prober_exhausted"), (errno.ENOMEM, "prober_exhausted")]
)
@pytest.mark.parametrize("target", [TARGET, f"tls://{net.OPEN}:9", "tcp://name.example:9"])
def test_a_full_epoll_set_is_an_exhausted_prober(network, connectd, number, outcome, target):
    """strace counts for each thread: the worker's first epoll_ctl(2) is that of the first target."""
    # A closed name server would show in the error of the next send.
    network.a.write_etc("resolv.conf", f"nameserver {net.DROPPED}\n")
    trace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=epoll_ctl", "-e", f"inject=epoll_ctl:error={number}:when=2+"]
    command = network.a.command(*trace, str(binary()), "check", "--json", "--timeout", "2s", f"tcp://{net.DROPPED}:9", target)
    result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout)[1]
    assert (result["outcome"], result["error"]["errno"], result["error"]["fault"]) == (outcome, number, "prober"), result
    if number == errno.ENOSPC:
        assert "fs.epoll.max_user_watches" in result["error"]["hint"]
