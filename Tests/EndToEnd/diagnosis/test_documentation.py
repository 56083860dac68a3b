"""docs/diagnosis.md names every cause, and the specification does not name any other."""

import re

from support.connectd_process import REPOSITORY


def causes() -> set[str]:
    source = (REPOSITORY / "Sources" / "Diagnosis" / "Cause.swift").read_text()
    cases = re.search(r"enum Cause.*?\n}", source, re.DOTALL)[0]
    return {name or word for word, name in re.findall(r'^    case (\w+)(?: = "(\w+)")?$', cases, re.MULTILINE)}


def test_the_page_lists_every_cause():
    page = (REPOSITORY / "docs" / "diagnosis.md").read_text()
    assert len(causes()) > 50
    assert {cause for cause in causes() if f"`{cause}`" not in page} == set()
