"""The README's examples, run unchanged: each still answers in the form that the README shows.

It runs in its own namespace, so that the README's ports are free, together with the web server that the test starts.
"""

import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml

from support.connectd_process import REPOSITORY, Connectd, binary, clean_environment
from support.console_examples import examples

README = REPOSITORY / "README.md"


EXAMPLES = examples(README.read_text())


def shape(value):
    """The members, at every depth, without the values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else None


def form(output: str):
    """The parts that are the same in every run: members of JSON, and text without durations and hints."""
    try:
        return shape(json.loads(output))
    except ValueError:
        # Results of several targets come in the order of their arrival.
        times = r" *\d+\.\d+ ms|(?<=time=)\d+\.\d+|(?<=fault: target\. ).*|(?<=targets in )\d+\.\d+ s"
        return sorted(re.sub(times, "…", output).splitlines())


@pytest.fixture(scope="module")
def shell(loopback_only, tmp_path_factory):
    """Runs a command line next to a default connectd on port 8080 and a web server on port 8000."""
    program = tmp_path_factory.mktemp("bin") / "connectd"
    program.symlink_to(binary())
    web = subprocess.Popen(
        loopback_only.command(sys.executable, "-m", "http.server", "8000", "--bind", "127.0.0.1"),
        cwd=tmp_path_factory.mktemp("web"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    tls = tls_server(loopback_only, tmp_path_factory.mktemp("tls"))
    try:
        loopback_only.wait_for_listener("127.0.0.1", 8000)
        loopback_only.wait_for_listener("127.0.0.1", 8443)
        with Connectd(loopback_only, configuration={}):
            yield lambda command: subprocess.run(
                loopback_only.command("bash", "-c", command),
                capture_output=True,
                text=True,
                timeout=30,
                stdin=subprocess.DEVNULL,
                env={**clean_environment(), "PATH": f"{program.parent}:{os.environ['PATH']}"},
            )
    finally:
        for server in (web, tls):
            server.terminate()
            server.wait()


def tls_server(namespace, folder) -> subprocess.Popen:
    """The TLS server of the README's example, started by the README's own commands."""
    make, serve = re.findall(r"^openssl .*$", README.read_text(), re.MULTILINE)[:2]
    subprocess.run(shlex.split(make), cwd=folder, check=True, capture_output=True)
    return subprocess.Popen(
        namespace.command(*shlex.split(serve)), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)


def test_there_are_examples():
    commands = [command for command, _ in EXAMPLES]
    assert sum(command.startswith("curl ") for command in commands) >= 5
    assert sum(command.startswith("connectd check ") for command in commands) >= 1


@pytest.mark.parametrize("command,shown", EXAMPLES, ids=[command[:60] for command, _ in EXAMPLES])
def test_an_example_answers_as_the_readme_shows(shell, command, shown):
    ran = shell(command)
    assert ran.stdout, f"{command}\n{ran.stderr}"
    assert form(ran.stdout.strip()) == form(shown.strip()), ran.stdout


def test_each_outcome_has_an_entry_with_advice():
    specification = yaml.safe_load((REPOSITORY / "openapi" / "openapi.yaml").read_text())
    text = README.read_text().split("## Outcomes")[1].split("\n## ")[0]
    advised = re.findall(r"(?m)^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", text)
    later = ["closed_early", "invalid"]
    assert all(f"`{word}`" in text.split("|")[-1] for word in later)
    assert sorted(advised + later) == sorted(specification["components"]["schemas"]["Outcome"]["enum"])


def test_the_links_lead_somewhere():
    for page in [README, *sorted((REPOSITORY / "docs").glob("*.md"))]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_files_that_the_pages_name_are_there():
    files = [str(path) for top in ("Sources", "Tests", "openapi") for path in (REPOSITORY / top).rglob("*.*")]
    files.append(str(REPOSITORY / "Package.swift"))
    for page in [README, *sorted((REPOSITORY / "docs").glob("*.md"))]:
        for name in re.findall(r"`([\w/*+<>-]+\.(?:swift|py|c|h))`", page.read_text()):
            assert fnmatch.filter(files, f"*/{name}"), f"{page.name}: {name}"
