"""The specification as a document, and answers of the service compared with it."""

import pytest
import yaml
from jsonschema import Draft202012Validator

from support.connectd_process import REPOSITORY

FOLDER = REPOSITORY / "openapi"
TEXT = (FOLDER / "openapi.yaml").read_text(encoding="utf-8")
DOCUMENT = yaml.safe_load(TEXT)
SCHEMAS = DOCUMENT["components"]["schemas"]
METHODS = ("get", "post", "put")
SUCCESSES = ["connected", "associated", "answered"]


def resolved(node: dict) -> dict:
    """The schema that a local reference names."""
    while "$ref" in node:
        reference, node = node["$ref"], DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    return node


def complaints(schema: dict, value, components: dict = DOCUMENT["components"]) -> list[str]:
    """Why a value does not match a schema of the document."""
    validator = Draft202012Validator({**schema, "components": components})
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def closed(node):
    """The same schemas, where an object has only the members that are documented. A client must not rely on that."""
    if isinstance(node, list):
        return [closed(child) for child in node]
    if not isinstance(node, dict):
        return node
    made = {key: child if key in CONDITIONS else closed(child) for key, child in node.items()}
    if "object" in str(node.get("type")) and isinstance(node.get("properties"), dict):
        made["additionalProperties"] = False
    return made


CONDITIONS = ("if", "then", "else", "dependentSchemas", "examples")
# The specification's own schema is open: the document has many more members.
CLOSED = {"schemas": {name: schema if name == "Specification" else closed(schema) for name, schema in SCHEMAS.items()}}


def undocumented(schema: dict, value) -> list[str]:
    """How a response differs from the document."""
    return complaints(schema, value, CLOSED)


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                parameters = item.get("parameters", []) + item[method].get("parameters", [])
                yield path, method, item[method], parameters


def media_types():
    """Every media type with a schema: of request bodies and of answers."""
    for path, method, operation, _ in operations():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{method} {path} request", media
        for status, response in operation["responses"].items():
            for media in resolved(response).get("content", {}).values():
                yield f"{method} {path} {status}", media


def examples():
    """Every named example, and every example inside a schema."""
    for place, media in media_types():
        for name, example in media.get("examples", {}).items():
            yield f"{place} {name}", media["schema"], resolved(example)["value"]
    for path, method, _, parameters in operations():
        for parameter in parameters:
            for name, example in parameter.get("examples", {}).items():
                yield f"{method} {path} {parameter['name']} {name}", parameter["schema"], example["value"]
    yield from schema_examples("schemas", SCHEMAS)
    yield from schema_examples("headers", DOCUMENT["components"]["headers"])


def schema_examples(place: str, node):
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            for number, value in enumerate(node["examples"]):
                yield f"{place} {number}", {key: node[key] for key in node if key != "examples"}, value
        for key, child in node.items():
            yield from schema_examples(f"{place}/{key}", child)
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from schema_examples(f"{place}/{number}", child)


def request_examples():
    for path, method, operation, _ in operations():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for name, example in media["examples"].items():
                yield pytest.param(method.upper(), path, example["value"], id=f"{path} {name}")


def assert_documented(answer, path: str, method: str = "GET"):
    """Asserts that status, media type, required header fields and body match the document."""
    item = DOCUMENT["paths"][path][method.lower()]
    assert str(answer.status) in item["responses"], f"{answer.status} is not documented: {answer.body[:500]!r}"
    response = resolved(item["responses"][str(answer.status)])
    for name, header in response.get("headers", {}).items():
        assert name.lower() in answer.headers or not resolved(header).get("required"), f"no {name}"
    [(media_type, media)] = response["content"].items()
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.body.endswith(b"\n")
    assert undocumented(media["schema"], answer.json) == []
