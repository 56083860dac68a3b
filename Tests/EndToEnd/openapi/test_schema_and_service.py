"""The service accepts every check that the specification admits, and the specification admits what the service accepts.

These tests send every value of every member, pairs of members, and random combinations. Each check has one more, unknown
member. So the service does not run it, but names every other input that is wrong.

The long form of `make schemathesis` sends every pair.
"""

import copy
import random
from urllib.parse import urlencode

import jsonschema_rs
import pytest

from support import check_documents
from support.schemathesis_run import IS_LONG
from support.specification import DOCUMENT, complaints

MARK = "unknown_on_purpose"
COMBINATIONS = 200_000 if IS_LONG else 4000
# Checks in one request.
BATCH = 2000
LONG = 10
NOT_ASCII = {"pattern": "[^\\x00-\\x7F]"}


def without_stricter_parts(document: dict) -> dict:
    """The schemas without the conditions that refuse more than the service does.

    JSON Schema cannot compare two members, multiply, count bytes, or look for an item after another. The specification admits
    what is valid in any case: usual timeouts, usual counts, four bytes for each character that is not in ASCII.
    """
    made = copy.deepcopy(document)
    conditions = made["components"]["schemas"]["CheckRequest"]["dependentSchemas"]
    del conditions["hold_ms"]["then"]["dependentSchemas"]
    del conditions["count"]["then"]["anyOf"]
    del conditions["dialog"]
    drop_lengths(made["components"]["schemas"])
    return made


def drop_lengths(node) -> None:
    if isinstance(node, dict) and node.get("if") == NOT_ASCII:
        node["then"] = {}
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        drop_lengths(child)


def validator(document: dict, name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


PUBLISHED = {name: validator(DOCUMENT, name) for name in ("CheckRequest", "DiagnosisRequest", "RoutesRequest")}
WIDER = {name: validator(without_stricter_parts(DOCUMENT), name) for name in PUBLISHED}


def others(errors: list[dict]) -> list[dict]:
    """The errors without the one about the unknown member. A long list ends before it."""
    assert sum(error["pointer"].endswith("/" + MARK) for error in errors) == 1 or len(errors) > LONG, errors
    return [error for error in errors if not error["pointer"].endswith("/" + MARK)]


def judged_in_batches(api, documents: list[dict]):
    """Each check, and what the service says against it."""
    for start in range(0, len(documents), BATCH):
        part = documents[start : start + BATCH]
        body = {"checks": [document | {MARK: 0} for document in part], "concurrency": BATCH}
        answer = api.post("/v1/checks/batch", body, timeout=300)
        assert answer.status == 200, answer.body[:500]
        for document, result in zip(part, answer.json["results"], strict=True):
            yield document, others(result["error"]["errors"])


def judged_alone(api, path: str, documents: list[dict]):
    for document in documents:
        yield document, others(api.post(path, document | {MARK: 0}).json["errors"])


def assert_agreement(judged, schema: str, least: int) -> None:
    """Asserts that the service refuses no admitted document, and that the schema without its stricter parts admits all others.

    - least: how many documents are admitted at least, so that the test tests something.
    """
    total = admitted = 0
    refused, forbidden = [], []
    for document, wrong in judged:
        total += 1
        is_admitted = PUBLISHED[schema].is_valid(document)
        admitted += is_admitted
        if is_admitted and wrong:
            refused.append((document, wrong))
        if not wrong and not WIDER[schema].is_valid(document):
            forbidden.append((document, [str(error)[:200] for error in WIDER[schema].iter_errors(document)]))
    print(f"{schema}: {total} documents, {admitted} of them admitted by the schema, {len(refused) + len(forbidden)} differences")
    assert not refused, f"{len(refused)} admitted but refused: {str(refused[:3])[:3000]}"
    assert not forbidden, f"{len(forbidden)} accepted but forbidden: {str(forbidden[:3])[:3000]}"
    assert admitted >= least


def test_every_value_of_every_member(api):
    assert_agreement(judged_in_batches(api, list(check_documents.singles())), "CheckRequest", 900)


def test_a_condition_that_is_missing_is_found(api):
    """The other tests find mistakes."""
    schema = "CheckRequest"
    document = copy.deepcopy(DOCUMENT)
    del document["components"]["schemas"][schema]["dependentSchemas"]["half_open"]
    planted = [{"target": "127.0.0.1:1", "half_open": True, "tls": True}]
    assert not PUBLISHED[schema].is_valid(planted[0]) and validator(document, schema).is_valid(planted[0])
    assert [wrong[0]["pointer"] for _, wrong in judged_in_batches(api, planted)] == ["/checks/0/half_open"]


def test_pairs_of_members(api):
    documents = list(check_documents.pairs())
    if not IS_LONG:
        documents = random.Random(1).sample(documents, COMBINATIONS)
    assert_agreement(judged_in_batches(api, documents), "CheckRequest", len(documents) // 20)


def test_combinations_of_members(api):
    documents = list(check_documents.combinations(COMBINATIONS, 2))
    assert_agreement(judged_in_batches(api, documents), "CheckRequest", 10)


def test_rounds_and_holds_at_their_limits(api):
    """Numbers at and next to each limit of the tables in the specification."""
    assert_agreement(judged_in_batches(api, list(check_documents.durations())), "CheckRequest", 1000)


def test_a_check_of_its_own_is_judged_as_in_a_batch(api):
    documents = random.Random(3).sample(list(check_documents.singles()), 400)
    documents = [document for document in documents if MARK not in document]
    assert_agreement(judged_alone(api, "/v1/checks", documents), "CheckRequest", 50)


def test_diagnoses(api):
    documents = list(check_documents.diagnoses())
    if not IS_LONG:
        documents = random.Random(4).sample(documents, 1000)
    assert_agreement(judged_alone(api, "/v1/diagnoses", documents), "DiagnosisRequest", 100)


@pytest.mark.parametrize("number", range(len(check_documents.DESTINATIONS)))
def test_destinations(api, number):
    document = {"destinations": check_documents.DESTINATIONS[number]}
    answer = api.post("/v1/routes", document)
    assert answer.status in (200, 400)
    assert PUBLISHED["RoutesRequest"].is_valid(document) == (answer.status == 200), answer.body[:500]


PROBE = {item["name"]: item["schema"] for item in DOCUMENT["paths"]["/v1/probe"]["parameters"]}
TLS_PARAMETERS = ("server_name", "verify", "starttls", "min_days_left")


def as_check(query: dict) -> dict:
    """The check that the parameters of a probe describe."""
    check = {name: query[name] for name in ("target", "timeout_ms", "hold_ms", "half_open", "trace") if name in query}
    tls = {name: query[name] for name in TLS_PARAMETERS if name in query}
    return check | ({"tls": tls} if tls else {})


def text(value) -> str:
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else str(value)


def test_parameters_of_a_probe(api):
    """Each parameter has a schema. Together they are a check."""
    refused, forbidden, admitted = [], [], 0
    for query in check_documents.probes(20_000 if IS_LONG else 1000):
        path = "/v1/probe?" + urlencode({name: text(value) for name, value in query.items()} | {MARK: 0})
        wrong = others(api.get(path).json["errors"])
        alone = [complaint for name, value in query.items() for complaint in complaints(PROBE[name], value)]
        is_admitted = not alone and PUBLISHED["CheckRequest"].is_valid(as_check(query))
        admitted += is_admitted
        if is_admitted and wrong:
            refused.append((query, wrong))
        wider = [complaint for name, value in query.items() if name != "target" for complaint in complaints(PROBE[name], value)]
        if not wrong and (wider or not WIDER["CheckRequest"].is_valid(as_check(query))):
            forbidden.append((query, wider))
    assert not refused, f"{len(refused)} admitted but refused: {refused[:3]}"
    assert not forbidden, f"{len(forbidden)} accepted but forbidden: {forbidden[:3]}"
    assert admitted > 50
