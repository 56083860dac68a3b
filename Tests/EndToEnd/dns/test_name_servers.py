"""Name servers: many addresses, the order of records, TCP, and rare response codes."""

import concurrent.futures
import contextlib
import re
import socket
import struct
import threading
import time

import pytest

from support import peers
from support.connectd_process import Connectd
from support.dns_server import AAAA, CNAME, A, DNSServer, address_record, encode_name, record
from support.expectations import assert_failure, assert_problem, assert_success
from support.tracing import traced

SERVER = "127.0.0.53"
PORT = 9321


def compressed(address: str) -> bytes:
    """A record of the question's own name."""
    data = socket.inet_pton(socket.AF_INET6, address) if ":" in address else socket.inet_aton(address)
    return b"\xc0\x0c" + struct.pack("!HHIH", AAAA if ":" in address else A, 1, 0, len(data)) + data


def numbered(count: int, family: int = A) -> list[str]:
    return [f"127.2.{i // 250}.{i % 250 + 1}" if family == A else f"fd00:2::{i + 1:x}" for i in range(count)]


def full_answer(question) -> bytes:
    """`n4-6.many.test` has 4 A and 6 AAAA records; `chain.test` has its CNAME records last; `codeN.test` fails."""
    first = question.name.split(".")[0]
    if match := re.fullmatch(r"n(\d+)-(\d+)", first):
        count = int(match[1] if question.kind == A else match[2])
        return question.reply([compressed(address) for address in numbered(count, question.kind)])
    if first == "chain" and question.kind == A:
        aliases = [record("chain.test", CNAME, encode_name("b.test")), record("b.test", CNAME, encode_name("c.test"))]
        return question.reply([address_record("other.test", "127.9.9.9"), address_record("c.test", "127.0.0.1"), *aliases[::-1]])
    if first == "denied" and question.kind == A:
        alias = record("denied.test", CNAME, encode_name("forbidden.test"))
        return question.reply([address_record("forbidden.test", "127.0.0.1"), alias])
    if match := re.fullmatch(r"code(\d+)", first):
        return question.reply(code=int(match[1]))
    if match := re.fullmatch(r"header(\d+)", first):
        return question.reply(code=int(match[1]))[:4] + bytes(8)
    if first == "echo":
        return question.message
    if first == "stillcut":
        return question.reply(truncated=True)
    if first == "mixed" and question.kind == A:
        return question.reply([compressed(address) for address in ("169.254.169.254", "10.9.9.1", "127.0.0.1", "10.9.9.2")])
    if first == "alldenied" and question.kind == A:
        return question.reply([compressed(f"10.9.{i}.1") for i in range(120)])
    return question.reply([address_record(question.name, "127.0.0.1")] if question.kind == A else [])


def answer(question):
    reply = full_answer(question)
    return reply if question.over_tcp or len(reply) <= 512 else question.reply(truncated=True)


@pytest.fixture(scope="module")
def name_server(loopback_only):
    with DNSServer(loopback_only, SERVER, answer) as server:
        yield server


@pytest.fixture(scope="module")
def connectd(loopback_only, name_server):
    loopback_only.write_etc("resolv.conf", f"nameserver {SERVER}\n")
    crowd = "".join(f"{address} crowd.test\n" for address in numbered(300))
    loopback_only.write_etc("hosts", "127.0.0.1 localhost\n" + crowd)
    rules = [
        {"action": "deny", "cidr": "10.9.0.0/16"},
        {"action": "deny", "host": "forbidden.test"},
        {"action": "allow", "cidr": "0.0.0.0/0"},
    ]
    with Connectd(loopback_only, {"policy": {"profile": "internal", "rules": rules}}, port=8341) as running:
        yield running
    loopback_only.write_etc("resolv.conf", "nameserver 127.0.0.1\n")
    loopback_only.write_etc("hosts", "127.0.0.1 localhost\n")


def addresses_of(result: dict) -> list[str]:
    return result["resolution"]["addresses"]


@pytest.mark.parametrize("fours,sixes,expected", [(128, 0, (128, 0)), (129, 0, (128, 0)), (500, 0, (128, 0)), (3900, 0, (128, 0))])
@pytest.mark.parametrize("addresses", ["first", "all", "race"])
def test_the_first_of_many_addresses_are_tried(connectd, fours, sixes, expected, addresses):
    resolve = {"addresses": addresses}
    result = connectd.client.check(f"tcp://n{fours}-{sixes}.many.test:9", timeout_ms=5000, resolve=resolve)
    assert_failure(result, 111, "refused", "target")
    assert addresses_of(result) == numbered(fours)[:128]
    assert result["resolution"].get("truncated") == (True if fours > 128 else None)
    assert len(result["attempts"]) == 128


def test_each_family_gets_its_share(connectd):
    result = connectd.client.check("tcp://n500-500.many.test:9", resolve={"addresses": "all"})
    assert result["resolution"]["truncated"] is True
    assert sorted(addresses_of(result)) == sorted(numbered(500)[:64] + numbered(500, AAAA)[:64])
    result = connectd.client.check("tcp://n1000-3.many.test:9", resolve={"addresses": "all"})
    assert sum(":" in address for address in addresses_of(result)) == 3


def test_a_name_in_the_hosts_file_can_have_many_addresses(connectd):
    result = connectd.client.check("tcp://crowd.test:9", resolve={"addresses": "all"})
    assert_failure(result, 111, "refused", "target")
    assert (len(addresses_of(result)), result["resolution"]["truncated"]) == (128, True)


def test_an_alias_after_its_address_is_followed(connectd, loopback_only):
    with peers.tcp_listener(loopback_only, "127.0.0.1", PORT):
        result = connectd.client.check(f"tcp://chain.test:{PORT}")
        assert_success(result)
    assert result["resolution"]["addresses"] == ["127.0.0.1"]
    assert result["resolution"]["canonical_name"] == "c.test"


def test_the_policy_judges_every_alias(connectd):
    assert_problem(connectd.client.post_check("tcp://denied.test:9"), 403)


CODES = {1: "FORMERR", 4: "NOTIMP", 6: "YXDOMAIN", 7: "YXRRSET", 8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE", 13: "DNS_RCODE"}


@pytest.mark.parametrize("code,name", CODES.items())
def test_a_rare_response_code_has_a_name(connectd, code, name):
    result = connectd.client.check(f"tcp://code{code}.test:9")
    assert_failure(result, None, "resolve_failed", "resolver", phase="resolve", source="resolver", name=name)
    assert "malformed" not in result["error"]["hint"]
    if code > 5:
        assert f"response code {code}" in result["error"]["message"]
    entry = connectd.client.get(f"/v1/errors/{name}")
    assert entry.status == 200


@pytest.mark.parametrize("code,name", [(1, "FORMERR"), (4, "NOTIMP"), (5, "REFUSED"), (13, "DNS_RCODE")])
def test_a_response_that_is_a_header_alone_is_heard(connectd, code, name):
    """Old servers leave out a question that they cannot read. That is their answer, not silence."""
    result = connectd.client.check(f"tcp://header{code}.test:9", timeout_ms=4000)
    assert_failure(result, None, "resolve_failed", "resolver", phase="resolve", source="resolver", name=name)
    assert result["timings_ms"]["resolve"] < 1000


def test_a_header_alone_without_an_error_is_no_answer(connectd):
    result = connectd.client.check("tcp://header0.test:9", timeout_ms=500)
    assert_failure(
        result, None, "resolve_failed", "resolver", phase="resolve", source="resolver", name="DNS_TIMEOUT"
    )


@pytest.mark.parametrize("first", ["echo", "stillcut"])
def test_a_response_without_an_answer_is_a_bad_response(connectd, first):
    result = connectd.client.check(f"tcp://{first}.test:9")
    assert_failure(
        result, None, "resolve_failed", "resolver", phase="resolve", source="resolver", name="DNS_BAD_ANSWER"
    )


@pytest.mark.parametrize("addresses", ["first", "all", "race"])
def test_denied_addresses_are_never_connected_to(connectd, tmp_path, addresses):
    log = tmp_path / "calls"
    with traced(connectd.pid, "-o", str(log), "-e", "trace=connect,bind,sendto,sendmsg,sendmmsg"):
        result = connectd.client.check("tcp://mixed.test:9", resolve={"addresses": addresses})
        assert_problem(connectd.client.post_check("tcp://alldenied.test:9", resolve={"addresses": addresses}), 403)
        refused = connectd.client.post_check("tcp://a.test:9", resolve={"addresses": addresses, "server": "10.9.1.1:53"})
        assert_problem(refused, 403)
    assert result["ok"] is False
    calls = log.read_text()
    assert '"127.0.0.1"' in calls
    assert "10.9." not in calls and "169.254" not in calls
    denied = [attempt["address"] for attempt in result["attempts"] if attempt["outcome"] == "denied"]
    assert sorted(denied) == (["10.9.9.1", "10.9.9.2", "169.254.169.254"] if addresses == "all" else [])


class ImpatientServer:
    """`t.test` is truncated over UDP; TCP is closed 20 ms after the answer, while slow UDP answers are outstanding."""

    def __init__(self, namespace, address: str, port: int):
        self._udp = namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        for item in (self._udp, self._tcp):
            item.bind((address, port))
        self._tcp.listen()
        for loop in (self._datagrams, self._connections):
            threading.Thread(target=loop, daemon=True).start()

    def _reply(self, message: bytes, over_tcp: bool) -> bytes:
        from support.dns_server import Question

        question = Question(message, over_tcp)
        if not over_tcp and question.name.startswith("t"):
            return question.reply(truncated=True)
        return question.reply([compressed("127.0.0.1")] if question.kind == A else [])

    def _datagrams(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                message, sender = self._udp.recvfrom(4096)
                reply = self._reply(message, False)
                delay = 0 if b"\x01t\x04test" in message else 0.15
                threading.Timer(delay, self._udp.sendto, (reply, sender)).start()

    def _connections(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._tcp.accept()
                with connection:
                    length = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))[0]
                    reply = self._reply(connection.recv(length, socket.MSG_WAITALL), True)
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
                    time.sleep(0.02)  # EOF arrives in another packet than the answer.

    def close(self) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)
        self._udp.close()
        self._tcp.close()


def test_a_closed_tcp_connection_does_not_fail_other_queries(connectd, loopback_only):
    server = ImpatientServer(loopback_only, SERVER, 5353)
    try:
        names = ["t"] + [f"n{i}" for i in range(160)]

        def outcome(name: str):
            result = connectd.client.check(f"tcp://{name}.test:9", resolve={"server": f"{SERVER}:5353"})
            return result["outcome"], result["error"]["name"]

        with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            outcomes = list(pool.map(outcome, names))
    finally:
        server.close()
    assert set(outcomes) == {("refused", "ECONNREFUSED")}
