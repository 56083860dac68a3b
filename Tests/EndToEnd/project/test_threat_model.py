"""docs/threat-model.md: each threat has a defense, and each defense a test that exists."""

import re

import pytest

from support.connectd_process import REPOSITORY

TESTS = REPOSITORY / "Tests"


def rows() -> list[tuple[str, str, str]]:
    """The rows of the tables with threats."""
    found, inside = [], False
    for line in (REPOSITORY / "docs" / "threat-model.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells == ["threat", "defense", "test"]:
            inside = True
        elif inside and not set(line) <= set("|- "):
            assert len(cells) == 3, line
            found.append(tuple(cells))
    return found


def test_the_tables_are_found():
    assert len(rows()) >= 40


@pytest.mark.parametrize("threat,defense,test", rows(), ids=lambda text: text[:60])
def test_each_defense_has_a_test(threat, defense, test):
    assert threat and defense
    references = re.findall(r"`([^`]+)`", test)
    assert references, f"{threat}: no test is named"
    for reference in references:
        if reference.startswith("make "):
            assert re.search(rf"^{re.escape(reference[5:])}:", (REPOSITORY / "Makefile").read_text(), re.M), reference
            continue
        file, _, name = reference.partition("::")
        path = TESTS / file if file.endswith(".swift") else TESTS / "EndToEnd" / file
        assert path.is_file(), f"{reference} is not a file of Tests"
        assert not name or f"def {name}(" in path.read_text(), f"{reference} is not in its file"
