"""deploy/systemd and deploy/compose, checked by the tools that read them."""

import re
import shutil
import subprocess

import pytest
import yaml

from support.connectd_process import REPOSITORY, binary

UNITS = REPOSITORY / "deploy" / "systemd"
COMPOSE = REPOSITORY / "deploy" / "compose"
EXPOSURE = 1.5


def run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


@pytest.fixture
def analyze():
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed")
    return found


@pytest.fixture
def units(tmp_path):
    """Both units, with a program that exists and without the optional manual page."""
    for unit in ("connectd.service", "connectd.socket"):
        text = (UNITS / unit).read_text().replace("/usr/local/bin/connectd", str(binary()))
        (tmp_path / unit).write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
    return tmp_path


def test_systemd_analyze_accepts_both_units(analyze, units):
    done = run(analyze, "verify", str(units / "connectd.service"), str(units / "connectd.socket"))
    mine = [line for line in (done.stdout + done.stderr).splitlines() if "connectd." in line]
    assert not mine, mine


def test_systemd_analyze_finds_mistakes(analyze, units):
    """The test above finds mistakes."""
    path = units / "connectd.service"
    path.write_text(path.read_text().replace("WatchdogSec=30s", "WatchdogSecond=30s"))
    done = run(analyze, "verify", str(path))
    assert "WatchdogSecond" in done.stdout + done.stderr


def test_the_exposure_level_is_low(analyze):
    done = run(analyze, "security", "--offline=true", str(UNITS / "connectd.service"))
    found = re.search(r"Overall exposure level for connectd.service: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE
    assert f"service's exposure {found[1]}." in (UNITS / "README.md").read_text()


def compose() -> dict:
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text())


def test_the_compose_file_removes_privileges():
    for service in compose()["services"].values():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("command", [("docker", "compose"), ("docker-compose",)])
def test_a_compose_client_accepts_the_file(command, tmp_path):
    if shutil.which(command[0]) is None or run(*command, "version").returncode != 0:
        pytest.skip(f"{' '.join(command)} is not installed")
    (tmp_path / "tokens").write_text("me:0123456789abcdef\n")
    for name in ("compose.yaml", "connectd.yaml"):
        shutil.copy(COMPOSE / name, tmp_path)
    done = run(*command, "-f", str(tmp_path / "compose.yaml"), "config")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["services"].keys() == compose()["services"].keys()


def test_connectd_accepts_the_configuration_of_compose(tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("me:0123456789abcdef0123456789abcdef\n")
    path = tmp_path / "connectd.yaml"
    path.write_text((COMPOSE / "connectd.yaml").read_text().replace("/run/secrets/connectd-tokens", str(tokens)))
    done = run(str(binary()), "config", "check", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
