"""Reloads under load, most of them with a file that is broken: the running configuration stays, and no answer is wrong."""

import os
import pathlib
import signal
import threading
import time

import yaml

from support.connectd_process import Connectd
from support.known_load import KnownLoad
from support.long_form import figure
from support.waiting import wait_until

RELOADS = figure(48, 300)
CLIENTS = 8


class Files:
    """The configuration of a running service, whose file a test breaks."""

    def __init__(self, connectd: Connectd, configuration: dict):
        self.connectd, self.configuration = connectd, configuration
        self.folder, self.path = connectd.folder, connectd.configuration_path
        self.generation = 0

    def _clear(self) -> None:
        if self.path.is_symlink() or self.path.is_file():
            self.path.unlink()
        elif self.path.is_dir():
            self.path.rmdir()

    def text(self, **more) -> str:
        return yaml.safe_dump({**self.configuration, "hosts": [f"g{self.generation}.example"], **more})

    def write(self, text: str) -> None:
        self._clear()
        self.path.write_text(text)
        # The service runs as another user, to whom files may be closed.
        self.path.chmod(0o644)

    # The kinds of broken files. Each returns what the log must say.

    def broken_yaml(self) -> str:
        self.write(self.text() + "policy: [\n")
        return "connectd.yaml"

    def cut_file(self) -> str:
        text = self.text()
        self.write(text[: text.index("policy:") + 9] + "{")
        return "connectd.yaml"

    def unknown_key(self) -> str:
        self.write(self.text() + "polizy: {}\n")
        return "polizy"

    def duplicate_key(self) -> str:
        self.write(self.text() + "hosts: [other.example]\n")
        return "hosts"

    def wrong_type(self) -> str:
        self.write(self.text(limits={"queue": "many"}))
        return "queue"

    def missing_certificate(self) -> str:
        self.write(self.text(authorities={"tests": {"file": "nosuch.pem"}}))
        return "nosuch.pem"

    def wrong_key(self) -> str:
        self.write(self.text(client_certificates={"probe": {"certificate": "probe.pem", "key": "other.key"}}))
        return "other.key"

    def certificate_is_text(self) -> str:
        self.write(self.text(authorities={"tests": {"file": "connectd.yaml"}}))
        return "authorities"

    def empty_file(self) -> str:
        self.write("")
        return "empty"

    def huge_file(self) -> str:
        self.write("# " + "x" * 1000 + "\n" + "hosts: [" + "a.example, " * 3_000_000 + "]\n")
        return "connectd.yaml"

    def deep_file(self) -> str:
        self.write("hosts: " + "[" * 100_000 + "\n")
        return "connectd.yaml"

    def alias_bomb(self) -> str:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
        self.write("\n".join(lines) + "\n")
        return "connectd.yaml"

    def binary_file(self) -> str:
        self._clear()
        self.path.write_bytes(bytes(range(256)) * 64)
        self.path.chmod(0o644)
        return "connectd.yaml"

    def directory(self) -> str:
        self._clear()
        self.path.mkdir()
        return "Is a directory"

    def unreadable_file(self) -> str:
        self.write(self.text())
        self.path.chmod(0)
        return "Permission denied"

    def no_file(self) -> str:
        self._clear()
        return "No such file"

    def link_to_itself(self) -> str:
        self._clear()
        self.path.symlink_to("connectd.yaml")
        return "connectd.yaml"

    def device(self) -> str:
        self._clear()
        self.path.symlink_to("/dev/zero")
        return "connectd.yaml"

    def empty_pipe(self) -> str:
        self._clear()
        pipe = self.folder / "pipe"
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
        pipe.chmod(0o666)
        self.path.symlink_to(pipe)
        return "pipe"

    BROKEN = (
        broken_yaml, cut_file, unknown_key, duplicate_key, wrong_type, missing_certificate, wrong_key, certificate_is_text,
        empty_file, huge_file, deep_file, alias_bomb, binary_file, directory, unreadable_file, no_file, link_to_itself, device,
        *figure((), (empty_pipe,)),  # Each takes 5 s.
    )  # fmt: skip

    # Reloads.

    def reload(self, says: str, result: str) -> None:
        log = len(self.connectd.log)
        self.connectd.process.send_signal(signal.SIGHUP)
        text = self.connectd.wait_for_log(result, log, timeout=60)
        assert says in text, f"{says!r} is not in {text}"

    def is_in_effect(self, generation: int) -> bool:
        answer = self.connectd.http.get("/livez", headers={"Host": f"g{generation}.example"})
        assert answer.status in (200, 421)
        return answer.status == 200


def start(known, settings) -> Files:
    configuration, files = settings
    good, other = known.authorities.client, known.authorities.stranger_client
    files = {
        **files,
        "probe.pem": pathlib.Path(good.chain_file).read_text(),
        "other.key": pathlib.Path(known.authorities.p384.key_file).read_text(),
        "other.pem": pathlib.Path(other.chain_file).read_text(),
    }
    configuration = {**configuration, "hosts": ["g0.example"]}
    connectd = Connectd(known.namespace, configuration, files=files, user="nobody").wait_until_live()
    return Files(connectd, configuration)


def test_broken_files_change_nothing(known, settings):
    files = start(known, settings)
    connectd = files.connectd
    used = len(connectd.open_descriptors())
    try:
        with KnownLoad([connectd.http.connect, connectd.unix.connect], known.folder, CLIENTS) as load:
            for number in range(RELOADS):
                if number % 4 == 3:
                    files.generation += 1
                    files.write(files.text())
                    files.reload("", "configuration reloaded")
                else:
                    kind = Files.BROKEN[(number - number // 4) % len(Files.BROKEN)]
                    files.reload(kind(files), "reload rejected")
                assert files.is_in_effect(files.generation)
                assert not files.is_in_effect(files.generation + 1)
                assert not load.faults, load.faults[:3]
        load.assert_right(RELOADS)
        connectd.wait_for_descriptors(used + 2)
    finally:
        connectd.stop()


class Writer:
    """A program that writes two valid configurations in place, one after the other, in parts."""

    def __init__(self, files: Files, quiet_seconds: float):
        names = [[f"g{index}.example", *(f"h{number}.g{index}.example" for number in range(400))] for index in (1, 2)]
        # The policy is at the end: without it, the load would be denied.
        self._texts = [files.text(hosts=hosts) for hosts in names]
        self._path, self._quiet_seconds = files.path, quiet_seconds
        files.write(self._texts[0])
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ends.wait(self._quiet_seconds):
            end = time.monotonic() + 0.05
            while time.monotonic() < end:
                for text in self._texts:
                    self._write(text)

    def _write(self, text: str) -> None:
        with self._path.open("r+") as file:
            file.truncate(0)
            for begin in range(0, len(text), 997):
                file.write(text[begin : begin + 997])
                file.flush()

    def end(self) -> None:
        self._ends.set()
        self._thread.join()


def test_a_file_that_changes_while_it_is_read_is_taken_whole_or_not_at_all(known, settings):
    """Each reload reads one of the texts, or rejects what it read."""
    files = start(known, settings)
    connectd, writer = files.connectd, Writer(files, quiet_seconds=0.15)
    try:
        with KnownLoad([connectd.http.connect], known.folder, 4) as load:
            for _ in range(figure(20, 100)):
                log = len(connectd.log)
                connectd.process.send_signal(signal.SIGHUP)
                wait_until(lambda log=log: "reload" in connectd.log[log:], 30, lambda: f"a reload: {connectd.log[-2000:]}")
                assert [files.is_in_effect(number) for number in (0, 1, 2)].count(True) == 1
                assert not load.faults, load.faults[:3]
        load.assert_right()
        assert "configuration reloaded" in connectd.log
    finally:
        writer.end()
        connectd.stop()


def test_a_file_that_changes_all_the_time_is_rejected(known, settings):
    files = start(known, settings)
    writer = Writer(files, quiet_seconds=0)
    try:
        files.reload("changes while it is read", "reload rejected")
        assert files.is_in_effect(0)
    finally:
        writer.end()
        files.connectd.stop()
