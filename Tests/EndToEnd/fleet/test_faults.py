"""What can happen to a broker and to the way to it. Local checks, health and monitors continue without one."""

import contextlib
import json
import pathlib
import signal
import time

import pytest

from support import peers
from support.fleet import in_background, member, statuses, survey, vantages, wait_for_places
from support.nats_accounts import Operator
from support.nats_server import ADDRESS, NatsPeer, NatsServer, cluster
from support.waiting import wait_until


@pytest.fixture(scope="module")
def target(loopback_only):
    listener = peers.tcp_listener(loopback_only, ADDRESS, backlog=64)
    with peers.serving(listener, peers.on_each_connection(lambda connection: None)):
        yield f"tcp://{ADDRESS}:{listener.getsockname()[1]}"


@pytest.fixture
def broker(loopback_only):
    with NatsServer(loopback_only) as running:
        yield running


def assert_local_work_continues(instance, target: str) -> None:
    assert instance.client.get("/livez").status == 200
    assert instance.client.get("/readyz").status == 200
    assert instance.client.post("/v1/checks", {"target": target}).json["ok"]
    assert instance.monitor("m")["state"] == "up"


def monitored(target: str) -> dict:
    return {"monitors": [{"name": "m", "interval_ms": 100, "check": {"target": target}}]}


def wait_for_verdict(instance, target: str, *places: str, verdict: str = "up", timeout: float = 30) -> None:
    wait_until(
        lambda: survey(instance, target, *places)["verdict"] == verdict, timeout,
        lambda: f"a survey is {verdict}:\n{instance.log}", 0.2)


def test_a_broker_that_is_killed_and_restarted(loopback_only, broker, target):
    with member(loopback_only, broker, "fra1"), member(loopback_only, broker, "hub", answers=False, **monitored(target)) as hub:
        wait_for_places(hub, "fra1")
        hub.wait_for_monitor("m", "up")
        broker.kill()
        hub.wait_for_log("fleet: connection lost")
        begin = time.monotonic()
        document = survey(hub, target, "fra1", "here")
        assert time.monotonic() - begin < 4
        assert statuses(document)["fra1"] == "unavailable" and document["verdict"] == "up"
        assert document["summary"]["failed"] == 0
        assert_local_work_continues(hub, target)
        assert "connectd_fleet_connected 0" in hub.client.get("/metrics").body.decode()
        broker.start()
        wait_for_verdict(hub, target, "fra1")


def test_a_broker_that_comes_after_its_members(loopback_only, target):
    broker = NatsServer(loopback_only)
    with member(loopback_only, broker, "fra1") as place, member(loopback_only, broker, "hub", answers=False) as hub:
        hub.wait_for_log("fleet: not connected")
        assert vantages(hub) == {}
        with broker:
            for instance in (place, hub):
                instance.wait_for_log("fleet: connected")
            wait_for_verdict(hub, target, "fra1")


def test_a_cluster_that_loses_a_broker(loopback_only, target):
    with cluster(loopback_only) as brokers:
        with (
            member(loopback_only, brokers, "fra1") as place,
            member(loopback_only, brokers, "hub", answers=False) as hub,
        ):
            wait_for_verdict(hub, target, "fra1")
            ports = {instance: connected_port(instance) for instance in (place, hub)}
            [lost] = [broker for broker in brokers if broker.port == ports[hub]]
            before = len(hub.log)
            lost.kill()
            hub.wait_for_log("fleet: connected", before)
            wait_for_verdict(hub, target, "fra1")


def connected_port(instance) -> int:
    lines = [json.loads(line) for line in instance.log.splitlines() if "fleet: connected" in line]
    return int(lines[-1]["server"].rsplit(":", 1)[1])


def test_a_broker_that_hangs(loopback_only, broker, target):
    with member(loopback_only, broker, "fra1"), member(loopback_only, broker, "hub", answers=False, **monitored(target)) as hub:
        wait_for_verdict(hub, target, "fra1")
        broker.pause()
        try:
            begin = time.monotonic()
            document = survey(hub, target, "fra1", "here", check={"timeout_ms": 500}, grace_ms=500)
            assert time.monotonic() - begin < 3
            assert statuses(document) == {"fra1": "unavailable", "hub": "finished"}, document
            assert_local_work_continues(hub, target)
        finally:
            broker.resume()
        wait_for_verdict(hub, target, "fra1")


def test_a_partition_between_hub_and_broker(loopback_only, broker, target):
    with member(loopback_only, broker, "fra1"), member(loopback_only, broker, "hub", answers=False) as hub:
        wait_for_verdict(hub, target, "fra1")
        port = connected_port(hub)
        loopback_only.nft(
            f"table ip cut {{ chain o {{ type filter hook output priority 0; tcp sport {port} drop; tcp dport {port} drop; }}; }}")
        try:
            document = survey(hub, target, "fra1", "here", check={"timeout_ms": 500}, grace_ms=500)
            assert statuses(document)["fra1"] == "unavailable" and document["verdict"] == "up"
        finally:
            loopback_only.nft("delete table ip cut")
        wait_for_verdict(hub, target, "fra1")


def test_a_place_that_dies(loopback_only, broker, target):
    with member(loopback_only, broker, "hub", answers=False) as hub:
        place = member(loopback_only, broker, "fra1").wait_until_live()
        wait_for_verdict(hub, target, "fra1")
        place.process.send_signal(signal.SIGSTOP)
        document = survey(hub, target, "fra1", check={"timeout_ms": 300}, grace_ms=300)
        assert statuses(document) == {"fra1": "unavailable"}
        place.process.kill()
        place.process.wait()
        wait_until(lambda: broker_has_lost(broker), 5, "the broker has noticed")
        document = survey(hub, target, "fra1", check={"timeout_ms": 300}, grace_ms=300)
        assert statuses(document) == {"fra1": "unavailable"} and document["verdict"] == "undetermined"
        place.stop()


def broker_has_lost(broker: NatsServer) -> bool:
    with NatsPeer(broker) as peer:
        answer = peer.request("connectd.check.fra1", b"{}", timeout=1)
    return "503" in answer["headers"]


USERS = 'authorization {{ users: [{{user: "hub", password: "{hub}"}}, {{user: "place", password: "p"}}] }}'


def test_credentials_that_are_revoked(loopback_only, target, folder):
    secret = {name: secret_file(folder, name, text) for name, text in (("hub", "h"), ("place", "p"))}
    with NatsServer(loopback_only, USERS.format(hub="h")) as broker, contextlib.ExitStack() as stack:
        stack.enter_context(
            member(loopback_only, broker, "fra1", fleet={"user": "place", "password_file": secret["place"]}))
        hub = stack.enter_context(
            member(loopback_only, broker, "hub", answers=False, fleet={"user": "hub", "password_file": secret["hub"]}))
        wait_for_verdict(hub, target, "fra1")
        broker.reload(USERS.format(hub="other"))
        log = hub.wait_for_log("fleet: not connected", timeout=30)
        assert "Authorization Violation" in log or "authorization" in log.lower(), log
        document = survey(hub, target, "fra1", "here")
        assert statuses(document) == {"fra1": "unavailable", "hub": "finished"} and document["verdict"] == "up"
        broker.reload(USERS.format(hub="h"))
        wait_for_verdict(hub, target, "fra1")


def test_a_token(loopback_only, target, folder):
    token = secret_file(folder, "token", "s3cret")
    with NatsServer(loopback_only, 'authorization { token: "s3cret" }') as broker:
        with (
            member(loopback_only, broker, "fra1", fleet={"token_file": token}),
            member(loopback_only, broker, "hub", answers=False, fleet={"token_file": token}) as hub,
        ):
            wait_for_verdict(hub, target, "fra1")


def test_credentials_of_an_account(loopback_only, target, folder):
    operator, stranger = Operator(), Operator()
    with NatsServer(loopback_only, operator.configuration) as broker, contextlib.ExitStack() as stack:
        files = {name: secret_file(folder, name, operator.credentials()) for name in ("fra1", "hub")}
        stack.enter_context(member(loopback_only, broker, "fra1", fleet={"credentials": files["fra1"]}))
        hub = stack.enter_context(
            member(loopback_only, broker, "hub", answers=False, fleet={"credentials": files["hub"]}))
        wait_for_verdict(hub, target, "fra1")
        refused = secret_file(folder, "stranger", stranger.credentials())
        other = stack.enter_context(
            member(loopback_only, broker, "other", answers=False, fleet={"credentials": refused}))
        assert "Authentication Violation" in other.wait_for_log("fleet: not connected")


def secret_file(folder: str, name: str, text: str) -> str:
    path = pathlib.Path(folder, name)
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


@contextlib.contextmanager
def stopped(instance):
    """The process of an instance does nothing during the block: SIGSTOP."""
    instance.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        instance.process.send_signal(signal.SIGCONT)


def test_a_place_that_continues_too_late_does_not_run_the_check(loopback_only, broker, target):
    with (
        member(loopback_only, broker, "fra1") as place,
        member(loopback_only, broker, "hub", answers=False) as hub,
        peers.tcp_listener(loopback_only, ADDRESS) as listener,
    ):
        wait_for_verdict(hub, target, "fra1")
        own = f"tcp://{ADDRESS}:{listener.getsockname()[1]}"
        with stopped(place):
            document = survey(hub, own, "fra1", check={"timeout_ms": 200}, grace_ms=200)
            # As late as the clocks of two machines may differ, and more.
            time.sleep(0.5)
        assert statuses(document) == {"fra1": "unavailable"}
        wait_for_verdict(hub, target, "fra1")
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_place_that_does_not_read(loopback_only, target):
    """The broker drops its connection as that of a slow consumer; then it connects again."""
    with (
        NatsServer(loopback_only, 'max_pending: 1MB\nwrite_deadline: "500ms"') as broker,
        member(loopback_only, broker, "fra1") as place,
        member(loopback_only, broker, "hub", answers=False) as hub,
        NatsPeer(broker) as peer,
    ):
        wait_for_verdict(hub, target, "fra1")
        with stopped(place):
            for _ in range(300):
                peer.publish("connectd.check.fra1", b" " * 60_000, "_INBOX.slow")
            wait_until(lambda: "Slow Consumer" in broker.log, 20, lambda: f"a slow consumer:\n{broker.log}", 0.1)
        wait_for_verdict(hub, target, "fra1")
        assert place.client.get("/livez").status == 200


def test_mutual_tls(loopback_only, authorities, target, folder):
    server, client = authorities.for_addresses(ADDRESS), authorities.client
    root = f"{folder}/root.pem"
    with open(root, "w") as file:
        file.write(authorities.root_pem)
    tls = (
        f'tls {{ cert_file: "{server.chain_file}", key_file: "{server.key_file}", ca_file: "{root}", verify: true }}')
    settings = {"certificate": str(client.chain_file), "key": str(client.key_file), "authorities": "broker"}
    with NatsServer(loopback_only, tls) as broker:
        secure = {**settings, "servers": [f"tls://{ADDRESS}:{broker.port}"]}
        trusting = {"authorities": {"broker": {"file": root}}}
        with (
            member(loopback_only, broker, "fra1", fleet=secure, **trusting),
            member(loopback_only, broker, "hub", answers=False, fleet=secure, **trusting) as hub,
        ):
            wait_for_verdict(hub, target, "fra1")
        anonymous = {"servers": secure["servers"], "authorities": "broker"}
        with member(loopback_only, broker, "hub", answers=False, fleet=anonymous, **trusting) as hub:
            hub.wait_for_log("fleet: not connected")


@pytest.mark.parametrize("label", ["wrong_host", "unknown_authority", "expired"])
def test_a_broker_with_a_certificate_that_must_not_be_trusted(loopback_only, authorities, folder, label):
    identity = getattr(authorities, label)
    root = f"{folder}/root.pem"
    with open(root, "w") as file:
        file.write(authorities.root_pem)
    tls = f'tls {{ cert_file: "{identity.chain_file}", key_file: "{identity.key_file}" }}'
    with NatsServer(loopback_only, tls) as broker:
        settings = {"servers": [f"tls://{ADDRESS}:{broker.port}"], "authorities": "broker"}
        with member(loopback_only, broker, "hub", answers=False, fleet=settings, authorities={"broker": {"file": root}}) as hub:
            log = hub.wait_for_log("fleet: not connected")
            assert "fleet: connected" not in hub.log and "reason" in log


def test_two_hundred_places_in_one_survey(loopback_only, broker, target):
    """180 of them answer by themselves, from one connection; the others are silent."""
    with NatsPeer(broker) as peer, member(loopback_only, broker, "hub", answers=False) as hub:
        hub.wait_for_log("fleet: connected")
        peer.subscribe("connectd.check.*", "connectd")

        def answer() -> None:
            for _ in range(200):
                request = peer.receive(20)
                place = request["subject"].rsplit(".", 1)[1]
                if int(place[1:]) >= 180:
                    continue
                result = {"target": target, "ok": True, "outcome": "connected"}
                peer.publish(request["reply"], json.dumps(result).encode(), headers=f"Connectd-Place: {place}\r\n".encode())

        with in_background(answer):
            begin = time.monotonic()
            document = survey(hub, target, *(f"p{number}" for number in range(200)), check={"timeout_ms": 1000})
            assert time.monotonic() - begin < 6
    assert document["verdict"] == "up" and document["summary"]["asked"] == 200
    assert sorted(statuses(document).values()) == ["finished"] * 180 + ["unavailable"] * 20


def test_a_flood_of_requests_does_not_stop_local_work(loopback_only, broker, target):
    """More than the service can answer: those beyond the limits get 503 or are dropped, and local checks continue."""
    silent = peers.tcp_listener(loopback_only, ADDRESS, backlog=0)
    body = json.dumps({"target": f"tls://{ADDRESS}:{silent.getsockname()[1]}", "timeout_ms": 1000}).encode()
    settings = {"limits": {"in_flight": 16, "queue": 16}}
    with silent, member(loopback_only, broker, "fra1", **settings) as place, NatsPeer(broker) as peer:
        place.wait_for_log("fleet: connected")
        for _ in range(20_000):
            peer.publish("connectd.check.fra1", body, "_INBOX.flood")
        assert place.client.get("/livez").status == 200
        wait_until(
            lambda: place.client.post("/v1/checks", {"target": target}).status == 200, 20, "a local check runs", 0.1)
        wait_until(lambda: answers(place) >= 20_000, 30, lambda: f"all are answered: {answers(place)}", 0.2)


def answers(place) -> int:
    lines = place.client.get("/metrics").body.decode().splitlines()
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines if line.startswith("connectd_fleet_answers_total{"))
