"""Rules for Markdown: intact tables, links that lead to something, one sentence per line."""

import pathlib
import re
from collections.abc import Iterator

CODE_BLOCK = re.compile(r"^(?P<indent> *)```.*?^(?P=indent)```$", re.DOTALL | re.MULTILINE)
README_LINES = 250


def without_code(text: str) -> str:
    """The text with each code block replaced by empty lines, so that line numbers stay."""
    return CODE_BLOCK.sub(lambda code: "\n" * code[0].count("\n"), text)


def cells(line: str) -> int:
    """As GitHub counts them: a vertical bar in code separates cells too, unless a backslash precedes it."""
    return len(re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|")))


def table_faults(text: str) -> Iterator[tuple[int, str]]:
    lines = ["", *without_code(text).splitlines(), ""]
    number = 1
    while number < len(lines):
        if not lines[number].lstrip().startswith("|"):
            number += 1
            continue
        begin = number
        while lines[number].lstrip().startswith("|"):
            number += 1
        rows = lines[begin:number]
        above = lines[begin - 1].strip()
        if (above and not above.startswith("#")) or lines[number].strip():
            yield begin, "a table needs a blank line or a heading before it, and a blank line after it"
        if len(rows) < 2 or not re.fullmatch(r"(\| *:?-+:? *)+\|", rows[1].strip()):
            yield begin, "rows without a header: a blank line within the table?"
            continue
        for offset, row in enumerate(rows):
            if not row.rstrip().endswith("|") or cells(row) != cells(rows[1]):
                yield begin + offset, f"{cells(row)} cells, but the header has {cells(rows[1])}"


def headings(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(without_code(text).splitlines(), 1):
        if found := re.match(r"#+ +(.+?)\s*#*$", line):
            yield number, found[1]


def anchor(heading: str) -> str:
    """As GitHub makes it from a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def heading_faults(path: pathlib.Path, text: str) -> Iterator[tuple[int, str]]:
    if path.name == "CHANGELOG.md":  # Each version has "Added" and "Fixed".
        return
    seen: dict[str, int] = {}
    for number, heading in headings(text):
        if (first := seen.setdefault(anchor(heading), number)) != number:
            yield number, f"{heading!r} is a duplicate of the heading in line {first}"


def link_faults(path: pathlib.Path, text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(without_code(text).splitlines(), 1):
        for link in re.findall(r"\]\(([^)\s]+)\)", line) + re.findall(r"^\[[^\]]+\]: (\S+)", line):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, fragment = link.partition("#")
            target = path.parent / name if name else path
            if not target.exists():
                yield number, f"{link} does not exist"
            elif fragment and fragment not in {anchor(heading) for _, heading in headings(target.read_text())}:
                yield number, f"{link}: there is no such heading"


def length_faults(path: pathlib.Path, text: str) -> Iterator[tuple[int, str]]:
    if path.name == "README.md" and (count := len(text.splitlines())) > README_LINES:
        yield README_LINES + 1, f"{count} lines; a README has at most {README_LINES}"


SENTENCE_WORDS = 20


def long_sentence_faults(text: str) -> Iterator[tuple[int, str]]:
    """A colon and a semicolon end a sentence too. Code counts as one word."""
    for number, line in enumerate(without_code(text).splitlines(), 1):
        if line.lstrip().startswith(("|", "#", "<")):
            continue
        plain = re.sub(r"`[^`]*`", "code", re.sub(r"\]\([^)]*\)", "]", line))
        for sentence in re.split(r"(?<=[.?!:;])\s+", plain):
            if (count := len(sentence.split())) > SENTENCE_WORDS:
                yield number, f"{count} words; a sentence has at most {SENTENCE_WORDS}"


# A period that ends an abbreviation, or a number of a list.
NO_END = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|no|approx|[A-Z])|^\s*(?:>\s*)?\d+)\.$")


def sentence_faults(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(without_code(text).splitlines(), 1):
        if line.lstrip().startswith(("|", "#", "<")):
            continue
        plain = re.sub(r"`[^`]*`", lambda code: "C" * len(code[0]), line)
        for end in re.finditer(r"[.!?][)\"”*_]*(?=\s+[\"“(*_]?[A-Z])", plain):
            if not NO_END.search(plain[: end.end()]):
                yield number, "write one sentence per line"
                break
