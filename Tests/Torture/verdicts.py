"""Judges what the user of connectd saw while a call failed."""

import dataclasses
import errno
from collections.abc import Sequence

from errors import FROM_PEER, TRIED_AGAIN
from scenarios import Finding
from shared_page import Injection

# Good verdicts, by what the user saw.
SAME, LESS, OURS, PROBLEM, ENDED, REJECTED, EXITED = (
    "the same result", "the same result with fewer details", "fault prober", "a problem 5xx", "connection closed", "reload rejected", "exit with a message"
)
# Calls on the connection of the client or in its library: the client's connection may end without an answer.
_OF_CONNECTION = ("MHD_", "SSL_", "BIO_")


def may_close(injection: Injection) -> bool:
    call = injection.call
    return (
        call.caller in ("libmicrohttpd.so", "libssl.so", "libcrypto.so") or call.function.startswith(_OF_CONNECTION)
        or call.function in ("recv", "send", "sendmsg", "accept4", "fcntl", "dup3", "epoll_ctl", "getsockname", "socket",
                             "getsockopt", "setsockopt", "connect", "write", "writev", "epoll_pwait2", "shutdown", "close",
                             "poll", "socketpair")
    )  # fmt: skip


def judge(injection: Injection, expected: Sequence[Finding], seen: Sequence[Finding]) -> tuple[bool, str]:
    """Whether it is right, and what it is."""
    if list(seen) == list(expected):
        return True, SAME
    worst = (True, SAME)
    for index, finding in enumerate(seen):
        wanted = expected[index] if index < len(expected) else None
        verdict = _judge_one(injection, wanted, finding)
        if not verdict[0]:
            return verdict
        if verdict[1] != SAME:
            worst = verdict
    if len(seen) < len(expected) and not any(finding.kind in ("closed", "problem", "exit") for finding in seen):
        return False, f"{len(expected) - len(seen)} of {len(expected)} results are missing"
    return worst


def _judge_one(injection: Injection, wanted: Finding | None, seen: Finding) -> tuple[bool, str]:
    if seen == wanted:
        return True, SAME
    if wanted is not None and dataclasses.replace(seen, detail=None) == dataclasses.replace(wanted, detail=None):
        return True, LESS
    match seen.kind:
        case "result" | "page" if seen.fault == "prober":
            return injection.error not in TRIED_AGAIN, OURS if injection.error not in TRIED_AGAIN else f"EINTR is not tried again: {seen}"
        case "result" if injection.error in FROM_PEER and seen.name == errno.errorcode[injection.error]:
            return True, "the peer's error"
        case "verdict" if seen.what in ("prober", "unknown"):
            return True, OURS
        # A pattern, or a name with an umlaut, that a library could not compile. The request is refused before anything is tried.
        case "problem" if seen.what == 400 and seen.name and wanted is not None:
            return True, "a problem 400 that says that no memory is left"
        case "problem" if seen.what in (500, 503):
            return True, PROBLEM
        case "closed" if may_close(injection):
            return True, ENDED
        case "log" if seen.what == "reload rejected":
            return True, REJECTED
        case "exit" if seen.what in (1, 2, 71) and seen.name == "with a message":
            return True, EXITED
    return False, f"{seen}, and not {wanted or 'nothing'}"
