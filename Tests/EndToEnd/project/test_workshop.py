"""What `make test` needs on a contributor's machine, and what continuous integration runs."""

import os
import re
import subprocess
import sys

import pytest

from support.connectd_process import REPOSITORY

# Each of them is a service, or large; `make test` needs none.
LARGE = {
    "postfix", "dovecot-imapd", "vsftpd", "slapd", "postgresql-15", "mariadb-server-core", "prosody", "inspircd",
    "prometheus", "prometheus-alertmanager", "nagios4-core", "icinga2-bin", "zabbix-server-pgsql", "php-cli", "chromium",
}  # fmt: skip


def make(*arguments: str) -> str:
    # Under `make test` these variables make a second make print the folders that it enters.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def fresh_machine(tmp_path):
    """Runs scripts/install-dependencies where nothing is installed; returns its messages and commands, in order."""
    programs = {
        "swift": "true", "dpkg-query": "exit 1", "id": "echo 1000", "sudo": 'echo "sudo $*"', "apt-get": 'echo "apt-get $*"',
    }  # fmt: skip
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)

    def run(*parts: str) -> list[str]:
        done = subprocess.run(
            [REPOSITORY / "scripts" / "install-dependencies", *parts], capture_output=True, text=True, timeout=20,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    return run


def parts_of(target: str) -> set[str]:
    """The lists of scripts/install-dependencies that a target installs."""
    return {part for line in re.findall(r"scripts/install-dependencies (.*)", make("-n", target)) for part in line.split()}


def test_make_test_needs_only_small_packages(fresh_machine):
    assert parts_of("test") == {"build", "test"}
    said = {line.strip() for line in fresh_machine("build", "test")}
    assert "libmicrohttpd-dev" in said and "dnsmasq-base" in said
    assert said & LARGE == set()


def test_the_integration_tests_need_the_large_packages(fresh_machine):
    assert "integrations" in parts_of("test-integrations")
    assert LARGE <= {line.strip() for line in fresh_machine("build", "test", "integrations")}


def test_packages_are_listed_before_they_are_installed(fresh_machine):
    said = fresh_machine("build", "test")
    assert re.fullmatch(r"Installing \d+ Debian packages for: build test", said[0])
    first = next(number for number, line in enumerate(said) if line.startswith(("sudo", "apt-get")))
    listed = [line.strip() for line in said[1:first]]
    [install] = [line for line in said if " install " in line]
    assert listed == install.partition("--no-install-recommends ")[2].split()
    assert "Installing Python packages" in make("-n", "-B", "venv")


@pytest.mark.parametrize(("value", "status"), [("", 0), ("1", 1)])
def test_with_strict_mode_a_missing_server_fails(value, status, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "promtool", "Tests/EndToEnd/monitors/test_metrics.py"],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=60,
        env=os.environ | {"PATH": str(tmp_path), "CONNECTD_REQUIRE_INTEGRATIONS": value},
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert "promtool (package prometheus) is not installed" in done.stdout


def test_continuous_integration_runs_both():
    text = (REPOSITORY / ".ci" / "run").read_text()
    targets = re.search(r"^targets=\((.*)\)$", text, re.MULTILINE)[1].split()
    assert targets[0] == "test" and "test-integrations" in targets and "CONNECTD_REQUIRE_INTEGRATIONS=1" in text
    assert {"release-test", "torture-short", "soak-short", "attack-short"} <= set(targets)


def test_make_help_lists_the_targets():
    listed = dict(line.split(maxsplit=2)[1:] for line in make("help").splitlines())
    assert {"run", "test", "test-integrations", "image-test", "help"} <= set(listed)
    assert {"smoke", "tidy", "sanitize", "coverage", "fuzz", "bench", "release", "clean"} <= set(listed)
    assert all(text[0].isupper() for text in listed.values())
    assert "127.0.0.1:8080" in listed["run"]


def test_every_part_of_the_smoke_tests_exists():
    """A file or a module that is renamed would silently be left out."""
    text = (REPOSITORY / "Tests" / "EndToEnd" / "conftest.py").read_text()
    files = re.findall(r'"([\w/]+\.py)"', re.search(r"(?s)^SMOKE = \{(.*?)^\}", text, re.MULTILINE)[1])
    assert len(files) > 10
    assert [name for name in files if not (REPOSITORY / "Tests" / "EndToEnd" / name).exists()] == []
    modules = re.search(r"(?m)^SMOKE_UNIT_TESTS := (.+)$", (REPOSITORY / "Makefile").read_text())[1].split("|")
    assert [name for name in modules if not (REPOSITORY / "Tests" / name).is_dir()] == []
