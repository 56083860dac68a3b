"""Many hostile connections of one kind, in a process with the lowest priority.

usage: swarm.py, with a plan as one line of JSON on standard input

A connection that the service closes is opened again, so that the flood does
not weaken. The process prints `ready` when all connections were opened once, and its counts when its input ends.
"""

import base64
import collections
import contextlib
import dataclasses
import errno
import json
import os
import selectors
import socket
import ssl
import sys
import time

SOURCES = 64
CHUNK = 65536


@dataclasses.dataclass(frozen=True)
class Plan:
    """What one connection does."""

    port: int
    count: int
    # Sent at once, in base64.
    first: str
    # Sent byte by byte after that, one byte in each period, and repeated; in base64.
    drip: str = ""
    drip_seconds: float = 1
    reads: bool = False
    # Whether it sends `first` again after each answer.
    repeats: bool = False
    # How many requests the whole swarm sends in a second; 0 for as many as it can.
    rate: float = 0
    tls: bool = False
    reopens: bool = True
    source: str = "127.0.1."
    receive_buffer: int = 0

    def line(self) -> str:
        """The plan for the standard input of the process."""
        return json.dumps(dataclasses.asdict(self)) + "\n"


class Client:
    """One connection of the swarm."""

    def __init__(self, swarm: "Swarm", number: int):
        self.swarm = swarm
        self.number = number
        self.socket: socket.socket | None = None
        self.unsent = b""
        self.is_shaking = False

    def open(self) -> None:
        plan = self.swarm.plan
        it = socket.socket()
        it.setblocking(False)
        if plan.receive_buffer:
            it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, plan.receive_buffer)
        # Ports are chosen at connect(2), so that each source address has all of them.
        it.setsockopt(socket.IPPROTO_IP, 24, 1)
        it.bind((f"{plan.source}{self.number % SOURCES + 1}", 0))
        with contextlib.suppress(BlockingIOError):
            it.connect(("127.0.0.1", plan.port))
        self.socket = it
        self.unsent = self.swarm.first
        self.is_shaking = plan.tls
        self.swarm.selector.register(it, selectors.EVENT_WRITE, self)
        self.swarm.counts["opened"] += 1

    def close(self) -> None:
        if self.socket is None:
            return
        # A connection that only drips is not in the selector.
        with contextlib.suppress(KeyError):
            self.swarm.selector.unregister(self.socket)
        self.socket.close()
        self.socket = None
        self.swarm.counts["closed"] += 1
        if self.swarm.plan.reopens:
            self.swarm.waiting.append((time.monotonic() + 0.2, self))

    def step(self, mask: int) -> None:
        try:
            if self.is_shaking:
                self.shake()
            elif mask & selectors.EVENT_WRITE:
                self.send()
            elif mask & selectors.EVENT_READ:
                self.receive()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self.close()

    def shake(self) -> None:
        if not isinstance(self.socket, ssl.SSLSocket):
            error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error))
            old = self.socket
            self.swarm.selector.unregister(old)
            self.socket = self.swarm.context.wrap_socket(old, do_handshake_on_connect=False)
            self.swarm.selector.register(self.socket, selectors.EVENT_READ, self)
        self.socket.do_handshake()
        self.is_shaking = False
        self.swarm.counts["handshakes"] += 1
        self.swarm.selector.modify(self.socket, selectors.EVENT_WRITE, self)

    def send(self) -> None:
        if self.unsent:
            self.unsent = self.unsent[self.socket.send(self.unsent):]
        if not self.unsent:
            # A closed connection is noticed even if nothing is read: it becomes readable, and is looked at in `drip`.
            interest = selectors.EVENT_READ if self.swarm.plan.reads else 0
            if interest:
                self.swarm.selector.modify(self.socket, interest, self)
            else:
                self.swarm.selector.unregister(self.socket)
                self.swarm.silent.append(self)

    def receive(self) -> None:
        part = self.socket.recv(CHUNK)
        if not part:
            return self.close()
        if part.startswith(b"HTTP/1.1 "):
            self.swarm.counts[part[9:12].decode()] += 1
            if self.swarm.plan.repeats:
                self.swarm.schedule(self)

    def repeat(self) -> None:
        if self.socket is None:
            return
        self.unsent = self.swarm.first
        self.swarm.selector.modify(self.socket, selectors.EVENT_WRITE, self)

    def look(self, drip: bytes) -> bool:
        """Sends the next byte of a slow request. Returns whether the connection is still open."""
        try:
            if drip:
                self.socket.send(drip)
            # Over TLS too, the bytes of the connection itself.
            if socket.socket.recv(self.socket, 1, socket.MSG_PEEK) == b"":
                raise ConnectionResetError
        except (BlockingIOError, ssl.SSLError):
            return True
        except OSError:
            self.close()
            return False
        # An answer has come, which this client does not read.
        return True


class Swarm:
    def __init__(self, plan: Plan):
        self.plan = plan
        self.first = base64.b64decode(plan.first)
        self.drip = base64.b64decode(plan.drip)
        self.selector = selectors.DefaultSelector()
        self.counts: collections.Counter = collections.Counter()
        self.waiting: collections.deque = collections.deque()
        self.silent: list[Client] = []
        self.due = 0.0
        self.repeating: collections.deque = collections.deque()
        self.dripped = 0
        self.next_drip = time.monotonic() + plan.drip_seconds
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def schedule(self, client: Client) -> None:
        if self.plan.rate:
            self.repeating.append(client)
        else:
            client.repeat()

    def turn(self) -> None:
        for key, mask in self.selector.select(0.005):
            key.data.step(mask)
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            self.reopen(self.waiting.popleft()[1])
        while self.repeating and self.due <= now:
            self.due = max(self.due + 1 / self.plan.rate, now - 0.05)
            self.repeating.popleft().repeat()
        if now >= self.next_drip:
            self.next_drip = now + self.plan.drip_seconds
            byte = self.drip[self.dripped % len(self.drip):][:1] if self.drip else b""
            self.dripped += 1
            self.silent = [client for client in self.silent if client.look(byte)]

    def reopen(self, client: Client) -> None:
        try:
            client.open()
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EMFILE):
                self.counts["unopened"] += 1
            self.waiting.append((time.monotonic() + 0.2, client))

    def run(self) -> None:
        for number in range(self.plan.count):
            self.reopen(Client(self, number))
            if number % 16 == 15:
                self.turn()
        os.set_blocking(0, False)
        print("ready", flush=True)
        while True:
            self.turn()
            with contextlib.suppress(BlockingIOError):
                if os.read(0, 1) == b"":
                    return


def main() -> None:
    os.nice(19)
    swarm = Swarm(Plan(**json.loads(sys.stdin.readline())))
    swarm.run()
    spent = os.times()
    print(json.dumps({**swarm.counts, "cpu_seconds": spent.user + spent.system}), flush=True)


if __name__ == "__main__":
    main()
