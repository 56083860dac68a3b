"""Measures the parts of a fleet: the broker, places as the broker sees them, and connectd asked through NATS."""

import contextlib
import http.client
import json
import selectors
import socket
import threading

from bench import nats
from bench.paths import CONNECTD, built
from bench.process import Process

HUB_PORT = 8100
# Sizes of a check's question and answer over NATS.
UP, DOWN = b"q" * 300, b"a" * 1500
PLACES = 1000
FIRST_PLACE_PORT = 8101


def info(place: str) -> bytes:
    """An answer to $SRV.INFO as connectd writes it."""
    return json.dumps({
        "type": "io.nats.micro.v1.info_response", "name": "connectd", "id": "0123456789012345678901", "version": "0.1.0",
        "metadata": {"place": place, "region": "eu", "topology.kubernetes.io/zone": "eu-1a"},
        "description": "Checks whether this place can connect to a target.",
        "endpoints": [{"name": "check", "subject": "connectd.check", "queue_group": "connectd",
                       "metadata": {"place_subject": f"connectd.check.{place}"}}],
    }, separators=(",", ":")).encode()  # fmt: skip


def measure_broker():
    """CPU of the broker for one question and one answer."""
    for window in (1, 64):
        with nats.broker() as broker:
            asker, answerer = nats.Member(), nats.Member()
            before = broker.cpu_seconds()
            nats.request_reply(asker, answerer, 40_000, window, UP, DOWN)
            used = broker.cpu_seconds() - before
            yield f"request and reply, {window} at once", f"{used / 40_000 * 1e6:.1f} µs of the broker's CPU"


def measure_places():
    """Memory and CPU of the broker for 1,000 places with connectd's subscriptions, and a hub that asks who they are."""
    with nats.broker() as broker, contextlib.ExitStack() as stack:
        idle, before = broker.resident_bytes(), broker.cpu_seconds()
        places = []
        for number in range(PLACES):
            member = nats.Member()
            stack.callback(member.close)
            member.subscribe_as_place(f"p{number}", f"instance{number:014}")
            places.append(member)
        for member in places:
            member.round_trip()
        yield "resident memory without connections", f"{idle / 1e6:.1f} MB"
        yield f"resident memory for {PLACES} places more", f"{(broker.resident_bytes() - idle) / 1e6:.1f} MB"
        yield f"CPU for {PLACES} connects with 11 subscriptions", f"{broker.cpu_seconds() - before:.2f} s"
        before, rounds = broker.cpu_seconds(), 20
        for _ in range(rounds):
            for member in places:
                member.round_trip()
        yield "CPU for one PING of each place", f"{(broker.cpu_seconds() - before) / rounds * 1e3:.1f} ms"
        asker = nats.Member()
        asker.subscribe("_INBOX.connectd.hub1.0123456789012345678901.info.*")
        asker.round_trip()
        before = broker.cpu_seconds()
        for _ in range(rounds):
            nats.discovery(asker, places, info("p1"))
        yield f"CPU for one $SRV.INFO to {PLACES} places and their answers", f"{(broker.cpu_seconds() - before) / rounds * 1e3:.1f} ms"
        yield "resident memory after that", f"{broker.resident_bytes() / 1e6:.1f} MB"
        yield from measure_hub(broker, places)


def measure_hub(broker, places):
    """The hub's part of discovery: connectd with 1,000 simulated places."""
    ending = threading.Event()
    with hub() as asker:
        thread = threading.Thread(target=answer_as_places, args=(places, ending))
        thread.start()
        try:
            asker.wait_ready(HUB_PORT, "/livez")
            known = wait_for_places(PLACES)
            before, begun = asker.cpu_seconds(), broker.cpu_seconds()
            ending.wait(30)
            yield "CPU of the hub for discovery of 1,000 places", f"{(asker.cpu_seconds() - before) / 30 * 100:.2f} % of a core"
            yield "CPU of the broker for that", f"{(broker.cpu_seconds() - begun) / 30 * 100:.2f} % of a core"
            yield f"resident memory of the hub that knows {known} places", f"{asker.resident_bytes() / 1e6:.1f} MB"
            yield from measure_survey(broker, asker)
        finally:
            ending.set()
            thread.join()


def answer_as_places(places, ending) -> None:
    """Answers $SRV.INFO, and checks with a result of the usual size."""
    result = {"schema": 1, "ok": True, "outcome": "connected", "attempts": [{"text": "x" * 1300}]}
    with selectors.DefaultSelector() as selector:
        for number, member in enumerate(places):
            selector.register(member.socket, selectors.EVENT_READ, (number, member))
        while not ending.is_set():
            for key, _ in selector.select(0.1):
                number, member = key.data
                for subject, reply, payload in member.read():
                    place = f"p{number}"
                    if subject.startswith(b"$SRV"):
                        member.publish(reply, info(place).replace(b"0123456789012345678901", b"instance%014d" % number))
                    else:
                        document = {"place": place, "target": json.loads(payload)["target"], **result}
                        member.socket.sendall(nats.answer(reply, place, json.dumps(document).encode()))


def measure_survey(broker, asker):
    """A survey of all simulated places."""
    before, begun, rounds = asker.cpu_seconds(), broker.cpu_seconds(), 5
    for _ in range(rounds):
        body = {"check": {"target": "127.0.0.1:9"}, "from": [{"labels": {"region": "eu"}}], "grace_ms": 30_000}
        summary = json.loads(ask("POST", "/v1/surveys", body))["summary"]
        if summary["ok"] != PLACES:
            raise RuntimeError(f"not all places answered: {summary}")
    yield "CPU of the hub for a survey of 1,000 places", f"{(asker.cpu_seconds() - before) / rounds * 1e3:.0f} ms"
    yield "CPU of the broker for it", f"{(broker.cpu_seconds() - begun) / rounds * 1e3:.0f} ms"


def wait_for_places(count: int) -> int:
    while True:
        found = json.loads(ask("GET", "/v1/vantages"))["vantages"]
        up = sum(place["instances"] for place in found if place["state"] == "up")
        if up >= count:
            return up


def ask(method: str, path: str, body: dict | None = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", HUB_PORT, timeout=120)
    with contextlib.closing(connection):
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:500]!r}")
        return content


def member(name: str, port: int, answers: bool, fleet: bool = True) -> Process:
    settings = {"servers": [f"nats://{nats.ADDRESS[0]}:{nats.ADDRESS[1]}"], "place": name, "answers": answers}
    configuration = {"listen": [f"127.0.0.1:{port}"], "workers": 1, "policy": {"profile": "internal"}}
    path = built(f"{name}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**configuration, **({"fleet": settings} if fleet else {})}, file)
    arguments = ["--allow-anonymous"] if answers else []
    return Process(name, [CONNECTD, "serve", "--config", path, *arguments])


def hub() -> Process:
    return member("hub1", HUB_PORT, answers=False)


@contextlib.contextmanager
def listener():
    """Targets that accept and close: ten addresses, so that ports do not run out."""
    servers = [socket.create_server((f"127.0.1.{number}", 0), backlog=4096) for number in range(1, 11)]

    def serve(server) -> None:
        with contextlib.suppress(OSError):
            while True:
                server.accept()[0].close()

    for server in servers:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
    yield ["%s:%d" % server.getsockname() for server in servers]


def measure_spread():
    """The rate of one instance that is asked through NATS, and of three, if each process had a core of its own."""
    rates = {}
    for count in (1, 3):
        with nats.broker() as broker, listener() as targets, contextlib.ExitStack() as stack:
            instances = [stack.enter_context(member(f"place{number}", FIRST_PLACE_PORT + number, answers=True)) for number in range(count)]
            for number, instance in enumerate(instances):
                instance.wait_ready(FIRST_PLACE_PORT + number, "/livez")
            asker = stack.enter_context(hub())
            asker.wait_ready(HUB_PORT, "/livez")
            wait_for_places(count)
            batch(targets, 2000)
            if count == 1:
                yield "resident memory of a place after 2,000 checks", f"{instances[0].resident_bytes() / 1e6:.1f} MB"
            processes = {"hub": asker, "broker": broker, **{f"place {number + 1}": item for number, item in enumerate(instances)}}
            before = {name: process.cpu_seconds() for name, process in processes.items()}
            checks = 3 * batch(targets, 10_000, 3)
            used = {name: process.cpu_seconds() - before[name] for name, process in processes.items()}
            slowest = max(seconds for name, seconds in used.items() if name.startswith("place"))
            rates[count] = checks / slowest
            shares = ", ".join(f"{name} {seconds / checks * 1e6:.1f}" for name, seconds in used.items())
            yield f"{count} instances, {checks} checks: µs of CPU for each check", shares
            yield f"{count} instances: checks per second, if each has its own core", f"{rates[count]:.0f}"
    yield "rate of three, of that of one", f"{rates[3] / rates[1]:.2f}"


def batch(targets: list[str], count: int, times: int = 1) -> int:
    """Sends batches to any place, and makes sure that each check has its result; returns the number of checks of one."""
    body = {"checks": [{"target": targets[number % len(targets)]} for number in range(count)], "from": "any"}
    for _ in range(times):
        summary = json.loads(ask("POST", "/v1/checks/batch", body))["summary"]
        if summary["ok"] != count:
            raise RuntimeError(f"not all checks are ok: {summary}")
    return count


def measure_instance():
    """Resident memory of an idle instance, without and with a fleet."""
    with nats.broker():
        for name, fleet in (("without a fleet", False), ("with a fleet", True)):
            with member("place0", FIRST_PLACE_PORT, answers=fleet, fleet=fleet) as instance:
                instance.wait_ready(FIRST_PLACE_PORT, "/livez")
                threading.Event().wait(1.5)
                yield f"resident memory of an idle instance {name}", f"{instance.resident_bytes() / 1e6:.1f} MB"


PARTS = {"instance": measure_instance, "broker": measure_broker, "places": measure_places, "spread": measure_spread}
