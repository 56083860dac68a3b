"""io_uring next to epoll: the same connects on one thread in C, with and without what a check reports."""

import contextlib
import json
import subprocess
from statistics import median

from bench.contenders import DESTINATIONS, TARGET_PORT
from bench.paths import built
from bench.rate import target

CONNECTS = 60_000
FORMS = {"bare": [], "evidence": ["--evidence"]}


def turn(mode, options):
    command = [built("uring_loop"), "--port", str(TARGET_PORT), "--hosts", str(DESTINATIONS), "--count", str(CONNECTS),
               "--mode", mode, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def measure(field, arguments):
    with contextlib.ExitStack() as stack:
        stack.enter_context(target())
        rounds = [{form: {mode: turn(mode, options) for mode in ("epoll", "uring")} for form, options in FORMS.items()}
                  for _ in range(arguments.rounds)]
    return {form: summary([one[form] for one in rounds]) for form in FORMS}


def summary(rounds):
    """Ratios are taken within a round."""
    return {
        "rate_ratio": median(one["uring"]["rate"] / one["epoll"]["rate"] for one in rounds),
        "cpu_ratio": median(one["uring"]["cpu_us_per_connect"] / one["epoll"]["cpu_us_per_connect"] for one in rounds),
        "epoll_cpu_us": median(one["epoll"]["cpu_us_per_connect"] for one in rounds),
    }
