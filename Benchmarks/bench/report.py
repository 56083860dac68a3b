"""Medians, ratios and goals, as text or as Markdown."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from statistics import median

from bench.paths import BLACKBOX

TITLES = {"connectd": "connectd", "c": "same service in C", "blackbox": "blackbox_exporter", "loop": "plain loop in C"}
# The suites of measure_rounds. With one connection there is no work to share, and packets take most of the time.
LEAST_OF_BLACKBOX = {"http": 4, "http-1": 2, "http-refused": 2}
TITLES_OF_WAYS = {"spread": "coming over 2 s", "burst": "one burst"}


@dataclass(frozen=True)
class Goal:
    what: str
    value: float
    bound: float
    at_least: bool = False
    unit: str = ""

    @property
    def met(self):
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def describe_machine():
    def first_line(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout.partition("\n")[0]

    model = re.search(r"model name\s*:\s*(.+)", open("/proc/cpuinfo", encoding="ascii", errors="replace").read())
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": model.group(1) if model else platform.machine(),
        "kernel": platform.release(),
        "compiler": first_line("cc", "--version"),
        "libmicrohttpd": first_line("dpkg-query", "-W", "-f=${Version}", "libmicrohttpd12"),
        "blackbox_exporter": first_line("dpkg-query", "-W", "-f=${Version}", os.path.basename(BLACKBOX)),
        "load_average_before": os.getloadavg()[0],
    }


def middle(rounds, name, member):
    return median(turn[name][member] for turn in rounds)


def ratio(rounds, name, other, member):
    """The median of the ratios within each round."""
    return median(turn[name][member] / turn[other][member] for turn in rounds)


def wrong(rounds):
    return sum(turn[name]["wrong"] for turn in rounds for name in turn)


def http_goals(name, rounds):
    return [
        Goal(f"{name}: rate, of C's", ratio(rounds, "connectd", "c", "rate"), 0.9, at_least=True),
        Goal(f"{name}: CPU a check, of C's", ratio(rounds, "connectd", "c", "cpu_us"), 1.2),
        Goal(f"{name}: rate, of blackbox_exporter's", ratio(rounds, "connectd", "blackbox", "rate"),
             LEAST_OF_BLACKBOX[name], at_least=True),
        Goal(f"{name}: CPU a check, of blackbox_exporter's", ratio(rounds, "connectd", "blackbox", "cpu_us"), 0.25),
        Goal(f"{name}: wrong answers of anybody", wrong(rounds), 0),
    ]


def tls_goals(rounds):
    return [
        Goal("tls: rate, of the plain loop's", ratio(rounds, "connectd", "loop", "rate"), 0.9, at_least=True),
        Goal("tls: CPU a handshake, of the plain loop's", ratio(rounds, "connectd", "loop", "cpu_us"), 1 / 0.9),
        Goal("tls: wrong answers of anybody", wrong(rounds), 0),
    ]


def hang_goals(hang):
    rounds = hang["rounds"]
    return [
        Goal("hang: checks hanging", hang["hanging"], 9000, at_least=True),
        Goal("hang: memory a check", middle(rounds, "connectd", "bytes_each") / 1000, 10, unit=" KB"),
        Goal("hang: lateness, 99th percentile", middle(rounds, "connectd", "late_p99_ms"), 300, unit=" ms"),
        Goal("hang: earliest answer after its deadline", min(turn["connectd"]["late_min_ms"] for turn in rounds), 0,
             at_least=True, unit=" ms"),
        Goal("hang: wrong answers of anybody", wrong(rounds), 0),
    ]


def neighbor_goals(found):
    rounds = found["rounds"]
    return [
        Goal("neighbors: rate of single checks, of the quiet one", middle(rounds, "connectd", "ratio"), 0.9, at_least=True),
        Goal("neighbors: wrong answers of anybody", wrong(rounds), 0),
    ]


def batch_goals(batch):
    found, hanging = [], batch["hanging"]
    for count, rounds in batch["open"].items():
        if str(count).isdigit():
            found.append(Goal(f"batch of {count}: rate, of the epoll loop's", ratio(rounds, "connectd", "loop", "rate"), 0.9,
                              at_least=True))
            found.append(Goal(f"batch of {count}: wrong results", wrong(rounds), 0))
    slower = median(turn["busy_p50_ms"] / turn["quiet_p50_ms"] for turn in batch["singles"])
    found.append(Goal("single checks next to a batch: median latency, of the quiet one", slower, 3))
    found.append(Goal("batch, hanging: memory a check", median(turn["bytes_each"] for turn in hanging) / 1000, 3, unit=" KB"))
    found.append(Goal("batch, hanging: lateness, 99th percentile", median(turn["late_p99_ms"] for turn in hanging), 10,
                      unit=" ms"))
    found.append(Goal("batch, hanging: earliest end after its deadline", min(turn["late_min_ms"] for turn in hanging), 0,
                      at_least=True, unit=" ms"))
    found.append(Goal("batch, hanging: wrong results", sum(turn["wrong"] for turn in hanging), 0))
    return found


def file_goals(found):
    rounds = found["rounds"]
    return [
        Goal("file: rate, of the epoll loop's", ratio(rounds, "connectd", "loop", "rate"), 0.9, at_least=True),
        Goal("file: rate, of nmap's", ratio(rounds, "connectd", "nmap", "rate"), 1.4, at_least=True),
        Goal("file: wrong results of anybody", wrong(rounds), 0),
    ]


def growth_goals(found):
    costs = {int(count): run["cpu_us"] for count, run in found.items()}
    most = max(costs)
    return [Goal(f"growth: CPU a check of {most}, of that of 10000", costs[most] / costs[10_000], 1.2)]


def deadline_goals(deadline):
    goals = [
        Goal("deadline: coming over 2 s, 99th percentile", middle(deadline["spread"], "connectd", "late_p99_ms"), 10,
             unit=" ms"),
        Goal("deadline: one burst, own clock, 99th percentile", middle(deadline["burst"], "connectd", "own_p99_ms"), 10,
             unit=" ms"),
    ]
    turns = [turn["connectd"] for rounds in deadline.values() for turn in rounds]
    goals.append(Goal("deadline: earliest answer after its deadline", min(turn["late_min_ms"] for turn in turns), 0,
                      at_least=True, unit=" ms"))
    goals.append(Goal("deadline: wrong answers of anybody", sum(wrong(rounds) for rounds in deadline.values()), 0))
    return goals


def goals(results):
    results = without_failures(results)
    found = []
    for name in LEAST_OF_BLACKBOX:
        if name in results:
            found += http_goals(name, results[name]["rounds"])
    if "tls" in results:
        found += tls_goals(results["tls"]["rounds"])
    if "batch" in results:
        found += batch_goals(results["batch"])
    if "file" in results:
        found += file_goals(results["file"])
    if "growth" in results:
        found += growth_goals(results["growth"])
    if "hang" in results:
        found += hang_goals(results["hang"])
    if "neighbors" in results:
        found += neighbor_goals(results["neighbors"])
    if "deadline" in results:
        found += deadline_goals(results["deadline"])
    if "idle" in results:
        found.append(Goal("idle: resident memory", median(results["idle"]["connectd"]) / 1e6, 16, unit=" MB"))
    if "start" in results:
        found.append(Goal("start: first answer", median(results["start"]["connectd"]), 40, unit=" ms"))
    if "per_check" in results.get("enqueues", {}):
        found.append(Goal("enqueues: a check", results["enqueues"]["per_check"], 2.05))
    return found


def ring_line(ring):
    parts = [
        f"{form}: {found['rate_ratio']:.2f} of epoll's rate, {found['cpu_ratio']:.2f} of its CPU"
        f" ({found['epoll_cpu_us']:.1f} µs a connect)"
        for form, found in ring.items()
    ]
    return "io_uring in C, " + "; ".join(parts)


def routes_line(routes):
    return (
        f"routes: 100,000 destinations in {routes['seconds']:.2f} s, {routes['cpu_us']:.1f} µs of CPU each, "
        f"{routes['bytes'] / 1e6:.0f} MB more memory afterwards; "
        f"p99 of /livez {routes['busy_p99_ms']:.1f} ms meanwhile, {routes['quiet_p99_ms']:.1f} ms before"
    )


def http_table(name, http):
    rounds = http["rounds"]
    rows = [["", "checks/s", "CPU µs/check", "p50 ms", "p99 ms", "rate, of C's", "CPU, of C's", "wrong"]]
    for contender in rounds[0]:
        rows.append([
            TITLES[contender], f"{middle(rounds, contender, 'rate'):.0f}", f"{middle(rounds, contender, 'cpu_us'):.1f}",
            f"{middle(rounds, contender, 'p50_us') / 1000:.2f}", f"{middle(rounds, contender, 'p99_us') / 1000:.2f}",
            f"{ratio(rounds, contender, 'c', 'rate'):.2f}", f"{ratio(rounds, contender, 'c', 'cpu_us'):.2f}",
            str(sum(turn[contender]["wrong"] for turn in rounds)),
        ])
    title = f"{name}: connections {http['connections']}, median of {len(rounds)} rounds of {http['seconds']:g} s each"
    return title, rows


def tls_table(tls):
    rounds = tls["rounds"]
    rows = [["", "handshakes/s", "CPU µs/handshake", "rate, of the loop's", "CPU, of the loop's", "wrong"]]
    for name in rounds[0]:
        rows.append([
            TITLES[name], f"{middle(rounds, name, 'rate'):.0f}", f"{middle(rounds, name, 'cpu_us'):.0f}",
            f"{ratio(rounds, name, 'loop', 'rate'):.2f}", f"{ratio(rounds, name, 'loop', 'cpu_us'):.2f}",
            str(sum(turn[name]["wrong"] for turn in rounds)),
        ])
    title = f"tls: {tls['connections']} connections, median of {len(rounds)} rounds of {tls['seconds']:g} s each"
    return title, rows


def instructions_table(ways):
    rows = [["", *ways]]
    for name in ("connectd", "c"):
        rows.append([TITLES[name], *(f"{way[name]['instructions']:.0f}" for way in ways.values())])
    rows.append(["of C's", *(f"{way['connectd']['instructions'] / way['c']['instructions']:.2f}" for way in ways.values())])
    return "instructions: in user space, for a check", rows


def bare_table(bare):
    runs = bare["runs"]
    row = [f"{median(run['rate'] for run in runs):.0f}", f"{median(run['cpu_us_per_connect'] for run in runs):.1f}"]
    return "bare: connect, SO_ERROR, close on one thread", [["connects/s", "CPU µs/connect"], row]


def footprint_table(results):
    rows = [["", "idle RSS MB", "first answer ms", "worst of starts ms"]]
    for name in results.get("idle") or results["start"]:
        row = [TITLES[name]]
        row.append(f"{median(results['idle'][name]) / 1e6:.1f}" if "idle" in results else "")
        starts = results.get("start", {}).get(name)
        row += [f"{median(starts):.1f}", f"{max(starts):.1f}"] if starts else ["", ""]
        rows.append(row)
    return "idle and start", rows


def deadline_table(deadline):
    rows = [["", "", "late p50 ms", "p99 ms", "max ms", "by its own clock p50 ms", "p99 ms", "max ms", "wrong"]]
    columns = [f"{clock}_{point}_ms" for clock in ("late", "own") for point in ("p50", "p99", "max")]
    for way, rounds in deadline.items():
        for name in rounds[0]:
            rows.append([
                TITLES[name], TITLES_OF_WAYS[way],
                *(f"{middle(rounds, name, column):.2f}" for column in columns),
                str(sum(turn[name]["wrong"] for turn in rounds)),
            ])
    return f"deadline: 1,000 checks in flight, median of {len(deadline['burst'])} rounds", rows


def hang_table(hang):
    rounds = hang["rounds"]
    rows = [["", "bytes/check", "of them connection", "late p50 ms", "p99 ms", "max ms", "CPU µs/check", "wrong"]]
    for name in rounds[0]:
        rows.append([
            TITLES[name],
            *(f"{middle(rounds, name, member):.0f}" for member in ("bytes_each", "connection_bytes_each")),
            *(f"{middle(rounds, name, member):.1f}" for member in ("late_p50_ms", "late_p99_ms", "late_max_ms")),
            f"{middle(rounds, name, 'cpu_us'):.1f}", str(sum(turn[name]["wrong"] for turn in rounds)),
        ])
    title = f"hang: {hang['hanging']} checks posted in one burst, timeout_ms {hang['timeout_ms']}, median of {len(rounds)}"
    return title, rows


def neighbor_table(found):
    rows = [["", "rate/s quiet", "rate/s then", "of it", "wrong"]]
    for name in found["rounds"][0]:
        rows.append([TITLES[name], *(f"{middle(found['rounds'], name, member):.{digits}f}"
                                     for member, digits in (("quiet", 0), ("busy", 0), ("ratio", 2))),
                     str(sum(turn[name]["wrong"] for turn in found["rounds"]))])
    return f"neighbors: single checks while {found['hanging']} others hang", rows


def batch_table(batch):
    rows = [["checks", "", "rate/s", "CPU µs each", "rate, of the loop's", "resident MB"]]
    for count, rounds in batch["open"].items():
        if str(count).isdigit():
            for name in rounds[0]:
                memory = f"{batch['open'][f'{count}_bytes'] / 1e6:.1f}" if name == "connectd" else ""
                rows.append([str(count), TITLES[name], f"{middle(rounds, name, 'rate'):.0f}",
                             f"{middle(rounds, name, 'cpu_us'):.1f}", f"{ratio(rounds, name, 'loop', 'rate'):.2f}", memory])
    return "batch: open targets, and a bare epoll loop in C on as many threads", rows


def file_row(name, turns):
    columns = [f"{median(turn[member] for turn in turns):.{digits}f}"
               for member, digits in (("rate", 0), ("cpu_us", 1), ("resident_mb", 1))]
    return [name, *columns, str(sum(turn["wrong"] for turn in turns))]


def file_table(found):
    rows = [["", "rate/s", "CPU µs each", "resident MB", "wrong"]]
    rows += [file_row(name, [turn[name] for turn in found["rounds"]]) for name in found["rounds"][0]]
    rows.append(file_row("check_tcp", [found["check_tcp"]]))
    return f"file: {found['count']} open targets, output included", rows


def growth_table(found):
    rows = [["targets", "rate/s", "CPU µs each", "resident MB", "wrong"]]
    return "growth: connectd check --file", rows + [file_row(count, [run]) for count, run in found.items()]


def goals_table(found):
    rows = [["goal", "measured", "bound", ""]]
    for goal in found:
        sign = "≥" if goal.at_least else "≤"
        rows.append([goal.what, f"{goal.value:.2f}{goal.unit}", f"{sign} {goal.bound:g}{goal.unit}",
                     "met" if goal.met else "MISSED"])
    return "goals", rows


def tables(results, found):
    for name in LEAST_OF_BLACKBOX:
        if name in results:
            yield http_table(name, results[name])
    if "batch" in results:
        yield batch_table(results["batch"])
    if "file" in results:
        yield file_table(results["file"])
    if "growth" in results:
        yield growth_table(results["growth"])
    if "instructions" in results:
        yield instructions_table(results["instructions"])
    if "bare" in results:
        yield bare_table(results["bare"])
    if "tls" in results:
        yield tls_table(results["tls"])
    if "hang" in results:
        yield hang_table(results["hang"])
    if "neighbors" in results:
        yield neighbor_table(results["neighbors"])
    if "deadline" in results:
        yield deadline_table(results["deadline"])
    if "idle" in results or "start" in results:
        yield footprint_table(results)
    if found:
        yield goals_table(found)


def render_table(title, rows, markdown):
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        lines.insert(1, "|" + "---|" * len(rows[0]))
        return f"**{title}**\n\n" + "\n".join(lines)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return f"== {title}\n" + "\n".join(lines)


def without_failures(results):
    return {name: result for name, result in results.items() if "failed" not in result}


def render(results, found, markdown):
    machine = ", ".join(f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}"
                        for name, value in results["machine"].items())
    parts = [machine, *(render_table(title, rows, markdown) for title, rows in tables(without_failures(results), found))]
    parts += [f"{name}: FAILED, {result['failed']}" for name, result in results.items() if "failed" in result]
    if "bare" in results.get("ring", {}):
        parts.append(ring_line(results["ring"]))
    if "seconds" in results.get("routes", {}):
        parts.append(routes_line(results["routes"]))
    if "skipped" in results.get("enqueues", {}):
        parts.append(f"enqueues: skipped, {results['enqueues']['skipped']}")
    return "\n\n".join(parts)
