"""The shapes of the public JSON test suite as bodies of a check: each has one verdict."""

import collections
import json
import re

import pytest
from support.connectd_process import Connectd
from support.expectations import assert_problem
from support.json_shapes import SHAPES, Verdict

POSITION = re.compile(r"line (\d+), column (\d+): (.+)", re.DOTALL)
BATCH_START = b'{"checks":['


@pytest.fixture(scope="module")
def connectd():
    with Connectd() as running:
        yield running


def test_the_table_has_as_many_shapes_as_the_suite():
    assert len(SHAPES) >= 318
    names = collections.Counter(shape.name for shape in SHAPES)
    assert max(names.values()) == 1, names.most_common(1)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.verdict is Verdict.ACCEPTED], ids=lambda shape: shape.name)
def test_json_is_accepted_as_json(api, shape):
    """No shape is a valid check, so the problem is about the content, and points at it."""
    problem = assert_problem(api.post("/v1/checks", shape.body), 400)
    assert re.match(r"\d+ inputs? (is|are) invalid: ", problem["detail"]), problem
    document = json.loads(shape.body)
    if isinstance(document, dict):
        unknown = {pointer for pointer in pointers_of(problem) if pointer != "/target"}
        assert len(unknown) == len(set(document) - {"id"}), problem
    else:
        assert pointers_of(problem) == [""], problem


@pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES if shape.verdict is not Verdict.ACCEPTED], ids=lambda shape: shape.name
)
def test_other_bodies_are_refused_with_the_position(api, shape):
    problem = assert_problem(api.post("/v1/checks", shape.body), 400)
    assert problem["detail"].startswith(shape.verdict.value), problem
    position = POSITION.fullmatch(problem["detail"].removeprefix(shape.verdict.value))
    assert position, problem
    line, column = int(position[1]), int(position[2])
    lines = shape.body.split(b"\n")
    assert 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1, problem
    assert [item["detail"] for item in problem["errors"]] == [position[3]], problem


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_batch_accepts_the_same_shapes(api, shape):
    """As an item of a batch, what is not JSON makes the whole body invalid. Other shapes spoil only their own item."""
    body = BATCH_START + shape.body + b',{"target":"nonsense"}]}'
    answer = api.post("/v1/checks/batch", body)
    if answer.status == 200:
        assert shape.verdict is not Verdict.INVALID, answer.body
        first = answer.json["results"][0]
        assert first["outcome"] == "invalid", first
    else:
        problem = assert_problem(answer, 400)
        assert problem["detail"].startswith((Verdict.INVALID.value, Verdict.LIMIT.value)), problem
        assert shape.verdict is not Verdict.ACCEPTED, problem


def pointers_of(problem: dict) -> list[str]:
    return [item["pointer"] for item in problem["errors"]]
