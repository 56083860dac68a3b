"""Links between the documents lead somewhere: to a file that is there, and to a heading that it has."""

import fnmatch
import pathlib
import re
import subprocess

import pytest

from connectd_process import REPOSITORY

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
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"
