"""UNIX-domain targets: the result of each way in which a path or a socket can fail."""

import errno
import os
import socket

import pytest

from support import kernel_refusals, peers
from support.connectd_process import Connectd
from support.expectations import assert_failure, assert_success


@pytest.fixture(scope="module")
def connectd(root_and_namespaces, module_folder):
    rules = [{"action": "allow", "path": f"{module_folder}/**"}, {"action": "allow", "path": "@connectd-test-*"}]
    with Connectd(configuration={"policy": {"profile": "internal", "rules": rules}}) as running:
        yield running


@pytest.fixture
def place(module_folder, request):
    path = os.path.join(module_folder, f"{abs(hash(request.node.name)) % 10**8}")
    os.mkdir(path, 0o755)
    return path


@pytest.mark.parametrize(
    "scheme,kind,outcome",
    [
        ("unix", socket.SOCK_STREAM, "connected"),
        ("unix+dgram", socket.SOCK_DGRAM, "associated"),
        ("unix+seqpacket", socket.SOCK_SEQPACKET, "connected"),
    ],
)
def test_each_socket_type_connects(api, place, scheme, kind, outcome):
    path = f"{place}/s"
    with peers.unix_listener(path, kind):
        result = api.check(f"{scheme}:{path}")
    attempt = assert_success(result, outcome)
    assert (attempt["path"], attempt["family"]) == (path, "unix")
    if kind != socket.SOCK_DGRAM:
        credentials = attempt["peer_credentials"]
        assert (credentials["pid"], credentials["uid"], credentials["gid"]) == (os.getpid(), os.getuid(), os.getgid())


@pytest.mark.parametrize("form", ["unix:{}", "unix://{}"])
def test_both_url_forms_connect(api, place, form):
    with peers.unix_listener(f"{place}/s"):
        assert_success(api.check(form.format(f"{place}/s")))


@pytest.mark.parametrize(
    "kind,name,outcome",
    [
        ("stream", socket.SOCK_STREAM, "connected"),
        ("dgram", socket.SOCK_DGRAM, "associated"),
        ("seqpacket", socket.SOCK_SEQPACKET, "connected"),
    ],
)
def test_the_object_form_connects(api, place, kind, name, outcome):
    with peers.unix_listener(f"{place}/s", name):
        assert_success(api.check({"transport": "unix", "socket_type": kind, "path": f"{place}/s"}), outcome)


def test_an_abstract_name_connects(api):
    with peers.unix_listener("\0connectd-test-1"):
        attempt = assert_success(api.check("unix:@connectd-test-1"))
    assert attempt["peer_credentials"]["pid"] == os.getpid()


def test_an_abstract_name_without_a_listener_is_refused(api):
    assert_failure(api.check("unix:@connectd-test-2"), errno.ECONNREFUSED, "refused", "target")


def test_a_stale_socket_is_refused(api, place):
    peers.unix_listener(f"{place}/s").close()
    assert_failure(api.check(f"unix:{place}/s"), errno.ECONNREFUSED, "refused", "target")


def test_files_that_are_not_sockets_are_refused(api, place):
    open(f"{place}/file", "w").close()
    os.mkfifo(f"{place}/fifo")
    for path in (f"{place}/file", f"{place}/fifo", place):
        assert_failure(api.check(f"unix:{path}"), errno.ECONNREFUSED, "refused", "target")


def test_a_missing_path_and_a_dangling_link_are_enoent(api, place):
    os.symlink(f"{place}/nothing", f"{place}/link")
    for path in (f"{place}/none", f"{place}/no/such/folder", f"{place}/link"):
        assert_failure(api.check(f"unix:{path}"), errno.ENOENT, "no_such_socket", "target")


def test_a_path_below_a_socket_is_enotdir(api, place):
    with peers.unix_listener(f"{place}/s"):
        assert_failure(api.check(f"unix:{place}/s/x"), errno.ENOTDIR, "no_such_socket", "target")


def test_a_loop_of_links_is_eloop(api, place):
    os.symlink(f"{place}/b", f"{place}/a")
    os.symlink(f"{place}/a", f"{place}/b")
    assert_failure(api.check(f"unix:{place}/a"), errno.ELOOP, "bad_path", "request")


def test_a_link_to_a_name_that_is_too_long_is_enametoolong(api, place):
    os.symlink("n" * 256, f"{place}/link")
    assert_failure(api.check(f"unix:{place}/link"), errno.ENAMETOOLONG, "bad_path", "request")


def test_a_path_of_107_bytes_connects_and_one_of_108_is_too_long(api, place):
    longest = f"{place}/{'p' * (106 - len(place))}"
    assert len(longest) == 107
    with peers.unix_listener(longest):
        assert_success(api.check(f"unix:{longest}"))
        result = api.check(f"unix:{longest}p")
        assert_failure(result, errno.ENAMETOOLONG, "bad_path", "request", phase=None)
        result = api.check(f"unix:{longest}{'p' * 500}")
        assert_failure(result, errno.ENAMETOOLONG, "bad_path", "request", phase=None)


def test_the_length_is_counted_in_bytes(api, place):
    path = f"{place}/{'é' * 40}"
    with peers.unix_listener(path):
        assert_success(api.check(f"unix:{path}"))
    long = f"{place}/{'é' * 50}"
    assert len(long) < 107 < len(long.encode())
    assert_failure(api.check(f"unix:{long}"), errno.ENAMETOOLONG, "bad_path", "request", phase=None)


@pytest.mark.parametrize(
    "scheme,kind",
    [
        ("unix+dgram", socket.SOCK_STREAM),
        ("unix+seqpacket", socket.SOCK_STREAM),
        ("unix", socket.SOCK_DGRAM),
        ("unix", socket.SOCK_SEQPACKET),
        ("unix+seqpacket", socket.SOCK_DGRAM),
        ("unix+dgram", socket.SOCK_SEQPACKET),
    ],
)
def test_a_socket_of_another_type_is_eprototype(api, place, scheme, kind):
    with peers.unix_listener(f"{place}/s", kind):
        assert_failure(api.check(f"{scheme}:{place}/s"), errno.EPROTOTYPE, "wrong_type", "request")


@pytest.mark.deadline
@pytest.mark.parametrize("scheme,kind", [("unix", socket.SOCK_STREAM), ("unix+seqpacket", socket.SOCK_SEQPACKET)])
def test_a_full_backlog_is_backlog_full(api, place, scheme, kind):
    with peers.unix_listener(f"{place}/s", kind, backlog=0):
        waiting = peers.fill_backlog(f"{place}/s", kind)
        result = api.check(f"{scheme}:{place}/s")
        for client in waiting:
            client.close()
    assert_failure(result, errno.EAGAIN, "backlog_full", "target")
    assert result["error"]["retryable"] is True
    assert result["timings_ms"]["total"] < 500


def test_a_datagram_socket_connected_elsewhere_is_eperm(api, place):
    with (
        peers.unix_listener(f"{place}/d", socket.SOCK_DGRAM) as bound,
        peers.unix_listener(f"{place}/e", socket.SOCK_DGRAM),
    ):
        bound.connect(f"{place}/e")
        assert_failure(api.check(f"unix+dgram:{place}/d"), errno.EPERM, "not_permitted", "prober")


@pytest.fixture(scope="module")
def as_nobody(root_and_namespaces, module_folder):
    rules = [{"action": "allow", "path": f"{module_folder}/**"}]
    with Connectd(configuration={"policy": {"profile": "internal", "rules": rules}}, user="nobody") as running:
        yield running.client


def test_a_directory_without_search_permission_is_eacces(as_nobody, place):
    os.mkdir(f"{place}/closed", 0o700)
    with peers.unix_listener(f"{place}/closed/s"):
        assert_failure(as_nobody.check(f"unix:{place}/closed/s"), errno.EACCES, "not_permitted", "prober")


def test_a_socket_without_write_permission_is_eacces(as_nobody, place):
    with peers.unix_listener(f"{place}/s", mode=0o444):
        assert_failure(as_nobody.check(f"unix:{place}/s"), errno.EACCES, "not_permitted", "prober")


def test_a_socket_that_all_users_may_write_connects(as_nobody, place):
    with peers.unix_listener(f"{place}/s"):
        assert_success(as_nobody.check(f"unix:{place}/s"))


@pytest.fixture
def failing_folder(place):
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no /dev/fuse")
    mount = kernel_refusals.FailingFileSystem(f"{place}/f")
    yield mount
    mount.remove()


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EREMOTEIO, errno.ENOSPC, errno.EKEYEXPIRED])
def test_a_broken_file_system_is_reported_by_its_own_errno(api, failing_folder, number):
    result = api.check(f"unix:{failing_folder.folder}/e{number}")
    assert_failure(result, number, "unclassified", "prober")


@pytest.mark.parametrize(
    "number,outcome,fault",
    [
        (errno.ENFILE, "prober_exhausted", "prober"),
        (errno.ENOMEM, "prober_exhausted", "prober"),
        (errno.ENODEV, "prober_misconfigured", "prober"),
        (errno.EPERM, "not_permitted", "prober"),
    ],
)
def test_a_classified_errno_of_a_file_system_keeps_its_class(api, failing_folder, number, outcome, fault):
    assert_failure(api.check(f"unix:{failing_folder.folder}/e{number}"), number, outcome, fault)


def test_a_file_system_whose_server_died_has_its_errno(api, failing_folder):
    failing_folder.die()
    assert_failure(api.check(f"unix:{failing_folder.folder}/s"), errno.ENOTCONN, "unclassified", "prober")
