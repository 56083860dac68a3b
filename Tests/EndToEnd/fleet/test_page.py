"""The examples of docs/fleet.md, in a fleet like that of the page: each prints what the page shows."""

import contextlib
import json
import os
import pathlib
import pwd
import subprocess

import pytest

from support import peers
from support.connectd_process import REPOSITORY, binary, clean_environment
from support.console_examples import assert_shown, examples
from support.fleet import member, wait_for_places
from support.namespace import Namespace
from support.nats_server import NatsServer
from support.network import new_name

EXAMPLES = examples((REPOSITORY / "docs" / "fleet.md").read_text())
OTHER_USER = "nobody"
# What reaches one of the two targets from the place of another user does not arrive.
BROKEN_PATH = """
table ip broken {
    chain leaving { type route hook output priority 0; meta skuid %d tcp dport 5432 meta mark set 7; }
    chain arriving { type filter hook input priority 0; meta mark 7 drop; }
}
"""


@pytest.fixture(scope="module")
def shell(root_and_namespaces, module_folder):
    """Runs a command line next to a hub on port 8080; the targets exist, and the path from ams1 to one of them is broken."""
    namespace = Namespace(new_name("p"))
    program = pathlib.Path(module_folder, "connectd")
    program.symlink_to(binary())
    try:
        for address in ("10.0.0.7", "10.0.0.8"):
            namespace.ip(f"address add {address}/32 dev lo")
        namespace.write_etc("hosts", "127.0.0.1 localhost\n10.0.0.7 db.internal\n10.0.0.8 web.internal\n")
        namespace.nft(BROKEN_PATH % pwd.getpwnam(OTHER_USER).pw_uid)
        with contextlib.ExitStack() as stack:
            for address, port in (("10.0.0.7", 5432), ("10.0.0.8", 443)):
                listener = peers.tcp_listener(namespace, address, port)
                stack.enter_context(peers.serving(listener, peers.on_each_connection(lambda connection: None)))
            broker = stack.enter_context(NatsServer(namespace))
            eu = {"fleet": {"labels": {"region": "eu"}}}
            for user, place in ((None, "fra1"), (None, "fra1"), (OTHER_USER, "ams1")):
                stack.enter_context(member(namespace, broker, place, user=user, **eu))
            hub = stack.enter_context(member(namespace, broker, "hub", answers=False, port=8080))
            wait_for_places(hub, "fra1", "ams1")
            pathlib.Path(module_folder, "connectd.yaml").write_text(
                f'policy: {{profile: internal}}\nfleet: {{servers: ["{broker.url}"], place: hub, answers: false}}\n')
            yield lambda command: subprocess.run(
                namespace.command("bash", "-c", command), capture_output=True, text=True, timeout=30, cwd=module_folder,
                stdin=subprocess.DEVNULL,
                env={**clean_environment(), "PATH": f"{module_folder}:{os.environ['PATH']}"})
    finally:
        namespace.remove()


def members(value):
    """The members, at every depth, without the values."""
    if isinstance(value, dict):
        return {name: members(item) for name, item in value.items()}
    return [members(item) for item in value] if isinstance(value, list) else None


@pytest.mark.parametrize("command,shown", [pytest.param(*one, id=one[0][:40]) for one in EXAMPLES])
def test_an_example_prints_what_the_page_shows(shell, command, shown):
    said = shell(command).stdout.strip("\n")
    if not shown:
        # The page describes the members of this answer instead of showing it.
        document = json.loads(said)
        assert "type" not in document, said
    elif shown.startswith("{"):
        assert members(json.loads(said)) == members(json.loads(shown)), said
    else:
        assert_shown(said, shown)
