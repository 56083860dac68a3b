"""deploy/nagios and deploy/icinga2: Debian's Nagios and Icinga load the examples, run them, and show the results.

The examples stay as they are, except that hosts, paths and intervals become those of the test.
"""

import pathlib
import re
import shutil
import subprocess

import pytest

from support import peers
from support.connectd_process import Connectd
from support.deploy_examples import DEPLOY, copy_of, needs, program_in, replaced, run, running
from support.waiting import wait_until

OPEN, SHUT = 7392, 7393
TOKEN = "0123456789abcdef0123"


@pytest.fixture(scope="module")
def prober(network):
    with Connectd(network.a, {"policy": {"profile": "internal"}}, port=8080) as connectd:
        yield connectd


@pytest.fixture(scope="module")
def target(network):
    with peers.tcp_listener(network.a, "127.0.0.1", OPEN, backlog=4096) as listener:
        yield listener


def plugin(network, *arguments: str) -> subprocess.CompletedProcess:
    return run(DEPLOY / "nagios/check_connectd_probe", *arguments, namespace=network.a)


# --- the plugin that asks another machine's connectd


@needs("shellcheck")
def test_shellcheck_finds_nothing():
    ran = run("shellcheck", DEPLOY / "nagios/check_connectd_probe")
    assert ran.returncode == 0, ran.stdout


@needs("curl", "jq")
@pytest.mark.parametrize(
    "arguments,status,begins",
    [
        ([f"127.0.0.1:{OPEN}"], 0, rf"CONNECTD OK - 127\.0\.0\.1:{OPEN} connected \| time=[\d.e-]+s;;;0$"),
        ([f"127.0.0.1:{SHUT}"], 2, r"CONNECTD CRITICAL - .* refused: ECONNREFUSED \(.*fault: target\. "),
        (["127.0.0.1:8080"], 3, "CONNECTD UNKNOWN - Denied by Policy"),
        (["nonsense"], 3, "CONNECTD UNKNOWN - .*/target"),
        ([f"127.0.0.1:{OPEN}", "-q", "expect=refused"], 2, "CONNECTD CRITICAL - .* connected, which was not expected"),
        ([f"127.0.0.1:{OPEN}", "-m", "soon"], 3, "CONNECTD UNKNOWN - usage"),
    ],
)
def test_the_plugin_distinguishes_target_and_prober(network, prober, target, arguments, status, begins):
    ran = plugin(network, "-u", "http://127.0.0.1:8080", "-t", *arguments)
    assert ran.returncode == status and ran.stderr == "", (ran.returncode, ran.stdout, ran.stderr)
    assert re.match(begins, ran.stdout.splitlines()[0]), ran.stdout


@needs("curl", "jq")
def test_the_plugin_is_unknown_without_a_service(network):
    ran = plugin(network, "-u", f"http://127.0.0.1:{SHUT}", "-t", "127.0.0.1:9")
    assert ran.returncode == 3 and ran.stdout.startswith(f"CONNECTD UNKNOWN - http://127.0.0.1:{SHUT} does not answer")


@needs("curl", "jq")
def test_the_plugin_sends_its_token(network, target, tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    secured = {"auth": {"tokens_file": "tokens"}}
    with Connectd(network.a, secured, port=8232, files={"tokens": f"icinga:{TOKEN}\n"}):
        asked = ["-u", "http://127.0.0.1:8232", "-t", f"127.0.0.1:{OPEN}"]
        assert plugin(network, *asked).returncode == 3
        assert plugin(network, *asked, "-k", str(tmp_path / "token")).returncode == 0


# --- Nagios


DEBIAN = pathlib.Path("/etc/nagios4")
OBJECTS = {"templates.cfg", "commands.cfg", "contacts.cfg", "timeperiods.cfg"}


@pytest.fixture
def place(folder):
    """A folder that the user nagios may write into."""
    if run("id", "nagios").returncode == 0:
        shutil.chown(folder, "nagios", "nagios")
    return pathlib.Path(folder)


def nagios_configuration(place):
    copied = copy_of("nagios", place)
    replaced(
        copied / "connectd.cfg", ("/usr/bin/connectd", str(program_in(place))), ("192.0.2.10", "127.0.0.1"),
        ("/usr/lib/nagios/plugins", str(copied)), ("$HOSTADDRESS$:22!--", f"$HOSTADDRESS$:{OPEN}!--"),
        ("8080!$HOSTADDRESS$:22", f"8080!$HOSTADDRESS$:{SHUT}"), (":443", f":{OPEN}"))
    main = place / "nagios.cfg"
    settings = {
        "cfg_file": copied / "connectd.cfg", "log_file": place / "nagios.log", "status_file": place / "status.dat",
        "lock_file": place / "pid", "temp_file": place / "temp", "temp_path": place, "check_result_path": place / "results",
        "object_cache_file": place / "objects", "precached_object_file": place / "precached", "command_file": place / "command",
        "state_retention_file": place / "retention", "query_socket": place / "query", "nagios_user": "nagios",
        "nagios_group": "nagios", "interval_length": 1, "status_update_interval": 1, "check_external_commands": 0,
        "max_host_check_spread": 1, "max_service_check_spread": 1, "illegal_macro_output_chars": "`~$&|'\"<>",
    }
    (place / "results").mkdir()
    for path in (place / "results", place):
        shutil.chown(path, "nagios", "nagios")
    own = [f"cfg_file={path}\n" for path in sorted(DEBIAN.glob("objects/*.cfg")) if path.name in OBJECTS]
    main.write_text("".join([*own, *(f"{name}={value}\n" for name, value in settings.items())]))
    return main


def status_of(path, service: str | None) -> dict[str, str]:
    """The block of status.dat of a service, or of the host."""
    if not path.exists():
        return {}
    kind = "hoststatus" if service is None else "servicestatus"
    for block in re.findall(rf"^{kind} {{\n(.*?)^\t}}", path.read_text(), re.DOTALL | re.MULTILINE):
        found = dict(line.strip().split("=", 1) for line in block.splitlines() if "=" in line)
        if service in (None, found.get("service_description")) and found["has_been_checked"] == "1":
            return found
    return {}


@needs("nagios4", "curl", "jq")
def test_nagios_runs_the_examples(network, prober, target, place):
    main = nagios_configuration(place)
    verified = run("nagios4", "-v", main)
    assert verified.returncode == 0 and "Total Errors:   0" in verified.stdout, verified.stdout
    with running(network.a, place / "log", "nagios4", main):
        def state(service: str | None) -> dict[str, str]:
            return wait_until(lambda: status_of(place / "status.dat", service), 60, f"a status of {service}", 0.1)

        host, ssh, elsewhere, certificate = (state(name) for name in (None, "ssh", "ssh from dmz", "certificate"))
    assert host["current_state"] == "0" and "connected" in host["plugin_output"]
    assert ssh["current_state"] == "0" and re.match(r"time=0\.\d+s;0\.2;1;0;5", ssh["performance_data"]), ssh
    assert elsewhere["current_state"] == "2" and "ECONNREFUSED" in elsewhere["plugin_output"]
    assert certificate["current_state"] == "2" and "phase tls" in certificate["plugin_output"], certificate


# --- Icinga 2


ICINGA = """
include <itl>
object CheckerComponent "checker" {{ }}
object PerfdataWriter "perfdata" {{
  host_perfdata_path = "{place}/host"
  service_perfdata_path = "{place}/service"
  host_temp_path = "{place}/host.tmp"
  service_temp_path = "{place}/service.tmp"
  rotation_interval = 1s
  host_format_template = "$host.name$\\t-\\t$host.state_id$\\t$host.output$\\t$host.perfdata$"
  service_format_template = "$host.name$\\t$service.name$\\t$service.state_id$\\t$service.output$\\t$service.perfdata$"
}}
include "{copied}/connectd.conf"
include "{copied}/example-host.conf"
"""


def results_of(place, kind: str) -> dict[str, tuple[int, str, str]]:
    """The last state, output and performance data of each service, from PerfdataWriter."""
    found = {}
    for path in sorted(place.glob(f"{kind}.*")):
        if path.suffix != ".tmp":
            for line in path.read_text().splitlines():
                words = line.split("\t")
                if len(words) == 5:
                    found[words[1]] = (int(float(words[2])), words[3], words[4])
    return found


@needs("icinga2", "curl", "jq")
def test_icinga_runs_the_examples(network, prober, target, place):
    copied = copy_of("icinga2", place)
    plugins = copy_of("nagios", place)
    replaced(
        copied / "connectd.conf", ('"/usr/bin/connectd"', f'"{program_in(place)}"'),
        ("/usr/lib/nagios/plugins", str(plugins)), ("check_interval = 1m", "check_interval = 1s"),
        ("retry_interval = 15s", "retry_interval = 1s"))
    replaced(
        copied / "example-host.conf", ("check_interval = 1m", "check_interval = 1s"), ("192.0.2.10", "127.0.0.1"), ("connectd_port = 22, ", f"connectd_port = {OPEN}, "),
        ("connectd_port = 22 }", f"connectd_port = {SHUT} }}"), ("443", str(OPEN)))
    main = place / "icinga2.conf"
    main.write_text(ICINGA.format(place=place, copied=copied))
    folders = [f"-D{name}={place}/{name}" for name in ("DataDir", "LogDir", "CacheDir", "InitRunDir", "SpoolDir")]
    for name in ("DataDir", "LogDir", "CacheDir", "InitRunDir", "SpoolDir"):
        (place / name).mkdir()
        shutil.chown(place / name, "nagios", "nagios")
    command = ["icinga2", "daemon", "-c", main, "-DRunAsUser=nagios", "-DRunAsGroup=nagios", *folders]
    checked = run(*command, "-C")
    assert checked.returncode == 0 and "Finished validating the configuration" in checked.stdout, checked.stdout
    wanted = {"ssh", "certificate", "ssh from dmz"}
    with running(network.a, place / "log", *command):
        found = wait_until(lambda: (r := results_of(place, "service")).keys() >= wanted and r, 60, f"results of {wanted}", 0.1)
        host = wait_until(lambda: results_of(place, "host"), 60, "a result of the host", 0.1)["-"]
    assert host[0] == 0 and "connected" in host[1]
    state, output, performance = found["ssh"]
    assert state == 0 and re.match(r"time=0\.\d+s;0\.2+;1", performance), found
    state, output, _ = found["ssh from dmz"]
    assert state == 2 and "ECONNREFUSED" in output and "fault: target" in output
    state, output, _ = found["certificate"]
    assert state == 2 and "phase tls" in output
