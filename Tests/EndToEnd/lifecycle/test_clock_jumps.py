"""The wall clock jumps: deadlines, durations and monitors follow the monotonic clock; only times of day follow the jump.

A preloaded library moves the clock of this one process. The machine's clock stays as it is.
"""

import datetime
import itertools
import pathlib
import random
import shutil
import struct
import subprocess
import threading
import time

import pytest

from support.certificates import HOST
from support.connectd_process import Connectd
from support.http_client import Client
from support.known_load import KnownLoad
from support.long_form import figure
from support.soak.peers import DROPPED, OPEN, TLS
from support.waiting import wait_until

HERE = pathlib.Path(__file__).parent
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
TOKEN = "clock-0123456789abcdef"
INTERVAL = 0.2
NOW = int(time.time())
# The latest time that Linux accepts: in 2232.
LATEST = 2**63 // 10**9 - 30 * YEAR - 1
# Seconds: around certificates (valid for 90 days), 1970, and the ends of 32 bits.
JUMPS = {
    "an hour ahead": HOUR, "an hour back": -HOUR, "45 days ahead": 45 * DAY, "10 years ahead": 10 * YEAR, "10 years back": -10 * YEAR,
    "1970": 100 - NOW, "2038": 2**31 - NOW + 5, "2106": 2**32 - NOW + 5, "2232": LATEST - NOW, "a second ahead": 1, "none": 0,
}  # fmt: skip
TLS_GOOD = {"server_name": HOST, "ca": "tests"}


class Clock:
    """The clock of a process with the shim: an offset to the machine's clock, in seconds."""

    def __init__(self, folder: pathlib.Path):
        self.offset = 0
        self.library, self._file = folder / "clock_shim.so", folder / "offset"
        compiler = shutil.which("cc") or "clang"  # Swift has a clang.
        command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(self.library), str(HERE / "clock_shim.c"), "-ldl"]
        subprocess.run(command, check=True)
        self._file.write_bytes(struct.pack("@l", 0))
        self.environment = {"LD_PRELOAD": str(self.library), "CLOCK_SHIM": str(self._file)}

    def jump(self, offset: int) -> None:
        self.offset = offset
        with self._file.open("r+b") as file:
            file.write(struct.pack("@l", offset))

    def is_now(self, text: str) -> bool:
        """Whether a time of day is the current one of this clock, within some seconds."""
        shown = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
        return abs((shown - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).total_seconds() - time.time() - self.offset) < 10


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def connectd(known, settings, clock):
    configuration, files = settings
    monitors = [
        {"name": "open", "interval_ms": 200, "check": {"target": f"tcp://127.0.0.1:{OPEN}"}},
        {"name": "silent", "interval_ms": 200, "check": {"target": f"tcp://{DROPPED}.9.9:80", "timeout_ms": 150}},
    ]
    with Connectd(known.namespace, {**configuration, "monitors": monitors}, files=files, environment=clock.environment) as running:
        yield running


@pytest.fixture(autouse=True)
def clock_is_right_again(clock):
    yield
    clock.jump(0)


def rounds(connectd) -> int:
    values = connectd.client.get("/metrics").body.decode().splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in values if line.startswith("connectd_checks_total{"))


def assert_monitors_continue(connectd) -> None:
    """Two monitors make 10 rounds in a second; a busy machine gets more time for them, but they do not burst."""
    begin, before = time.monotonic(), rounds(connectd)
    wait_until(lambda: rounds(connectd) >= before + 6, 20, "the monitors continue after a jump", 0.05)
    assert rounds(connectd) - before <= 2 * ((time.monotonic() - begin) / INTERVAL + 2), "the monitors do not catch up in a burst"
    assert connectd.monitor("open")["state"] == "up" and connectd.monitor("silent")["state"] == "down"


def tls_verdict(offset: int) -> str | None:
    """The certificate is valid from a day ago until in 90 days."""
    return "CERT_EXPIRED" if offset > 89 * DAY else "CERT_NOT_YET_VALID" if offset < -DAY else None


def assert_checks_are_right(connectd, clock) -> None:
    began = time.monotonic()
    result = connectd.client.check(f"tcp://{DROPPED}.9.8:80", timeout_ms=300)
    assert result["outcome"] == "timeout" and 0.29 < time.monotonic() - began < 10
    assert 299 <= result["timings_ms"]["total"] < 10_000
    assert clock.is_now(result["started_at"]), (result["started_at"], clock.offset)
    result = connectd.client.check(f"tcp://127.0.0.1:{TLS['good']}", tls=TLS_GOOD)
    assert result.get("error", {}).get("name") == tls_verdict(clock.offset), result.get("error")


@pytest.mark.parametrize("offset", JUMPS.values(), ids=JUMPS)
def test_a_jump_changes_only_the_time_of_day(connectd, clock, offset):
    pending: dict = {}

    def check() -> None:
        pending["result"] = connectd.client.check(f"tcp://{DROPPED}.9.7:80", timeout_ms=600)

    thread = threading.Thread(target=check)
    thread.start()
    connectd.wait_until_connecting()
    clock.jump(offset)
    thread.join(20)
    assert pending["result"]["outcome"] == "timeout" and 599 <= pending["result"]["timings_ms"]["total"] < 10_000
    assert_checks_are_right(connectd, clock)
    assert_monitors_continue(connectd)
    assert connectd.client.get("/readyz").status == 200
    assert connectd.client.get("/v1/monitors").json["monitors"]


def test_jumps_under_load_give_no_wrong_verdict(connectd, known, clock):
    """Within the validity of the certificates, no verdict depends on the time of day."""
    chance = random.Random(3)
    with KnownLoad([connectd.http.connect, connectd.unix.connect], known.folder, 8) as load:
        for _ in range(figure(10, 100)):
            clock.jump(chance.randint(-HOUR, 80 * DAY))
            before = load.answers.total()
            wait_until(lambda before=before: load.answers.total() > before + 16 or load.faults, 60, "the load is answered")
    load.assert_right(16)


def test_an_expired_token_is_judged_by_the_time_of_day(known, clock):
    tomorrow = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)).strftime("%Y-%m-%d")
    files = {"tokens": f"ops:{TOKEN} expires={tomorrow}\n"}
    with Connectd(
        known.namespace, {"auth": {"tokens_file": "tokens"}}, files=files, environment=clock.environment, port=8348,
    ) as connectd:  # fmt: skip
        statuses = []
        for offset in (0, 3 * DAY, -3 * DAY, 10 * YEAR, 0):
            clock.jump(offset)
            answer = Client(connectd.unix.connect).get("/v1/monitors", headers={"Authorization": f"Bearer {TOKEN}"})
            statuses.append(answer.status)
    assert statuses == [200, 401, 200, 401, 200]


def test_a_reload_after_a_jump_is_applied(connectd, clock, settings):
    """The file was changed in the future, or long ago."""
    for offset, number in zip((-YEAR, YEAR, 0), itertools.count()):
        clock.jump(offset)
        text = connectd.configuration_path.read_text()
        connectd.reload(text + f"# {number}\n")
