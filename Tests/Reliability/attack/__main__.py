"""`make attack` and `make floods`: see --help."""

import argparse
import contextlib
import os
import sys

from support import namespace

from attack import cpu_group, floods_run, under_attack
from attack.floods import FLOODS


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="attack", description="Attacks a connectd of its own, in a network namespace and a control group. Needs root.")
    parts = parser.add_subparsers(required=True)
    floods = parts.add_parser("floods", help="each flood alone")
    floods.add_argument("floods", nargs="*", metavar="FLOOD", help=", ".join(flood.name for flood in FLOODS))
    floods.add_argument("--seconds", type=float, default=5, help="how long each flood lasts")
    floods.add_argument("--verbose", action="store_true", help="print what the hostile clients counted")
    # The documented size.
    add_shared(floods, memory=64, descriptors=4096)
    floods.set_defaults(run=floods_run.run)
    attack = parts.add_parser("all-at-once", help="everything at once, next to honest clients")
    attack.add_argument("--seconds", type=float, default=10, help="how long the attack is measured")
    attack.add_argument("--clients", type=int, default=16, help="honest clients")
    attack.add_argument("--rejected", type=float, default=1000, help="rejected requests in a second; 0: no limit")
    attack.add_argument(
        "--ratio", type=float, default=0.7, help="the least share of their quiet rate that honest clients keep")
    attack.add_argument("--failures", type=int, default=0, help="the most honest checks that may fail")
    attack.add_argument("--p99", type=float, default=20, help="the most milliseconds for 99 of 100 honest checks")
    # MemoryHigh of the systemd unit, and descriptors for all clients.
    add_shared(attack, memory=256, descriptors=20_000)
    attack.set_defaults(run=under_attack.run)
    return parser.parse_args()


def add_shared(parser: argparse.ArgumentParser, memory: int, descriptors: int) -> None:
    parser.add_argument("--memory", type=int, default=memory, help="limit of the control group, MiB")
    parser.add_argument("--descriptors", type=int, default=descriptors, help="RLIMIT_NOFILE of the service")
    parser.add_argument("--size", type=float, default=1, help="a factor for the number of hostile clients")
    parser.add_argument("--health-goal", type=float, default=50, help="milliseconds for a health check")
    parser.add_argument(
        "--preferred", action="store_true",
        help="take the processors from everything else on the machine (cgroups, version 1)")


def main() -> int:
    arguments = parsed()
    if reason := namespace.missing():
        print(f"attack: {reason}", file=sys.stderr)
        return 2
    if not os.environ.get("CONNECTD"):
        print("attack: set CONNECTD to a release build", file=sys.stderr)
        return 2
    with cpu_group.preferred(f"connectd-attack-{os.getpid()}") if arguments.preferred else contextlib.nullcontext():
        return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
