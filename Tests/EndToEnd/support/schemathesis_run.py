"""Runs schemathesis against a connectd in a namespace that has loopback only, because it invents targets."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from support.connectd_process import REPOSITORY, Connectd

PORT = 8171
HOOKS = REPOSITORY / "Tests" / "EndToEnd" / "openapi" / "schemathesis_hooks.py"
SPECIFICATION = REPOSITORY / "openapi" / "openapi.yaml"


def program() -> str:
    in_environment = pathlib.Path(sys.executable).with_name("st")
    found = str(in_environment) if in_environment.exists() else shutil.which("st")
    if found is None:
        pytest.skip("not installed: schemathesis")
    return found


def run_schemathesis(namespace, phases: str) -> None:
    """Runs schemathesis. Every phase must report that the service follows its specification."""
    settings = REPOSITORY / "schemathesis.toml"
    assert settings.is_file() and SPECIFICATION.is_file()
    st = program()
    with Connectd(namespace, port=PORT) as connectd:
        command = [
            st, "--config-file", str(settings), "run", str(SPECIFICATION), "--url", f"http://127.0.0.1:{PORT}",
            "--phases", phases, "--max-examples", "50", "--seed", "1", "--request-timeout", "20",
        ]  # fmt: skip
        ran = subprocess.run(
            namespace.command(*command),
            capture_output=True,
            text=True,
            timeout=900,
            cwd=connectd.folder,
            env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)},
        )
        assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
