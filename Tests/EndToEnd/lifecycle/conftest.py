"""Fixtures: peers with known verdicts, and a configuration that allows them."""

import pathlib
import shutil
import tempfile

import pytest

from support.connectd_process import OPEN_CONFIGURATION
from support.soak.peers import SoakNetwork

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
