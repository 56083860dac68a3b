"""Peers, checks and monitors whose verdicts are known, and what `scripts/soak` does with them for hours."""
