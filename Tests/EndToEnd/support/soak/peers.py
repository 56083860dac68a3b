"""The peers of a soak run, each group in a process of its own, inside a network namespace that the run makes."""

import asyncio
import bisect
import contextlib
import multiprocessing
import pathlib
import select
import signal
import socket
import ssl
import time

from support import peers
from support.certificates import Authorities
from support.dns_server import SERVFAIL, A, DNSServer, zone
from support.namespace import Namespace
from support.network import new_name
from support.tls_peers import server_context

OPEN, BANNER, REFUSED = 7001, 7002, 7009
TLS = {"good": 7100, "expired": 7101, "wrong_host": 7102, "self_signed": 7103, "unknown_authority": 7104}
GARBAGE, CLOSES, HANGS, RESETS, ALERTS = 7110, 7111, 7112, 7113, 7114
ECHO, SILENT = 7201, 7202
FLAPPING = 7300
SO_RCVBUFFORCE = 33
NAME_SERVER = "127.0.0.53"
# Packets to this network are dropped, and there is no route to these addresses.
DROPPED = "127.88"
UNREACHABLE, PROHIBITED = "10.90.1.1", "10.90.2.1"
NAMES = {
    "one.soak.test": ["127.0.1.1"],
    "two.soak.test": ["127.0.1.1", "127.0.1.2"],
    "alias.soak.test": ["cname:one.soak.test"],
    "half.soak.test": ["127.0.1.1", f"{DROPPED}.1.1"],
    "empty.soak.test": ["fd00::1"],
    "denied.soak.test": ["169.254.169.254"],
}
HANDSHAKE_FAILURE_ALERT = bytes([21, 3, 3, 0, 2, 2, 80])


def in_namespace(namespace: Namespace, work, *arguments) -> multiprocessing.Process:
    """Starts a process that runs `work` inside the namespace. It ends with its parent."""

    def run() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        with namespace.entered():
            work(*arguments)

    process = multiprocessing.get_context("fork").Process(target=run, daemon=True)
    process.start()
    return process


class SoakNetwork:
    """The namespace, its folder for UNIX sockets, and the processes of the peers."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.authorities = Authorities(folder)
        self.namespace = Namespace(new_name("s"))
        self._processes: list[multiprocessing.Process] = []
        try:
            self._prepare()
            for work in (accept_and_close, serve_streams, serve_datagrams, serve_names):
                ready = multiprocessing.Event()
                self._processes.append(in_namespace(self.namespace, work, self, ready))
                assert ready.wait(30), f"{work.__name__} is not ready"
        except BaseException:
            self.remove()
            raise

    def _prepare(self) -> None:
        space = self.namespace
        space.write_etc("resolv.conf", f"nameserver {NAME_SERVER}\n")
        space.ip(f"route add unreachable {UNREACHABLE}/32")
        space.ip(f"route add prohibit {PROHIBITED}/32")
        # A rule for incoming packets: a dropped outgoing packet would be an error at once.
        space.nft(f"table inet t {{ chain i {{ type filter hook input priority 0; ip daddr {DROPPED}.0.0/16 drop; }}\n}}")
        space.set("net.core.somaxconn", 65535)
        space.set("net.ipv4.ip_local_port_range", "10000 65000")
        for name in TLS:
            getattr(self.authorities, name)

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def remove(self) -> None:
        for process in self._processes:
            process.kill()
            process.join()
        self.namespace.remove()


def _listeners(sockets: SoakNetwork) -> list[socket.socket]:
    listener = socket.create_server(("0.0.0.0", OPEN), backlog=65535)
    stale = peers.unix_listener(sockets.path("stale"))
    stale.close()
    found = [listener, peers.unix_listener(sockets.path("stream"), backlog=65535)]
    return [*found, peers.unix_listener(sockets.path("seqpacket"), socket.SOCK_SEQPACKET, backlog=65535)]


def accept_and_close(network: SoakNetwork, ready) -> None:
    """Accepts and closes as fast as possible. Other UNIX sockets exist, but are never read."""
    kept = [peers.unix_listener(network.path("dgram"), socket.SOCK_DGRAM)]
    full = peers.unix_listener(network.path("full"), backlog=1)
    kept += [full, *peers.fill_backlog(network.path("full"))]
    listeners = {listener.fileno(): listener for listener in _listeners(network)}
    waiting = select.epoll()
    for number, listener in listeners.items():
        listener.setblocking(False)
        waiting.register(number, select.EPOLLIN)
    ready.set()
    while True:
        for number, _ in waiting.poll():
            with contextlib.suppress(OSError):
                while True:
                    listeners[number].accept()[0].close()


async def _until_the_end(reader, writer) -> None:
    while await reader.read(65536):
        pass


async def _greet(reader, writer) -> None:
    writer.write(b"220 soak ready\r\n")
    await _until_the_end(reader, writer)


def _after_the_hello(sent: bytes, then=None):
    async def run(reader, writer) -> None:
        await reader.read(65536)
        writer.write(sent)
        if then is None:
            await _until_the_end(reader, writer)
        else:
            then(writer)

    return run


def _reset(writer) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, peers.RESET)
    writer.transport.abort()


STREAMS = {
    BANNER: _greet,
    GARBAGE: _after_the_hello(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    CLOSES: _after_the_hello(b"", lambda writer: None),
    HANGS: _after_the_hello(b""),
    RESETS: _after_the_hello(b"", _reset),
    ALERTS: _after_the_hello(HANDSHAKE_FAILURE_ALERT, lambda writer: None),
}


def _closing(script):
    async def run(reader, writer) -> None:
        try:
            await script(reader, writer)
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.close()

    return run


async def _listen(port: int, script, context: ssl.SSLContext | None = None):
    return await asyncio.start_server(_closing(script), "0.0.0.0", port, backlog=4096, ssl=context)


class Flapping:
    """A listener that is open for `seconds`, then closed for as long. The times of its changes are shared with the parent."""

    MOST = 100_000

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.count = multiprocessing.Value("q", 0)
        self._times = multiprocessing.Array("d", self.MOST)

    async def run(self) -> None:
        while True:
            server = await _listen(FLAPPING, _until_the_end)
            await self._wait()
            server.close()
            await server.wait_closed()
            await self._wait()

    async def _wait(self) -> None:
        self._times[self.count.value % self.MOST] = time.time()
        self.count.value += 1
        await asyncio.sleep(self.seconds)

    def was_open(self, when: float, margin: float) -> bool | None:
        """Whether it was open at a time of day; None within `margin` seconds of a change, and before the first one."""
        times = self._times[: self.count.value]
        index = bisect.bisect_right(times, when) - 1
        if index < 0 or any(abs(when - change) < margin for change in times[index : index + 2]):
            return None
        return index % 2 == 0


flapping = Flapping(20)


def serve_streams(network: SoakNetwork, ready) -> None:
    """TLS servers, good and bad, and a server that greets."""

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        for port, script in STREAMS.items():
            await _listen(port, script)
        for name, port in TLS.items():
            context = server_context(getattr(network.authorities, name), lowest="1.2", ciphers="DEFAULT", tickets=0)
            await _listen(port, _until_the_end, context)
        ready.set()
        await flapping.run()

    asyncio.run(main())


def serve_datagrams(network: SoakNetwork, ready) -> None:
    echo, silent = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for peer, port in ((echo, ECHO), (silent, SILENT)):
        peer.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        peer.bind(("0.0.0.0", port))
    ready.set()
    while True:
        for peer in select.select([echo, silent], [], [])[0]:
            with contextlib.suppress(OSError):
                data, sender = peer.recvfrom(65535)
                if peer is echo:
                    peer.sendto(data, sender)


def serve_names(network: SoakNetwork, ready) -> None:
    known = zone(NAMES)

    def answer(question):
        if question.name.startswith("silent"):
            return None
        if question.name.startswith("failing"):
            return question.reply(code=SERVFAIL)
        if question.name == "empty.soak.test" and question.kind != A:
            return question.reply()
        return known(question)

    with DNSServer(network.namespace, NAME_SERVER, answer) as server:
        server.questions = _Forgetting()
        server._udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        ready.set()
        signal.pause()


class _Forgetting(list):
    """A list that stays empty, so that hours of questions take no memory."""

    def append(self, item) -> None:
        pass
