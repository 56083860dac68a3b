"""For the tests of deploy/: copies of its examples, programs that run them, and receivers of alerts."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading

import pytest

from support import peers
from support.connectd_process import REPOSITORY, binary, clean_environment

DEPLOY = REPOSITORY / "deploy"
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def needs(*programs: str):
    """Skips, with the reason, if a program of Debian is missing."""
    missing = [name for name in programs if shutil.which(name, path=_PATH) is None]
    reason = f"not installed: {', '.join(missing)} (make test-integrations installs them)"
    return pytest.mark.skipif(bool(missing), reason=reason)


def copy_of(name: str, folder: pathlib.Path) -> pathlib.Path:
    """An example of deploy/ in a folder that all users may read."""
    copied = folder / name
    shutil.copytree(DEPLOY / name, copied)
    for path in [copied, *copied.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return copied


def program_in(folder: pathlib.Path) -> pathlib.Path:
    """A copy of the connectd under test that every user may run."""
    copied = folder / "connectd"
    shutil.copy(binary(), copied)
    copied.chmod(0o755)
    return copied


def replaced(path: pathlib.Path, *pairs: tuple[str, str]) -> None:
    """Replaces texts of an example; each must be present."""
    text = path.read_text()
    for old, new in pairs:
        assert old in text, f"{path.name} does not have {old!r}"
        text = text.replace(old, new)
    path.write_text(text)


def run(*command, namespace=None, timeout: float = 300, **options) -> subprocess.CompletedProcess:
    command = [str(word) for word in command]
    environment = {**clean_environment(), "PATH": _PATH, **options.pop("environment", {})}
    command = namespace.command(*command) if namespace else command
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, **options)


@contextlib.contextmanager
def running(namespace, log: pathlib.Path, *command, environment: dict | None = None):
    """A program in the foreground until the block ends; it must not end before."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            namespace.command(*[str(word) for word in command]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**clean_environment(), "PATH": _PATH, **(environment or {})},
        )
    try:
        yield process
        assert process.poll() is None, f"{command[0]} ended with {process.returncode}:\n{log.read_text(errors='replace')}"
    except AssertionError as failure:
        failure.add_note(log.read_text(errors="replace")[-4000:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def webhook(namespace, port: int):
    """Receives JSON by POST; a list of (path, value) that grows."""
    received: list[tuple[str, dict]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, json.loads(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = peers.tcp_listener(namespace, "127.0.0.1", port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def mailbox(namespace, port: int):
    """Takes mail by SMTP; a list of whole messages that grows."""
    messages: list[str] = []

    def script(connection) -> None:
        stream = connection.makefile("rwb")

        def say(line: str) -> None:
            stream.write(line.encode() + b"\r\n")
            stream.flush()

        say("220 mailbox")
        while line := stream.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                say("354 continue")
                message = b""
                while (line := stream.readline()) not in (b".\r\n", b""):
                    message += line
                messages.append(message.decode())
            say("221 bye" if verb == b"QUIT" else "250 well")

    with peers.serving(peers.tcp_listener(namespace, "127.0.0.1", port), peers.on_each_connection(script)):
        yield messages
