"""Fixtures: peers with known verdicts. CONNECTD_LONG=1 runs the long form of each test (`make lifecycle LONG=1`)."""

import os
import pathlib
import shutil
import tempfile

import pytest

from support.certificates import HOST
from support.connectd_process import OPEN_CONFIGURATION
from support.soak.cases import Mixture
from support.soak.peers import SoakNetwork

IS_LONG = os.environ.get("CONNECTD_LONG", "") not in ("", "0")


@pytest.fixture(scope="session")
def figure():
    """Chooses a count: `figure(short, long)`."""
    return lambda short, long: long if IS_LONG else short


@pytest.fixture(scope="module")
def known(root_and_namespaces):
    """Peers of every kind, in a namespace of their own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-", dir="/tmp"))
    folder.chmod(0o755)
    made = SoakNetwork(folder)
    yield made
    made.remove()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def settings(known):
    """A configuration that allows all known peers, and its files."""
    policy = {**OPEN_CONFIGURATION["policy"], "rules": [{"action": "allow", "path": f"{known.folder}/*"}]}
    return {"policy": policy, "authorities": {"tests": {"file": "tests.pem"}}}, {"tests.pem": known.authorities.root_pem}
