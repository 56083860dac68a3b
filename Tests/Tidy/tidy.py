#!/usr/bin/env python3
"""Checks the style rules that no compiler and no formatter checks.

    Tests/Tidy/tidy.py               print offenses that allowed.txt does not list, and lines that it need not list
    Tests/Tidy/tidy.py --update      lower the counts in allowed.txt to today's
    Tests/Tidy/tidy.py --list [RULE] print every offense with its line and advice

allowed.txt is a ratchet: a count may only go down, and goes down with the change that removes an offense.
"""

import argparse
import ast
import collections
import functools
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator

import markdown_rules
import swift_rules
from vocabulary import PHRASES, compile_phrase

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALLOWED = ROOT / "Tests" / "Tidy" / "allowed.txt"
HEADER = "# path rule count: offenses of today. Counts only go down: Tests/Tidy/tidy.py --update\n"
# Generated, or data, or this list of words itself.
EXEMPT = ("LICENSE", "Package.resolved", "openapi/openapi.json", "openapi/docs.html", "openapi/docs.csp", "docs/man/",
          "Fuzz/corpus/", "Fuzz/fixtures/", "Fuzz/dictionaries/", "Tests/Tidy/")  # fmt: skip
# Swift files with statements at the top level; so are those in Fuzz/.
SCRIPTS = ("Package.swift", "main.swift")
PYTHON_FILE_LINES = 700
PYTHON_FUNCTION_LINES = 70

Offense = tuple[str, str, int, str]  # path, rule, line, advice


class NotACheckout(Exception):
    """The files that belong to the project are only known in a checkout of git."""


def project_files(root: pathlib.Path = ROOT) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, capture_output=True, text=True
    )
    if listed.returncode != 0:
        raise NotACheckout(listed.stderr.strip())
    names = {name for name in listed.stdout.split("\0") if name and (root / name).is_file()}
    return sorted(name for name in names if not name.startswith(EXEMPT))


COMMENT_MARKER = re.compile(r"^[ \t]*(?:///?|#+|\*|>)?[ \t]?", re.MULTILINE)


def phrase_offenses(text: str) -> Iterator[tuple[str, int, str]]:
    # Without its comment markers a phrase is found across lines too.
    text = COMMENT_MARKER.sub("", text)
    lowercase = text.lower()
    for phrase, pattern, unless in compiled_phrases():
        searched = text if phrase.is_cased else lowercase
        if unless and pattern.search(searched):
            searched = unless.sub(lambda found: re.sub(r"\S", "·", found[0]), searched)
        for found in pattern.finditer(searched):
            line = searched.count("\n", 0, found.start()) + 1
            yield phrase.rule, line, f"{whole_words(text, found)!r}: write {phrase.instead}"


def whole_words(text: str, found: re.Match[str]) -> str:
    """The match with the letters around it, in one line."""
    before = re.search(r"\w*$", text[max(0, found.start() - 30) : found.start()])
    after = re.match(r"\w*", text[found.end() :])
    return " ".join(f"{before[0] if before else ''}{text[found.start():found.end()]}{after[0] if after else ''}".split())


@functools.cache
def compiled_phrases():
    return [
        (phrase, compile_phrase(phrase.pattern, is_part=phrase.is_part), compile_phrase(phrase.unless, is_part=True) if phrase.unless else None)
        for phrase in PHRASES
    ]


def swift_offenses(path: pathlib.PurePath, text: str) -> Iterator[tuple[str, int, str]]:
    code = swift_rules.code_alone(text)
    found = {
        "file-length": swift_rules.file_length(text),
        "function-length": swift_rules.function_lengths(code),
        "file-name": iter(()) if is_script(path) else swift_rules.file_name(path, code),
        "type-name": swift_rules.type_names(code),
        "safety": swift_rules.proofs(text, code),
    }
    yield from named(found)


def is_script(path: pathlib.PurePath) -> bool:
    return path.name in SCRIPTS or "Fuzz" in path.parts


def markdown_offenses(path: pathlib.Path, text: str) -> Iterator[tuple[str, int, str]]:
    found = {
        "md-table": markdown_rules.table_faults(text),
        "md-heading": markdown_rules.heading_faults(path, text),
        "md-link": markdown_rules.link_faults(path, text),
        "md-length": markdown_rules.length_faults(path, text),
        "md-sentence": markdown_rules.sentence_faults(text),
        "md-words": markdown_rules.long_sentence_faults(text),
    }
    yield from named(found)


def python_offenses(text: str) -> Iterator[tuple[str, int, str]]:
    if (count := len(text.splitlines())) > PYTHON_FILE_LINES:
        yield "file-length", PYTHON_FILE_LINES + 1, f"{count} lines; a file has at most {PYTHON_FILE_LINES}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if count > PYTHON_FUNCTION_LINES:
                yield "function-length", node.lineno, f"{node.name}: {count} lines; a function has at most {PYTHON_FUNCTION_LINES}"


def named(faults: dict[str, Iterator[tuple[int, str]]]) -> Iterator[tuple[str, int, str]]:
    for rule, found in faults.items():
        for line, advice in found:
            yield rule, line, advice


def offenses(names: Iterable[str], root: pathlib.Path = ROOT) -> list[Offense]:
    result: list[Offense] = []
    for name in names:
        path = root / name
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # Not text.
        found = list(phrase_offenses(text))
        if path.suffix == ".swift":
            found += swift_offenses(pathlib.PurePath(name), text)
        elif path.suffix == ".md":
            found += markdown_offenses(path, text)
        elif path.suffix == ".py":
            found += python_offenses(text)
        result += [(name, *offense) for offense in sorted(found, key=lambda offense: (offense[1], offense[0]))]
    return result


Counts = dict[tuple[str, str], int]


def counted(found: Iterable[Offense]) -> Counts:
    return dict(collections.Counter((path, rule) for path, rule, _, _ in found))


def read_allowed(text: str) -> Counts:
    """Of two lines with the same key, as a merge may leave them, the smaller count holds."""
    counts: Counts = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            path, rule, count = line.rsplit(" ", 2)
            counts[path, rule] = min(int(count), counts.get((path, rule), int(count)))
    return counts


def written(counts: Counts) -> str:
    return HEADER + "".join(f"{path} {rule} {count}\n" for (path, rule), count in sorted(counts.items()))


def complaints(found: list[Offense], allowed: Counts) -> list[str]:
    """What to fix now, in the order of the files; then the lines of the list that are out of date."""
    counts = counted(found)
    grown = {key for key, count in counts.items() if count > allowed.get(key, 0)}
    result = [f"{path}:{line}: {rule}: {advice}" for path, rule, line, advice in found if (path, rule) in grown]
    for key in sorted(grown):
        if key in allowed:
            result.append(f"{key[0]}: {key[1]}: {counts[key]} offenses, but allowed.txt allows {allowed[key]}")
    for (path, rule), count in sorted(allowed.items()):
        if (now := counts.get((path, rule), 0)) < count:
            result.append(f"{path}: {rule}: {now} offenses, but allowed.txt allows {count}: run Tests/Tidy/tidy.py --update")
    return result


def new_offenses(found: list[Offense], allowed: Counts) -> list[str]:
    """The offenses of the rules whose total grew, in files that have more of them than before."""
    counts = counted(found)
    rules = {line.partition(":")[0] for line in grown_rules(counts, allowed)}
    return [
        f"{path}:{line}: {rule}: {advice}"
        for path, rule, line, advice in found if rule in rules and counts[path, rule] > allowed.get((path, rule), 0)
    ]  # fmt: skip


def totals(counts: Counts) -> collections.Counter[str]:
    result: collections.Counter[str] = collections.Counter()
    for (_, rule), count in counts.items():
        result[rule] += count
    return result


def grown_rules(counts: Counts, allowed: Counts) -> list[str]:
    """A file that moves takes its offenses along: only a rule's total tells whether there are more."""
    before = totals(allowed)
    return [f"{rule}: {before[rule]} -> {now}" for rule, now in sorted(totals(counts).items()) if now > before[rule]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="lower the counts in allowed.txt to today's")
    parser.add_argument("--allow-more", action="store_true", help="with --update: also where a rule's total grows")
    parser.add_argument("--list", nargs="?", const="", metavar="RULE", help="print every offense, or those of one rule")
    options = parser.parse_args()
    found = offenses(project_files())
    if options.list is not None:
        for path, rule, line, advice in found:
            if options.list in ("", rule):
                print(f"{path}:{line}: {rule}: {advice}")
        return 0
    allowed = read_allowed(ALLOWED.read_text()) if ALLOWED.exists() else {}
    if options.update:
        more = grown_rules(counted(found), allowed)
        if more and not options.allow_more:
            print("More offenses than before. Fix the new ones, or pass --allow-more:", *more, *new_offenses(found, allowed), sep="\n")
            return 1
        ALLOWED.write_text(written(counted(found)))
        return 0
    problems = complaints(found, allowed)
    print(*problems, sep="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
