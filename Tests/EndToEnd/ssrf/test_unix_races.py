"""UNIX paths that change while they are checked: links, directories and mounts that are swapped in a loop.

The judge is the denied listener: it must never accept a connection, and connectd must not wait in its backlog.
"""

import contextlib
import ctypes
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from support.connectd_process import Connectd

RENAME_EXCHANGE = 2
AT_FDCWD = -100
SECONDS = float(os.environ.get("CONNECTD_SSRF_RACE_SECONDS", "1.5"))
_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one: str, other: str) -> None:
    """Swaps two names in one step: renameat2(2)."""
    if _libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), one)


class CountingListener:
    """Accepts connections and counts them."""

    def __init__(self, path: str):
        self.count = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen(4096)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.count += 1
                connection.close()

    def close(self) -> int:
        """Stops, and returns the number of connections, including those in the backlog."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        return self.count


@contextlib.contextmanager
def repeated(action: Callable[[], None]) -> Iterator[list[int]]:
    """Repeats an action in a thread as fast as it can, and counts how often."""
    count, is_over = [0], threading.Event()

    def loop() -> None:
        while not is_over.is_set():
            action()
            count[0] += 1

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield count
    finally:
        is_over.set()
        thread.join()


class Race:
    """A folder with an allowed and a denied listener, and a service that may connect to the allowed one only."""

    def __init__(self, folder: str):
        self.folder = folder
        for name in ("allowed", "denied"):
            os.mkdir(f"{folder}/{name}")
        self.allowed = CountingListener(f"{folder}/allowed/s.sock")
        self.denied = CountingListener(f"{folder}/denied/s.sock")
        rules = [{"action": "allow", "path": f"{folder}/allowed/**"}, {"action": "allow", "path": f"{folder}/way/**"}]
        self.rules = rules

    def run(self, target: str, swap: Callable[[], None], rules: list[dict] | None = None) -> dict[str, int]:
        """Checks the target while `swap` repeats, and returns how often each outcome occurred."""
        outcomes: dict[str, int] = {}
        policy = {"policy": {"rules": self.rules if rules is None else rules}}
        with Connectd(configuration=policy) as connectd, repeated(swap) as swaps:
            begin = time.monotonic()
            body = {"checks": [{"target": f"unix:{target}"}] * 50, "concurrency": 8}

            def has_been_seen() -> bool:
                """Whether the paths were swapped often enough. On a loaded machine, that takes longer."""
                is_enough = swaps[0] > 20 and "connected" in outcomes and len(outcomes) > 1
                seconds = time.monotonic() - begin
                return seconds > 60 or (seconds > SECONDS and is_enough)

            while not has_been_seen():
                for result in connectd.client.post("/v1/checks/batch", body).json["results"]:
                    outcomes[result["outcome"]] = outcomes.get(result["outcome"], 0) + 1
        assert swaps[0] > 20, "the paths were swapped"
        return outcomes

    def assert_only_allowed(self, outcomes: dict[str, int]) -> None:
        """Both sides of the race must have been seen, and only the allowed listener may have connections."""
        connected, denied = self.allowed.close(), self.denied.close()
        assert denied == 0, f"{denied} connections to the denied listener; outcomes: {outcomes}"
        assert connected == outcomes.get("connected", 0) > 0, outcomes
        assert sum(outcomes.values()) > outcomes["connected"], f"only one side of the race was seen: {outcomes}"


@pytest.fixture
def race(root_and_namespaces, folder):
    return Race(folder)


def test_a_link_is_exchanged(race):
    """The allowed folder has a link whose target changes between the allowed and the denied socket."""
    good, bad = f"{race.folder}/allowed/link", f"{race.folder}/allowed/other"
    os.symlink(f"{race.folder}/allowed/s.sock", good)
    os.symlink(f"{race.folder}/denied/s.sock", bad)
    race.assert_only_allowed(race.run(good, lambda: exchange(good, bad)))


def test_a_folder_is_exchanged_with_a_link(race):
    """`way` is a link to the allowed or to the denied folder."""
    os.symlink("allowed", f"{race.folder}/way")
    os.symlink("denied", f"{race.folder}/back")
    outcomes = race.run(
        f"{race.folder}/way/s.sock", lambda: exchange(f"{race.folder}/way", f"{race.folder}/back"), race.rules[:1]
    )
    race.assert_only_allowed(outcomes)


def test_a_link_in_the_middle_of_a_path_is_exchanged(race):
    os.makedirs(f"{race.folder}/allowed/deep/er")
    os.symlink(f"{race.folder}/allowed", f"{race.folder}/allowed/deep/er/up")
    os.symlink(f"{race.folder}/denied", f"{race.folder}/allowed/deep/er/up2")
    one, other = (f"{race.folder}/allowed/deep/er/{name}" for name in ("up", "up2"))
    outcomes = race.run(f"{one}/../allowed/deep/er/up/s.sock", lambda: exchange(one, other))
    race.assert_only_allowed(outcomes)


def test_a_socket_is_exchanged_with_a_link_to_a_denied_one(race):
    """The name that was judged is the allowed socket, and a moment later a link."""
    link = f"{race.folder}/allowed/link"
    os.symlink(f"{race.folder}/denied/s.sock", link)
    race.assert_only_allowed(race.run(f"{race.folder}/allowed/s.sock", lambda: exchange(f"{race.folder}/allowed/s.sock", link)))


def test_folders_are_exchanged(race):
    """The folder of the allowed path is moved away, and one with a link to the denied socket takes its place."""
    os.mkdir(f"{race.folder}/trap")
    os.symlink(f"{race.folder}/denied/s.sock", f"{race.folder}/trap/s.sock")
    swap = lambda: exchange(f"{race.folder}/allowed", f"{race.folder}/trap")  # noqa: E731
    race.assert_only_allowed(race.run(f"{race.folder}/allowed/s.sock", swap))


def test_a_mount_appears_and_disappears(race):
    """A bind mount of the denied folder covers a folder whose paths no rule allows; links lead through it."""
    point = f"{race.folder}/point"
    os.mkdir(point)
    os.symlink(f"{race.folder}/allowed/s.sock", f"{point}/s.sock")

    def swap() -> None:
        subprocess.run(["mount", "--bind", f"{race.folder}/denied", point], check=True)
        subprocess.run(["umount", "--lazy", point], check=True)

    race.assert_only_allowed(race.run(f"{point}/s.sock", swap))


def test_a_denied_socket_is_linked_into_the_own_listener_path(race):
    """The service's own listener is denied by its file, whatever name leads to it."""
    folder = f"{race.folder}/allowed"
    with Connectd(configuration={"policy": {"rules": race.rules}}) as connectd:
        connectd.wait_for_log('"listening"')
        os.symlink(connectd.socket_path, f"{folder}/own")
        with repeated(lambda: exchange(f"{folder}/own", f"{folder}/s.sock")) as swaps:
            end = time.monotonic() + SECONDS
            outcomes: dict[int, int] = {}
            while time.monotonic() < end:
                answer = connectd.client.post_check(f"unix:{folder}/s.sock")
                outcomes[answer.status] = outcomes.get(answer.status, 0) + 1
        assert swaps[0] > 20 and set(outcomes) <= {200, 403} and len(outcomes) == 2, outcomes
        assert race.allowed.close() == outcomes[200]
    race.denied.close()


def test_abstract_names_are_judged_by_pattern(root_and_namespaces):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0ssrf-{os.getpid()}")
    listener.listen()
    with listener, Connectd(configuration={"policy": {"rules": [{"action": "allow", "path": "@other-*"}]}}) as connectd:
        for name in (f"@ssrf-{os.getpid()}", f"@other-\0ssrf-{os.getpid()}", f"@SSRF-{os.getpid()}"):
            assert connectd.client.post_check({"transport": "unix", "path": name}).status in (400, 403)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
