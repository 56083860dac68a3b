"""A name server with scripted responses over UDP and TCP, including ones that no real server sends."""

import contextlib
import os
import select
import socket
import struct
import threading

A, CNAME, SOA, AAAA = 1, 5, 6, 28
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5


def encode_name(name: str) -> bytes:
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def decode_name(data: bytes, offset: int) -> tuple[str, int]:
    labels = []
    while length := data[offset]:
        labels.append(data[offset + 1 : offset + 1 + length].decode("latin-1"))
        offset += 1 + length
    return ".".join(labels), offset + 1


class Question:
    def __init__(self, message: bytes, over_tcp: bool):
        self.message, self.over_tcp = message, over_tcp
        self.name, end = decode_name(message, 12)
        self.name = self.name.lower()
        self.kind = struct.unpack("!H", message[end : end + 2])[0]
        self.section = message[12 : end + 4]

    def reply(self, records: list[bytes] = (), code: int = 0, truncated: bool = False, identifier: int | None = None):
        """A response with these records."""
        number = struct.unpack("!H", self.message[:2])[0] if identifier is None else identifier
        flags = 0x8180 | code | (0x0200 if truncated else 0)
        return struct.pack("!HHHHHH", number, flags, 1, len(records), 0, 0) + self.section + b"".join(records)


def record(name: str, kind: int, data: bytes, ttl: int = 0) -> bytes:
    return encode_name(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def address_record(name: str, address: str) -> bytes:
    if ":" in address:
        return record(name, AAAA, socket.inet_pton(socket.AF_INET6, address))
    return record(name, A, socket.inet_aton(address))


class DNSServer:
    """`answer(question)` returns the bytes of the reply, or None to send nothing."""

    def __init__(self, namespace, address: str, answer, port: int = 53):
        self.questions: list[Question] = []
        self._answer = answer
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._udp = namespace.socket(family, socket.SOCK_DGRAM)
        self._udp.bind((address, port))
        self._tcp = namespace.socket(family)
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._tcp.bind((address, port))
        self._tcp.listen()
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        while True:
            readable, _, _ = select.select([self._udp, self._tcp, self._wake_read], [], [])
            if self._wake_read in readable:
                return
            if self._udp in readable:
                message, sender = self._udp.recvfrom(4096)
                if (reply := self._asked(message, False)) is not None:
                    self._udp.sendto(reply, sender)
            if self._tcp in readable:
                self._serve_stream()

    def _serve_stream(self) -> None:
        connection, _ = self._tcp.accept()
        connection.settimeout(2)
        with connection, contextlib.suppress(OSError, struct.error):
            length = struct.unpack("!H", connection.recv(2))[0]
            if (reply := self._asked(connection.recv(length), True)) is not None:
                connection.sendall(struct.pack("!H", len(reply)) + reply)

    def _asked(self, message: bytes, over_tcp: bool):
        question = Question(message, over_tcp)
        self.questions.append(question)
        return self._answer(question)

    def __enter__(self) -> "DNSServer":
        return self

    def __exit__(self, *_) -> None:
        os.write(self._wake_write, b"x")
        self._thread.join()
        for item in (self._udp, self._tcp):
            item.close()
        os.close(self._wake_read)
        os.close(self._wake_write)


def zone(table: dict[str, list[str]]):
    """Answers from a table of name → addresses or `cname:NAME`, and NXDOMAIN for other names."""

    def answer(question: Question):
        name, records, seen = question.name, [], set()
        while name in table and name not in seen:
            seen.add(name)
            entries = table[name]
            alias = next((entry[6:] for entry in entries if entry.startswith("cname:")), None)
            if alias is None:
                wanted = [e for e in entries if (":" in e) == (question.kind == AAAA) and question.kind in (A, AAAA)]
                return question.reply(records + [address_record(name, entry) for entry in wanted])
            records.append(record(name, CNAME, encode_name(alias)))
            name = alias
        return question.reply(records, code=NXDOMAIN)

    return answer
