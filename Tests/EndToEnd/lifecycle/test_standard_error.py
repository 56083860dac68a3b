"""Standard error is full, closed, or fails: the service continues, and every answer is right."""

import os
import resource
import signal
import subprocess

import pytest
import yaml

from support.connectd_process import binary, clean_environment
from support.http_client import Client, unix_connector
from support.known_load import KnownLoad
from support.long_form import figure
from support.waiting import wait_until

ANSWERS = figure(300, 5000)


class Broken:
    """Ways in which standard error fails. Each gives the descriptor for the service, and what to close afterwards."""

    def full_pipe():
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writing, True)
        return writing, [reading, writing]

    def pipe_that_is_never_read():
        reading, writing = os.pipe()
        return writing, [reading, writing]

    def pipe_without_a_reader():
        reading, writing = os.pipe()
        os.close(reading)
        return writing, [writing]

    def full_device():
        descriptor = os.open("/dev/full", os.O_WRONLY)
        return descriptor, [descriptor]

    def read_only_file():
        descriptor = os.open("/dev/null", os.O_RDONLY)
        return descriptor, [descriptor]

    def closed():
        return None, []


WAYS = {name: way for name, way in vars(Broken).items() if not name.startswith("_")}


def limited_file() -> None:
    """A log file that reaches its limit: write(2) fails with EFBIG, and SIGXFSZ would end the process."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def start(known, settings, folder: str, stderr, before_exec=None) -> tuple[subprocess.Popen, Client]:
    configuration, files = settings
    for name, text in files.items():
        with open(f"{folder}/{name}", "w") as file:
            file.write(text)
    with open(f"{folder}/connectd.yaml", "w") as file:
        yaml.safe_dump({**configuration, "log": {"level": "debug"}}, file)
    command = [str(binary()), "serve", "--config", f"{folder}/connectd.yaml", "--listen", f"unix:{folder}/http.sock"]
    process = subprocess.Popen(
        known.namespace.command(*command), env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=stderr, preexec_fn=before_exec,
    )  # fmt: skip
    client = Client(unix_connector(f"{folder}/http.sock"))
    wait_until(lambda: client.get("/livez").status == 200, 60, "the service is live")
    return process, client


def answers_reloads_and_ends(process: subprocess.Popen, client: Client, known) -> None:
    try:
        with KnownLoad([client.connect], known.folder, 16) as load:
            wait_until(lambda: load.answers.total() >= ANSWERS // 2 or load.faults, 120, "the load is answered")
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: load.answers.total() >= ANSWERS or load.faults, 120, "the load is answered after a reload")
        load.assert_right()
        assert client.get("/readyz").status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("name", WAYS)
def test_a_broken_standard_error_changes_no_answer(known, settings, folder, name):
    descriptor, held = WAYS[name]()
    before_exec = (lambda: os.close(2)) if descriptor is None else None
    try:
        process, client = start(known, settings, folder, descriptor, before_exec)
        answers_reloads_and_ends(process, client, known)
    finally:
        for one in held:
            os.close(one)


def test_a_log_file_at_its_limit_changes_no_answer(known, settings, folder):
    with open(f"{folder}/log", "wb") as log:
        process, client = start(known, settings, folder, log, limited_file)
    answers_reloads_and_ends(process, client, known)
    assert os.path.getsize(f"{folder}/log") <= 4096
