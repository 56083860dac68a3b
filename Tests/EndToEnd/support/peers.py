"""Peers of checks: listeners, echoes, resetters, inside a namespace or on a path."""

import contextlib
import os
import select
import socket
import struct
import threading

TCP_MD5SIG = 14
RESET = struct.pack("ii", 1, 0)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tcp_listener(namespace, address: str, port: int = 0, backlog: int = 64) -> socket.socket:
    listener = namespace.socket(_family(address))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


@contextlib.contextmanager
def full_tcp_listener(namespace, address: str, port: int = 0):
    """A listener with a full backlog, so that the kernel drops further SYNs; returns its port."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(tcp_listener(namespace, address, port, backlog=0))
        for number in range(4):
            client = held.enter_context(namespace.socket(_family(address)))
            client.setblocking(False)
            client.connect_ex(listener.getsockname()[:2])
            if number == 0:
                _, connected, _ = select.select([], [client], [], 5)
                assert connected, "the first connection fills the backlog"
        yield listener.getsockname()[1]


def md5_signature(address: str, key: bytes) -> bytes:
    """struct tcp_md5sig for an IPv4 peer: the value of TCP_MD5SIG."""
    peer = socket.AF_INET.to_bytes(2, "little") + b"\0\0" + socket.inet_aton(address)
    return peer.ljust(128, b"\0") + b"\0\0" + len(key).to_bytes(2, "little") + b"\0\0\0\0" + key.ljust(80, b"\0")


def udp_socket(namespace, address: str, port: int = 0) -> socket.socket:
    peer = namespace.socket(_family(address), socket.SOCK_DGRAM)
    peer.bind((address, port))
    return peer


@contextlib.contextmanager
def serving(listener: socket.socket, act):
    """Calls `act(listener)` in a thread whenever the socket is readable, until the block ends."""
    wake_read, wake_write = os.pipe()

    def loop() -> None:
        while True:
            readable, _, _ = select.select([listener, wake_read], [], [])
            if wake_read in readable:
                return
            with contextlib.suppress(OSError):
                act(listener)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        os.write(wake_write, b"x")
        thread.join()
        os.close(wake_read)
        os.close(wake_write)
        listener.close()


def on_each_connection(script):
    """For `serving`: accepts a connection, runs the script on it, closes it."""

    def act(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            script(connection)

    return act


def on_each_connection_at_once(script):
    """The same in a thread for each connection, so that one that hangs does not keep the others waiting."""

    def run(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            script(connection)

    def act(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        threading.Thread(target=run, args=(connection,), daemon=True).start()

    return act


def echo_datagram(peer: socket.socket) -> None:
    data, sender = peer.recvfrom(65535)
    peer.sendto(data, sender)


def end_seen_by(listener: socket.socket, timeout: float = 5) -> str:
    """Accepts one connection, and returns how its peer ended it: "fin", "rst", or "open" if it did not."""
    listener.settimeout(timeout)
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(timeout)
        try:
            return "fin" if connection.recv(1) == b"" else "data"
        except ConnectionResetError:
            return "rst"
        except TimeoutError:
            return "open"


def unix_listener(path: str, kind=socket.SOCK_STREAM, backlog: int = 16, mode: int = 0o777) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(path)
    if not path.startswith("\0"):
        os.chmod(path, mode)
    if kind != socket.SOCK_DGRAM:
        listener.listen(backlog)
    return listener


def fill_backlog(path: str, kind=socket.SOCK_STREAM) -> list[socket.socket]:
    """Connects to a UNIX listener until its backlog is full; the caller must keep the sockets."""
    clients = []
    while True:
        client = socket.socket(socket.AF_UNIX, kind)
        client.setblocking(False)
        clients.append(client)
        try:
            client.connect(path)
        except BlockingIOError:
            return clients
