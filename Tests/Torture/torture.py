"""Makes each call fail in turn, and judges what connectd does. `run` is the command."""

import collections
import dataclasses
import errno
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Iterator

from support.connectd_process import Connectd
from support.waiting import wait_until

from errors import errors_of
from scenarios import HANG_SECONDS, REQUESTS, RUNS, Finding, Request, Run
from shared_page import Call, Injection, SharedPage
from stage import CERTIFICATES, Stage
from verdicts import judge

HERE = pathlib.Path(__file__).parent
# A request is made this often before its calls are recorded, so that caches are full.
WARM_UPS = 3
# In the short form, the calls of the HTTP library fail in these only: in the others they are the same.
SHORT_HTTP = ("plain", "kept-connection", "pages", "batch-lines", "https")
# Threads for calls that may block are started on demand, and kept.
SPARE_THREADS = 4


@dataclasses.dataclass
class Options:
    """`is_long`: every ordinal with every error; otherwise the first and the last ordinal with the first error."""

    is_long: bool = False
    # With `is_long`: at most this many ordinals of a function, evenly spread.
    most: int = 1 << 30
    scenarios: tuple[str, ...] = ()
    function: str | None = None
    caller: str | None = None
    ordinal: int | None = None
    error: int | None = None
    is_verbose: bool = False
    # Stop after this many seconds, and say what was left out.
    seconds: float | None = None


@dataclasses.dataclass(frozen=True)
class Defect:
    scenario: str
    injection: Injection
    site: str
    what: str

    def __str__(self) -> str:
        error = errno.errorcode.get(self.injection.error, str(self.injection.error))
        often = " and later ones" if self.injection.is_persistent else ""
        return f"{self.scenario}: {self.injection.call} number {self.injection.ordinal}{often} {error} at {self.site}: {self.what}"


def is_of_http(call: Call) -> bool:
    return call.caller == "libmicrohttpd.so" or call.function.startswith("MHD_")


def spread(count: int, most: int) -> list[int]:
    """The numbers from 1 to `count`, or `most` of them with the first and the last."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + index * (count - 1) // (most - 1) for index in range(most)})


def compile_shim(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(exist_ok=True)
    shim = folder / "shim.so"
    command = ["gcc", "-O2", "-g", "-Wall", "-Wextra", "-Wno-cast-function-type", "-shared", "-fPIC"]
    subprocess.run([*command, "-o", str(shim), str(HERE / "shim.c"), "-ldl"], check=True)
    return shim


class Torture:
    def __init__(self, shim: pathlib.Path, stage: Stage, options: Options):
        self.stage, self.options = stage, options
        self.page = SharedPage(stage.folder / "control")
        # The system's authorities are the tests' own.
        self.environment = {**self.page.environment(shim), "SSL_CERT_FILE": str(stage.system_authorities), "SSL_CERT_DIR": "/nowhere"}
        self.service: Connectd | None = None
        self.defects: list[Defect] = []
        # What the service said at its end.
        self.reports: list[str] = []
        self.verdicts: collections.Counter[str] = collections.Counter()
        self.calls: dict[str, dict[Call, int]] = {}
        self.not_reached = 0
        self.left_out: list[str] = []
        self.began = time.monotonic()

    # The service.

    def start_service(self) -> None:
        self.page.disarm()
        self.stage.served = CERTIFICATES[0]
        self.service = self.stage.service(self.environment).wait_until_live()
        self.page.read_names()

    def _idle(self, findings: list[Finding]) -> list[Finding]:
        """Waits until the service has closed what a request opened."""
        last = None
        end = time.monotonic() + 1
        while (now := len(self.service.open_descriptors())) != last and time.monotonic() < end:
            last = now
            time.sleep(0.002)
        return findings

    def _warm_up(self, request: Request) -> None:
        for _ in range(WARM_UPS):
            self._idle(request(self.stage, self.service))
        self._idle(REQUESTS[0](self.stage, self.service))
        self.descriptors = len(self.service.open_descriptors())
        self.threads = self._thread_count()

    def _thread_count(self) -> int:
        return len(os.listdir(f"/proc/{self.service.pid}/task"))

    def end_service(self) -> None:
        """Stops it. In a program with the address sanitizer this is when leaks are reported."""
        service, self.service = self.service, None
        if service is None:
            return
        self.page.disarm()
        try:
            if service.process.poll() is None:
                service.process.send_signal(signal.SIGTERM)
                status = service.process.wait(60)
                if status or "ERROR: " in service.log:
                    self.reports.append(f"status {status} at the end: {service.log[-4000:]}")
        except subprocess.TimeoutExpired:
            self.reports.append(f"no end within 60 s of SIGTERM: {service.log[-1500:]}")
            service.process.kill()
            service.process.wait()
        finally:
            service.stop()

    # One scenario.

    def _is_chosen(self, name: str) -> bool:
        return not self.options.scenarios or name in self.options.scenarios

    def run(self) -> None:
        chosen = [request for request in REQUESTS if self._is_chosen(request.name)]
        if chosen:
            self.start_service()
            for request in chosen:
                self._run_request(request)
            self.end_service()
        for scenario in RUNS:
            if self._is_chosen(scenario.name):
                self._run_program(scenario)

    def _run_request(self, request: Request) -> None:
        if self.service is None:
            self.start_service()
        self._warm_up(request)
        request.prepare(self.stage, self.service)
        self.page.reset()
        expected = self._idle(request(self.stage, self.service))
        counts = {call: count for call, count in self.page.counts().items() if call.function not in request.spared}
        self.calls[request.name] = counts
        if not self.options.is_long and request.name not in SHORT_HTTP:
            counts = {call: count for call, count in counts.items() if not is_of_http(call)}
        self._say(f"{request.name}: {', '.join(map(str, expected))}; {sum(counts.values())} calls of {len(counts)} kinds")
        for injection in self._injections(counts):
            if self._is_late(request.name):
                return
            if self.service is None:
                self.start_service()
                self._warm_up(request)
            self._inject(request, injection, expected)

    def _is_late(self, name: str) -> bool:
        if self.options.seconds is None or time.monotonic() - self.began < self.options.seconds:
            return False
        if name not in self.left_out:
            self.left_out.append(name)
        return True

    def _injections(self, counts: dict[Call, int]) -> Iterator[Injection]:
        for call, count in sorted(counts.items()):
            options = self.options
            if options.function not in (None, call.function) or options.caller not in (None, str(call).split("@")[1]):
                continue
            errors = errors_of(call.function)
            if options.error is not None:
                errors = [options.error]
            elif not options.is_long:
                errors = errors[:1]
            ordinals = spread(count, options.most) if options.is_long else sorted({1, count})
            if options.ordinal is not None:
                ordinals = [options.ordinal]
            for error in errors:
                for ordinal in ordinals:
                    yield Injection(call, ordinal, error)
            # A call that is interrupted forever never works, and a log that is never written shows nothing.
            if options.is_long and options.ordinal is None and errors[0] != errno.EINTR and call.function != "write":
                yield Injection(call, 1, errors[0], is_persistent=True)

    def _inject(self, request: Request, injection: Injection, expected: list[Finding]) -> None:
        began = time.monotonic()
        request.prepare(self.stage, self.service)
        live = self.page.live_allocations
        self.page.arm(injection)
        seen = request(self.stage, self.service)
        self.page.disarm()
        site, injected = self.page.site, self.page.injected
        if not injected:
            self.not_reached += 1
            return
        is_right, what = judge(injection, expected, seen)
        self.verdicts[what if is_right else "WRONG"] += 1
        self._say(f"    {injection.call} {injection.ordinal} {errno.errorcode[injection.error]}: {', '.join(map(str, seen))}")
        if not is_right:
            self._note(request.name, injection, site, what)
        if problem := self._illness(request, expected) or self._leak(request, injection, live):
            self._note(request.name, injection, site, problem)
            self.end_service()
        if (took := time.monotonic() - began) > 0.1:
            self._say(f"    took {took:.2f} s")

    def _note(self, scenario: str, injection: Injection, site: str, what: str) -> None:
        self.defects.append(Defect(scenario, injection, site, what))
        self._say(f"  DEFECT {self.defects[-1]}")

    def _illness(self, request: Request, expected: list[Finding]) -> str | None:
        """After a failure, connectd must answer the same request as before, and hold nothing of the failed one."""
        service, again = self.service, []

        def is_well() -> bool:
            again[:] = request(self.stage, service)
            return again == expected

        try:
            wait_until(lambda: service.process.poll() is not None or is_well(), HANG_SECONDS, "the same result", 0.005)
        except AssertionError:
            return f"the next one: {', '.join(map(str, again))}"
        if service.process.poll() is not None:
            return self._end_of_service()
        try:
            service.wait_for_descriptors(self.descriptors, 3)
            wait_until(lambda: self._thread_count() <= self.threads + SPARE_THREADS, 3, "threads")
        except AssertionError:
            grown = len(service.open_descriptors()) - self.descriptors
            return f"{grown:+} descriptors, {self._thread_count() - self.threads:+} threads"
        return None

    def _end_of_service(self) -> str:
        status = self.service.process.poll()
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return f"ABORT, {how}: " + " | ".join(self.service.log.splitlines()[-4:])

    def _leak(self, request: Request, injection: Injection, live: dict[str, int]) -> str | None:
        """A leak grows with each repetition; a cache does not."""
        for _ in range(4):
            if not (grown := self._growth(live)):
                return None
            request.prepare(self.stage, self.service)
            live = self.page.live_allocations
            self.page.arm(injection)
            request(self.stage, self.service)
            self.page.disarm()
            self._idle(request(self.stage, self.service))
        return f"LEAK: {grown}"

    def _growth(self, before: dict[str, int]) -> dict[str, int]:
        """What is still allocated after two seconds, which end the timeouts of c-ares."""
        end = time.monotonic() + 2
        while True:
            now = self.page.live_allocations
            grown = {name: now[name] - count for name, count in before.items() if now[name] > count}
            if not grown or time.monotonic() > end:
                return grown
            time.sleep(0.01)

    # Runs of the program.

    def _run_program(self, scenario: Run) -> None:
        self._prepare_names()
        self.page.disarm()
        expected = scenario.act(self.stage, self.environment, self.page.reset)
        counts = self.page.counts()
        self.calls[scenario.name] = counts
        self._say(f"{scenario.name}: {', '.join(map(str, expected))}; {sum(counts.values())} calls of {len(counts)} kinds")
        for injection in self._injections(counts):
            if self._is_late(scenario.name):
                return
            self.page.disarm()
            seen = scenario.act(self.stage, self.environment, lambda: self.page.arm(injection))
            self.page.disarm()
            if not self.page.injected:
                self.not_reached += 1
                continue
            is_right, what = judge(injection, expected, seen)
            self.verdicts[what if is_right else "WRONG"] += 1
            if not is_right:
                self._note(scenario.name, injection, self.page.site, what)

    def _prepare_names(self) -> None:
        if self.page.has_names:
            return
        RUNS[0].act(self.stage, self.environment, lambda: None)
        self.page.read_names()

    # The report.

    def _say(self, text: str) -> None:
        if self.options.is_verbose:
            print(text, flush=True)

    def summary(self) -> str:
        tried = sum(self.verdicts.values())
        functions = {call.function for counts in self.calls.values() for call in counts}
        kinds = {call for counts in self.calls.values() for call in counts}
        lines = [
            f"scenarios:   {len(self.calls)}",
            f"functions:   {len(functions)}, from {len(kinds)} callers",
            f"injections:  {tried}, and {self.not_reached} that were not reached",
            *(f"  {count:>7}  {verdict}" for verdict, count in self.verdicts.most_common()),
            f"seconds:     {time.monotonic() - self.began:.0f}",
            f"defects:     {len(self.defects) + len(self.reports)}",
            *(f"  {defect}" for defect in (*self.defects, *self.reports)),
        ]
        if self.left_out:
            lines.append(f"left out after {self.options.seconds:g} s: {', '.join(self.left_out)}")
        return "\n".join(lines)
