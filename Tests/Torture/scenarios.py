"""What connectd does while a call fails: requests to a running service, and runs of the program from start to end."""

import dataclasses
import json
import signal
import subprocess
from collections.abc import Callable

from support.batches import NDJSON, parse_lines
from support.certificates import HOST
from support.connectd_process import Connectd, run
from support.http_client import Answer, check_request, read_answer
from support.waiting import wait_until

from stage import CERTIFICATES, LOCAL, Stage

# No check waits longer, so a later answer is a hang.
TIMEOUT_MS = 1500
HANG_SECONDS = 6


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that the user of connectd sees: the result of a check, or what came instead of it."""

    kind: str  # result, verdict, page, problem, closed, log, exit
    what: str | int
    fault: str | None = None
    name: str | None = None
    # What a repetition must show as well, although a failure may lack it: the certificates of a TLS peer.
    detail: tuple | None = None

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.kind, self.what, self.name, self.fault) if part is not None)


CLOSED = Finding("closed", "without an answer")


def of_result(result: dict) -> Finding:
    error, tls = result.get("error") or {}, result.get("tls") or {}
    detail = tuple((one["sha256"], one["public_key_sha256"], tuple(one["sans"])) for one in tls.get("chain", []))
    return Finding("result", result["outcome"], error.get("fault"), error.get("name"), (tls.get("verified"), detail) if tls else None)


def of_answer(answer: Answer) -> list[Finding]:
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        says_so = "no memory is left" if "no memory is left" in answer.json.get("detail", "") else None
        return [Finding("problem", answer.status, name=says_so)]
    if answer.headers.get("content-type", "").startswith("application/x-ndjson"):
        return [of_result(line) for line in sorted(parse_lines(answer.body)[0], key=lambda line: line["index"])]
    value = answer.json if answer.headers.get("content-type", "").startswith("application/json") else None
    match value:
        case {"outcome": _}:
            return [of_result(value)]
        case {"results": results}:
            return [of_result(result) for result in results]
        case {"verdict": verdict, "checks": _}:
            return [Finding("verdict", verdict)]
        case {"routes": routes}:
            return [Finding("page", "route" if route.get("local") else "no route", (route.get("error") or {}).get("fault"))
                    for route in routes]  # fmt: skip
    return [Finding("page", answer.status)]


@dataclasses.dataclass(frozen=True)
class Request:
    """A scenario of a running service; `prepare` runs before the calls are counted or fail."""

    name: str
    ask: Callable[[Stage, Connectd], list[Finding]]
    prepare: Callable[[Stage, Connectd], object] = lambda stage, service: None
    # Functions that do not fail in it: the scenario waits for a line in the log, and a line that cannot be written is lost.
    spared: tuple[str, ...] = ()

    def __call__(self, stage: Stage, service: Connectd) -> list[Finding]:
        try:
            return self.ask(stage, service)
        except (EOFError, ConnectionError) as error:
            if isinstance(error, (ConnectionResetError, BrokenPipeError)):
                return [Finding("closed", "by a reset")]
            return [CLOSED] if isinstance(error, EOFError) else [_refused(error)]
        except TimeoutError:
            return [Finding("hang", f"no answer within {HANG_SECONDS} s")]
        except (OSError, ValueError) as error:
            # The server ended TLS, or an answer before it was complete.
            return [Finding("closed", type(error).__name__)]


def _refused(error: OSError) -> Finding:
    return Finding("closed", f"the listener: {error}")


def _check(target: Callable[[Stage], str], **members) -> Callable[[Stage, Connectd], list[Finding]]:
    def ask(stage: Stage, service: Connectd) -> list[Finding]:
        body = {"target": target(stage), "timeout_ms": TIMEOUT_MS, **members}
        return of_answer(service.unix.post("/v1/checks", body, timeout=HANG_SECONDS))

    return ask


def _tls(port: Callable[[Stage], int], members: dict | None = None, **options):
    tls = {"server_name": HOST, "ca": "tests", **options}
    return _check(lambda stage: f"tcp://{LOCAL}:{port(stage)}", tls=tls, **(members or {}))


DIALOG = [{"expect": "^220 (?<name>\\S+)"}, {"send": "EHLO ${name}\r\n"}, {"expect": "^250 EHLO"}]
DIALOG_TLS = [{"expect": "^220 ready"}, {"send": "STARTTLS\r\n"}, {"expect": "^220 go"}, {"starttls": True}]


def _batch(lines: bool):
    def ask(stage: Stage, service: Connectd) -> list[Finding]:
        targets = [f"tcp://{LOCAL}:{stage.open}", f"tcp://{LOCAL}:9", f"unix:{stage.stream}", f"tls://{LOCAL}:{stage.tls}"]
        value = {"checks": [{"target": target} for target in targets], "defaults": {"timeout_ms": TIMEOUT_MS}}
        return of_answer(service.unix.post("/v1/checks/batch", value, NDJSON if lines else None, timeout=HANG_SECONDS))

    return ask


def _post(path: str, value: Callable[[Stage], dict]):
    return lambda stage, service: of_answer(service.unix.post(path, value(stage), timeout=HANG_SECONDS))


def _get(*paths: str):
    def ask(stage: Stage, service: Connectd) -> list[Finding]:
        return [finding for path in paths for finding in of_answer(service.unix.get(path, timeout=HANG_SECONDS))]

    return ask


def _kept_connection(stage: Stage, service: Connectd) -> list[Finding]:
    """Two requests on one connection, the second in two parts, then a malformed one."""
    request = check_request(f"tcp://{LOCAL}:{stage.open}", timeout_ms=TIMEOUT_MS)
    with service.unix.connect() as connection:
        connection.settimeout(HANG_SECONDS)
        stream = connection.makefile("rb")
        connection.sendall(request)
        first = of_answer(read_answer(stream))
        connection.sendall(request[:40])
        connection.sendall(request[40:])
        second = of_answer(read_answer(stream))
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost : x\r\n\r\n")
        return first + second + of_answer(read_answer(stream))


def _https(client: str | None):
    def ask(stage: Stage, service: Connectd) -> list[Finding]:
        body = {"target": f"tcp://{LOCAL}:{stage.open}", "timeout_ms": TIMEOUT_MS}
        answer = stage.https_client(stage.served, client).post("/v1/checks", body, timeout=HANG_SECONDS)
        return of_answer(answer)

    return ask


def _reload(stage: Stage, service: Connectd) -> list[Finding]:
    """A reload with another certificate. If it is rejected, the running configuration stays in effect."""
    before = service.log.count("reload")
    wanted = next(name for name in CERTIFICATES if name != stage.served)
    configuration, _ = stage.configuration(wanted)
    service.configuration_path.write_text(json.dumps(configuration))
    service.process.send_signal(signal.SIGHUP)
    try:
        wait_until(lambda: service.log.count("reload") > before, HANG_SECONDS, "a reload in the log")
    except AssertionError:
        return [Finding("hang", f"no reload within {HANG_SECONDS} s")]
    line = [line for line in service.log.splitlines() if "reload" in line][-1]
    is_done = "configuration reloaded" in line
    if is_done:
        stage.served = wanted
    return [Finding("log", "configuration reloaded" if is_done else "reload rejected")]


def _bad_reload(stage: Stage, service: Connectd) -> list[Finding]:
    before = service.log.count("reload")
    service.configuration_path.write_text("policy: [broken\n")
    service.process.send_signal(signal.SIGHUP)
    try:
        wait_until(lambda: service.log.count("reload") > before, HANG_SECONDS, "a reload in the log")
    except AssertionError:
        return [Finding("hang", f"no reload within {HANG_SECONDS} s")]
    return [Finding("log", "reload rejected" if "reload rejected" in service.log.splitlines()[-1] else "reloaded")]


REQUESTS = [
    Request("plain", _check(lambda stage: f"tcp://{LOCAL}:{stage.open}")),
    Request("refused", _check(lambda stage: f"tcp://{LOCAL}:9")),
    Request("ipv6", _check(lambda stage: f"tcp://[::1]:{stage.open}")),
    Request("bound", _check(lambda stage: f"tcp://{LOCAL}:{stage.open}", bind={"address": LOCAL}, socket={"ttl": 9, "close": "rst"})),
    Request("denied", _check(lambda stage: "tcp://169.254.169.254:80")),
    Request("udp", _check(lambda stage: f"udp://{LOCAL}:{stage.udp}")),
    Request("udp-dialog", _check(lambda stage: f"udp://{LOCAL}:{stage.udp}", dialog=[{"send": "x"}, {"expect": "x"}])),
    Request("preset", _check(lambda stage: f"udp://{LOCAL}:{stage.udp_dns}", preset="dns")),
    Request("unix", _check(lambda stage: f"unix:{stage.stream}")),
    Request("unix-datagram", _check(lambda stage: f"unix+dgram:{stage.datagram}")),
    Request("unix-denied", _check(lambda stage: f"unix:{stage.forbidden}")),
    Request("unix-missing", _check(lambda stage: f"unix:{stage.folder}/missing.sock")),
    Request("hold", _check(lambda stage: f"tcp://{LOCAL}:{stage.holding}", hold_ms=5)),
    Request("half-open", _check(lambda stage: f"tcp://{LOCAL}:{stage.holding}", half_open=True)),
    Request("rounds", _check(lambda stage: f"tcp://{LOCAL}:{stage.open}", count=3)),
    Request("tls", _tls(lambda stage: stage.tls, client_certificate="probe", alpn=["h2"])),
    Request("tls-bad", _tls(lambda stage: stage.other_tls)),
    Request("tls-unverified", _tls(lambda stage: stage.other_tls, verify=False)),
    Request("tls-default-ca", _check(lambda stage: f"tls://{HOST}:{stage.tls}")),
    Request("tls-cold", _check(lambda stage: f"tls://{HOST}:{stage.tls}"), _reload),
    Request("starttls", _tls(lambda stage: stage.smtp, starttls="smtp")),
    Request("dialog", _check(lambda stage: f"tcp://{LOCAL}:{stage.greeting}", dialog=DIALOG)),
    Request("dialog-tls", _tls(lambda stage: stage.dialog_tls, {"dialog": DIALOG_TLS})),
    Request("name", _check(lambda stage: f"tcp://alias.example.test:{stage.open}")),
    Request("name-all", _check(lambda stage: f"tcp://open.example.test:{stage.open}", resolve={"addresses": "all"})),
    Request("name-race", _check(lambda stage: f"tcp://open.example.test:{stage.open}", resolve={"addresses": "race"})),
    Request("name-missing", _check(lambda stage: "tcp://missing.example.test:80")),
    Request("international", _check(lambda stage: f"tcp://münchen.example.test:{stage.open}")),
    Request("own-server", _check(
        lambda stage: f"tcp://open.example.test:{stage.open}", resolve={"server": f"{LOCAL}:53", "family": "ipv4"})),
    Request("trace", _check(lambda stage: f"tcp://{LOCAL}:{stage.open}", trace="always")),
    Request("diagnosis", _post("/v1/diagnoses", lambda stage: {"target": f"tcp://{LOCAL}:9", "timeout_ms": 2000})),
    Request("routes", _post("/v1/routes", lambda stage: {"destinations": [LOCAL, "::1"]})),
    Request("batch", _batch(lines=False)),
    Request("batch-lines", _batch(lines=True)),
    Request("pages", _get("/livez", "/readyz", "/metrics", "/v1/errors", "/openapi.json", "/nothing")),
    Request("kept-connection", _kept_connection),
    Request("https", _https("client")),
    Request("https-stranger", _https(None)),
    Request("reload", _reload, spared=("write", "poll")),
    Request("bad-reload", _bad_reload, spared=("write", "poll")),
]  # fmt: skip


# Runs from start to end.


@dataclasses.dataclass(frozen=True)
class Run:
    """A scenario that starts the program; `act` gets the environment with the shim, and arms the call when it is time."""

    name: str
    act: Callable[[Stage, dict[str, str], Callable[[], None]], list[Finding]]


def _command(*words: Callable[[Stage], str]):
    def act(stage: Stage, environment: dict[str, str], arm: Callable[[], None]) -> list[Finding]:
        arm()
        arguments = [word(stage) for word in words]
        try:
            ended = run(
                "check", "--json", "--timeout", "2s", *arguments, namespace=stage.namespace, environment=environment,
                timeout=HANG_SECONDS * 2,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return [Finding("hang", f"did not end within {HANG_SECONDS * 2} s")]
        if ended.returncode < 0:
            return [Finding("abort", f"signal {-ended.returncode}: {ended.stderr[-1500:]}")]
        if not ended.stdout:
            return [Finding("exit", ended.returncode, name="with a message" if ended.stderr.strip() else "without a message")]
        try:
            return [of_result(result) for result in json.loads(ended.stdout)]
        except ValueError:
            return [Finding("exit", ended.returncode, name="with half an output" if ended.returncode == 0 else "with a message")]

    return act


def _end_of(service: Connectd, answered: list[Finding]) -> list[Finding]:
    try:
        status = service.process.wait(HANG_SECONDS * 2)
    except subprocess.TimeoutExpired:
        service.process.kill()
        service.process.wait()
        return [*answered, Finding("hang", f"did not end within {HANG_SECONDS * 2} s:\n{service.log[-1500:]}")]
    if status < 0 or "Fatal error" in service.log:
        return [*answered, Finding("abort", f"status {status}: {service.log[-1500:]}")]
    return [*answered, Finding("exit", status, name="with a message" if status and service.log.strip() else None)]


def _start(stage: Stage, environment: dict[str, str], arm: Callable[[], None]) -> list[Finding]:
    """Starts, answers a check, stops. It may also exit with a message."""
    arm()
    service = stage.service(environment)
    try:
        wait_until(
            lambda: service.process.poll() is not None or service.unix.get("/livez", timeout=HANG_SECONDS).status == 200,
            HANG_SECONDS, "connectd is live or ended",
        )  # fmt: skip
        answered = []
        if service.process.poll() is None:
            answered = REQUESTS[0](stage, service)
            service.process.send_signal(signal.SIGTERM)
        return _end_of(service, answered)
    except AssertionError:
        return [Finding("hang", f"neither live nor ended within {HANG_SECONDS} s:\n{service.log[-1500:]}")]
    finally:
        service.stop()


def _drain(stage: Stage, environment: dict[str, str], arm: Callable[[], None]) -> list[Finding]:
    """SIGTERM while a check runs, and while a client has sent half a request: the check is answered, and the exit status is 0."""
    service = stage.service(environment)
    try:
        service.wait_until_live()
        request = check_request(f"tcp://{LOCAL}:{stage.holding}", hold_ms=150, timeout_ms=TIMEOUT_MS)
        with service.unix.connect() as connection, service.unix.connect() as unfinished:
            connection.settimeout(HANG_SECONDS)
            connection.sendall(request)
            unfinished.sendall(request[:60])
            service.wait_until_read(connection)
            arm()
            service.process.send_signal(signal.SIGTERM)
            answered = Request("drain", lambda *_: of_answer(read_answer(connection.makefile("rb"))))(stage, service)
            return _end_of(service, answered)
    finally:
        service.stop()


RUNS = [
    Run("check", _command(lambda stage: f"tcp://{LOCAL}:{stage.open}", lambda stage: f"tcp://open.example.test:{stage.open}")),
    Run("check-tls", _command(lambda stage: f"tls://{LOCAL}:{stage.tls}", lambda stage: f"unix:{stage.stream}")),
    Run("start", _start),
    Run("drain", _drain),
]
