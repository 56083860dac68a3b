"""Runs of `connectd verify`, and policies for them."""

import json
from typing import NamedTuple


class Verification(NamedTuple):
    """One run."""

    status: int
    out: str
    err: str

    @property
    def cases(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]

    def verdicts(self) -> dict[str, str]:
        """The verdict of each rule, which must be the same for all of its cases."""
        found: dict[str, set[str]] = {}
        for case in self.cases:
            found.setdefault(case["rule"], set()).add(case["verdict"])
        assert all(len(verdicts) == 1 for verdicts in found.values()), self.out
        return {rule: verdicts.pop() for rule, verdicts in found.items()}


def rules(lines: list[str], **defaults) -> str:
    """A policy with these rules in flow style."""
    head = {"timeout_ms": 400, **defaults}
    return "\n".join(["version: 1", f"defaults: {json.dumps(head)}", "rules:", *[f"  - {line}" for line in lines], ""])
