"""A fleet in tests: instances of connectd with a broker."""

import concurrent.futures
import contextlib

from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.nats_server import ADDRESS, NatsServer
from support.real_servers import free_ports
from support.waiting import wait_until


def member(
    namespace, servers, place: str, answers: bool = True, fleet: dict | None = None, port: int = 0, user: str | None = None,
    **members,
) -> Connectd:
    """One instance; the caller enters it. It answers with the policy of all other tests, and without credentials."""
    urls = [servers.url] if isinstance(servers, NatsServer) else [server.url for server in servers]
    configuration = {
        **OPEN_CONFIGURATION, **members,
        "fleet": {"servers": urls, "place": place, "answers": answers, **(fleet or {})},
    }  # fmt: skip
    return Connectd(
        namespace, configuration, port=port or free_ports(namespace, ADDRESS, 1)[0], user=user,
        arguments=("--allow-anonymous",) if answers else ())


def vantages(instance: Connectd) -> dict[str, dict]:
    """The places that an instance knows, by name."""
    answer = instance.client.get("/v1/vantages")
    assert answer.status == 200, answer
    return {vantage["place"]: vantage for vantage in answer.json["vantages"]}


def wait_for_places(instance: Connectd, *places: str, timeout: float = 20) -> None:
    def are_up() -> bool:
        known = vantages(instance)
        return all(known.get(place, {}).get("state") == "up" for place in places)

    wait_until(are_up, timeout, lambda: f"{places} are up: {vantages(instance)}\n{instance.log}", 0.05)


def survey(instance: Connectd, target: str, *places, timeout: float = 30, check: dict | None = None, **members) -> dict:
    body = {"check": {"target": target, "timeout_ms": 2000, **(check or {})}, "from": list(places), **members}
    answer = instance.client.post("/v1/surveys", body, timeout=timeout)
    assert answer.status == 200, answer
    return answer.json


def statuses(document: dict) -> dict[str, str]:
    return {vantage["place"]: vantage["status"] for vantage in document["vantages"]}


@contextlib.contextmanager
def in_background(work):
    """Runs a function during the block, waits for it after the block, and raises what it raised."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        yield running
        running.result(timeout=60)
