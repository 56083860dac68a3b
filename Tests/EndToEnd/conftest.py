"""Fixtures: the binary, the namespaces, and a connectd that lives as long as a module."""

import collections
import os
import shutil
import signal
import tempfile

import pytest

from support import namespace as namespaces
from support import network as net
from support import peers
from support.certificates import Authorities
from support.connectd_process import Connectd
from support.network import Network, new_name
from support.systemd_machine import Machine

# `nohup` and the background jobs of scripts start the tests with some signals ignored, and each program would inherit that.
# A handler that does nothing keeps the effect in this process, and exec resets it to the default in programs.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda number, frame: None)


# The reason of tests that are skipped because a server or tool is missing.
MISSING = "not installed"
# Continuous integration installs everything, so a skipped test is a failure there. Tests of deploy/ have their own targets.
IS_COMPLETE = os.environ.get("CONNECTD_REQUIRE_INTEGRATIONS", "") not in ("", "0")


# The files of `make smoke`: the most important behavior. All together take about a minute.
SMOKE = {
    "checks/test_expect.py", "checks/test_probe.py", "checks/test_success.py", "checks/test_strategies.py", "checks/test_udp.py",
    "cli/test_check.py", "cli/test_nagios.py", "dns/test_names.py", "errno/test_bind.py", "errno/test_icmp.py",
    "errno/test_timeout.py", "errno/test_unix.py", "http/test_authentication.py", "http/test_bad_requests.py", "http/test_health.py",
    "http/test_https.py", "monitors/test_metrics.py", "policy/test_addresses.py", "service/test_start.py",
    "tls/test_starttls.py", "tls/test_verdicts.py",
}  # fmt: skip


def pytest_itemcollected(item) -> None:
    if item.path.parent.name == "integrations":
        item.add_marker("integration")
    if f"{item.path.parent.name}/{item.path.name}" in SMOKE:
        item.add_marker("smoke")


# In parallel, a worker takes a file at a time. The longest files come first, so that no worker begins one at the end.
LONGEST = (
    "verify/test_verdicts.py", "openapi/test_schemathesis_fuzzing.py", "openapi/test_schemathesis.py", "cli/test_check_output.py",
    "tls/test_handshakes.py", "service/test_reload_loses_no_request.py", "blackbox/test_patterns.py", "blackbox/test_probe.py",
    "http/test_limits.py", "http/test_https_attacks.py", "http/test_https_clients.py", "service/test_graceful_shutdown.py",
    "cli/test_check.py", "diagnosis/test_path_faults.py", "checks/test_trace.py", "cli/test_tools.py",
    "ssrf/test_addresses.py", "ssrf/test_entries.py", "ssrf/test_names.py", "ssrf/test_unix_races.py", "http/test_raw_requests.py",
    "checks/test_socket_share.py", "monitors/test_monitors.py",
    "blackbox/test_modules.py",
)  # fmt: skip


def pytest_collection_modifyitems(items) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get("/".join(item.path.parts[-2:]), len(places)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if IS_COMPLETE and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if MISSING in reason and item.path.parent.name != "deploy":
            report.outcome = "failed"
            report.longrepr = f"{reason}; with CONNECTD_REQUIRE_INTEGRATIONS this is a failure"
    return report


@pytest.fixture(scope="session")
def root_and_namespaces() -> None:
    if reason := namespaces.missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def network(root_and_namespaces):
    """The prober's namespace and the router's, for the whole session."""
    made = Network()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def own_network(root_and_namespaces):
    """As `network`, but only for the tests of one file: no packet of earlier tests or of other services is in it."""
    made = Network()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def limited(own_network):
    """`own_network` with the limit of a Linux host as it is by default: one ICMP error a second to one host."""
    own_network.b.set("net.ipv4.icmp_ratelimit", 1000)
    return own_network


@pytest.fixture(scope="session")
def loopback_only(root_and_namespaces):
    """A namespace with loopback only, where invented targets do no harm."""
    made = namespaces.Namespace(new_name("l"))
    yield made
    made.remove()


@pytest.fixture(scope="session")
def machine(network):
    """A container with systemd in the prober's namespace, with connectd installed as deploy/systemd/README.md says."""
    made = Machine(network)
    try:
        made.install()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def authorities(tmp_path_factory) -> Authorities:
    """Certificates for every purpose, made on first use."""
    return Authorities(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def connectd(network):
    """A connectd in the prober's namespace with all permissions of the internal profile."""
    with Connectd(network.a) as running:
        yield running


@pytest.fixture(scope="module")
def api(connectd):
    return connectd.client


@pytest.fixture(scope="module")
def target(network):
    """A target at the router that accepts TCP connections."""
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        yield f"tcp://{net.OPEN}:{listener.getsockname()[1]}"


@pytest.fixture
def folder():
    """A short path, which UNIX sockets need, that all users may enter."""
    path = tempfile.mkdtemp(prefix="cd", dir="/tmp")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def module_folder():
    path = tempfile.mkdtemp(prefix="cd", dir="/tmp")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def pytest_terminal_summary(terminalreporter) -> None:
    """Why tests were skipped, once for each reason: without root there are thousands of the same."""
    reasons = collections.Counter(
        report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", [])
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"SKIPPED [{count}] {reason}")
