"""Generates valid requests where schemathesis cannot: it gives up on the conditions of a check.

Bodies come from the same schemas without their conditions. Members that contradict others are left out, until the published
schema admits the body. So the specification decides what is sent, and nothing that it admits is repaired or hidden.

Six things are facts of the service, which no schema knows: the names in its configuration, that it has no fleet, the names of
ciphers in OpenSSL, which patterns PCRE2 compiles, which groups these have, and which parameters of a probe contradict each
other. The last is judged by the schema of a check, as the description of `/v1/probe` says.

Only the runs for valid data load this file.
"""

import json
import os
import pathlib
import re
import zlib

import jsonschema_rs
import schemathesis
import yaml


DOCUMENT = yaml.safe_load((pathlib.Path(__file__).parents[3] / "openapi" / "openapi.yaml").read_text(encoding="utf-8"))
BODIES = {
    "/v1/checks": "CheckRequest", "/v1/diagnoses": "DiagnosisRequest", "/v1/checks/batch": "BatchRequest", "/v1/surveys": "SurveyRequest",
}  # fmt: skip
CONDITIONS = ("if", "then", "else", "dependentSchemas")
# The configuration of the service in `schemathesis_run.py` has these names.
CONFIGURED = {"ca": "internal", "client_certificate": "probe", "ciphers": "HIGH"}
# No target answers on loopback, but these durations pass even so.
SHORTEST = {"hold_ms": 50, "interval_ms": 20, "count": 3, "timeout_ms": 1000, "grace_ms": 500, "rate_per_second": 0, "per_host": 0, "retry_timeouts": 0}  # fmt: skip


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


LOCAL = ["127.0.0.1:1", "localhost:1", "tls://[::1]:1", "udp://127.0.0.1:1", "quic://localhost:https", "TLS://127.0.0.1:1"]
VALIDATORS = {path: validator(name) for path, name in BODIES.items()}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """The generator gets the bodies without their conditions. For the coverage phase, that takes minutes."""
    if os.environ.get("CONNECTD_CONDITIONS") == "kept":
        return
    for name in BODIES.values():
        for word in CONDITIONS:
            raw_schema["components"]["schemas"][name].pop(word, None)


@schemathesis.hook
def map_body(context, body):
    path = context.operation.path
    return admitted(path, body) if path in BODIES and isinstance(body, dict) else body


@schemathesis.hook
def map_query(context, query):
    if context.operation.path != "/v1/probe" or not isinstance(query, dict) or "target" not in query:
        return query
    made = {"target": local_target(query)}
    for name, value in query.items():
        if name != "target" and is_check(made | {name: value}):
            made[name] = value
    return quick(made)


@schemathesis.hook
def filter_case(context, case):
    """The coverage phase combines members without the conditions."""
    return case.path not in BODIES or case.method != "POST" or VALIDATORS[case.path].is_valid(case.body)


# Facts of the service: see above.
UNKNOWN_TO_SCHEMAS = re.compile(
    r"(/defaults|/check)?(/tls/(ca|client_certificate|ciphers)|/dialog/[0-9]+/(expect|reject|send))|/from(/[0-9]+)?"
)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops a refusal of valid data if the published schema of a check forbids it, or if no schema can know the reason.

    No schema knows how long all header fields and parameters are together (431), or the rules of IDNA for the labels of an
    international name.
    """
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code not in (400, 431):
        return True
    if response.status_code == 431 or is_international(response.json()):
        return False
    if case.path == "/v1/probe":
        return is_check({name: typed(value) for name, value in case.query.items()})
    errors = response.json().get("errors", []) if case.path in BODIES else []
    return not errors or not all(UNKNOWN_TO_SCHEMAS.fullmatch(error["pointer"]) for error in errors)


def is_international(problem: dict) -> bool:
    """Whether a name that is not ASCII is the only reason of the refusal."""
    errors = problem.get("errors", [])
    return bool(errors) and all("label" in error["detail"] for error in errors)


def typed(value):
    """A parameter as a member of a check."""
    if isinstance(value, str) and re.fullmatch("true|false|[0-9]+", value):
        return json.loads(value)
    return value


def admitted(path: str, body) -> dict:
    """The body with every member that the published schema admits together with those before it."""
    body = known(quick(body))
    if "target" in body:
        body["target"] = local_target(body)
    if path == "/v1/surveys":
        body["check"] = admitted("/v1/checks", body["check"])
    made = {name: body[name] for name in ("target", "checks", "check") if name in body}
    for name, value in body.items():
        if VALIDATORS[path].is_valid(made | {name: value}):
            made[name] = value
    assert VALIDATORS[path].is_valid(made), f"{path}: {json.dumps(made)[:2000]}"
    return made


def local_target(request: dict):
    """Every second time a local target: the policy denies most of the others."""
    number = zlib.crc32(json.dumps(request, sort_keys=True).encode())
    return LOCAL[number // 2 % len(LOCAL)] if number % 2 else request["target"]


def quick(value):
    """The same document with short durations."""
    if isinstance(value, list):
        return [quick(child) for child in value]
    if not isinstance(value, dict):
        return value
    return {name: min(child, SHORTEST[name]) if name in SHORTEST and isinstance(child, (int, float)) else quick(child)
            for name, child in value.items()}  # fmt: skip


def known(body: dict) -> dict:
    """The same document with names and patterns that the service knows."""
    for holder in (body, *(body[name] for name in ("defaults",) if name in body)):
        if isinstance(holder.get("tls"), dict):
            holder["tls"] = {name: CONFIGURED.get(name, value) for name, value in holder["tls"].items()}
        if isinstance(holder.get("dialog"), list):
            holder["dialog"] = [{name: pattern(name, value) for name, value in step.items()} for step in holder["dialog"]]
    return body


def pattern(name: str, value):
    """Python's regular expressions are not those of PCRE2, and a reference needs its group."""
    if name in ("expect", "reject"):
        return re.escape(value)
    return value.replace("${", "$") if name == "send" else value


CHECK = VALIDATORS["/v1/checks"]
TLS_PARAMETERS = ("server_name", "verify", "starttls", "min_days_left")


def is_check(query: dict) -> bool:
    """Whether the parameters together are a check. A parameter that is wrong on its own does not matter here."""
    if not isinstance(query.get("target"), str):
        return True
    check = {name: query[name] for name in ("target", "timeout_ms", "hold_ms", "half_open", "trace") if name in query}
    tls = {name: query[name] for name in TLS_PARAMETERS if name in query}
    check |= {"tls": tls} if tls else {}
    return CHECK.is_valid(check)
