"""Measures health checks at the socket, in a process of its own. Prints one line of JSON when its input ends.

usage: probe.py PORT CONTROL_PORT

Each round asks `/livez` of both ports, each on a new connection. The server at CONTROL_PORT does nothing else, so its
times are those of this machine: of the client, the kernel, and the wait for a processor.
"""

import gc
import json
import select
import socket
import sys
import time

PAUSE_SECONDS = 0.005
LIMIT_SECONDS = 10


def ask(port: int) -> float | None:
    """The milliseconds from connect(2) to the whole answer; None if there was no answer with status 200."""
    request = f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    begun = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS) as connection:
            connection.sendall(request)
            answer = connection.recv(4096)
            while part := connection.recv(4096):
                answer += part
    except OSError:
        return None
    return (time.monotonic() - begun) * 1000 if answer.startswith(b"HTTP/1.1 200") else None


def share(sorted_times: list[float], part: float) -> float:
    return sorted_times[min(int(part * len(sorted_times)), len(sorted_times) - 1)] if sorted_times else 0.0


def summary(times: list[float | None]) -> dict:
    known = sorted(time for time in times if time is not None)
    return {"count": len(times), "failed": len(times) - len(known), "p50_ms": share(known, 0.5),
            "p99_ms": share(known, 0.99), "max_ms": share(known, 1)}


def main() -> None:
    ports = [int(argument) for argument in sys.argv[1:3]]
    times = [[ask(port)] for port in ports]
    gc.disable()
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        for port, found in zip(ports, times):
            found.append(ask(port))
    service, control = [summary(found) for found in times]
    # Rounds in which the control was slow say nothing about the service.
    print(json.dumps({"service": service, "control": control}), flush=True)


if __name__ == "__main__":
    main()
