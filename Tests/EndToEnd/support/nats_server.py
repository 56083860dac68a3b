"""The real nats-server of Debian, in a namespace; and a client of its text protocol that can send anything."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from support.real_servers import free_ports, program
from support.waiting import wait_until

ADDRESS = "127.0.0.1"


class NatsServer:
    """One broker. It keeps its port when it is restarted."""

    def __init__(self, namespace, configuration: str = "", port: int | None = None, arguments: tuple[str, ...] = ()):
        self.namespace = namespace
        self.port = port or free_ports(namespace, ADDRESS, 1)[0]
        self.arguments = arguments
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="connectd-nats-"))
        self.configuration_path = self.folder / "nats.conf"
        self.log_path = self.folder / "log"
        self.process: subprocess.Popen | None = None
        self.write(configuration)

    @property
    def url(self) -> str:
        return f"nats://{ADDRESS}:{self.port}"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def write(self, configuration: str) -> None:
        self.configuration_path.write_text(f"listen: {ADDRESS}:{self.port}\n{configuration}\n")

    def start(self) -> "NatsServer":
        command = [program("nats-server"), "-c", str(self.configuration_path), *self.arguments]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.namespace.command(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.namespace.wait_for_listener(ADDRESS, self.port, what=lambda: self.log)
        return self

    def reload(self, configuration: str) -> None:
        """Writes another configuration and applies it without a restart: SIGHUP."""
        count = self.log.count("Reloaded server configuration")
        self.write(configuration)
        self.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: self.log.count("Reloaded server configuration") > count, 10, lambda: f"a reload:\n{self.log}")

    def kill(self) -> None:
        """As a crash: SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """It keeps its connections and does nothing: SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def processor_seconds(self) -> float:
        words = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> "NatsServer":
        return self.start()

    def __exit__(self, *_) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def cluster(namespace, count: int = 3):
    """Brokers that pass messages to each other; those that still run are ended with the block."""
    routes = free_ports(namespace, ADDRESS, count)
    urls = ", ".join(f"nats://{ADDRESS}:{port}" for port in routes)
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                NatsServer(
                    namespace,
                    f"server_name: n{number}\ncluster {{ name: c, listen: {ADDRESS}:{port}, routes: [{urls}] }}"))
            for number, port in enumerate(routes)
        ]


class NatsPeer:
    """A connection that speaks the protocol itself (docs.nats.io, "Client Protocol"), so that it can break every rule."""

    def __init__(self, server: NatsServer, options: str = '"headers":true,"no_responders":true'):
        self.socket = server.namespace.socket()
        self.socket.settimeout(10)
        self.socket.connect((ADDRESS, server.port))
        self.buffer = b""
        self.count = 0
        self._line()
        self.send(f'CONNECT {{"verbose":false,"pedantic":false,{options}}}\r\n')
        self.ping()

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def subscribe(self, subject: str, group: str = "") -> None:
        self.count += 1
        self.send(f"SUB {subject} {group} {self.count}\r\n")
        self.ping()

    def ping(self) -> None:
        """Waits until the broker has handled everything that was sent. No message may be on its way."""
        self.send("PING\r\n")
        line = self._line_after_pings()
        assert line == b"PONG", line

    def publish(self, subject: str, payload: bytes, reply: str = "", headers: bytes = b"") -> None:
        if headers:
            head = b"NATS/1.0\r\n" + headers + b"\r\n"
            self.send(f"HPUB {subject} {reply} {len(head)} {len(head) + len(payload)}\r\n".encode() + head + payload + b"\r\n")
        else:
            self.send(f"PUB {subject} {reply} {len(payload)}\r\n".encode() + payload + b"\r\n")

    def receive(self, timeout: float = 10) -> dict:
        """The next message: its subject, reply, header text and payload."""
        self.socket.settimeout(timeout)
        line = self._line_after_pings()
        words = line.decode().split(" ")
        assert words[0] in ("MSG", "HMSG"), line
        total = int(words[-1])
        body = self._exactly(total + 2)[:-2]
        head = int(words[-2]) if words[0] == "HMSG" else 0
        rest = words[3:-2] if words[0] == "HMSG" else words[3:-1]
        return {
            "subject": words[1], "reply": rest[0] if rest else None, "headers": body[:head].decode(),
            "payload": body[head:],
        }  # fmt: skip

    def request(self, subject: str, payload: bytes, headers: bytes = b"", timeout: float = 10) -> dict:
        inbox = f"_INBOX.peer.{self.count}"
        self.subscribe(inbox)
        self.publish(subject, payload, inbox, headers)
        return self.receive(timeout)

    def _line_after_pings(self) -> bytes:
        while (line := self._line()) == b"PING":
            self.send("PONG\r\n")
        return line

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _more(self) -> None:
        part = self.socket.recv(65536)
        if not part:
            raise EOFError("the broker closed the connection")
        self.buffer += part

    def __enter__(self) -> "NatsPeer":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()
