"""Links between the documents lead somewhere: to a file that is there, and to a heading that it has."""

import re

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


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path if not name else path.parent / name
        assert target.exists(), f"{link} is not there"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"
