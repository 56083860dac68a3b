"""Runs the examples of README.md and docs/: each prints what its page shows.

They run in a network namespace of their own, so that their ports are free, with the web server and the TLS server that the README
starts. The examples of docs/troubleshooting.md, docs/reachability.md, docs/fleet.md and the pages about evidence need other networks: see
test_troubleshooting.py and the tests in verify/, diagnosis/ and fleet/.
"""

import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap

import pytest
import yaml

from support.connectd_process import REPOSITORY, Connectd, binary, clean_environment
from support.console_examples import assert_shown, examples

README = REPOSITORY / "README.md"
TROUBLESHOOTING = REPOSITORY / "docs" / "troubleshooting.md"
OTHER_NETWORKS = [
    TROUBLESHOOTING, *(REPOSITORY / "docs" / f"{name}.md" for name in ("diagnosis", "evidence", "fleet", "reachability", "trace"))
]
PAGES = [README, *sorted((REPOSITORY / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(command, shown, id=f"{page.name}: {command[:60]}")
    for page in PAGES
    if page not in OTHER_NETWORKS
    for command, shown in examples(page.read_text())
]


def shape(value):
    """The members, at every depth, without the values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else None


def assert_same_form(output: str, shown: str) -> None:
    """Of a JSON document only the members have to be the same, not their values."""
    try:
        expected = shape(json.loads(shown))
    except ValueError:
        assert_shown(output, shown)
    else:
        assert shape(json.loads(output)) == expected, output


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
    """The TLS server of the README, started with the README's own commands."""
    make, serve = re.findall(r"^openssl .*$", README.read_text(), re.MULTILINE)[:2]
    subprocess.run(shlex.split(make), cwd=folder, check=True, capture_output=True)
    return subprocess.Popen(
        namespace.command(*shlex.split(serve)), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)


def test_the_readme_has_five_examples():
    assert len(examples(README.read_text())) >= 5


@pytest.mark.parametrize("command,shown", EXAMPLES)
def test_an_example_prints_what_its_page_shows(shell, command, shown):
    ran = shell(command)
    assert ran.stdout, f"{command}\n{ran.stderr}"
    assert_same_form(ran.stdout.strip("\n"), shown.strip("\n"))


def configurations() -> list:
    """The YAML blocks of the pages that are connectd's own configuration, alone or with other keys around them."""
    keys = set(re.findall(r"(?m)^\| `(\w+)", (REPOSITORY / "docs" / "configuration.md").read_text()))
    found = []
    for page in PAGES:
        for block in re.findall(r"(?ms)^ *```yaml\n(.*?)^ *```$", page.read_text()):
            content = yaml.safe_load(block)
            if isinstance(content, dict) and set(content) <= keys:
                found.append(pytest.param(block, id=f"{page.name}: {block.splitlines()[0]}"))
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A folder with a certificate, `server.pem`, and its key, `server.key`."""
    folder = tmp_path_factory.mktemp("pair")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a -days 30"
    subprocess.run(
        [*command.split(), "-keyout", "server.key", "-out", "server.pem"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("block", configurations())
def test_a_configuration_is_valid(block, pair, tmp_path):
    configuration = textwrap.dedent(block)
    files = {"tokens": "ops:0123456789abcdef0123\n", "blackbox.yml": "modules: {a: {prober: tcp}}\n"}
    for name in re.findall(r"[\w-]+\.(?:pem|key)", configuration):
        files[name] = (pair / ("server.key" if name.endswith(".key") else "server.pem")).read_text()
    files |= {f"fleet.{kind}": "secret\n" for kind in ("creds", "password", "token")}
    files |= {"bgp.key": "key\n", "connectd.yaml": configuration}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    ran = subprocess.run([binary(), "config", "check", tmp_path / "connectd.yaml"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_each_alert_has_a_response():
    files = [REPOSITORY / "deploy" / "prometheus" / "rules" / f"connectd.{name}.yml" for name in ("alerts", "places")]
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    alerts = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    for page in ("docs/monitoring.md", "deploy/prometheus/README.md"):
        named = re.findall(r"`(Connectd\w+)`", "".join(re.findall(r"(?m)^\| (`.*?) \|", (REPOSITORY / page).read_text())))
        assert sorted(named) == sorted(alerts), page


def test_each_outcome_has_its_meaning_and_advice():
    specification = yaml.safe_load((REPOSITORY / "openapi" / "openapi.yaml").read_text())
    text = TROUBLESHOOTING.read_text().split("## Outcomes")[1].split("\n## ")[0]
    advised = re.findall(r"(?m)^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", text)
    later = ["invalid"]
    assert all(f"`{word}`" in text.split("|")[-1] for word in later)
    assert sorted(advised + later) == sorted(specification["components"]["schemas"]["Outcome"]["enum"])


def test_the_files_that_the_pages_name_exist():
    files = [str(path) for top in ("Sources", "Tests", "openapi") for path in (REPOSITORY / top).rglob("*.*")]
    files.append(str(REPOSITORY / "Package.swift"))
    for page in PAGES:
        if page.name == "architecture.md":
            continue  # test_documents.py checks it.
        for name in re.findall(r"`([\w/*+<>-]+\.(?:swift|py|c|h))`", page.read_text()):
            assert fnmatch.filter(files, f"*/{name}"), f"{page.name}: {name}"
