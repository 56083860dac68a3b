"""Single requests of a soak run: many connections at once, each with requests that are right, wrong, or abandoned."""

import asyncio
import json
import random
from collections.abc import Callable

from support.soak import peers as soak
from support.soak.cases import Mixture
from support.soak.malformed import MALFORMED, post
from support.soak.tally import Tally

CONNECTIONS = 48
ANSWER_WITHIN = 120
# How many of 100 requests are malformed, and how many their client abandons.
MALFORMED_SHARE, ABANDONED_SHARE = 8, 3


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """The status, the body, and whether the connection closes."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    return int(head.split(" ")[1]), await reader.readexactly(length), "connection: close" in head


class SingleDriver:
    """Keeps `CONNECTIONS` clients busy until `count` requests have been answered or abandoned."""

    def __init__(self, address: tuple[str, int], mixture: Mixture, seed: int, count: int, done):
        self.tally = Tally()
        self._address, self._mixture, self._left, self._done = address, mixture, count, done
        self._random = random.Random(seed)

    async def run(self) -> Tally:
        await asyncio.gather(*(self._client() for _ in range(CONNECTIONS)))
        return self.tally

    async def _client(self) -> None:
        reader = writer = None
        while self._left > 0:
            self._left -= 1
            kind = self._random.randrange(100)
            if kind < MALFORMED_SHARE:
                await self._guarded(self._malformed)
            elif kind < MALFORMED_SHARE + ABANDONED_SHARE:
                await self._guarded(self._abandoned)
            else:
                if writer is None:
                    reader, writer = await asyncio.open_connection(*self._address)
                if not await self._guarded(self._check, reader, writer):
                    writer.close()
                    reader = writer = None
            with self._done.get_lock():
                self._done.value += 1
        if writer is not None:
            await self._ends_without_more(reader, writer)

    async def _guarded(self, act: Callable, *arguments) -> bool:
        """Whether the connection can be used again. An answer that does not come is a fault."""
        try:
            return await asyncio.wait_for(act(*arguments), ANSWER_WITHIN)
        except (OSError, EOFError) as error:
            self.tally.add_fault(f"a request was not answered: {error!r}")
            return False

    async def _check(self, reader, writer) -> bool:
        [(case, request)] = self._mixture.draw(1)
        writer.write(post(json.dumps(request).encode()))
        status, body, closes = await read_answer(reader)
        value = json.loads(body)
        if status != case.status:
            self.tally.add_fault(f"{case.title}: status {status} instead of {case.status}: {value}")
        elif status == 200 and value.get("id") != request["id"]:
            self.tally.add_fault(f"{case.title}: the id is {value.get('id')} instead of {request['id']}")
        elif status == 200 and (fault := case.fault_of(value)):
            self.tally.add_fault(f"{fault}: {value}")
        else:
            self.tally.add_right(case, value)
        return not closes

    async def _malformed(self) -> bool:
        title = self._random.choice(list(MALFORMED))
        sent, wanted = MALFORMED[title]
        reader, writer = await asyncio.open_connection(*self._address)
        writer.write(sent)
        status, body, _ = await read_answer(reader)
        writer.close()
        if status != wanted:
            self.tally.add_fault(f"{title}: status {status} instead of {wanted}: {body[:300]!r}")
        else:
            self.tally.refused[title] += 1
        return True

    async def _abandoned(self) -> bool:
        """A check that would take 20 s, whose client disconnects after some milliseconds."""
        kind = self._random.choice([f"tcp://{soak.DROPPED}.200.1:80", f"tls://127.0.0.1:{soak.HANGS}", "tcp://silent.soak.test:80"])
        _, writer = await asyncio.open_connection(*self._address)
        writer.write(post(json.dumps({"target": kind, "timeout_ms": 20000}).encode()))
        await writer.drain()
        await asyncio.sleep(self._random.random() * 0.05)
        if self._random.randrange(2):
            writer.transport.abort()
        else:
            writer.close()
        self.tally.cancelled += 1
        return True

    async def _ends_without_more(self, reader, writer) -> None:
        """No byte follows the last answer."""
        writer.write_eof()
        try:
            if rest := await asyncio.wait_for(reader.read(), 30):
                self.tally.add_fault(f"bytes after the last answer: {rest[:200]!r}")
        except OSError as error:
            self.tally.add_fault(f"a connection did not end after its last answer: {error!r}")
        writer.close()
