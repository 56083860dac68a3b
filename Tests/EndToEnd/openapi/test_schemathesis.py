"""schemathesis with the real service: examples of the specification, and values at the limits of its schemas."""

import pathlib
import subprocess
import sys

import pytest

from support.schemathesis_run import SPECIFICATION, run_schemathesis


def test_the_service_follows_its_specification(loopback_only):
    run_schemathesis(loopback_only, "examples,coverage")


def test_the_specification_is_valid():
    program = pathlib.Path(sys.executable).with_name("openapi-spec-validator")
    if not program.exists():
        pytest.skip("not installed: openapi-spec-validator")
    ran = subprocess.run([str(program), str(SPECIFICATION)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
