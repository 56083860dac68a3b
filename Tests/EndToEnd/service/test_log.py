"""The log on standard error: a full pipe must not block anything."""

import json
import os
import signal
import subprocess
import tempfile

from support.connectd_process import binary, clean_environment
from support.http_client import Client, unix_connector
from support.waiting import wait_until


def test_a_full_stderr_pipe_blocks_neither_checks_nor_shutdown():
    with tempfile.TemporaryDirectory(prefix="connectd-e2e-", dir="/tmp") as folder:
        path = f"{folder}/http.sock"
        reading, writing = os.pipe()
        process = subprocess.Popen(
            [str(binary()), "serve", "--listen", f"unix:{path}"],
            env={**clean_environment(), "CONNECTD_LOG__LEVEL": "debug"}, stderr=writing)
        os.close(writing)
        client = Client(unix_connector(path))
        wait_until(lambda: client.get("/livez").status == 200, 30, "the service is live")

        asked = 600
        for number in range(asked):
            assert client.post_check("tcp://127.0.0.1:9", id=f"check-{number:04}-" + "x" * 200).status == 200
        lines = [json.loads(line) for line in drain(reading)]
        seen = [line["id"] for line in lines if line["message"] == "check"]
        assert 50 < len(seen) < asked and seen == sorted(seen), "whole lines, the first ones"

        assert client.post_check("tcp://127.0.0.1:9", id="after").status == 200
        lines = [json.loads(line) for line in drain(reading)]
        dropped = [line for line in lines if "dropped" in line["message"]]
        assert [line["level"] for line in dropped] == ["warning"]
        late = [line["id"] for line in lines if line["message"] == "check"]
        assert late[-1] == "after" and dropped[0]["count"] >= asked + 1 - len(seen) - len(late)

        for number in range(asked):
            client.post_check("tcp://127.0.0.1:9", id=f"check-{number:04}-" + "x" * 200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        os.close(reading)


def test_durations_are_numbers_with_a_fraction():
    with tempfile.TemporaryDirectory(prefix="connectd-e2e-", dir="/tmp") as folder:
        path, config = f"{folder}/http.sock", f"{folder}/connectd.yaml"
        with open(config, "w") as file:
            file.write("log: {level: debug, format: json}\nmonitors:\n"
                       "  - {name: m, interval_ms: 100, check: {target: 'tcp://127.0.0.1:9'}}\n")
        with open(f"{folder}/log", "wb") as log:
            process = subprocess.Popen(
                [str(binary()), "serve", "--listen", f"unix:{path}", "--config", config],
                env=clean_environment(), stderr=log)
        client = Client(unix_connector(path))
        wait_until(lambda: client.get("/livez").status == 200, 30, "the service is live")
        timings = client.post_check("tcp://127.0.0.1:9").json["timings_ms"]
        wait_until(lambda: b"monitor is down" in open(f"{folder}/log", "rb").read(), 30, "the monitor is down, as the log says")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        lines = [json.loads(line) for line in open(f"{folder}/log")]
    durations = {line["message"]: line["duration_ms"] for line in lines if "duration_ms" in line}
    assert set(durations) >= {"check", "monitor is down"}
    assert all(type(duration) is float for duration in durations.values()), durations
    assert durations["check"] == timings["total"]


def test_text_lines_escape_invisible_and_bidirectional_characters():
    """A target's path may hold any character; U+2028 ends a line in some viewers, and U+202E turns the text after it."""
    with tempfile.TemporaryDirectory(prefix="connectd-e2e-", dir="/tmp") as folder:
        path = f"{folder}/http.sock"
        process = subprocess.Popen(
            [str(binary()), "serve", "--listen", f"unix:{path}"],
            env={**clean_environment(), "CONNECTD_LOG__FORMAT": "text", "CONNECTD_LOG__LEVEL": "debug"},
            stderr=subprocess.PIPE)
        client = Client(unix_connector(path))
        wait_until(lambda: client.get("/livez").status == 200, 30, "the service is live")
        hidden = "\u2028\u2029\u202e\u2066\u200f\u0085\u009b\ufeff\u200b"
        client.post_check("tcp://127.0.0.1:9", id=f"a{hidden}caf\u00e9")
        process.send_signal(signal.SIGTERM)
        text = process.communicate(timeout=10)[1].decode()
    assert not set(hidden) & set(text)
    assert "\\u{2028}" in text and "\\u{202E}" in text and "caf\u00e9" in text


def drain(pipe: int) -> list[bytes]:
    """The lines in the pipe."""
    os.set_blocking(pipe, False)
    text = b""
    try:
        while chunk := os.read(pipe, 1 << 20):
            text += chunk
    except BlockingIOError:
        pass
    return text.splitlines()
