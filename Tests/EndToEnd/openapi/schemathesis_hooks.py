"""Corrects generated requests where no schema can express what is valid.

Names of certificates come from the configuration, names of ciphers from OpenSSL; a `reject` needs an `expect` after it; the
parameters of a probe depend on each other; the hold and all rounds must fit into their limits; IDNA2008 decides which
characters a name may have. Only requests that are meant to be valid are changed, except that every batch ends within the
time limit of a request.
"""

import re

import schemathesis

# They decide how long a batch takes.
SLOW = ("rate_per_second", "per_host", "retry_timeouts")
TLS_PARAMETERS = ("server_name", "verify", "starttls", "min_days_left")


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.path == "/v1/checks/batch" and isinstance(case.body, dict):
        case.body = quick(case.body)
    if case.path == "/v1/diagnoses" and isinstance(case.body, dict):
        case.body = short({"timeout_ms": 1000} | case.body)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.path in ("/v1/checks", "/v1/diagnoses") and isinstance(case.body, dict):
        case.body = check(case.body)
        if "control" in case.body:
            case.body["control"] = ascii_target(case.body["control"])
    elif case.path == "/v1/checks/batch" and isinstance(case.body, dict):
        case.body = batch(case.body)
    elif case.path == "/v1/probe" and isinstance(case.query, dict):
        case.query = probe(case.query)
    elif case.path == "/probe" and isinstance(case.query, dict):
        # Escaped, long values would make the head larger than 16 KiB, which is a 431.
        case.query = {name: value[:200] if isinstance(value, str) else value for name, value in case.query.items()}


def ascii_name(text):
    """A host or target with ASCII letters instead of other characters; a UNIX path stays as it is."""
    if not isinstance(text, str) or text.isascii() or text.lower().startswith("unix"):
        return text
    return re.sub(r"[^\x00-\x7f]", "a", text)


def ascii_target(target):
    if isinstance(target, dict) and "host" in target:
        return target | {"host": ascii_name(target["host"])}
    return ascii_name(target)


def check(body: dict) -> dict:
    body = dict(body)
    if "target" in body:
        body["target"] = ascii_target(body["target"])
    if isinstance(body.get("tls"), dict):
        body["tls"] = tls(body["tls"])
    limit_time(body)
    leave_out_conflicts(body)
    if isinstance(body.get("dialog"), list):
        steps = body["dialog"]
        last = max((index for index, step in enumerate(steps) if {"expect", "expect_hex"} & set(step)), default=-1)
        body["dialog"] = [step for index, step in enumerate(steps) if index < last or "reject" not in step]
        if not body["dialog"]:
            body["dialog"] = [{"send": "x"}]
    return body


def leave_out_conflicts(body: dict) -> None:
    """What the conditions demand that schemathesis_run.py leaves out of the specification."""
    target = body.get("target")
    text = target.lower() if isinstance(target, str) else ""
    transport = target.get("transport", "tcp") if isinstance(target, dict) else ""
    is_unix = text.startswith("unix") or transport == "unix"
    if is_unix:
        body.pop("trace", None)
    if text.startswith("unix+dgram") or isinstance(target, dict) and target.get("socket_type") == "dgram":
        body.pop("hold_ms", None)
    if body.get("count", 1) == 1:
        body.pop("interval_ms", None)
    if body.get("half_open") is True:
        is_tcp = transport == "tcp" or text and not text.startswith(("udp:", "tls:", "quic:", "unix"))
        if not is_tcp:
            body.pop("half_open")
            return
        for name in ("tls", "dialog", "preset", "hold_ms", "socket"):
            body.pop(name, None)


def limit_time(body: dict) -> None:
    """The hold ends before the timeout, and all rounds take a second at most."""
    if body.get("hold_ms", 0) > 0:
        body["hold_ms"] = min(body["hold_ms"], 50)
        body["timeout_ms"] = max(body.get("timeout_ms", 500), 51)
    if body.get("count", 1) > 1:
        body["count"] = min(body["count"], 3)
        body["timeout_ms"] = min(body.get("timeout_ms", 300), 300)
        body["interval_ms"] = min(body.get("interval_ms", 0), 20)
        if isinstance(body.get("bind"), dict):
            body["bind"] = {name: value for name, value in body["bind"].items() if name != "port"}


def batch(body: dict) -> dict:
    """The defaults are judged like a check; a check that is not valid has a result."""
    return body | {"defaults": check(body["defaults"])} if isinstance(body.get("defaults"), dict) else body


def quick(body: dict) -> dict:
    """A batch without a pace, whose checks have short timeouts."""
    body = {name: value for name, value in body.items() if not (name in SLOW and isinstance(value, (int, float)))}
    if isinstance(body.get("defaults"), dict):
        body["defaults"] = short(body["defaults"])
    if isinstance(body.get("checks"), list):
        body["checks"] = [short(one) if isinstance(one, dict) else one for one in body["checks"]]
    return body


def short(one: dict) -> dict:
    if isinstance(one.get("count"), int):
        one = one | {"count": min(one["count"], 3)}
    if isinstance(one.get("interval_ms"), int):
        one = one | {"interval_ms": min(one["interval_ms"], 100)}
    timeout = one.get("timeout_ms")
    return one | {"timeout_ms": 1000} if isinstance(timeout, int) and 1000 < timeout <= 60_000 else one


def tls(options: dict) -> dict:
    options = {name: value for name, value in options.items() if name not in ("ca", "client_certificate")}
    if "ciphers" in options:
        options["ciphers"] = "HIGH"
    if "alpn" in options:
        options["alpn"] = [name.encode()[:255].decode(errors="ignore") for name in options["alpn"]]
    if "%" in options.get("server_name", ""):
        options["server_name"] = "db.internal"
    if "server_name" in options:
        options["server_name"] = ascii_name(options["server_name"])
    return options


def probe(query: dict) -> dict:
    query = dict(query)
    for name in ("target", "server_name"):
        if name in query:
            query[name] = ascii_name(query[name])
    if "%" in str(query.get("server_name", "")):
        query["server_name"] = "db.internal"
    # Their rules depend on the other parameters; test_hold.py and test_half_open.py test them.
    for name in ("hold_ms", "half_open"):
        query.pop(name, None)
    target = str(query.get("target", "")).lower()
    if target.startswith(("udp://", "quic://", "unix")):
        for name in TLS_PARAMETERS:
            query.pop(name, None)
    if target.startswith("unix"):
        query.pop("trace", None)
    return query
