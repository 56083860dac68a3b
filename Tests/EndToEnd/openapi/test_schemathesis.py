"""schemathesis with the real service: requests that the specification allows are answered as it says.

It invents targets, so both run in a namespace that has loopback only.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.connectd_process import REPOSITORY, Connectd

PORT = 8171
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")


def schemathesis() -> str | None:
    beside = Path(sys.executable).with_name("st")
    return str(beside) if beside.exists() else shutil.which("st")


def test_the_service_keeps_to_its_specification(loopback_only):
    program = schemathesis()
    if program is None:
        pytest.skip("not installed: schemathesis")
    settings = REPOSITORY / "schemathesis.toml"
    specification = REPOSITORY / "openapi" / "openapi.yaml"
    assert settings.is_file() and specification.is_file()
    with Connectd(loopback_only, port=PORT) as connectd:
        command = [
            program,
            "--config-file",
            str(settings),
            "run",
            str(specification),
            "--url",
            f"http://127.0.0.1:{PORT}",
            "--max-examples",
            "50",
            "--seed",
            "1",
            "--request-timeout",
            "20",
        ]
        ran = subprocess.run(
            loopback_only.command(*command),
            capture_output=True,
            text=True,
            timeout=900,
            cwd=connectd.folder,
            env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)},
        )
        assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]


def test_the_specification_is_valid():
    program = Path(sys.executable).with_name("openapi-spec-validator")
    if not program.exists():
        pytest.skip("not installed: openapi-spec-validator")
    ran = subprocess.run([str(program), str(REPOSITORY / "openapi" / "openapi.yaml")], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
