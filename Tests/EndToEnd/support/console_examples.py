"""Commands with their output, as documents show them in console blocks."""

import re

DURATION = re.compile(r" +(\d+\.\d+) ms")
TOTAL = re.compile(r" in \d+\.\d+ s")
PERFORMANCE = re.compile(r"time=\d+\.\d+s")
PING = re.compile(r"(time=|rtt=|mdev = |, time )[\d./]+ ms")


def examples(text: str) -> list[tuple[str, str]]:
    """The commands after `$ ` in console blocks, each with its output."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.split("\n")
            count = 1
            while lines[count - 1].endswith("\\"):
                count += 1
            found.append(("\n".join(lines[:count]), "\n".join(lines[count:]).strip("\n")))
    return found


def assert_shown(said: str, shown: str) -> None:
    """Compares an output with the one on the page, in which … matches any text.

    Results of several targets arrive in any order, so each line has to be there once.
    """
    lines, expected = said.split("\n"), shown.split("\n")
    assert len(lines) == len(expected), said
    for wanted in expected:
        found = [line for line in lines if matches(line, wanted)]
        assert found, f"{said}\nhas no line\n{wanted}"
        lines.remove(found[0])


def matches(line: str, wanted: str) -> bool:
    line, wanted = (PERFORMANCE.sub("time=0.0s", text) for text in (line, wanted))
    line, wanted = (PING.sub(r"\1…ms", text) for text in (line, wanted))
    pattern = re.escape(wanted).replace(r"\.", ".").replace(r"\ ", " ").replace("…", ".*")
    pattern = DURATION.sub(r" +(\\d+\\.\\d+) ms", pattern)
    pattern = TOTAL.sub(r" in \\d+\\.\\d+ s", pattern)
    found = re.fullmatch(pattern, line)
    return found is not None and all(
        float(claimed) < 1000 or float(measured) >= 0.9 * float(claimed)
        for measured, claimed in zip(found.groups(), DURATION.findall(wanted))
    )
