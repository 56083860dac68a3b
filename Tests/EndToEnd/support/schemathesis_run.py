"""Runs schemathesis against a connectd in a namespace that has loopback only, because it invents targets."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

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


# Conditions of a check that are left out for generated bodies: with all of them, the generator gives up. The hooks keep to
# them instead, and test_specification.py compares them with the service.
LEFT_OUT = ("trace", "half_open", "hold_ms", "interval_ms")


def specification_with_fewer_conditions(folder: pathlib.Path) -> pathlib.Path:
    document = yaml.safe_load(SPECIFICATION.read_text())
    conditions = document["components"]["schemas"]["CheckRequest"]["dependentSchemas"]
    for name in LEFT_OUT:
        del conditions[name]
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    return file


def run_schemathesis(namespace, phases: str) -> None:
    """Runs schemathesis. Every phase must report that the service follows its specification."""
    settings = REPOSITORY / "schemathesis.toml"
    assert settings.is_file() and SPECIFICATION.is_file()
    st = program()
    with Connectd(namespace, port=PORT) as connectd:
        generates = "fuzzing" in phases
        specification = specification_with_fewer_conditions(connectd.folder) if generates else SPECIFICATION
        command = [
            st, "--config-file", str(settings), "run", str(specification), "--url", f"http://127.0.0.1:{PORT}",
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
