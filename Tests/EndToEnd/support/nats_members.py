"""Hubs and places as nats-py clients, with the errors that the broker sent them."""

import asyncio
import contextlib

import nats

from support.nats_server import NatsServer


class NATSMember:
    """A connected client. `errors` has the broker's errors in their order."""

    def __init__(self, client: nats.NATS, errors: list[str]):
        self.client, self.errors = client, errors

    async def answer(self, subject: str, text: str, group: str = "connectd") -> None:
        """Answers each question at a subject with its own text."""

        async def reply(message) -> None:
            await message.respond(text.encode())

        await self.client.subscribe(subject, queue=group, cb=reply)
        await self.client.flush()

    async def ask(self, subject: str, timeout: float = 5) -> str:
        return (await self.client.request(subject, b"{}", timeout=timeout)).data.decode()

    async def is_refused_to_publish(self, subject: str, reply: str = "") -> None:
        await self.client.publish(subject, b"{}", reply=reply)
        await self._is_refused(f'publish to "{subject}"')

    async def is_refused_to_subscribe(self, subject: str, group: str = "") -> None:
        await self.client.subscribe(subject, queue=group)
        await self._is_refused(f'subscription to "{subject}"')

    async def _is_refused(self, what: str) -> None:
        """The broker handles messages in order: its error arrives before the answer to the ping of `flush`."""
        await self.client.flush()
        for _ in range(100):
            # The client writes errors in lower case.
            if any(what.lower() in error for error in self.errors):
                return
            await asyncio.sleep(0.001)  # the client handles an error in a task of its own
        raise AssertionError(f"not refused: {what}; the broker's errors: {self.errors}")


@contextlib.asynccontextmanager
async def nats_member(server: NatsServer, inbox: str = "_INBOX", **options):
    """A client that is connected until the block ends. It raises the broker's error if it may not log in."""
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error))

    client = await nats.connect(
        server.url, error_cb=note, inbox_prefix=inbox, allow_reconnect=False, connect_timeout=5, **options
    )
    try:
        yield NATSMember(client, errors)
    finally:
        await client.close()
