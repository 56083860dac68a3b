"""A client that openapi-python-client generates from the specification, used with the service: every value has a type."""

import datetime
import importlib
import pathlib
import subprocess
import sys

import httpx
import pytest
import yaml

from support import network as net
from support import tls_peers
from support.certificates import HOST
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.waiting import wait_until

PACKAGE = "connectd_generated"
# It reads JSON, and says so of the one resource that is YAML. Nothing else may be left out of the client.
ONLY_WARNING = "Unsupported content_type application/yaml"


def generate(document: bytes, folder: pathlib.Path) -> str:
    """Generates the client as a package of this name in the folder; returns the generator's output."""
    settings, source = folder / "settings.yaml", folder / "openapi.json"
    # Its usual last steps only format the code.
    settings.write_text(yaml.safe_dump({"package_name_override": PACKAGE, "post_hooks": []}))
    source.write_bytes(document)
    ran = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", source, "--config", settings,
         "--meta", "none", "--output-path", folder / PACKAGE],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def service(network, authorities):
    """A service that trusts the tests' authority, and peers with its certificates."""
    entries = {"authorities": {"tests": {"file": "tests.pem"}}}
    monitors = [{"name": "nothing", "interval_ms": 100, "check": {"target": f"tcp://{net.OPEN}:9", "timeout_ms": 1000}}]
    configuration = OPEN_CONFIGURATION | entries | {"monitors": monitors}
    with Connectd(network.a, configuration, files={"tests.pem": authorities.root_pem}) as running:
        yield running


@pytest.fixture(scope="module")
def said(service, tmp_path_factory):
    """The generator's output; afterwards the package can be imported."""
    folder = tmp_path_factory.mktemp("client")
    output = generate(service.client.get("/openapi.json").body, folder)
    sys.path.insert(0, str(folder))
    yield output
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def models(said):
    return importlib.import_module(PACKAGE + ".models")


@pytest.fixture(scope="module")
def unset(said):
    return importlib.import_module(PACKAGE + ".types").Unset


@pytest.fixture(scope="module")
def call(said, service):
    """Runs an operation by the name of its module; gives the status and the parsed answer."""
    client = importlib.import_module(PACKAGE).Client(
        base_url="http://localhost",
        raise_on_unexpected_status=True,
        httpx_args={"transport": httpx.HTTPTransport(uds=service.socket_path)},
    )

    def run(operation: str, *arguments, **members):
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        answer = module.sync_detailed(*arguments, client=client, **members)
        return answer.status_code, answer.parsed

    with client:
        yield run


def dictionaries(value, place: str = "") -> list[str]:
    """Where a value has raw JSON instead of a type: the members that the generator did not understand."""
    found = []
    if isinstance(value, dict):
        found.append(place)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found += dictionaries(item, f"{place}/{number}")
    elif hasattr(value, "__attrs_attrs__"):
        for field in value.__attrs_attrs__:
            child = getattr(value, field.name)
            if field.name != "additional_properties":
                found += dictionaries(child, f"{place}/{field.name}")
            elif child and type(value).__name__ not in ("Labels", "DialogReportGroups"):
                found.append(f"{place}: {sorted(child)}")
    return found


def assert_typed(value, kind: type) -> None:
    assert type(value) is kind, value
    assert dictionaries(value) == []


def test_the_generator_supports_the_whole_document(said):
    warnings = [line for line in said.splitlines() if "WARNING" in line or "Unsupported" in line or "Cannot parse" in line]
    assert [line for line in warnings if "openapi.yaml" not in line and ONLY_WARNING not in line] == [], said


def test_a_check_that_succeeds_is_typed(call, models, unset, network):
    with tls_peers.listening(network.b, tls_peers.until_the_end) as port:
        request = models.CheckRequest(
            target=f"tcp://{net.OPEN}:{port}",
            id="17",
            timeout_ms=2000,
            resolve=models.ResolveOptions(addresses=models.ResolveAddresses.ALL),
            socket=models.SocketOptions(close=models.SocketOptionsClose.RST),
            expect=models.Outcome.CONNECTED,
        )
        status, result = call("checks.run_check", body=request)
    assert status == 200
    assert_typed(result, models.CheckResult)
    assert (result.ok, result.id, result.outcome, result.phase) == (True, "17", models.Outcome.CONNECTED, models.Phase.DONE)
    assert isinstance(result.error, unset) and isinstance(result.started_at, datetime.datetime)
    [attempt] = result.attempts
    assert type(attempt) is models.Attempt and (attempt.address, attempt.port) == (net.OPEN, port)
    assert type(attempt.local) is models.Endpoint and attempt.peer.address == net.OPEN
    assert type(attempt.tcp_info) is models.TCPInfo and isinstance(attempt.tcp_info.rtt_us, int)
    assert type(result.timings_ms) is models.Timings and isinstance(result.timings_ms.total, float | int)
    assert type(result.resolution) is models.Resolution and result.resolution.addresses == [net.OPEN]


def test_a_check_that_fails_is_typed(call, models, unset):
    status, result = call("checks.run_check", body=models.CheckRequest(target=f"tcp://{net.OPEN}:9"))
    assert status == 200
    assert_typed(result, models.CheckResult)
    assert (result.ok, result.outcome) == (False, models.Outcome.REFUSED)
    assert type(result.error) is models.Error
    assert (result.error.name, result.error.errno) == ("ECONNREFUSED", 111)
    assert (result.error.class_, result.error.fault) == (models.ErrorClass.REFUSED, models.Fault.TARGET)
    [attempt] = result.attempts
    assert (attempt.address, attempt.port, attempt.peer) == (net.OPEN, 9, None)
    assert type(attempt.error) is models.Error and attempt.error.name == "ECONNREFUSED"
    assert attempt.family is models.AttemptFamily.IPV4 and isinstance(attempt.path, unset)


def test_a_message_of_a_router_is_typed(call, models):
    target = f"tcp://{net.ROUTER_REJECTS['admin-prohibited']}:9"
    _, result = call("checks.run_check", body=models.CheckRequest(target=target))
    assert_typed(result, models.CheckResult)
    icmp = result.attempts[0].icmp
    assert type(icmp) is models.ICMP and (icmp.type_, icmp.code) == (3, 13) and isinstance(icmp.from_, str)


def test_a_socket_file_is_typed(call, models, unset, folder):
    path = f"{folder}/nothing.sock"
    with Connectd(configuration=OPEN_CONFIGURATION | {"policy": {"rules": [{"action": "allow", "path": f"{folder}/*"}]}}) as own:
        body = own.client.post("/v1/checks", {"target": f"unix:{path}"}).json
    result = models.CheckResult.from_dict(body)
    assert_typed(result, models.CheckResult)
    [attempt] = result.attempts
    assert (attempt.family, attempt.path) == (models.AttemptFamily.UNIX, path)
    assert isinstance(attempt.address, unset) and attempt.error.name == "ENOENT"


def test_a_dialog_is_typed(call, models, network):
    def greet(connection):
        connection.sendall(b"220 mx.example ready\r\n")
        tls_peers.until_the_end(connection)

    with tls_peers.listening(network.b, greet) as port:
        steps = [models.DialogStep(expect="^220 (?<name>\\S+)"), models.DialogStep(send="QUIT\r\n")]
        _, result = call("checks.run_check", body=models.CheckRequest(target=f"tcp://{net.OPEN}:{port}", dialog=steps))
    assert_typed(result, models.CheckResult)
    assert type(result.dialog) is models.DialogReport and result.dialog.failed_step is None
    assert result.dialog.groups["name"] == "mx.example"
    assert [step.kind for step in result.dialog.steps] == [models.DialogStepReportKind.EXPECT, models.DialogStepReportKind.SEND]


@pytest.mark.parametrize("is_trusted", [True, False], ids=["verified", "not verified"])
def test_a_tls_report_is_typed(call, models, network, authorities, is_trusted):
    context = tls_peers.server_context(authorities.good, alpn=["h2"])
    options = models.TLSOptions(server_name=HOST, alpn=["h2"], min_version=models.TLSOptionsMinVersion.VALUE_2)
    if is_trusted:
        options.ca = "tests"
    with tls_peers.listening(network.b, tls_peers.tls(context)) as port:
        _, result = call("checks.run_check", body=models.CheckRequest(target=f"tcp://{net.OPEN}:{port}", tls=options))
    assert_typed(result, models.CheckResult)
    report = result.tls
    assert type(report) is models.TLSReport and report.verified is is_trusted
    leaf = report.chain[0]
    assert type(leaf) is models.Certificate and type(leaf.key) is models.CertificateKey
    assert len(leaf.sha256) == 64 and f"DNS:{HOST}" in leaf.sans and isinstance(leaf.expires_in_seconds, int)
    assert isinstance(leaf.not_before, datetime.datetime) and isinstance(leaf.not_after, datetime.datetime)
    assert type(report.ocsp) is models.OCSP and report.ocsp.stapled is False
    if is_trusted:
        assert report.alpn == "h2" and report.verify_error is None
        assert {type(item) for item in report.verified_chain} == {models.Certificate}
    else:
        assert result.error.name == "CERT_UNKNOWN_AUTHORITY" and result.error.alert_from is models.AlertSender.PROBER
        assert isinstance(report.verify_error.code, int) and isinstance(report.verify_error.name, str)


def test_a_problem_is_typed(call, models):
    status, problem = call("checks.run_check", body=models.CheckRequest(target="tcp://127.0.0.1:1", timeout_ms=0))
    assert status == 400
    assert_typed(problem, models.Problem)
    assert problem.type_ is models.ProblemType.URNCONNECTDPROBLEMBAD_REQUEST and problem.status == 400
    [error] = problem.errors
    assert type(error) is models.InputError and error.pointer == "/timeout_ms"
    status, problem = call("checks.run_check", body=models.CheckRequest(target="169.254.169.254:80"))
    assert (status, problem.type_) == (403, models.ProblemType.URNCONNECTDPROBLEMDENIED)


@pytest.mark.parametrize(("port", "expected"), [(9, 502), (None, 200)], ids=["refused", "connected"])
def test_a_probe_is_typed(call, models, network, port, expected):
    with tls_peers.listening(network.b, tls_peers.until_the_end) as listening:
        status, result = call("checks.probe", target=f"{net.OPEN}:{port or listening}", family=models.ResolveFamily.IPV4)
    assert status == expected
    assert_typed(result, models.CheckResult)


def test_monitors_are_typed(call, models):
    def latest():
        status, monitors = call("monitors.list_monitors")
        assert status == 200
        assert_typed(monitors, models.Monitors)
        return monitors.monitors[0].last

    wait_until(lambda: latest() is not None, 30, "the monitor has a result", 0.1)
    assert latest().attempts[0].address == net.OPEN and latest().error.name == "ECONNREFUSED"
    status, monitor = call("monitors.show_monitor", "nothing")
    assert status == 200
    assert_typed(monitor, models.MonitorWithHistory)
    assert type(monitor.history[0]) is models.MonitorRound and monitor.history[0].error == "ECONNREFUSED"


def test_the_other_resources_are_typed(call, models):
    _, catalogue = call("errors.list_errors")
    assert_typed(catalogue, models.ErrorCatalogue)
    _, entry = call("errors.explain_error", "ECONNREFUSED")
    assert_typed(entry, models.CatalogueEntry)
    status, problem = call("errors.explain_error", "NOSUCH")
    assert status == 404
    assert_typed(problem, models.Problem)
    destinations = models.RoutesRequest(destinations=["127.0.0.1", net.NOWHERE])
    _, routes = call("checks.find_routes", body=destinations)
    assert_typed(routes, models.RoutesResult)
    assert routes.routes[0].local.address == "127.0.0.1" and routes.routes[1].error.name == "ENETUNREACH"
    _, live = call("health.live")
    assert_typed(live, models.Live)
    _, ready = call("health.ready")
    assert_typed(ready, models.Ready)
    _, metrics = call("health.metrics")
    assert isinstance(metrics, str) and "connectd_build_info" in metrics


def test_members_of_a_later_version_are_kept(models):
    """An older client and a newer service."""
    error = {
        "errno": 111, "name": "ECONNREFUSED", "class": "refused", "fault": "target", "source": "kernel", "message": "m",
        "hint": "h", "retryable": True, "new_member": 1,
    }  # fmt: skip
    parsed = models.Error.from_dict(error)
    assert parsed.additional_properties == {"new_member": 1} and parsed.to_dict() == error


def test_the_client_has_one_operation_for_each_resource(said, models):
    folder = pathlib.Path(importlib.import_module(PACKAGE).__file__).parent / "api"
    operations = [path.stem for path in folder.glob("*/*.py") if path.stem != "__init__"]
    assert "run_check" in operations and not [name for name in operations if name.endswith("head")]
