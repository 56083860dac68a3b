"""Answers every connection like `/livez`, and does nothing else: what the machine itself costs.

usage: control_server.py PORT
"""

import socket
import sys

BODY = b"ok\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(BODY), BODY)


def main() -> None:
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listener:
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(ANSWER)


if __name__ == "__main__":
    main()
