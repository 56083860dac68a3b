"""Targets of checks: one that accepts and stays silent, and one that never stops talking.

usage: targets.py OPEN_PORT SILENT_PORT CHATTY_PORT
"""

import contextlib
import os
import selectors
import socket
import sys

CHATTER = b"x" * 65536


def accept_all(listener: socket.socket) -> list[socket.socket]:
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(listener.accept()[0])
    return found


def main() -> None:
    open_port, silent_port, chatty_port = map(int, sys.argv[1:4])
    listeners = {}
    selector = selectors.DefaultSelector()
    for port in (open_port, silent_port, chatty_port):
        listeners[port] = socket.create_server(("", port), backlog=65535)
        listeners[port].setblocking(False)
        # The silent one accepts nothing: its connections stay in the backlog, and cost no processor.
        if port != silent_port:
            selector.register(listeners[port], selectors.EVENT_READ, port)
    selector.register(0, selectors.EVENT_READ, 0)
    held: list[socket.socket] = []
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.data == 0:
                if os.read(0, 1) == b"":
                    return
            for connection in accept_all(listeners[key.data]) if key.data else []:
                connection.setblocking(False)
                if key.data == open_port:
                    connection.close()
                    continue
                with contextlib.suppress(OSError):
                    connection.send(CHATTER)
                held.append(connection)
                if len(held) > 8192:
                    held.pop(0).close()


if __name__ == "__main__":
    main()
