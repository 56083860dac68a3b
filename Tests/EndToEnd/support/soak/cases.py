"""The kinds of checks of a soak run, each with the verdict that is known in advance."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from support.certificates import HOST
from support.soak import peers as soak

# For checks that must succeed, or fail at once: a busy machine must not turn them into timeouts.
PATIENT = 60000
# For checks that only a deadline ends, in milliseconds.
SHORT = 200


@dataclass(frozen=True)
class Verdict:
    outcome: str
    name: str | None = None
    phase: str = "done"
    fault: str | None = None
    attempts: int | None = None


def is_prober_busy(result: dict) -> bool:
    """Whether connectd says that it had no processor time: on a busy machine, that is right instead of a timeout."""
    error = result.get("error") or {}
    return (error.get("name"), error.get("class"), error.get("fault")) == ("PROBER_BUSY", "prober_exhausted", "prober")


@dataclass(frozen=True)
class Case:
    """A kind of check: `request(number)` gives the members of one such check."""

    title: str
    weight: int
    verdict: Verdict
    request: Callable[[int], dict]
    # What a single check answers, if not 200: a batch has the outcome instead.
    status: int = 200
    # Whether `ok` is true although there is an error, because the check expects it.
    is_expected: bool = False

    @property
    def ends_at_deadline(self) -> bool:
        """Whether only the deadline ends it, after an exchange that connectd itself must run."""
        return self.verdict.name in ("DEADLINE", "DNS_TIMEOUT") and self.verdict.phase != "connect"

    def fault_of(self, result: dict) -> str | None:
        """What is wrong with a result of this case; None if it is right."""
        if self.ends_at_deadline and is_prober_busy(result):
            return None
        wanted, error = self.verdict, result.get("error") or {}
        seen = Verdict(result["outcome"], error.get("name"), result["phase"], error.get("fault"))
        expected = Verdict(wanted.outcome, wanted.name, wanted.phase, wanted.fault)
        if seen != expected:
            return f"{self.title}: {seen} instead of {expected}"
        if result["ok"] is not (self.is_expected or not error):
            return f"{self.title}: ok is {result['ok']}"
        if wanted.attempts is not None and len(result["attempts"]) != wanted.attempts:
            return f"{self.title}: {len(result['attempts'])} attempts instead of {wanted.attempts}"
        if self.title == "TLS good" and not result["tls"]["verified"]:
            return f"{self.title}: not verified"
        return None


def _address(number: int, network: str) -> str:
    """One of many loopback addresses, so that no pair of addresses runs out of ports."""
    return f"{network}.{number // 250 % 250 + 1}.{number % 250 + 1}"


def _tcp(port: int, network: str = "127.0", timeout_ms: int = PATIENT, **members):
    def request(number: int) -> dict:
        return {"target": f"tcp://{_address(number, network)}:{port}", "timeout_ms": timeout_ms, **members}

    return request


def _fixed(target, timeout_ms: int = PATIENT, **members):
    return lambda number: {"target": target, "timeout_ms": timeout_ms, **members}


def _tls(port: int, timeout_ms: int = PATIENT):
    return _tcp(port, timeout_ms=timeout_ms, tls={"server_name": HOST, "ca": "tests"})


def _tls_failure(name: str) -> Verdict:
    return Verdict("tls_failed", name, "tls", "target", 1)


REFUSED = Verdict("refused", "ECONNREFUSED", "connect", "target", 1)
CONNECTED = Verdict("connected", attempts=1)
SILENCE = Verdict("timeout", "DEADLINE", "connect", "network")


def _unresolved(name: str) -> Verdict:
    return Verdict("resolve_failed", name, "resolve", "resolver", 0)


def _simple() -> list[Case]:
    return [
        Case("open", 400, CONNECTED, _tcp(soak.OPEN)),
        Case("refused", 200, REFUSED, _tcp(soak.REFUSED)),
        Case("expected refusal", 20, REFUSED, _tcp(soak.REFUSED, expect="refused"), is_expected=True),
        Case("dropped", 40, SILENCE, _tcp(80, soak.DROPPED, SHORT)),
        Case("unreachable", 20, Verdict("unreachable", "EHOSTUNREACH", "connect", "network", 1), _fixed(f"tcp://{soak.UNREACHABLE}:80")),
        Case("prohibited", 10, Verdict("not_permitted", "EACCES", "connect", "prober", 1), _fixed(f"tcp://{soak.PROHIBITED}:80")),
        Case("denied", 20, Verdict("denied", "DENIED", "policy", "request"), _fixed("tcp://169.254.169.254:80"), 403),
        Case("rounds", 5, CONNECTED, _tcp(soak.OPEN, timeout_ms=10000, count=3)),
        Case("half open", 10, CONNECTED, _tcp(soak.OPEN, half_open=True)),
        Case("closed while held", 10, Verdict("closed_early", "CLOSED_EARLY", "hold", "target", 1), _tcp(soak.OPEN, hold_ms=30000)),
        Case("held", 5, CONNECTED, _tcp(soak.BANNER, hold_ms=20)),
        Case("dialog", 20, CONNECTED, _tcp(soak.BANNER, dialog=[{"expect": "^220 (?<who>\\S+)"}, {"send": "QUIT ${who}\r\n"}])),
        Case("dialog rejected", 10, Verdict("dialog_failed", "DIALOG_REJECTED", "dialog", "target", 1),
             _tcp(soak.BANNER, dialog=[{"reject": "^220"}, {"expect": "^554"}])),
        Case("dialog closed", 10, Verdict("dialog_failed", "DIALOG_CLOSED", "dialog", "target", 1),
             _tcp(soak.OPEN, dialog=[{"expect": "^220"}])),
        Case("invalid", 10, Verdict("invalid", "INVALID", "policy", "request"), _fixed("tcp://127.1:80"), 400),
    ]  # fmt: skip


def _with_tls() -> list[Case]:
    return [
        Case("TLS good", 15, CONNECTED, _tls(soak.TLS["good"])),
        Case("TLS expired", 6, _tls_failure("CERT_EXPIRED"), _tls(soak.TLS["expired"])),
        Case("TLS wrong name", 6, _tls_failure("CERT_NAME_MISMATCH"), _tls(soak.TLS["wrong_host"])),
        Case("TLS self-signed", 6, _tls_failure("CERT_SELF_SIGNED"), _tls(soak.TLS["self_signed"])),
        Case("TLS unknown authority", 6, _tls_failure("CERT_UNKNOWN_AUTHORITY"), _tls(soak.TLS["unknown_authority"])),
        Case("TLS garbage", 10, _tls_failure("TLS_NOT_TLS"), _tls(soak.GARBAGE)),
        Case("TLS closes", 10, _tls_failure("TLS_CLOSED"), _tls(soak.CLOSES)),
        Case("TLS alert", 10, _tls_failure("TLS_ALERT"), _tls(soak.ALERTS)),
        Case("TLS resets", 10, Verdict("reset", "ECONNRESET", "tls", "target", 1), _tls(soak.RESETS)),
        Case("TLS hangs", 10, Verdict("timeout", "DEADLINE", "tls", "target", 1), _tls(soak.HANGS, SHORT)),
    ]


def _unix(folder) -> list[Case]:
    refused = Verdict("refused", "ECONNREFUSED", "connect", "target", 1)
    return [
        Case("UNIX stream", 40, CONNECTED, _fixed(f"unix:{folder}/stream")),
        Case("UNIX seqpacket", 10, CONNECTED, _fixed(f"unix+seqpacket:{folder}/seqpacket")),
        Case("UNIX dgram", 10, Verdict("associated", attempts=1), _fixed(f"unix+dgram:{folder}/dgram")),
        Case("UNIX stale", 10, refused, _fixed(f"unix:{folder}/stale")),
        Case("UNIX missing", 10, Verdict("no_such_socket", "ENOENT", "connect", "target", 1), _fixed(f"unix:{folder}/missing")),
        Case("UNIX wrong type", 5, Verdict("wrong_type", "EPROTOTYPE", "connect", "request", 1), _fixed(f"unix:{folder}/dgram")),
        Case("UNIX full", 5, Verdict("backlog_full", "EAGAIN", "connect", "target", 1), _fixed(f"unix:{folder}/full")),
    ]


def _udp() -> list[Case]:
    answered = Verdict("answered", attempts=1)
    question = [{"send": "soak"}, {"expect": "^soak"}]
    return [
        Case("UDP associated", 10, Verdict("associated", attempts=1), _fixed(f"udp://127.0.0.1:{soak.SILENT}")),
        Case("UDP echo", 20, answered, _fixed(f"udp://127.0.0.1:{soak.ECHO}", dialog=question)),
        Case("UDP refused", 10, Verdict("refused", "ECONNREFUSED", "dialog", "target", 1),
             _fixed(f"udp://127.0.0.1:{soak.REFUSED}", dialog=question)),
        Case("UDP silent", 10, Verdict("timeout", "DEADLINE", "dialog", "target", 1),
             _fixed(f"udp://127.0.0.1:{soak.SILENT}", SHORT, dialog=question)),
        Case("preset dns", 5, answered, _fixed(f"udp://{soak.NAME_SERVER}:53", preset="dns")),
    ]  # fmt: skip


def _names() -> list[Case]:
    every = {"addresses": "all"}
    return [
        Case("name", 20, CONNECTED, _fixed(f"tcp://one.soak.test:{soak.OPEN}")),
        Case("alias", 5, CONNECTED, _fixed(f"tcp://alias.soak.test:{soak.OPEN}")),
        Case("name, all addresses", 5, Verdict("connected", attempts=2), _fixed(f"tcp://two.soak.test:{soak.OPEN}", resolve=every)),
        Case("name, race", 5, Verdict("connected"), _fixed(f"tcp://two.soak.test:{soak.OPEN}", resolve={"addresses": "race"})),
        Case("name, half dropped", 5, Verdict("timeout", "DEADLINE", "connect", "network", 2),
             _fixed(f"tcp://half.soak.test:{soak.OPEN}", 2000, resolve=every)),
        Case("name, no such", 5, _unresolved("NXDOMAIN"), _fixed("tcp://nosuch.soak.test:80")),
        Case("name, no address", 5, _unresolved("NODATA"), _fixed("tcp://empty.soak.test:80", resolve={"family": "ipv4"})),
        Case("name, SERVFAIL", 5, _unresolved("SERVFAIL"), _fixed("tcp://failing.soak.test:80")),
        Case("name, silent server", 5, _unresolved("DNS_TIMEOUT"), _fixed("tcp://silent.soak.test:80", SHORT)),
        Case("name, denied", 5, Verdict("denied", "DENIED", "policy", "request"), _fixed("tcp://denied.soak.test:80"), 403),
    ]  # fmt: skip


class Mixture:
    """Draws cases by their weights, in an order that a seed repeats."""

    def __init__(self, folder, seed: int):
        self.cases = [*_simple(), *_with_tls(), *_unix(folder), *_udp(), *_names()]
        self._weights = [case.weight for case in self.cases]
        self._random = random.Random(seed)
        self._number = 0

    def draw(self, count: int) -> list[tuple[Case, dict]]:
        """Cases with the members of a check each, and an `id` of their own."""
        drawn = []
        for case in self._random.choices(self.cases, self._weights, k=count):
            self._number += 1
            drawn.append((case, {**case.request(self._number), "id": str(self._number)}))
        return drawn
