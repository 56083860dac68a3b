"""A target that accepts any number of connections."""

import pytest

from support import network as net
from support import peers


@pytest.fixture(scope="module")
def open_target(network):
    listener = peers.tcp_listener(network.b, net.OPEN, backlog=4096)
    with peers.serving(listener, peers.on_each_connection(lambda connection: None)):
        yield f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
