"""Links of procfs bypass names, and a hard link is another name: neither bypasses the rules."""

import contextlib
import os
import subprocess

import pytest

from support import peers
from support.connectd_process import Connectd, binary, clean_environment
from support.expectations import assert_problem, assert_success
from support.http_client import check_request


@pytest.fixture
def tree(root_and_namespaces, folder):
    os.mkdir(f"{folder}/app")
    os.mkdir(f"{folder}/other")
    with peers.unix_listener(f"{folder}/app/s.sock"), peers.unix_listener(f"{folder}/other/s.sock"):
        yield folder


@contextlib.contextmanager
def container(tree: str):
    """A process with its own mount at this folder: its files there are not ours."""
    script = f"mount -t tmpfs none {tree}/app && exec python3 -c '{_LISTEN}' {tree}/app/inner.sock"
    process = subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


_LISTEN = (
    "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen();"
    ' print("ready", flush=True); time.sleep(60)'
)


def serving(*patterns: str) -> Connectd:
    rules = [{"action": "allow", "path": pattern} for pattern in patterns]
    return Connectd(configuration={"policy": {"rules": rules}})


def test_the_root_link_of_another_process_is_not_followed(tree):
    with serving(f"{tree}/app/*") as connectd, container(tree) as pid:
        for name in ("inner.sock", "s.sock", "none.sock"):
            assert_problem(connectd.client.post_check(f"unix:/proc/{pid}/root{tree}/app/{name}"), 403)
        assert_success(connectd.client.check(f"unix:{tree}/app/s.sock"))


def test_a_rule_for_procfs_does_not_open_its_links(tree):
    """ELOOP is the kernel's errno for a link that is not followed."""
    with serving("/proc/**", f"{tree}/app/*") as connectd, container(tree) as pid:
        for path in (f"/proc/{pid}/root{tree}/app/inner.sock", f"/proc/self/root{tree}/app/s.sock"):
            result = connectd.client.check(f"unix:{path}")
            assert (result["outcome"], result["error"]["name"], result["error"]["fault"]) == (
                "bad_path", "ELOOP", "request",
            ), result


@pytest.mark.parametrize("way", ["/proc/self/cwd/..", "/proc/self/root", "/proc/thread-self/root", "/dev/fd/0/.."])
def test_no_link_of_procfs_leads_to_an_allowed_path(tree, way):
    with serving(f"{tree}/app/*") as connectd:
        assert_problem(connectd.client.post_check(f"unix:{way}{tree}/app/s.sock"), 403)


def test_ordinary_links_to_allowed_paths_are_followed(tree):
    os.symlink(f"{tree}/app", f"{tree}/one")
    os.symlink("one", f"{tree}/two")
    os.symlink("../two/s.sock", f"{tree}/other/link")
    os.symlink(f"{tree}/other/s.sock", f"{tree}/app/out.sock")
    os.symlink("loop", f"{tree}/app/loop")
    with serving(f"{tree}/app/*") as connectd:
        for name in ("one/s.sock", "two/s.sock", "other/link", "app/../app/s.sock", "other/../two/./s.sock"):
            assert_success(connectd.client.check(f"unix:{tree}/{name}"))
        for name in ("app/out.sock", "one/out.sock", "other/s.sock", "two/../other/s.sock"):
            assert_problem(connectd.client.post_check(f"unix:{tree}/{name}"), 403)
        assert connectd.client.check(f"unix:{tree}/app/loop")["error"]["name"] == "ELOOP"
        assert connectd.client.check(f"unix:{tree}/app/none")["error"]["name"] == "ENOENT"
        assert connectd.client.check(f"unix:{tree}/one/none")["error"]["name"] == "ENOENT"


def test_a_bind_mount_is_judged_by_its_own_path(tree):
    os.mkdir(f"{tree}/bound")
    subprocess.run(["mount", "--bind", f"{tree}/app", f"{tree}/bound"], check=True)
    try:
        with serving(f"{tree}/app/*") as connectd:
            assert_problem(connectd.client.post_check(f"unix:{tree}/bound/s.sock"), 403)
        with serving(f"{tree}/bound/*") as connectd:
            assert_success(connectd.client.check(f"unix:{tree}/bound/s.sock"))
    finally:
        subprocess.run(["umount", f"{tree}/bound"], check=True)


def test_a_hard_link_to_the_own_listener_is_denied(tree):
    with serving(f"{tree}/app/*") as connectd:
        # Until then, connectd does not know the files of its own listeners.
        connectd.wait_for_log('"listening"')
        os.link(connectd.socket_path, f"{tree}/app/own.sock")
        assert_problem(connectd.client.post_check(f"unix:{tree}/app/own.sock"), 403)
        os.symlink(f"{tree}/app/own.sock", f"{tree}/other/own")
        assert_problem(connectd.client.post_check(f"unix:{tree}/other/own"), 403)
        assert_success(connectd.client.check(f"unix:{tree}/app/s.sock"))


def test_a_hard_link_to_a_health_listener_is_denied_too(tree):
    rules = [{"action": "allow", "path": f"{tree}/app/*"}]
    health = f"{tree}/health.sock"
    with Connectd(configuration={"policy": {"rules": rules}, "health_listen": [f"unix:{health}"]}) as connectd:
        connectd.wait_for_log('"listening"')
        os.link(health, f"{tree}/app/health.sock")
        assert_problem(connectd.client.post_check(f"unix:{tree}/app/health.sock"), 403)


def test_a_rule_for_exactly_that_name_opens_the_own_listener(tree):
    with serving(f"{tree}/app/own.sock") as connectd:
        os.link(connectd.socket_path, f"{tree}/app/own.sock")
        assert_success(connectd.client.check(f"unix:{tree}/app/own.sock"))


def test_the_command_line_has_its_callers_own_rights(tree):
    with container(tree) as pid:
        target = f"unix:/proc/{pid}/root{tree}/app/inner.sock"
        done = subprocess.run([binary(), "check", target], capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_check_of_a_path_uses_one_descriptor(tree):
    """The opened path is closed once the socket is connected."""
    with peers.unix_listener(f"{tree}/app/silent.sock") as silent, serving(f"{tree}/app/*") as connectd:
        before = len(connectd.open_descriptors())
        with connectd.unix.connect() as connection:
            connection.sendall(check_request(f"unix:{tree}/app/silent.sock", dialog=[{"expect": "x"}], timeout_ms=2000))
            silent.accept()[0].detach()
            # The client's connection, the check's socket, and at the first time the wakeup of threads.
            connectd.wait_for_descriptors(before + 2, 1)
