"""Rules for Swift sources: limits, names of files and types, proofs of safety."""

import functools
import pathlib
import re
from collections.abc import Iterator

from vocabulary import TYPE_NAME_ENDINGS, TYPE_NAMES

FILE_LINES = 500
FUNCTION_LINES = 70
# How far above an unsafe word its proof may begin.
PROOF_LINES = 8

INTERESTING = re.compile(r'//|/\*|#*"""(?=[ \t]*\n)|#*"|[()]')
DECLARATION = re.compile(r"\b(extension|struct|class|enum|actor|protocol|typealias)\s+([A-Z`][\w.`]*)")
FUNCTION = re.compile(r"\b(?:func\s+(?P<name>`+|[^\s(<`]+)|(?P<kind>init|deinit|subscript)[?!]?\s*[(<{])")
UNSAFE = re.compile(
    r"@unchecked\s+Sendable|nonisolated\(unsafe\)|unsafeBitCast|unsafeDowncast|unowned\(unsafe\)|assumingMemoryBound"
    r"|withUnsafe(?:Throwing)?Continuation|Unmanaged<\w+>\.fromOpaque|\btry!|\bas!|(?<=[\w)\]}])!(?![=\w])"
)


@functools.cache
def code_alone(text: str) -> str:
    """The text with comments and string literals blanked out; offsets and line breaks stay."""
    out = list(text)
    # For each open interpolation: the literal's delimiter, and the depth of parentheses within.
    open_literals: list[tuple[str, int]] = []
    depth = 0
    position = 0

    def blank(begin: int, end: int) -> None:
        for index in range(begin, min(end, len(out))):
            if out[index] != "\n":
                out[index] = " "

    def literal(begin: int, delimiter: str) -> int:
        """Blanks a literal from `begin` to its end or to an interpolation; gives where code continues."""
        nonlocal depth
        marks = delimiter[: len(delimiter) - len(delimiter.lstrip("#"))]
        closing = delimiter.lstrip("#") + marks
        at = begin
        while at < len(text):
            if text.startswith("\\" + marks + "(", at):
                blank(begin, at + len(marks) + 2)
                open_literals.append((delimiter, depth))
                depth = 0
                return at + len(marks) + 2
            if text.startswith("\\" + marks, at):
                at += len(marks) + 2
            elif text.startswith(closing, at):
                break
            elif text[at] == "\n" and '"""' not in delimiter:
                break
            else:
                at += 1
        blank(begin, at + len(closing))
        return at + len(closing)

    while found := INTERESTING.search(text, position):
        token, begin, position = found[0], found.start(), found.end()
        if token == "//":
            end = text.find("\n", begin)
            position = len(text) if end < 0 else end
            blank(begin, position)
        elif token == "/*":
            end = text.find("*/", begin)
            position = len(text) if end < 0 else end + 2
            blank(begin, position)
        elif token == "(":
            depth += 1
        elif token == ")":
            if open_literals and depth == 0:
                delimiter, depth = open_literals.pop()
                blank(begin, begin + 1)
                position = literal(position, delimiter)
            else:
                depth -= 1
        else:
            blank(begin, position)
            position = literal(position, token)
    return "".join(out)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def file_length(text: str) -> Iterator[tuple[int, str]]:
    if (count := len(text.splitlines())) > FILE_LINES:
        yield FILE_LINES + 1, f"{count} lines; a file has at most {FILE_LINES}"


def function_lengths(code: str) -> Iterator[tuple[int, str]]:
    # A name in backticks may hold anything; a brace in it would confuse the count.
    code = re.sub(r"`[^`\n]*`", lambda name: "`" * len(name[0]), code)
    for found in FUNCTION.finditer(code):
        begin = body_begin(code, found.end() - 1)
        if begin is None:
            continue
        first, last = line_of(code, found.start()), line_of(code, body_end(code, begin))
        if last - first + 1 > FUNCTION_LINES:
            name = found["name"] or found["kind"]
            yield first, f"{name}: {last - first + 1} lines; a function has at most {FUNCTION_LINES}"


def body_begin(code: str, start: int) -> int | None:
    """The brace that opens a function's body; nil for a requirement of a protocol."""
    depth = 0
    for found in re.finditer(r"[()\[\]{}]|\n(?=\s*(?:@\w+|public|private|fileprivate|internal|static|mutating|func|var|let|init)\b)", code[start:]):
        token = found[0]
        if token in "([":
            depth += 1
        elif token in ")]":
            depth -= 1
        elif token == "{":
            if depth == 0:
                return start + found.start()
            depth += 1
        elif token == "}":
            if depth == 0:
                return None
            depth -= 1
        elif depth == 0:
            return None
    return None


def body_end(code: str, begin: int) -> int:
    depth = 0
    for found in re.finditer(r"[{}]", code[begin:]):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return begin + found.start()
    return len(code)


def declared(code: str) -> tuple[set[str], set[str]]:
    """The names of the types that a file declares, and of those that it extends."""
    types, extended = set(), set()
    for keyword, name in DECLARATION.findall(code):
        last = name.strip("`.").split(".")[-1].strip("`")
        (extended if keyword == "extension" else types).add(last)
    return types, extended


def file_name(path: pathlib.PurePath, code: str) -> Iterator[tuple[int, str]]:
    types, extended = declared(code)
    name, plus, _ = path.stem.partition("+")
    if plus:
        if name not in types | extended:
            yield 1, f"declares no extension of {name}"
    elif name not in types:
        yield 1, f"declares no type {name}: name the file after its main type, or Type+Feature.swift"


def type_names(code: str) -> Iterator[tuple[int, str]]:
    for found in DECLARATION.finditer(code):
        name = found[2].split(".")[-1].strip("`")
        if found[1] != "extension" and (name in TYPE_NAMES or name.endswith(TYPE_NAME_ENDINGS)):
            yield line_of(code, found.start()), f"{name} is an everyday word: name the type after its job"


def proofs(text: str, code: str) -> Iterator[tuple[int, str]]:
    lines = text.splitlines()
    # One proof at the top may cover all sites of a file, where it says so.
    whole = re.search(r"SAFETY,? (?:for|of) all\b", text)
    covered_from = line_of(text, whole.start()) if whole else len(lines) + 1
    for found in UNSAFE.finditer(code):
        number = line_of(code, found.start())
        near = lines[max(0, number - 1 - PROOF_LINES) : number]
        if number < covered_from and not any("SAFETY" in line for line in near):
            yield number, f"{found[0]} without a comment `// SAFETY: …` above it"
