"""Fixture: commands of connectd in the prober's namespace."""

import pytest

from support import connectd_process


@pytest.fixture(scope="module")
def run(network):
    """Runs a command of connectd to its end."""
    return lambda *arguments, **options: connectd_process.run(*arguments, namespace=network.a, **options)
