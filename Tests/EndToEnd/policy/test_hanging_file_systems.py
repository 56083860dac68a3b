"""A path on a file system that does not answer delays its own check, and no other."""

import concurrent.futures
import os
import subprocess
import time

import pytest

from support import peers, silent_fuse
from support.connectd_process import Connectd, binary, clean_environment
from support.expectations import assert_problem, assert_success
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(silent_fuse.missing() is not None, reason=str(silent_fuse.missing()))


@pytest.fixture
def hanging(folder):
    os.mkdir(f"{folder}/hang")
    os.mkdir(f"{folder}/app")
    with silent_fuse.silent_mount(f"{folder}/hang") as mount, peers.unix_listener(f"{folder}/app/s.sock"):
        yield mount


def serving(*patterns: str, **members) -> Connectd:
    rules = [{"action": "allow", "path": pattern} for pattern in patterns]
    return Connectd(configuration={"policy": {"rules": rules}, "workers": 1, **members})


def assert_live(connectd, seconds: float = 1) -> None:
    begin = time.monotonic()
    assert connectd.client.get("/livez", timeout=5).status == 200
    assert time.monotonic() - begin < seconds


def assert_deadline(result: dict, milliseconds: int) -> None:
    assert (result["outcome"], result["phase"]) == ("timeout", "connect"), result
    assert (result["error"]["name"], result["error"]["source"]) == ("DEADLINE", "deadline")
    assert "file system" in result["error"]["hint"]
    assert result["timings_ms"]["total"] < milliseconds + 1000


@pytest.mark.deadline
def test_an_allowed_path_that_hangs_ends_at_its_deadline(hanging, folder):
    with serving(f"{folder}/hang/*", f"{folder}/app/*") as connectd, concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = pool.submit(connectd.client.check, f"unix:{folder}/hang/s.sock", timeout_ms=1500)
        wait_until(lambda: hanging.was_asked, 30, "the file system is asked for the path")
        assert_live(connectd)
        assert_success(connectd.client.check(f"unix:{folder}/app/s.sock", timeout_ms=1000))
        assert_deadline(slow.result(), 1500)


@pytest.mark.parametrize("name", ["hang/s.sock", "hang/deep/s.sock", "hang/../app/s.sock", "app/to-hang/s.sock"])
def test_a_path_that_no_rule_can_allow_is_not_looked_up(hanging, folder, name):
    os.symlink(f"{folder}/hang", f"{folder}/app/to-hang")
    with serving(f"{folder}/app/*") as connectd:
        begin = time.monotonic()
        assert_problem(connectd.client.post_check(f"unix:{folder}/{name}", timeout_ms=3000), 403)
        assert time.monotonic() - begin < 2
        assert not hanging.was_asked


def test_a_rule_for_one_folder_of_a_mount_opens_no_other_folder(hanging, folder):
    with serving(f"{folder}/hang/app/*.sock") as connectd:
        assert_problem(connectd.client.post_check(f"unix:{folder}/hang/other/s.sock", timeout_ms=3000), 403)
        assert not hanging.was_asked


@pytest.mark.deadline
def test_a_link_to_a_path_that_hangs_ends_at_its_deadline(hanging, folder):
    os.symlink(f"{folder}/hang/s.sock", f"{folder}/app/link.sock")
    with serving(f"{folder}/hang/*") as connectd:
        assert_deadline(connectd.client.check(f"unix:{folder}/app/link.sock", timeout_ms=700), 700)


@pytest.mark.parametrize("patterns", [("hang/*", "app/*"), ("**",)], ids=["a rule for each", "one rule for both"])
def test_many_hanging_paths_leave_threads_for_others(hanging, folder, patterns):
    rules = [f"{folder}/{pattern}" for pattern in patterns]
    with serving(*rules) as connectd, concurrent.futures.ThreadPoolExecutor(120) as pool:
        slow = [
            pool.submit(connectd.client.check, f"unix:{folder}/hang/{number}.sock", timeout_ms=4000)
            for number in range(120)
        ]
        time.sleep(1)  # By then, every thread that may hang does so.
        for _ in range(10):
            assert_live(connectd, seconds=3)
            assert_success(connectd.client.check(f"unix:{folder}/app/s.sock", timeout_ms=3000))
        for result in (item.result() for item in slow):
            assert result["error"]["name"] in ("DEADLINE", "PROBER_BUSY"), result
            assert result["error"]["fault"] == ("network" if result["error"]["name"] == "DEADLINE" else "prober")
        assert len(os.listdir(f"/proc/{connectd.pid}/task")) < 80


@pytest.mark.deadline
def test_a_path_that_hung_works_again_and_leaks_nothing(folder):
    os.mkdir(f"{folder}/hang")
    with serving(f"{folder}/**") as connectd:
        before = connectd.open_descriptors()
        with silent_fuse.silent_mount(f"{folder}/hang"):
            for number in range(3):
                assert_deadline(connectd.client.check(f"unix:{folder}/hang/{number}.sock", timeout_ms=200), 200)
        with peers.unix_listener(f"{folder}/hang/s.sock"):
            assert_success(connectd.client.check(f"unix:{folder}/hang/s.sock"))
        assert len(connectd.open_descriptors()) <= len(before) + 1


def test_the_service_stops_while_a_path_hangs(hanging, folder):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with serving(f"{folder}/hang/*") as connectd:
            slow = pool.submit(connectd.client.post_check, f"unix:{folder}/hang/s.sock", timeout_ms=500)
            wait_until(lambda: hanging.was_asked, 30, "the file system is asked for the path")
            begin = time.monotonic()
        # Leaving the block ends it by SIGTERM, and expects the status 0.
        assert time.monotonic() - begin < 10
        assert slow.result().status in (200, 503)


def test_the_command_line_meets_its_timeout(hanging, folder):
    begin = time.monotonic()
    done = subprocess.run(
        [binary(), "check", "--timeout", "500ms", f"unix:{folder}/hang/s.sock"],
        capture_output=True, text=True, timeout=20, env=clean_environment(),
    )
    assert done.returncode == 1
    assert "DEADLINE" in done.stdout
    assert time.monotonic() - begin < 10
