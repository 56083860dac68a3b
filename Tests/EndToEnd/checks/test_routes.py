"""POST /v1/routes: what the kernel would choose, without sending anything."""

import json
import threading
import time

import pytest

from support import network as net
from support import peers
from support.expectations import assert_problem


def routes(api, *destinations: str) -> list[dict]:
    answer = api.post("/v1/routes", {"destinations": list(destinations)})
    assert answer.status == 200, answer.body
    found = answer.json["routes"]
    assert [route["destination"] for route in found] == list(destinations)
    return found


def test_a_route_has_the_source_that_the_kernel_would_choose(api):
    local = [route["local"]["address"] for route in routes(api, net.OPEN, net.OPEN6, net.PEER, "127.0.0.1", "::1")]
    assert local == [net.PROBER, net.PROBER6, net.PROBER, "127.0.0.1", "::1"]


def test_a_route_has_either_a_source_or_an_error(api):
    good, bad = routes(api, net.OPEN, net.NOWHERE)
    assert "error" not in good
    assert bad["local"] is None
    assert (bad["error"]["errno"], bad["error"]["name"], bad["error"]["class"]) == (101, "ENETUNREACH", "unreachable")


@pytest.mark.parametrize(
    "kind,number,outcome",
    [
        ("unreachable", 113, "unreachable"),
        ("prohibit", 13, "not_permitted"),
        ("blackhole", 22, "unreachable"),
        ("throw", 101, "unreachable"),
    ],
)
def test_each_type_of_route_has_its_error(api, kind, number, outcome):
    (route,) = routes(api, net.ROUTE_TYPES[kind])
    assert (route["error"]["errno"], route["error"]["class"]) == (number, outcome)


def test_one_failure_does_not_affect_the_next_destination(api):
    """One socket, connected again for each destination and disconnected at the end."""
    answers = routes(
        api, net.NOWHERE, net.OPEN, net.ROUTE_TYPES["blackhole"], net.OPEN6, net.NOWHERE6, net.OPEN, net.OPEN
    )
    assert [("error" in route) for route in answers] == [True, False, True, False, True, False, False]


def test_nothing_is_sent(api, network):
    with peers.udp_socket(network.b, net.OPEN, 0) as peer:
        routes(api, net.OPEN)
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(1)


def test_a_denied_destination_reveals_nothing(api):
    """A route reveals something about the network, so a denied destination is not looked up."""
    for address in ("169.254.169.254", "::ffff:169.254.169.254", "224.0.0.1"):
        answer = api.post("/v1/routes", {"destinations": [address]})
        if answer.status == 200:
            (route,) = answer.json["routes"]
            assert (route["local"], route["error"]["class"]) == (None, "denied")
        else:
            assert_problem(answer, 403)


def test_a_thousand_destinations_are_answered(api):
    destinations = [f"10.88.{number // 250}.{number % 250 + 1}" for number in range(1000)]
    assert all(route["local"]["address"] == net.PROBER for route in routes(api, *destinations))


def many_destinations() -> list[str]:
    """100,000 addresses of both families, with routes of each type between them."""
    special = [*net.ROUTE_TYPES.values(), net.NOWHERE, net.OPEN6, "169.254.169.254", "::1", "224.0.0.1"]
    return [
        special[number // 100 % len(special)]
        if number % 100 == 99
        else f"10.88.{number // 250 % 250}.{number % 250 + 1}"
        for number in range(100_000)
    ]


def test_100_000_destinations_while_checks_keep_their_latency(api):
    destinations = many_destinations()
    body = json.dumps({"destinations": destinations})
    answers = []

    def ask():
        begin = time.monotonic()
        answer = api.request("POST", "/v1/routes", body)
        answers.append((answer, time.monotonic() - begin))

    asking = threading.Thread(target=ask)
    asking.start()
    latencies = []
    while asking.is_alive():
        begin = time.monotonic()
        assert api.get("/livez").status == 200
        latencies.append(time.monotonic() - begin)
    asking.join()
    [(answer, duration)] = answers
    assert answer.status == 200, answer.body[:500]
    routes_found = answer.json["routes"]
    assert [route["destination"] for route in routes_found] == destinations
    for route in routes_found:
        if route["destination"].startswith("10.88."):
            assert route["local"] == {"address": net.PROBER} and "error" not in route, route
    by_class = {route["destination"]: route["error"]["class"] for route in routes_found if "error" in route}
    assert by_class["169.254.169.254"] == by_class["224.0.0.1"] == "denied"
    assert by_class[net.ROUTE_TYPES["blackhole"]] == by_class[net.NOWHERE] == "unreachable"
    assert by_class[net.ROUTE_TYPES["prohibit"]] == "not_permitted"
    assert net.OPEN6 not in by_class and "::1" not in by_class
    assert duration < 30
    # The body is read and the answer is sent on a worker, in small pieces; the kernel is asked elsewhere.
    latencies.sort()
    assert latencies[len(latencies) // 2] < 0.1, latencies


def test_more_than_100_000_destinations_are_refused(api):
    answer = api.request("POST", "/v1/routes", json.dumps({"destinations": ["127.0.0.1"] * 100_001}))
    assert_problem(answer, 400)


def test_a_bad_destination_among_many_is_named(api):
    destinations = ["127.0.0.1"] * 50_000
    destinations[49_999] = "example.org"
    answer = api.request("POST", "/v1/routes", json.dumps({"destinations": destinations}))
    assert_problem(answer, 400)
    assert answer.pointers == ["/destinations/49999"]


@pytest.mark.parametrize(
    "destination,advice",
    [
        ("[::1]", "without brackets: write ::1"),
        ("[::1]:80", "without a port: write ::1"),
        ("127.0.0.1:80", "without a port: write 127.0.0.1"),
        ("tcp://10.0.0.1:80", "without a port: write 10.0.0.1"),
        ("[x]", "without brackets, such as 2001:db8::7"),
        ("10.0.0.0/8", "write each address, such as 10.0.0.0"),
        ("127.1", "four numbers from 0 to 255"),
        ("010.0.0.1", "four numbers from 0 to 255"),
        ("db.internal", "not a name"),
    ],
)
def test_a_problem_says_what_to_write(api, destination, advice):
    answer = api.post("/v1/routes", {"destinations": [destination]})
    [problem] = assert_problem(answer, 400)["errors"]
    assert advice in problem["detail"]


@pytest.mark.parametrize(
    "value,pointer",
    [
        ({}, "/destinations"),
        ({"destinations": []}, "/destinations"),
        ({"destinations": "10.0.0.1"}, "/destinations"),
        ({"destinations": [1]}, "/destinations/0"),
        ({"destinations": ["10.0.0.1", "localhost"]}, "/destinations/1"),
        ({"destinations": ["127.1"]}, "/destinations/0"),
        ({"destinations": ["10.0.0.1:80"]}, "/destinations/0"),
        ({"destinations": [""]}, "/destinations/0"),
        ({"destinations": ["10.0.0.1"], "x": 1}, "/x"),
        ({"destinations": [None]}, "/destinations/0"),
        ({"destinations": ["10.0.0.0/8"]}, "/destinations/0"),
    ],
)
def test_an_invalid_request_is_400(api, value, pointer):
    answer = api.post("/v1/routes", value)
    problem = assert_problem(answer, 400)
    assert any(item.startswith(pointer) or (pointer == "/destinations" and item == "") for item in answer.pointers), (
        problem
    )
