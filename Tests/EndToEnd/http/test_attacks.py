"""Attacks by clients that reach the port."""

import contextlib
import json
import pathlib
import signal
import socket
import struct
import threading
import time

import pytest

from support import peers
from support.connectd_process import Connectd
from support.dns_server import NXDOMAIN, A, DNSServer, address_record
from support.expectations import assert_failure, assert_problem, assert_success
from support.http_client import check_request
from support.waiting import wait_until

PUBLIC = "8.8.8.8"  # not reachable: the namespace has loopback only
PRIVATE = "10.0.0.1"
MANY = 300


def answer(question):
    """`mixed` has a public and a private address, `many` has hundreds, `slow` gets no answer."""
    first = question.name.split(".")[0]
    if first == "slow":
        return None
    if first == "nothing":
        return question.reply(code=NXDOMAIN)
    if question.kind != A:
        return question.reply()
    addresses = {"mixed": [PRIVATE, PUBLIC], "private": [PRIVATE], "public": [PUBLIC]}
    if first == "many":
        if not question.over_tcp:
            return question.reply(truncated=True)
        numbers = (f"127.1.{index // 250}.{index % 250 + 1}" for index in range(MANY))
        head = b"\xc0\x0c" + struct.pack("!HHIH", A, 1, 0, 4)
        return question.reply([head + socket.inet_aton(number) for number in numbers])
    return question.reply([address_record(question.name, entry) for entry in addresses[first]])


@pytest.fixture(scope="module")
def name_server(loopback_only):
    with DNSServer(loopback_only, "127.0.0.1", answer) as server:
        yield server


@pytest.fixture(scope="module")
def connectd(loopback_only, name_server):
    with Connectd(loopback_only) as running:
        yield running


@pytest.fixture(scope="module")
def public(loopback_only, name_server):
    with Connectd(loopback_only, {"policy": {"profile": "public"}}, port=8081) as running:
        yield running.client


@pytest.mark.parametrize("addresses", ["first", "all", "race"])
def test_a_disconnect_together_with_the_dns_answer_cancels_the_check(loopback_only, addresses):
    """The DNS response and the client's close arrive in one turn of the event loop: the check is cancelled before an attempt."""
    asked, may_answer, answered = threading.Event(), threading.Event(), threading.Event()

    def late(question):
        asked.set()
        may_answer.wait(10)
        answered.set()
        return question.reply([address_record(question.name, f"127.0.0.{last}") for last in (1, 2)])

    with DNSServer(loopback_only, "127.0.0.5", late), Connectd(loopback_only, port=8083) as running:
        with contextlib.closing(running.unix.connect()) as connection:
            options = {"addresses": addresses, "family": "ipv4", "server": "127.0.0.5:53"}
            connection.sendall(check_request("tcp://late.test:9", resolve=options))
            assert asked.wait(5)
            running.process.send_signal(signal.SIGSTOP)
            may_answer.set()
            assert answered.wait(5)
            time.sleep(0.05)  # The DNS answer is sent while the process is stopped.
        running.process.send_signal(signal.SIGCONT)
        assert running.client.check("tcp://127.0.0.1:9")["outcome"] == "refused"


@pytest.mark.parametrize("addresses", ["first", "all", "race"])
def test_many_addresses_of_a_name_are_limited(connectd, addresses):
    result = connectd.client.check("tcp://many.test:9", timeout_ms=5000, resolve={"addresses": addresses})
    assert_failure(result, 111, "refused", "target")
    assert len(result["attempts"]) == 128
    assert result["resolution"]["truncated"] is True


def test_public_responds_to_a_failed_resolution_like_a_denial(public):
    names = ("private.test", "nothing.test", "slow.test")
    answers = [public.post_check(f"tcp://{name}:9", timeout_ms=300) for name in names]
    answers += [public.get(f"/v1/probe?target=tcp://{name}:9&timeout_ms=300") for name in names]
    for one in answers:
        assert_problem(one, 403)
    assert len({one.body for one in answers}) == 1, "a denial says nothing about the name"


@pytest.mark.parametrize("addresses", ["first", "race"])
def test_public_hides_denied_addresses(public, addresses):
    one = public.post_check("tcp://mixed.test:9", timeout_ms=300, resolve={"addresses": addresses})
    assert one.status == 200
    assert one.json["resolution"]["addresses"] == [PUBLIC]
    assert PRIVATE.encode() not in one.body


def test_public_denies_all_if_one_address_is_denied(public):
    assert_problem(public.post_check("tcp://mixed.test:9", resolve={"addresses": "all"}), 403)
    assert public.post_check("tcp://public.test:9", resolve={"addresses": "all"}).status == 200


@pytest.mark.parametrize("shape", ['"{}":0', '"1.1.1.1"', "[]"])
def test_a_long_body_of_many_small_values_delays_no_other_request(connectd, shape):
    items = ",".join(shape.format(f"{number:x}") for number in range(400_000))
    body = "{" + items + "}" if ":" in shape else '{"destinations":[' + items + "]}"
    plain = '{"destinations":["' + "a" * (len(body) - 20) + '"]}'
    usual = cost(connectd, lambda: connectd.client.post("/v1/routes", plain, timeout=60))
    # A ratio, side by side: unbounded, it was a hundred times what one long string of that size costs.
    assert cost(connectd, lambda: connectd.client.post("/v1/routes", body, timeout=60)) < 10 * usual


def test_a_long_chain_of_links_delays_no_other_request(loopback_only, folder):
    rules = [{"action": "allow", "path": f"{folder}/**"}]
    with Connectd(loopback_only, {"policy": {"rules": rules}}, port=8082) as running:
        plain = [cost(running, lambda: denied(running, "unix:" + "/none/such/path" * 250)) for _ in range(20)]
        links = [cost(running, lambda: denied(running, "unix:" + "/proc/self/root" * 250)) for _ in range(20)]
        # A ratio, side by side: followed, it cost several times what a path without links costs.
        assert sum(links) < 2 * sum(plain)
        with peers.unix_listener(f"{folder}/s"):
            assert_success(running.client.check(f"unix:{folder}/s"))


def denied(connectd: Connectd, target: str) -> None:
    assert_problem(connectd.client.post_check(target), 403)


def cost(connectd: Connectd, request) -> float:
    """The processor time that the service spends on one request, in seconds."""
    before = processor_seconds(connectd.pid)
    answer = request()
    assert answer is None or answer.status == 400
    return processor_seconds(connectd.pid) - before


def processor_seconds(pid: int) -> float:
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def test_endless_bodies_do_not_fill_the_memory(connectd):
    length = 16 << 20
    head = f"POST /v1/routes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    before = connectd.resident_bytes()
    with contextlib.ExitStack() as open_connections:
        for _ in range(24):
            connection = open_connections.enter_context(connectd.unix.connect())
            connection.settimeout(5)
            with contextlib.suppress(OSError):
                connection.sendall(head.encode() + b" " * (length - 1))
        assert connectd.resident_bytes() - before < 300 << 20
        assert connectd.client.check("tcp://127.0.0.1:9")["outcome"] == "refused"
    destinations = {"destinations": ["127.0.0.1"] * 1000}
    body = json.dumps(destinations).ljust(200_000)
    wait_until(lambda: connectd.client.post("/v1/routes", body).status == 200, 30, "there is room for bodies again", 0.05)
