"""Links between the documents lead to files and headings that exist. Tables are intact."""

import fnmatch
import pathlib
import re
import subprocess

import pytest
import yaml

from support.connectd_process import REPOSITORY

DOCUMENTS = sorted(
    path
    for folder in (".", "docs", "deploy", "Benchmarks")
    for path in (REPOSITORY / folder).glob("**/*.md" if folder != "." else "*.md")
)
TEXT_OUTSIDE_OF_CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def prose(path) -> str:
    return TEXT_OUTSIDE_OF_CODE.sub("", path.read_text())


def anchors(path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", prose(path))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_files_that_the_architecture_names_are_there():
    """By their last parts: it leaves out what is the same for all."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a checkout of git")
    files = ["/" + line for line in listed.stdout.splitlines() if (REPOSITORY / line).exists()]
    files += sorted({f"{folder}/" for file in files for folder in map(str, pathlib.PurePath(file).parents)})
    words = set(re.findall(r"`([\w./+*-]+(?:\.(?:swift|py|yaml|c|md)|/))`", prose(REPOSITORY / "docs" / "architecture.md")))
    missing = [word for word in words if not any(fnmatch.fnmatch(file, f"*/{word.lstrip('/')}") for file in files)]
    assert len(words) > 80 and not missing, missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path if not name else path.parent / name
        assert target.exists(), f"{link} is not there"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


def cells(line: str) -> int:
    """As GitHub counts them: a vertical bar within code separates cells too, unless a backslash is before it."""
    return len(re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|")))


def table_faults(text: str) -> list[str]:
    """What keeps a table from being shown as one, by line."""
    found = []
    lines = ["", *text.splitlines(), ""]
    number = 1
    while number < len(lines):
        if not lines[number].lstrip().startswith("|"):
            number += 1
            continue
        begin = number
        while lines[number].lstrip().startswith("|"):
            number += 1
        rows = lines[begin:number]
        if lines[begin - 1].strip().lstrip("#") == lines[begin - 1].strip() != "" or lines[number].strip():
            found.append(f"line {begin}: a table needs a blank line or a heading before it, and a blank line after it")
        if len(rows) < 2 or not re.fullmatch(r"(\| *:?-+:? *)+\|", rows[1].strip()):
            found.append(f"line {begin}: {rows[0][:60]}: rows without a head: a blank line within the table?")
            continue
        for offset, row in enumerate(rows):
            if not row.rstrip().endswith("|") or cells(row) != cells(rows[1]):
                found.append(f"line {begin + offset}: {row[:60]}: {cells(row)} cells, where the table has {cells(rows[1])}")
    return found


def markdown_texts():
    """Every document, and the descriptions of the specification."""
    for path in DOCUMENTS:
        # Code keeps its lines, so that the numbers are right.
        yield str(path.relative_to(REPOSITORY)), TEXT_OUTSIDE_OF_CODE.sub(lambda code: "\n" * code[0].count("\n"), path.read_text())
    specification = yaml.safe_load((REPOSITORY / "openapi" / "openapi.yaml").read_text(encoding="utf-8"))
    for place, text in descriptions(specification, "openapi.yaml"):
        if "|\n" in text:
            yield place, text


def descriptions(node, place: str):
    if isinstance(node, dict):
        if isinstance(node.get("description"), str):
            yield place, node["description"]
        for key, child in node.items():
            yield from descriptions(child, f"{place}/{key}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from descriptions(child, f"{place}/{number}")


@pytest.mark.parametrize(("text"), [pytest.param(text, id=place) for place, text in markdown_texts()])
def test_tables_are_intact(text):
    assert table_faults(text) == []


GOOD_TABLE = "a\n\n| x | y |\n|---|:-:|\n| 1 | `a\\|b` |\n| 2 | |\n\nb\n"


@pytest.mark.parametrize(("broken", "line"), [
    (GOOD_TABLE.replace("| 2", "\n| 2"), 7), (GOOD_TABLE.replace("a\\|b", "a|b"), 5), (GOOD_TABLE.replace("| 2 | |", "| 2 |"), 6),
    (GOOD_TABLE.replace("|---|:-:|\n", ""), 3), (GOOD_TABLE.replace("|---|:-:|", "|---|"), 3),
    (GOOD_TABLE.replace("a\n\n", "a\n"), 2), (GOOD_TABLE.replace("\n\nb", "\nb"), 3), (GOOD_TABLE.replace("`a\\|b` |", "b"), 5),
])  # fmt: skip
def test_a_broken_table_is_found(broken, line):
    """What the test above relies on."""
    assert table_faults(GOOD_TABLE) == []
    assert table_faults(broken)[0].startswith(f"line {line}:"), table_faults(broken)


def test_every_document_of_the_repository_is_checked():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=REPOSITORY, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a checkout of git")
    assert {REPOSITORY / name for name in listed.stdout.splitlines()} <= set(DOCUMENTS)
