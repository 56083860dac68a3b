"""Fixtures: a connectd that knows the tests' authorities and client certificates, and TLS servers for identities."""

import contextlib

import pytest

from support import network as net
from support import tls_peers
from support.certificates import HOST
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.tls_checks import BOTH, HALF, PORT, material


@pytest.fixture(scope="module")
def hosts(network):
    """Names for the peers' addresses, as long as this module lasts."""
    path = network.a.etc / "hosts"
    before = path.read_text()
    lines = f"{net.OPEN} {HOST} {BOTH} {HALF}\n{net.SECOND} {BOTH} {HALF}\n{net.OPEN6} v6.example.test\n"
    network.a.write_etc("hosts", before + lines)
    yield
    network.a.write_etc("hosts", before)


@pytest.fixture(scope="module")
def connectd(network, hosts, authorities, module_folder):
    entries, files = material(authorities)
    policy = {**OPEN_CONFIGURATION["policy"], "rules": [{"action": "allow", "path": f"{module_folder}/*"}]}
    with Connectd(network.a, {"policy": policy, **entries}, port=PORT, files=files) as running:
        yield running


@pytest.fixture
def showing(network):
    """Starts a TLS server for an identity; gives its port."""
    with contextlib.ExitStack() as stack:

        def start(identity, script=tls_peers.until_the_end, address=net.OPEN, port=0, failures=None, **options) -> int:
            script = tls_peers.tls(tls_peers.server_context(identity, **options), script, failures)
            return stack.enter_context(tls_peers.listening(network.b, script, address, port))

        yield start
