"""Fixtures: a network in which every address answers, and its name server."""

import pytest
from support import kernel_recorder
from support.answering_internet import NAME_SERVER, AnsweringInternet
from support.dns_server import DNSServer
from support.names_to_denied_addresses import answer


@pytest.fixture(scope="package")
def internet(root_and_namespaces):
    if reason := kernel_recorder.missing():
        pytest.skip(reason)
    made = AnsweringInternet()
    yield made
    made.remove()


@pytest.fixture(scope="package")
def names(internet):
    with DNSServer(internet.prober, NAME_SERVER, answer) as server:
        yield server
