"""Runs schemathesis against a connectd in a namespace that has loopback only, because it invents targets.

Valid and invalid requests are separate runs. Invalid ones need no hooks; those for valid ones only generate.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

from support.certificates import Authorities
from support.connectd_process import OPEN_CONFIGURATION, REPOSITORY, Connectd

PORT = 8171
HOOKS = REPOSITORY / "Tests" / "EndToEnd" / "openapi" / "schemathesis_hooks.py"
SPECIFICATION = REPOSITORY / "openapi" / "openapi.yaml"
SETTINGS = REPOSITORY / "schemathesis.toml"
# The long form of `make schemathesis`.
IS_LONG = os.environ.get("CONNECTD_LONG", "") not in ("", "0")


def program() -> str:
    in_environment = pathlib.Path(sys.executable).with_name("st")
    found = str(in_environment) if in_environment.exists() else shutil.which("st")
    if found is None:
        pytest.skip("not installed: schemathesis")
    return found


def configuration(folder: pathlib.Path) -> dict:
    """A service with the names that the examples of the specification use, and with a monitor."""
    authorities = Authorities(folder)
    client = authorities.good
    (folder / "root.pem").write_text(authorities.root_pem)
    (folder / "bgp.key").write_text("secret\n")
    return OPEN_CONFIGURATION | {
        "authorities": {"internal": {"file": str(folder / "root.pem")}},
        "client_certificates": {"probe": {"certificate": str(client.chain_file), "key": str(client.key_file)}},
        "md5_keys": {"bgp": {"file": str(folder / "bgp.key")}},
        "monitors": [{"name": "db", "interval_ms": 1000, "check": {"target": "tcp://127.0.0.1:1"}}],
    }


def run(namespace, phases: str, mode: str, examples: int, seed: int = 1, timeout: float = 900) -> subprocess.CompletedProcess:
    """Runs schemathesis once.

    - mode: `positive` for valid requests, with the hooks; `negative` for invalid ones.
    """
    assert SETTINGS.is_file() and SPECIFICATION.is_file()
    command = [
        program(), "--config-file", str(SETTINGS), "run", str(SPECIFICATION), "--url", f"http://127.0.0.1:{PORT}",
        "--phases", phases, "--mode", mode, "--max-examples", str(examples), "--seed", str(seed),
        "--request-timeout", "20", "--checks", "all", "--continue-on-failure",
        # The schema of a check takes long to generate from on a busy machine.
        "--suppress-health-check", "too_slow,filter_too_much",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "SCHEMATHESIS_HOOKS"}
    if mode == "positive":
        environment["SCHEMATHESIS_HOOKS"] = str(HOOKS)
        environment["CONNECTD_CONDITIONS"] = "kept" if "coverage" in phases and not IS_LONG else "dropped"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        with Connectd(namespace, configuration(path), port=PORT):
            return subprocess.run(
                namespace.command(*command), capture_output=True, text=True, timeout=timeout, cwd=folder, env=environment
            )


FIGURES = ("Operations:", "Selected:", "Tested:", "Scenarios:", "API Links:", "Test cases:", "generated", "passed", "Seed:", "===")


def run_schemathesis(namespace, phases: str, mode: str, examples: int = 8) -> None:
    """Runs schemathesis and prints its figures. Every phase must report that the service follows its specification.

    - examples: how many cases to generate for an operation in the short form; the long form has forty times as many.
    """
    ran = run(namespace, phases, mode, 40 * examples if IS_LONG else examples, timeout=7200 if IS_LONG else 900)
    print(f"schemathesis, {phases}, {mode} data:")
    print("\n".join(line for line in ran.stdout.splitlines() if any(word in line for word in FIGURES)))
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
