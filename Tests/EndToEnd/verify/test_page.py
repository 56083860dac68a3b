"""The examples of docs/reachability.md, run in a network as the page describes it."""

import contextlib
import re
import subprocess

import pytest

from support import connectd_process, console_examples, namespace, peers
from support.connectd_process import REPOSITORY
from support.network import new_name

PAGE = (REPOSITORY / "docs" / "reachability.md").read_text()
POLICIES = re.findall(r"^```yaml\n(version: 1\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = dict(console_examples.examples(PAGE))
DB1 = "10.2.4.1"


class DatabaseNetwork:
    """The app server app7, and one machine with the addresses of all databases and of the control."""

    def __init__(self):
        self.app = namespace.Namespace(new_name("p"))
        self.databases = namespace.Namespace(new_name("q"))
        self.app.ip(f"link add link0 type veth peer name link0 netns {self.databases.name}")
        for space, address in ((self.app, "10.77.9.1"), (self.databases, "10.77.9.2")):
            space.ip(f"addr add {address}/24 dev link0")
            space.ip("link set link0 up")
        self.app.ip("route add default via 10.77.9.2")
        self.app.write_etc("hosts", f"127.0.0.1 localhost\n{DB1} db1.internal\n")
        for network in ("10.2.0.0/24", DB1, "10.0.0.1"):
            self.databases.ip(f"route add local {network} dev lo")
        self.servers = contextlib.ExitStack()
        for port in (22, 443, 5432):
            listener = peers.tcp_listener(self.databases, "0.0.0.0", port)
            self.servers.enter_context(peers.serving(listener, peers.on_each_connection(lambda connection: None)))

    def remove(self) -> None:
        self.servers.close()
        self.app.remove()
        self.databases.remove()

    def drop_ssh(self, *, but: str | None = None) -> None:
        """Drops SSH to all addresses but one."""
        other = f"ip daddr != {but} " if but else ""
        rule = f"chain input {{ type filter hook input priority 0; {other}tcp dport 22 drop; }}"
        self.databases.nft(f"table inet ssh {{}}\ndelete table inet ssh\ntable inet ssh {{\n{rule}\n}}\n")

    def run(self, command: str, folder) -> subprocess.CompletedProcess:
        script = f'hostname app7; connectd() {{ "{connectd_process.binary()}" "$@"; }}\n{command}'
        return subprocess.run(
            self.app.command("unshare", "-u", "sh", "-c", script), capture_output=True, text=True, timeout=60, cwd=folder
        )


@pytest.fixture(scope="module")
def databases(root_and_namespaces):
    made = DatabaseNetwork()
    yield made
    made.remove()


@pytest.mark.parametrize("command", ["connectd verify policy.yaml", "connectd verify policy.yaml --format matrix"])
def test_the_ticket(databases, tmp_path, command):
    databases.drop_ssh(but="10.2.0.3")
    (tmp_path / "policy.yaml").write_text(POLICIES[0])
    ran = databases.run(command, tmp_path)
    assert ran.returncode == 1 and ran.stderr == ""
    console_examples.assert_shown(ran.stdout.strip("\n"), COMMANDS[command])


def test_the_message_about_an_invalid_file(databases, tmp_path):
    [message] = re.findall(r"^policy\.yaml:\d+:\d+: .*$", PAGE, re.MULTILINE)
    lines = ["version: 1", "rules:", "  - name: a", "    to: [a.b]", "    expect: open", "    check: {}", '    ports: [1, 8009-8000]']
    (tmp_path / "policy.yaml").write_text("\n".join(lines) + "\n")
    ran = databases.run("connectd verify policy.yaml", tmp_path)
    assert ran.returncode == 2
    assert re.sub(r"^policy.yaml:7:\d+", "", ran.stderr.splitlines()[0]) == re.sub(r"^policy.yaml:7:\d+", "", message)


def test_before_and_after_a_migration(databases, tmp_path):
    databases.drop_ssh()
    (tmp_path / "draft.yaml").write_text(POLICIES[1])
    [script] = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    ran = databases.run(f"set -e\n{script}", tmp_path)
    assert ran.returncode == 0, ran.stderr
    databases.drop_ssh(but="10.2.0.7")
    command = "connectd verify policy.yaml --diff before.ndjson"
    ran = databases.run(command, tmp_path)
    assert ran.returncode == 1, ran.stderr
    console_examples.assert_shown(ran.stdout.strip("\n"), COMMANDS[command])
