"""A nats-server that is measured, and members of a fleet that speak its text protocol."""

import contextlib
import selectors
import shutil
import socket

from bench.process import Process

ADDRESS = ("127.0.0.1", 4222)
# What connectd subscribes to: checks of any place and of its own, and three verbs of the services API with three subjects.
VERBS = ("PING", "INFO", "STATS")


@contextlib.contextmanager
def broker():
    program = shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        raise RuntimeError("not installed: nats-server")
    with Process("nats-server", [program, "-a", ADDRESS[0], "-p", str(ADDRESS[1])]) as process:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(ADDRESS, timeout=1):
                break
        yield process


class Member:
    """One connection. What arrives is parsed into (subject, reply, payload)."""

    def __init__(self):
        self.socket = socket.create_connection(ADDRESS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.subscriptions = 0
        self.socket.sendall(b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n')
        self.round_trip()

    def subscribe(self, subject: str, group: str = "") -> None:
        self.subscriptions += 1
        self.socket.sendall(f"SUB {subject} {group} {self.subscriptions}\r\n".encode())

    def subscribe_as_place(self, place: str, instance: str) -> None:
        for subject in ("connectd.check", f"connectd.check.{place}"):
            self.subscribe(subject, "connectd")
        for verb in VERBS:
            for subject in (f"$SRV.{verb}", f"$SRV.{verb}.connectd", f"$SRV.{verb}.connectd.{instance}"):
                self.subscribe(subject)

    def publish(self, subject: bytes, payload: bytes, reply: bytes = b"") -> None:
        self.socket.sendall(message(subject, payload, reply))

    def round_trip(self) -> None:
        """Returns when the broker has handled everything that was sent before."""
        self.socket.sendall(b"PING\r\n")
        while b"PONG\r\n" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        self.buffer = self.buffer.replace(b"PONG\r\n", b"", 1)
        if b"INFO {" in self.buffer:
            self.buffer = self.buffer.split(b"\r\n", 1)[1]

    def read(self) -> list[tuple[bytes, bytes, bytes]]:
        """Takes what has arrived."""
        self.buffer += self.socket.recv(1 << 20)
        messages, position = [], 0
        while (end := self.buffer.find(b"\r\n", position)) >= 0:
            words = self.buffer[position:end].split(b" ")
            if words[0] not in (b"MSG", b"HMSG"):
                if words[0] == b"PING":
                    self.socket.sendall(b"PONG\r\n")
                position = end + 2
                continue
            after = end + 2 + int(words[-1]) + 2
            if after > len(self.buffer):
                break
            is_plain = words[0] == b"MSG"
            reply = words[3] if len(words) == (5 if is_plain else 6) else b""
            begin = end + 2 + (0 if is_plain else int(words[-2]))
            messages.append((words[1], reply, self.buffer[begin:after - 2]))
            position = after
        self.buffer = self.buffer[position:]
        return messages

    def close(self) -> None:
        self.socket.close()


def message(subject: bytes, payload: bytes, reply: bytes = b"") -> bytes:
    return b"PUB %s %s %d\r\n%s\r\n" % (subject, reply, len(payload), payload)


def answer(subject: bytes, place: str, payload: bytes) -> bytes:
    """The answer of a place: connectd believes it only with the name of the place."""
    head = b"NATS/1.0\r\nConnectd-Place: %s\r\nConnectd-Instance: x\r\n\r\n" % place.encode()
    return b"HPUB %s %d %d\r\n%s%s\r\n" % (subject, len(head), len(head) + len(payload), head, payload)


def request_reply(asker: Member, answerer: Member, count: int, window: int, up: bytes, down: bytes) -> None:
    """Asks `count` questions, `window` of them at once; each message is a write of its own, as in connectd."""
    inbox = b"_INBOX.connectd.hub1.0123456789012345678901.check."
    asker.subscribe((inbox + b"*").decode())
    answerer.subscribe("connectd.check.p1", "connectd")
    asker.round_trip()
    answerer.round_trip()
    with selectors.DefaultSelector() as selector:
        for member in (asker, answerer):
            selector.register(member.socket, selectors.EVENT_READ, member)
        sent = min(window, count)
        for number in range(sent):
            asker.publish(b"connectd.check.p1", up, inbox + str(number).encode())
        received = 0
        while received < count:
            for key, _ in selector.select(10):
                for _, reply, _ in key.data.read():
                    if key.data is answerer:
                        answerer.publish(reply, down)
                        continue
                    received += 1
                    if sent < count:
                        asker.publish(b"connectd.check.p1", up, inbox + str(sent).encode())
                        sent += 1


def discovery(asker: Member, places: list[Member], info: bytes) -> None:
    """One round of $SRV.INFO: each place answers once."""
    with selectors.DefaultSelector() as selector:
        for member in (asker, *places):
            selector.register(member.socket, selectors.EVENT_READ, member)
        asker.publish(b"$SRV.INFO.connectd", b"", b"_INBOX.connectd.hub1.0123456789012345678901.info.1")
        received = 0
        while received < len(places):
            for key, _ in selector.select(10):
                for _, reply, _ in key.data.read():
                    if key.data is asker:
                        received += 1
                    else:
                        key.data.publish(reply, info)
