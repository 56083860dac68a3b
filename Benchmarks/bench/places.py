"""Simulated places: connections to nats-server with the subscriptions of an answering instance, in one process."""

import asyncio
import json
import time

VERBS = ("PING", "INFO", "STATS")


class SimulatedPlace:
    """Speaks NATS's own protocol (docs.nats.io, "Client Protocol"). It answers `$SRV.INFO`, and no checks."""

    def __init__(self, number):
        self.name = f"place{number}"
        self.instance = f"{number:022d}"
        self.info = json.dumps({
            "type": "io.nats.micro.v1.info_response", "name": "connectd", "id": self.instance, "version": "0.1.0",
            "description": "can this machine connect to that target, and if not, exactly why?",
            "metadata": {"place": self.name, "label.region": "eu", "label.provider": "example"},
            "endpoints": [{"name": name, "subject": subject, "queue_group": "connectd", "metadata": {}}
                          for name, subject in (("check", "connectd.check"), ("place", f"connectd.check.{self.name}"))],
        }).encode()

    def subjects(self):
        yield "connectd.check", "connectd"
        yield f"connectd.check.{self.name}", "connectd"
        for verb in VERBS:
            for end in ("", ".connectd", f".connectd.{self.instance}"):
                yield f"$SRV.{verb}{end}", ""
        for kind in ("check", "info"):
            yield f"_INBOX.connectd.{self.name}.{self.instance}.{kind}.*", ""

    async def connect(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        lines = ['CONNECT {"verbose":false,"headers":true,"no_responders":true}']
        lines += [f"SUB {subject} {group} {number}" for number, (subject, group) in enumerate(self.subjects(), 1)]
        self.writer.write(("\r\n".join([*lines, "PING"]) + "\r\n").encode())
        while await self.reader.readline() != b"PONG\r\n":
            pass
        self.task = asyncio.create_task(self.answer())

    async def answer(self):
        while line := await self.reader.readline():
            words = line.split()
            if words[0] == b"PING":
                self.writer.write(b"PONG\r\n")
            elif words[0] == b"MSG":
                await self.reader.readexactly(int(words[-1]) + 2)
                reply = words[3].decode()
                self.writer.write(f"PUB {reply} {len(self.info)}\r\n".encode() + self.info + b"\r\n")


async def discovery(port, count, timeout):
    """Seconds until `count` places have answered one `$SRV.INFO`, and the bytes of their answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b'CONNECT {"verbose":false}\r\nSUB _INBOX.bench.discovery 1\r\n')
    begun = time.monotonic()
    writer.write(b"PUB $SRV.INFO.connectd _INBOX.bench.discovery 0\r\n\r\n")
    answers = received = 0

    async def receive():
        nonlocal answers, received
        while answers < count:
            words = (await reader.readline()).split()
            if words[0] == b"PING":
                writer.write(b"PONG\r\n")
            elif words[0] == b"MSG":
                received += len(await reader.readexactly(int(words[-1]) + 2))
                answers += 1

    await asyncio.wait_for(receive(), timeout)
    writer.close()
    return time.monotonic() - begun, received
