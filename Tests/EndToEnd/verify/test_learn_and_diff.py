"""`verify --learn` prints a policy that passes, and `verify --diff` shows what changed."""

import json

import pytest

from support import network as net
from support import peers
from support.verification import rules

ROUTER = net.ROUTER_REJECTS["admin-prohibited"]


def test_a_learned_policy_passes(verify, open_port, tmp_path):
    draft = f"""
version: 1
defaults: {{timeout_ms: 400, retry_timeouts: 0}}
sets: {{router: ["{net.OPEN}", "{net.SECOND}"], far: ["{net.DROPPED}", "{ROUTER}"]}}
rules:
  - {{name: here, to: [router], ports: [9, {open_port}]}}
  - {{name: far, to: [far], ports: [22, 23], expect: open, labels: {{ticket: FW-1}}, control: "tcp://{net.OPEN}:{open_port}"}}
"""
    learned = verify(draft, "--learn", format=None)
    assert learned.status == 0, learned.err
    assert f'control: "tcp://{net.OPEN}:{open_port}"' in learned.out and "to: [far]" in learned.out
    again = verify(learned.out)
    assert again.status == 0, again.out
    expected = {(case["target"], case["expect"]) for case in again.cases}
    assert (f"tcp://{net.OPEN}:{open_port}", "open") in expected and (f"tcp://{net.OPEN}:9", "closed") in expected
    assert (f"tcp://{net.DROPPED}:22", "blocked") in expected and len(expected) == 8


def test_what_could_not_be_tried_is_not_learned(verify, open_port):
    draft = rules([f"{{to: [{net.NOWHERE}, {net.OPEN}], ports: [{open_port}]}}"])
    learned = verify(draft, "--learn", format=None)
    assert learned.status == 3
    assert f"# not learned: tcp://{net.NOWHERE}:{open_port}: could not be tried" in learned.out
    assert verify(learned.out).status == 0


@pytest.fixture
def migration(verify, network, tmp_path):
    """Before: a port is open, one is closed. After: the other way round, and one rule less and more."""
    before = tmp_path / "before.ndjson"
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        port = listener.getsockname()[1]
        lines = [
            f"{{name: db, to: [{net.OPEN}], ports: [{port}], expect: open}}",
            f"{{name: same, to: [{net.OPEN}], ports: [9], expect: closed}}",
            f"{{name: old, to: [{net.OPEN}], ports: [8], expect: closed}}",
        ]
        assert verify(rules(lines), "--output", str(before)).status == 0
    lines[2] = f"{{name: new, to: [{net.OPEN}], ports: [7], expect: closed}}"
    return rules(lines), before, f"tcp://{net.OPEN}:{port}"


def test_a_difference_for_people(verify, migration):
    text, before, target = migration
    ran = verify(text, "--diff", str(before), format=None)
    assert ran.status == 1
    lines = ran.out.splitlines()
    assert lines[0] == f"changed  db   {target}  pass (connected) -> violation (refused)"
    assert lines[1] == f"new      new  tcp://{net.OPEN}:7  pass (refused)"
    assert lines[2] == f"gone     old  tcp://{net.OPEN}:8  pass (refused)"
    assert lines[4] == "1 changed, 1 new, 1 gone, 1 unchanged"


def test_a_difference_for_programs(verify, migration):
    text, before, target = migration
    changes = verify(text, "--diff", str(before)).cases
    assert changes == json.loads(verify(text, "--diff", str(before), format="json").out)
    assert changes[0] == {
        "change": "changed", "rule": "db", "target": target,
        "before": {"verdict": "pass", "outcome": "connected"}, "after": {"verdict": "violation", "outcome": "refused"},
    }  # fmt: skip
    assert [(change["change"], change["before"] is None, change["after"] is None) for change in changes[1:]] == [
        ("new", True, False), ("gone", False, True),
    ]  # fmt: skip
    assert f"| changed | `db` | `{target}` |" in verify(text, "--diff", str(before), format="markdown").out


def test_nothing_changed(verify, migration, open_port):
    text = rules([f"{{name: db, to: [{net.OPEN}], ports: [{open_port}], expect: open}}"])
    before = migration[1]
    before.write_text(verify(text).out)
    ran = verify(text, "--diff", str(before), format=None)
    assert ran.status == 0 and ran.out.startswith("0 changed, 0 new, 0 gone, 1 unchanged\n")


@pytest.mark.parametrize("content", ["{}\n", "text\n", '{"target": "tcp://a:1", "outcome": "refused"}\n'])
def test_another_file_is_not_compared(verify, tmp_path, content):
    other = tmp_path / "other.ndjson"
    other.write_text(content)
    ran = verify(rules([f"{{to: [{net.OPEN}], ports: [9], expect: closed}}"]), "--diff", str(other))
    assert ran.status == 2 and "other.ndjson:1: " in ran.err
