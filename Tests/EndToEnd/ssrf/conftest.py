"""Fixtures: a network in which every address answers."""

import pytest

from support import kernel_recorder
from support.answering_internet import AnsweringInternet


@pytest.fixture(scope="package")
def internet(root_and_namespaces):
    if reason := kernel_recorder.missing():
        pytest.skip(reason)
    made = AnsweringInternet()
    yield made
    made.remove()
