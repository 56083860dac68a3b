"""Sends bytes on a connection, and describes what comes back as a verdict of `support.raw_requests`."""

import contextlib
import socket
import time

from support.http_client import read_answer
from support.raw_requests import LIVE

CLOSED_ERRORS = (ConnectionResetError, BrokenPipeError, EOFError)
# How long a service that waits for the rest of a request must be silent.
SILENCE = 0.15


def verdict_of(connect, data: bytes, expected: str, is_head: bool = False, piece: int = 0) -> str:
    """Sends `data`, in pieces of that many bytes if it is not 0, and returns what happens until the connection is settled.

    `expected` only says how long to wait: a wrong service makes this slow, not wrong.
    """
    with connect() as connection:
        connection.settimeout(10)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            _send(connection, data, piece)
        stream = connection.makefile("rb")
        found: list[str] = []
        words = expected.split()
        for _ in (word for word in words if word.isdigit()):
            try:
                found.append(str(read_answer(stream, "HEAD" if is_head else "GET").status))
            except (*CLOSED_ERRORS, TimeoutError) as error:
                return " ".join([*found, "silent" if isinstance(error, TimeoutError) else "closed"])
        return " ".join([*found, _ending(connection, stream, words[-1])])


def _send(connection, data: bytes, piece: int) -> None:
    if not piece:
        connection.sendall(data)
        return
    if connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start in range(0, len(data), piece):
        connection.sendall(data[start : start + piece])
        time.sleep(0.0005)  # Each piece is a packet of its own.


def _ending(connection, stream, expected: str) -> str:
    """`closed`, `waiting` if nothing comes, or `open` if another request is answered."""
    if expected == "waiting":
        connection.settimeout(SILENCE)
        with contextlib.suppress(TimeoutError):
            return "more" if stream.read(1) else "closed"
        return "waiting"
    if expected == "closed":
        try:
            rest = stream.read()
        except TimeoutError:
            return "open"
        except CLOSED_ERRORS:
            return "closed"
        return f"more {rest[:60]!r}" if rest else "closed"
    try:
        connection.sendall(LIVE)
        return "open" if read_answer(stream).status == 200 else "another answer"
    except CLOSED_ERRORS:
        return "closed"
    except TimeoutError:
        return "silent"
