"""docs/faq.md, compared with the kernel: each situation is made here, and the commands answer as the page shows.

Paths below /run/app are the test's own folder. A line that ends in … continues. Only lower bounds of times are
checked, and only of a second or more.
"""

import os
import pathlib
import re
import subprocess

import pytest

from support.connectd_process import REPOSITORY, Connectd, binary_for_everybody, clean_environment
from support.console_examples import examples
from support.faq_situations import SITUATIONS, Stage
from support.namespace import Namespace

PAGE = (REPOSITORY / "docs" / "faq.md").read_text()
SECTIONS = dict(part.split("\n", 1) for part in re.split(r"(?m)^## ", PAGE)[1:])
FOLDER = "/run/app"
DURATION = re.compile(r" +(\d+\.\d+) ms")
TOTAL = re.compile(r" in \d+\.\d+ s")


@pytest.fixture(scope="module")
def stage(network, authorities, module_folder):
    with Connectd(network.a, configuration={}) as service:
        yield Stage(network, authorities, pathlib.Path(module_folder), service)


def answers(stage: Stage, namespace: Namespace, command: str) -> str:
    ran = subprocess.run(
        namespace.command("bash", "-c", command.replace(FOLDER, str(stage.folder))),
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**clean_environment(), "PATH": f"{binary_for_everybody().parent}:{os.environ['PATH']}"},
    )
    return (ran.stdout + ran.stderr).strip("\n").replace(str(stage.folder), FOLDER)


def assert_shown(said: str, shown: str) -> None:
    """Results of several targets come in the order of their arrival: each line must appear once."""
    lines, expected = said.split("\n"), shown.split("\n")
    assert len(lines) == len(expected), said
    for wanted in expected:
        found = [line for line in lines if matches(line, wanted)]
        assert found, f"{said}\nhas no line\n{wanted}"
        lines.remove(found[0])


def matches(line: str, wanted: str) -> bool:
    start, goes_on = wanted.removesuffix("…"), wanted.endswith("…")
    pattern = DURATION.sub("… ms", re.escape(start).replace(r"\.", ".").replace(r"\ ", " "))
    pattern = TOTAL.sub(r" in \\d+\\.\\d+ s", pattern)
    pattern = pattern.replace("… ms", r" +(\d+\.\d+) ms") + (".*" if goes_on else "")
    found = re.fullmatch(pattern, line)
    return found is not None and all(
        float(claimed) < 1000 or float(measured) >= 0.9 * float(claimed)
        for measured, claimed in zip(found.groups(), DURATION.findall(start))
    )


def test_each_question_has_a_situation_and_an_example():
    assert list(SECTIONS) == list(SITUATIONS)
    assert [heading for heading, text in SECTIONS.items() if not examples(text)] == []


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_question_is_answered_as_the_page_shows(stage, heading):
    with SITUATIONS[heading](stage) as elsewhere:
        for command, shown in examples(SECTIONS[heading]):
            assert_shown(answers(stage, elsewhere or stage.network.a, command), shown)
