"""The bases in deploy/kubernetes, rendered by kubectl as a user does it."""

import functools
import pathlib
import shutil
import subprocess
import sys

import pytest

from support.connectd_process import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "kubernetes"
BASES = ("sidecar", "init", "service", "node", "fleet", "prometheus-operator")
# Resources of the Prometheus operator are not part of Kubernetes, and its schemas do not have them.
BUILT_IN = BASES[:-1]


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(pathlib.Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed: make deploy-test brings it")
    return found


@functools.cache
def rendered(base: str) -> str:
    done = subprocess.run(
        [tool("kubectl"), "kustomize", str(FOLDER / base)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
