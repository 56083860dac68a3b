"""docs/troubleshooting.md against the kernel: each test makes the situation of a section, and runs its commands.

Paths below /run/app are in the test's own folder. A … is any text. Times are compared only if they are a second or more, and may
be longer.
"""

import os
import pathlib
import re
import subprocess

import pytest

from support.connectd_process import REPOSITORY, Connectd, binary_for_everybody, clean_environment
from support.console_examples import assert_shown, examples
from support.namespace import Namespace
from support.troubleshooting_situations import SITUATIONS, Stage

PAGE = (REPOSITORY / "docs" / "troubleshooting.md").read_text()
SECTIONS = {
    heading: text
    for heading, text in (part.split("\n", 1) for part in re.split(r"(?m)^##+ ", PAGE)[1:])
    if examples(text)
}
FOLDER = "/run/app"


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


def test_each_section_with_an_example_has_a_situation():
    assert sorted(SECTIONS) == sorted(SITUATIONS)


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_commands_print_what_the_page_shows(stage, heading):
    with SITUATIONS[heading](stage) as elsewhere:
        for command, shown in examples(SECTIONS[heading]):
            assert_shown(answers(stage, elsewhere or stage.network.a, command), shown)
