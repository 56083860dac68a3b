"""deploy/monit, deploy/cron and deploy/telegraf: each is run, or parsed, unchanged."""

import re
import subprocess
import tomllib

import pytest

from support import peers
from support.connectd_process import Connectd
from support.deploy_examples import DEPLOY, copy_of, needs, program_in, replaced, run, running
from support.waiting import wait_until

OPEN, SHUT = 7394, 7395
CHANGES = DEPLOY / "cron/connectd-changes"


@pytest.fixture(scope="module")
def prober(network):
    configuration = {
        "policy": {"profile": "internal"},
        "monitors": [
            {"name": "shut", "interval_ms": 200, "check": {"target": f"tcp://127.0.0.1:{SHUT}"}},
            {"name": "open", "interval_ms": 200, "check": {"target": "unix:/tmp/cd-no-such.sock"}},
        ],
    }
    with Connectd(network.a, configuration, port=8080) as connectd:
        yield connectd


# --- cron


@needs("shellcheck")
def test_shellcheck_finds_nothing():
    ran = run("shellcheck", CHANGES)
    assert ran.returncode == 0, ran.stdout


@pytest.fixture
def changes(network, tmp_path):
    targets = tmp_path / "targets"
    targets.write_text(f"# One a line.\n\ntcp://127.0.0.1:{OPEN}\n")

    def ask(url: str = "http://127.0.0.1:8080", add: str = "") -> subprocess.CompletedProcess:
        targets.write_text(targets.read_text() + add)
        return run(CHANGES, targets, tmp_path / "state", url, namespace=network.a)

    return ask


@needs("curl", "jq")
def test_cron_prints_only_changes(network, prober, changes):
    first = changes()
    assert (first.returncode, first.stderr) == (0, "")
    line, why = first.stdout.splitlines()
    assert line == f"tcp://127.0.0.1:{OPEN}: new -> refused ECONNREFUSED fault=target"
    assert why.startswith("    Connection refused, phase connect. ")
    assert changes().stdout == ""
    with peers.tcp_listener(network.a, "127.0.0.1", OPEN):
        assert changes().stdout == f"tcp://127.0.0.1:{OPEN}: refused ECONNREFUSED fault=target -> connected\n"
        assert changes().stdout == ""
    assert changes().stdout.startswith(f"tcp://127.0.0.1:{OPEN}: connected -> refused")


@needs("curl", "jq")
def test_cron_keeps_its_state_while_connectd_is_down(network, prober, changes):
    assert changes().returncode == 0
    away = changes(url=f"http://127.0.0.1:{SHUT}")
    assert away.returncode == 1 and away.stdout == "" and "not checked" in away.stderr
    back = changes()
    assert (back.returncode, back.stdout) == (0, "")


@needs("curl", "jq")
def test_cron_reports_a_wrong_target_and_continues(prober, changes):
    ran = changes(add=f"nonsense\ntcp://127.0.0.1:{SHUT}\n")
    assert ran.returncode == 1 and ran.stderr.startswith("nonsense: not checked: ")
    assert f"tcp://127.0.0.1:{SHUT}: new -> refused" in ran.stdout


def test_the_crontab_calls_the_script_with_valid_arguments():
    (line,) = [line for line in (DEPLOY / "cron/crontab").read_text().splitlines() if line[0] not in "#M"]
    assert re.fullmatch(r"\S+ \* \* \* \* nobody flock -n \S+ \S+/connectd-changes \S+ \S+", line)


# --- monit


@needs("monit")
def test_monit_shows_the_errno(network, prober, tmp_path):
    copied = copy_of("monit", tmp_path)
    rules = copied / "connectd.monitrc"
    replaced(
        rules, ("/usr/bin/connectd", str(program_in(tmp_path))), ("db.internal:5432", f"127.0.0.1:{SHUT}"),
        ("web.internal:443", f"127.0.0.1:{SHUT}"), (" for 3 cycles", ""))
    main = tmp_path / "monitrc"
    main.write_text(
        f"set daemon 1\nset pidfile {tmp_path}/pid\nset statefile {tmp_path}/state\nset idfile {tmp_path}/id\ninclude {rules}\n")
    for path in (main, rules):
        path.chmod(0o600)
    checked = run("monit", "-t", "-c", main)
    assert checked.returncode == 0 and "Control file syntax OK" in checked.stdout, checked.stdout + checked.stderr
    log = tmp_path / "log"

    def wait_for_log(text: str, times: int = 1) -> None:
        wait_until(lambda: log.read_text().count(text) >= times, 30, lambda: f"{text!r} in {log.read_text()}", 0.1)

    with running(network.a, log, "monit", "-vI", "-c", main, environment={"HOME": str(tmp_path)}):
        wait_for_log("'connect-db' status failed (2) -- CONNECTD CRITICAL")
        wait_for_log("'certificate-web' status failed (2)")
        wait_for_log("'connectd' succeeded testing protocol [HTTP]", 2)
    text = log.read_text()
    assert "ECONNREFUSED" in text and "'connectd' failed" not in text


# --- Telegraf, which Debian does not have


def resolve(value, key: str):
    """The member that Telegraf calls `key`: names of members joined by underscores."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        if key == name:
            return True, inner
        if key.startswith(name + "_"):
            found = resolve(inner, key.removeprefix(name + "_"))
            if found[0]:
                return found
    return False, None


def test_telegraf_uses_existing_members(prober):
    text = tomllib.loads((DEPLOY / "telegraf/connectd.conf").read_text())
    (plugin,) = text["inputs"]["http"]
    (parser,) = plugin["json_v2"]
    (chosen,) = parser["object"]
    assert plugin["data_format"] == "json_v2" and plugin["urls"] == ["http://127.0.0.1:8080/v1/monitors"]
    assert chosen.keys() == {"path", "included_keys", "tags", "renames", "fields"}
    path = plugin["urls"][0].removeprefix("http://127.0.0.1:8080")
    entry = wait_until(
        lambda: next((e for e in prober.client.get(path).json[chosen["path"]] if e["state"] == "down"), None), 30,
        "a monitor is down", 0.1,
    )  # fmt: skip
    for key in chosen["included_keys"]:
        there, value = resolve(entry, key)
        assert there and not isinstance(value, (dict, list)), key
    included = set(chosen["included_keys"])
    assert {*chosen["tags"], *chosen["renames"], *chosen["fields"]} <= included
    names = [chosen["renames"].get(key, key) for key in chosen["included_keys"]]
    assert len(set(names)) == len(names)
