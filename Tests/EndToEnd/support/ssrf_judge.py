"""Runs a connectd whose every connect and packet is compared with what its policy allows."""

import contextlib
import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass

from support import batches
from support.address_registries import IPAddress
from support.answering_internet import NAME_SERVER, AnsweringInternet
from support.connectd_process import Connectd
from support.kernel_recorder import ConnectRecorder, Endpoint, PacketRecorder
from support.policy_oracle import PolicyOracle
from support.ssrf_vectors import literal

_serial = itertools.count(1)
# No check of these tests waits that long: every address answers.
TIMEOUT_MS = 2000
# To sort addresses, and to say what a packet's source would be, connectd associates a datagram socket with an address and
# this port, and sends nothing. The policy must allow a check of the address with the port that was asked for.
ROUTE_PORT = 9
LARGEST_BATCH = 10_000


@dataclass(frozen=True)
class Vector:
    """One destination that a client asks for."""

    address: IPAddress
    port: int
    transport: str

    @property
    def target(self) -> str:
        return f"{self.transport}://{literal(self.address)}:{self.port}"


class JudgedService:
    """A running connectd, and the record of what it does on the network."""

    def __init__(self, connectd: Connectd, oracle: PolicyOracle, connects: ConnectRecorder, packets: PacketRecorder):
        self.connectd, self.oracle = connectd, oracle
        self._connects, self._packets = connects, packets
        self._decisions: dict[tuple, bool] = {}
        # Of each request, such as a token.
        self.headers: dict[str, str] = {}
        self.asked = {(80, "tcp"), (80, "udp")}

    @property
    def client(self):
        return self.connectd.client

    def seen(self) -> set[Endpoint]:
        """Every destination of a connect, a datagram or a packet so far, without those of the configured name server."""
        found = self._connects.endpoints() | self._packets.endpoints()
        return {item for item in found if (str(item.address), item.port) != (NAME_SERVER, 53)}

    def escapes(self) -> list[str]:
        """What the policy does not allow."""
        return sorted(str(item) for item in self.seen() if not self._is_allowed(item))

    def _is_allowed(self, item: Endpoint) -> bool:
        if self.allows(Vector(item.address, item.port, item.transport)):
            return True
        asks_for_route = (item.how, item.transport, item.port) == ("connect", "udp", ROUTE_PORT)
        return asks_for_route and any(self.allows(Vector(item.address, port, kind)) for port, kind in self.asked)

    def assert_no_escape(self) -> None:
        escapes = self.escapes()
        assert not escapes, f"{len(escapes)} escapes: {escapes[:20]}"

    def allows(self, vector: Vector) -> bool:
        known = (self.oracle, vector)
        if known not in self._decisions:
            self._decisions[known] = self.oracle.allows(vector.address, vector.port, vector.transport)
        return self._decisions[known]

    def run_batches(self, vectors: list[Vector]) -> list[dict]:
        found = []
        for start in range(0, len(vectors), LARGEST_BATCH):
            checks = [{"target": vector.target} for vector in vectors[start : start + LARGEST_BATCH]]
            body = {"checks": checks, "defaults": {"timeout_ms": TIMEOUT_MS}, "concurrency": 256}
            found += batches.results(self.client, body, headers=self.headers)
        return found

    def assert_decided_as_expected(self, vectors: list[Vector], outcomes: Iterable[str]) -> None:
        """Each vector must be allowed or denied as the oracle says, and each allowed one must be seen by the kernel."""
        decided = list(zip(vectors, outcomes, strict=True))
        wrong = [(vector.target, outcome) for vector, outcome in decided if (outcome != "denied") != self.allows(vector)]
        assert not wrong, f"{len(wrong)} decisions differ from the oracle's: {wrong[:20]}"
        seen = self.seen()
        connects = {(item.transport, item.address, item.port) for item in seen if item.how == "connect"}
        unseen = [v.target for v, outcome in decided if outcome != "denied" and not {key(v), mapped_key(v)} & connects]
        assert not unseen, f"{len(unseen)} connects that the record does not have: {unseen[:20]}"
        packets = {(item.transport, item.address, item.port) for item in seen if item.how == "packet"}
        answered = [v for v, outcome in decided if outcome in ("refused", "connected")]
        unsent = [v.target for v in answered if not {key(v), mapped_key(v)} & packets]
        assert not unsent, f"{len(unsent)} packets that the record does not have: {unsent[:20]}"


def key(vector: Vector) -> tuple[str, IPAddress, int]:
    return vector.transport, vector.address, vector.port


def mapped_key(vector: Vector) -> tuple[str, IPAddress, int]:
    """The same for the IPv4 address inside a mapped one, which the kernel uses."""
    inside = getattr(vector.address, "ipv4_mapped", None)
    return vector.transport, inside or vector.address, vector.port


def seen_addresses(service: JudgedService) -> set[str]:
    return {str(item.address) for item in service.seen()}


def check_name(service: JudgedService, name: str, **members):
    return service.client.post_check(f"tcp://{name}:80", timeout_ms=TIMEOUT_MS, **members)


@contextlib.contextmanager
def judged(internet: AnsweringInternet, oracle: PolicyOracle, configuration: dict | None = None, **options):
    """A service with the oracle's policy. At the end, nothing may have escaped."""
    connects = ConnectRecorder(f"connectd-test-{os.getpid()}-{next(_serial)}")
    try:
        packets = PacketRecorder(internet.prober)
        policy = {**oracle.configuration, **(configuration or {}).get("policy", {})}
        settings = {**(configuration or {}), "policy": policy}
        with Connectd(internet.prober, settings, port=oracle.own_port, prepare=connects.join, **options) as connectd:
            service = JudgedService(connectd, oracle, connects, packets)
            yield service
            service.assert_no_escape()
    finally:
        internet.prober.run("nft", "delete", "table", "inet", "recorder")
        connects.close()
