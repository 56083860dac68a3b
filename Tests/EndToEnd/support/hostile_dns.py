"""A name server that is dead, slow or lying, in the way that the first label of each question names."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from support import peers
from support.dns_server import AAAA, CNAME, NXDOMAIN, REFUSED, SERVFAIL, A, Question, address_record, encode_name, record

NS, SOA = 2, 6
GOOD, FORGED = "127.0.0.1", "127.6.6.6"
MAPPED, METADATA = "::ffff:127.0.0.1", "169.254.169.254"
ITSELF = b"\xc0\x0c"  # a pointer to the name of the question

Reply = bytes | None


@dataclass(frozen=True)
class Mode:
    """What one name gets: the datagrams for a question, each after some seconds, and what a connection gets."""

    # The verdicts of a check that are right: outcome or name of the error.
    right: tuple[str, ...]
    udp: Callable[[Question], list[tuple[float, bytes]]]
    tcp: Callable[[Question, socket.socket], None]
    timeout_ms: int = 3000
    family: str = "any"


def good(question: Question, *extra: bytes, ttl: int = 0) -> bytes:
    records = [record(question.name, A, socket.inet_aton(GOOD), ttl)] if question.kind == A else []
    return question.reply([*records, *extra])


def addresses(question: Question, *found: str) -> bytes:
    return question.reply([address_record(question.name, one) for one in found if (":" in one) == (question.kind == AAAA)])


def raw(question: Question, counts: tuple[int, int, int, int], rest: bytes, flags: int = 0x8180, number: int | None = None) -> bytes:
    identifier = struct.unpack("!H", question.message[:2])[0] if number is None else number
    return struct.pack("!HHHHHH", identifier, flags, *counts) + rest


def compressed(kind: int, data: bytes, name: bytes = ITSELF, length: int | None = None, kind_class: int = 1) -> bytes:
    return name + struct.pack("!HHIH", kind, kind_class, 0, len(data) if length is None else length) + data


def chain(question: Question, length: int, backward: bool = False) -> bytes:
    names = [question.name, *(f"c{number}.hostile.test" for number in range(length))]
    aliases = [record(first, CNAME, encode_name(second)) for first, second in zip(names, names[1:])]
    last = [address_record(names[-1], GOOD)] if question.kind == A else []
    records = aliases + last
    return question.reply(records[::-1] if backward else records)


def alias(question: Question, data: bytes, *extra: bytes) -> bytes:
    return question.reply([compressed(CNAME, data), *extra])


def other_question(question: Question) -> bytes:
    section = encode_name("other.test") + question.section[-4:]
    return raw(question, (1, 1, 0, 0), section + record("other.test", A, socket.inet_aton(FORGED)))


def wrong_identifier(question: Question) -> bytes:
    number = struct.unpack("!H", question.message[:2])[0] ^ 0x5555
    return raw(question, (1, 1, 0, 0), question.section + compressed(A, socket.inet_aton(FORGED)), number=number)


# Connections.


def _send(connection: socket.socket, message: bytes, length: int | None = None) -> None:
    connection.sendall(struct.pack("!H", len(message) if length is None else length) + message)


def answered(answer: Callable[[Question], bytes]):
    return lambda question, connection: _send(connection, answer(question))


def closes(question: Question, connection: socket.socket) -> None:
    pass


def resets(question: Question, connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, peers.RESET)


def hangs(question: Question, connection: socket.socket) -> None:
    connection.recv(1)


def sends_half(question: Question, connection: socket.socket) -> None:
    _send(connection, good(question)[:-3], len(good(question)))


def sends_half_a_length(question: Question, connection: socket.socket) -> None:
    connection.sendall(b"\0")


def sends_half_and_hangs(question: Question, connection: socket.socket) -> None:
    sends_half(question, connection)
    connection.recv(1)


def sends_nothing_long(question: Question, connection: socket.socket) -> None:
    _send(connection, b"")


def drips(question: Question, connection: socket.socket) -> None:
    message = good(question)
    for byte in struct.pack("!H", len(message)) + message:
        connection.sendall(bytes([byte]))


# Modes.


def over_udp(right: str | tuple[str, ...], *answers: Callable[[Question], Reply], delay: float = 0, **options) -> Mode:
    def datagrams(question: Question) -> list[tuple[float, bytes]]:
        return [(delay, reply) for answer in answers if (reply := answer(question)) is not None]

    verdicts = (right,) if isinstance(right, str) else right
    return Mode(verdicts, datagrams, answered(good), **options)


def over_tcp(right: str | tuple[str, ...], script, **options) -> Mode:
    verdicts = (right,) if isinstance(right, str) else right
    return Mode(verdicts, lambda question: [(0, question.reply(truncated=True))], script, **options)


def code(number: int) -> Callable[[Question], bytes]:
    return lambda question: question.reply(code=number)


def with_soa(question: Question, number: int = 0) -> bytes:
    data = encode_name("ns.test") + encode_name("root.test") + struct.pack("!IIIII", 1, 1, 1, 1, 1)
    return raw(question, (1, 0, 1, 0), question.section + record("test", SOA, data), 0x8180 | number)


def referral(question: Question) -> bytes:
    return raw(question, (1, 0, 1, 0), question.section + record("test", NS, encode_name("ns.test")), 0x8000)


def only_for_a(answer: Callable[[Question], Reply], otherwise: Callable[[Question], Reply]):
    return lambda question: (answer if question.kind == A else otherwise)(question)


def nothing(question: Question) -> None:
    return None


SHORT = 500  # milliseconds, where only the deadline ends a check
BAD = "DNS_BAD_ANSWER"
LOCAL = socket.inet_aton(GOOD)
SIXTEEN_BYTES = bytes(15) + b"\1"

MODES: dict[str, Mode] = {
    # Dead and slow.
    "silent": over_udp("DNS_TIMEOUT", nothing, timeout_ms=SHORT),
    "slow-half": over_udp("connected", good, delay=0.5, timeout_ms=5000),
    "slow-one": over_udp("connected", good, delay=1, timeout_ms=8000),
    "slow-five": over_udp("DNS_TIMEOUT", good, delay=5, timeout_ms=SHORT),
    "no-aaaa-answer": over_udp(("connected", "DNS_TIMEOUT"), only_for_a(good, nothing)),
    "no-aaaa-answer-needed": over_udp("connected", only_for_a(good, nothing), family="ipv4"),
    "empty-datagram": over_udp("DNS_TIMEOUT", lambda question: b"", timeout_ms=SHORT),
    "one-byte": over_udp("DNS_TIMEOUT", lambda question: question.message[:1], timeout_ms=SHORT),
    "header-alone": over_udp("DNS_TIMEOUT", lambda question: raw(question, (0, 0, 0, 0), b""), timeout_ms=SHORT),
    # Refusals, each with its name.
    "nxdomain": over_udp("NXDOMAIN", code(NXDOMAIN)),
    "nxdomain-soa": over_udp("NXDOMAIN", lambda question: with_soa(question, NXDOMAIN)),
    "servfail": over_udp("SERVFAIL", code(SERVFAIL)),
    "refused": over_udp("REFUSED", code(REFUSED)),
    "formerr": over_udp("FORMERR", code(1)),
    "notimp": over_udp("NOTIMP", code(4)),
    "notauth": over_udp("NOTAUTH", code(9)),
    "code-thirteen": over_udp("DNS_RCODE", code(13)),
    "nodata": over_udp("NODATA", lambda question: question.reply()),
    "nodata-soa": over_udp("NODATA", with_soa),
    "lame": over_udp(("NODATA", BAD, "SERVFAIL"), referral),
    "aaaa-servfail": over_udp("connected", only_for_a(good, code(SERVFAIL))),
    "aaaa-nxdomain": over_udp(("connected", "NXDOMAIN"), only_for_a(good, code(NXDOMAIN))),
    # TCP.
    "tcp-only": over_tcp("connected", answered(good)),
    "tcp-truncated": over_tcp(BAD, answered(lambda question: question.reply(truncated=True))),
    "tcp-closes": over_tcp(("DNS_UNREACHABLE", BAD, "DNS_TIMEOUT"), closes),
    "tcp-resets": over_tcp(("DNS_UNREACHABLE", BAD, "DNS_TIMEOUT"), resets),
    "tcp-hangs": over_tcp("DNS_TIMEOUT", hangs, timeout_ms=SHORT),
    "tcp-half": over_tcp(("DNS_UNREACHABLE", BAD, "DNS_TIMEOUT"), sends_half),
    "tcp-half-length": over_tcp(("DNS_UNREACHABLE", BAD, "DNS_TIMEOUT"), sends_half_a_length),
    "tcp-half-hangs": over_tcp("DNS_TIMEOUT", sends_half_and_hangs, timeout_ms=SHORT),
    "tcp-zero-length": over_tcp(("DNS_UNREACHABLE", BAD, "DNS_TIMEOUT"), sends_nothing_long, timeout_ms=SHORT),
    "tcp-drips": over_tcp("connected", drips),
    "tcp-lies": over_tcp(("DNS_TIMEOUT", BAD, "DNS_UNREACHABLE"), answered(other_question), timeout_ms=SHORT),
    "tcp-many": over_tcp("connected", answered(lambda question: addresses(question, *[GOOD] * 1000))),
    # Answers to another question, or in a wrong form.
    "wrong-id": over_udp("DNS_TIMEOUT", wrong_identifier, timeout_ms=SHORT),
    "wrong-id-first": over_udp("connected", wrong_identifier, good),
    "wrong-question": over_udp("DNS_TIMEOUT", other_question, timeout_ms=SHORT),
    "wrong-question-first": over_udp("connected", other_question, good),
    "no-question": over_udp(
        ("DNS_TIMEOUT", BAD), lambda question: raw(question, (0, 1, 0, 0), record(question.name, A, LOCAL)), timeout_ms=SHORT),
    "two-questions": over_udp(
        ("DNS_TIMEOUT", BAD), lambda question: raw(question, (2, 1, 0, 0), question.section * 2 + compressed(A, LOCAL)),
        timeout_ms=SHORT),
    "a-question": over_udp(("DNS_TIMEOUT", BAD), lambda question: question.message, timeout_ms=SHORT),
    "no-response-bit": over_udp(
        ("DNS_TIMEOUT", BAD), lambda question: raw(question, (1, 1, 0, 0), question.section + compressed(A, LOCAL), 0x0100),
        timeout_ms=SHORT),
    "upper-case": over_udp("connected", lambda question: good(question).replace(b"upper-case", b"UPPER-CASE")),
    # Forged records.
    "forged-other-name": over_udp("connected", lambda question: good(question, address_record("evil.test", FORGED))),
    "only-other-name": over_udp(("NODATA", BAD), lambda question: question.reply([address_record("evil.test", FORGED)])),
    "forged-authority": over_udp(
        ("NODATA", BAD), lambda question: raw(question, (1, 0, 1, 0), question.section + compressed(A, socket.inet_aton(FORGED)))),
    "forged-additional": over_udp(
        ("NODATA", BAD), lambda question: raw(question, (1, 0, 0, 1), question.section + compressed(A, socket.inet_aton(FORGED)))),
    "a-for-aaaa": over_udp("connected", lambda question: question.reply([compressed(A, LOCAL)])),
    "only-a-for-aaaa": over_udp(
        ("NODATA", BAD), lambda question: question.reply([compressed(A, LOCAL)] if question.kind == AAAA else [])),
    "chaos-class": over_udp(("NODATA", BAD), lambda question: question.reply([compressed(A, LOCAL, kind_class=3)])),
    # Aliases.
    "alias-loop": over_udp(("NODATA", BAD, "NXDOMAIN"), lambda question: alias(
        question, encode_name("b.test"), record("b.test", CNAME, encode_name(question.name)))),
    "alias-itself": over_udp(("NODATA", BAD), lambda question: alias(question, ITSELF)),
    "alias-nowhere": over_udp(("NODATA", BAD), lambda question: alias(question, encode_name("nowhere.test"))),
    "alias-denied": over_udp("denied", lambda question: alias(
        question, encode_name("forbidden.test"), address_record("forbidden.test", GOOD))),
    "chain-five": over_udp("connected", lambda question: chain(question, 5)),
    "chain-backward": over_udp("connected", lambda question: chain(question, 5, backward=True)),
    "chain-hundred": over_tcp(("connected", "NODATA", BAD), answered(lambda question: chain(question, 100))),
    # Broken records.
    "compression-loop": over_udp(BAD, lambda question: raw(
        question, (1, 1, 0, 0), question.section + compressed(A, LOCAL, (0xC000 | 12 + len(question.section)).to_bytes(2, "big")))),
    "compression-forward": over_udp(BAD, lambda question: raw(
        question, (1, 1, 0, 0), question.section + compressed(A, LOCAL, b"\xff\xff"))),
    "reserved-label": over_udp(BAD, lambda question: raw(
        question, (1, 1, 0, 0), question.section + compressed(A, LOCAL, b"\x41" + b"x" * 65 + b"\0"))),
    "long-data": over_udp(BAD, lambda question: question.reply([compressed(question.kind, LOCAL, length=4000)])),
    "short-address": over_udp(BAD, lambda question: question.reply([compressed(question.kind, b"\x7f\0")])),
    "long-address": over_udp(BAD, lambda question: question.reply([compressed(question.kind, LOCAL * 5)])),
    "missing-records": over_udp(BAD, lambda question: raw(question, (1, 65535, 0, 0), question.section + compressed(A, LOCAL))),
    "trailing-bytes": over_udp(("connected", BAD), lambda question: good(question) + b"\xff" * 200),
    "nul-in-alias": over_udp(("connected", "NODATA", BAD, "denied"), lambda question: alias(
        question, b"\x04a\0b.\x04test\0", compressed(A, LOCAL, b"\x04a\0b.\x04test\0"))),
    "dots-in-alias": over_udp(("connected", "NODATA", BAD, "denied"), lambda question: alias(
        question, b"\x0eforbidden.test\0", compressed(A, LOCAL, b"\x0eforbidden.test\0"))),
    # Addresses.
    "ttl-zero": over_udp("connected", good),
    "ttl-greatest": over_udp("connected", lambda question: good(question, ttl=0xFFFFFFFF)),
    "mapped": over_udp("connected", lambda question: addresses(question, MAPPED)),
    "mapped-metadata": over_udp("denied", lambda question: addresses(question, f"::ffff:{METADATA}")),
    "metadata": over_udp("denied", lambda question: addresses(question, METADATA)),
    "metadata-and-good": over_udp("connected", lambda question: addresses(question, METADATA, GOOD)),
    "unspecified": over_udp("denied", lambda question: addresses(question, "0.0.0.0")),
    "fifty-times": over_udp("connected", lambda question: addresses(question, *[GOOD] * 28)),
    "hundred-datagrams": over_udp("connected", *[good] * 100),
    "large-datagram": over_udp(("connected", BAD), lambda question: addresses(question, *[GOOD] * 1000)),
}  # fmt: skip


class HostileNameServer:
    """Answers over UDP and TCP, each question in a thread of its own, so that one mode delays no other."""

    def __init__(self, namespace, address: str, port: int = 53):
        self.asked: set[str] = set()
        self._udp = namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((address, port))
        self._tcp = peers.tcp_listener(namespace, address, port)
        for loop in (self._datagrams, self._connections):
            threading.Thread(target=loop, daemon=True).start()

    def _mode(self, question: Question) -> Mode:
        label = question.name.split(".")[0]
        self.asked.add(label)
        return MODES[label]

    def _datagrams(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                message, sender = self._udp.recvfrom(4096)
                question = Question(message, False)
                for delay, reply in self._mode(question).udp(question):
                    if delay:
                        threading.Timer(delay, self._send, (reply, sender)).start()
                    else:
                        self._send(reply, sender)

    def _send(self, reply: bytes, sender) -> None:
        with contextlib.suppress(OSError):
            self._udp.sendto(reply, sender)

    def _connections(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._tcp.accept()[0],), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, contextlib.suppress(OSError, struct.error):
            while length := connection.recv(2, socket.MSG_WAITALL):
                question = Question(connection.recv(struct.unpack("!H", length)[0], socket.MSG_WAITALL), True)
                script = self._mode(question).tcp
                script(question, connection)
                if script in CLOSING:
                    return

    def close(self) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)
        self._udp.close()
        self._tcp.close()


# Connections that end with their first answer.
CLOSING = (closes, resets, sends_half, sends_half_a_length, sends_nothing_long)
