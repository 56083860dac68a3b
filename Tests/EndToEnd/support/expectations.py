"""Assertions about results, so that a test contains only its own case."""

import errno as numbers
import os

TOP_MEMBERS = {
    "schema",
    "index",
    "id",
    "labels",
    "target",
    "ok",
    "outcome",
    "phase",
    "error",
    "attempts",
    "resolution",
    "timings_ms",
    "started_at",
    "prober",
    "dialog",
    "answer",
    "after",
    "rounds",
    "trace",
    "tls",
    "verified",
}
ATTEMPT_MEMBERS = {
    "address",
    "port",
    "path",
    "family",
    "outcome",
    "phase",
    "error",
    "local",
    "peer",
    "start_ms",
    "duration_ms",
    "icmp",
    "tcp_info",
    "peer_credentials",
}
ERROR_MEMBERS = {
    "errno",
    "errors",
    "name",
    "class",
    "fault",
    "source",
    "message",
    "hint",
    "retryable",
    "alert",
    "alert_from",
    "received",
}
TIMINGS = {"queue", "resolve", "connect", "tls", "dialog", "total"}
SUCCESSES = {"connected", "associated", "answered"}
# One number has two names on Linux.
_NAMES = {95: "EOPNOTSUPP", 11: "EAGAIN"}


def name_of(number: int) -> str:
    return _NAMES.get(number) or numbers.errorcode[number]


def assert_shape(result: dict) -> None:
    """Asserts the properties of every result."""
    assert set(result) <= TOP_MEMBERS, set(result) - TOP_MEMBERS
    assert result["schema"] == 1
    assert isinstance(result["ok"], bool)
    assert set(result["timings_ms"]) - {"hold"} == TIMINGS
    assert all(value >= 0 for value in result["timings_ms"].values())
    assert result["started_at"].endswith("Z") and "T" in result["started_at"]
    if result["outcome"] in SUCCESSES:
        assert "error" not in result, "an error in a success"
        assert result["phase"] == "done"
    else:
        assert result["error"]["class"] == result["outcome"]
    for attempt in result["attempts"]:
        assert set(attempt) <= ATTEMPT_MEMBERS, set(attempt) - ATTEMPT_MEMBERS
        assert ("error" in attempt) == (attempt["outcome"] not in SUCCESSES)
    for error in [result.get("error"), *(attempt.get("error") for attempt in result["attempts"])]:
        if error is not None:
            assert set(error) <= ERROR_MEMBERS, set(error) - ERROR_MEMBERS
            assert {"errno", "name", "class", "fault", "source", "message", "hint", "retryable"} <= set(error)
            assert isinstance(error["retryable"], bool)
            assert error["message"] and error["hint"]
            assert error["fault"] in {"target", "network", "prober", "request", "resolver"}


def assert_success(result: dict, outcome: str = "connected") -> dict:
    assert_shape(result)
    assert (result["outcome"], result["phase"], result["ok"]) == (outcome, "done", True), result
    return next(attempt for attempt in result["attempts"] if attempt["outcome"] == outcome)


def assert_failure(
    result: dict,
    number: int | None,
    outcome: str,
    fault: str | None,
    phase: str | None = "connect",
    source: str = "kernel",
    name: str | None = None,
) -> dict:
    """Asserts a failed check; returns its last attempt, or {} if there was none."""
    assert_shape(result)
    error = result["error"]
    said = (result["outcome"], error["errno"], error["name"], error["class"], error["source"])
    wanted = (outcome, number, name or name_of(number), outcome, source)
    assert said == wanted, result
    assert fault is None or error["fault"] == fault, result
    assert phase is None or result["phase"] == phase, result
    assert result["ok"] is False
    if number is not None and source == "kernel":
        assert error["message"] == os.strerror(number)
    return result["attempts"][-1] if result["attempts"] else {}


def assert_icmp(attempt: dict, kind: int, code: int, sender: str) -> None:
    icmp = attempt["icmp"]
    assert (icmp["type"], icmp["code"], icmp["from"]) == (kind, code, sender), attempt
    assert icmp["meaning"]


def assert_problem(answer, status: int, pointer: str | None = None) -> dict:
    """Asserts an RFC 9457 problem with this status and, for invalid input, this pointer."""
    assert answer.status == status, f"{answer.status}: {answer.body[:500]!r}"
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["type"] and problem["title"] and problem["detail"]
    assert answer.body.endswith(b"\n"), "JSON ends in a newline"
    if pointer is not None:
        assert pointer in answer.pointers, f"{pointer} is not in {answer.pointers}: {problem}"
        assert all(item["detail"] for item in problem["errors"])
    return problem
