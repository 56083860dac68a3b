"""Paths of the benchmarks."""

import os

BENCHMARKS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
OUT = os.path.join(BENCHMARKS, "out")
RESULTS = os.path.join(OUT, "results.json")
CONNECTD = os.path.realpath(
    os.environ.get("CONNECTD") or os.path.join(os.path.dirname(BENCHMARKS), ".build", "release", "connectd")
)
BLACKBOX = "/usr/bin/prometheus-blackbox-exporter"


def built(name):
    return os.path.join(OUT, name)
