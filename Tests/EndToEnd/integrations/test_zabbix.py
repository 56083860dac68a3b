"""deploy/zabbix: Debian's Zabbix imports the template, discovers the monitors and reports problems.

The server has a temporary PostgreSQL. Its front end runs in PHP's web server, because only the front end imports templates.
"""

import contextlib
import json
import pathlib
import shutil
import subprocess

import pytest
import yaml

from support.connectd_process import Connectd
from support.deploy_examples import DEPLOY, needs, replaced, run, running
from support.http_client import Client, tcp_connector
from support.namespace import Namespace
from support.network import new_name
from support.waiting import wait_until

TEMPLATE = DEPLOY / "zabbix/connectd.yaml"
SCHEMA = pathlib.Path("/usr/share/zabbix-server-pgsql")
FRONT_END = pathlib.Path("/usr/share/zabbix")
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]

MONITORS = [
    {"name": "open", "interval_ms": 500, "check": {"target": "tcp://127.0.0.1:5432"}},
    {"name": "shut", "interval_ms": 500, "check": {"target": "tcp://127.0.0.1:9"}},
]

TARGET = "tcp://127.0.0.1:10"


def test_identifiers_are_unique_and_valid():
    found = []

    def walk(value) -> None:
        if isinstance(value, dict):
            found.extend([value["uuid"]] if "uuid" in value else [])
            value = list(value.values())
        for item in value if isinstance(value, list) else []:
            walk(item)

    walk(yaml.safe_load(TEMPLATE.read_text()))
    assert len(found) > 15 and len(set(found)) == len(found)
    assert all(len(text) == 32 and text[12] == "4" and text[16] in "89ab" for text in found)


@pytest.fixture(scope="module")
def namespace(root_and_namespaces):
    made = Namespace(new_name("z"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def database(namespace, module_folder):
    folder = pathlib.Path(module_folder)
    shutil.chown(folder, "postgres")
    made = run(*AS_POSTGRES, POSTGRES / "initdb", "-D", folder / "data", "-N", "--auth=trust", cwd=folder)
    assert made.returncode == 0, made.stderr
    options = ["-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
               "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]
    with running(namespace, folder / "log", *AS_POSTGRES, POSTGRES / "postgres", "-D", folder / "data", *options):
        psql = [POSTGRES / "psql", "-q", "-h", "127.0.0.1", "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
        wait_until(
            lambda: run(*psql, "-c", "create role zabbix login superuser", namespace=namespace).returncode == 0, 30,
            "PostgreSQL makes a role", 0.1,
        )  # fmt: skip
        assert run(*psql, "-c", "create database zabbix owner zabbix", namespace=namespace).returncode == 0
        script = b"".join(
            subprocess.run(["zcat", SCHEMA / f"{name}.sql.gz"], check=True, stdout=subprocess.PIPE).stdout
            for name in ("schema", "images", "data"))
        (folder / "zabbix.sql").write_bytes(script)
        loaded = run(*psql, "-1", "-U", "zabbix", "-f", folder / "zabbix.sql", "zabbix", namespace=namespace)
        assert loaded.returncode == 0, loaded.stderr
        yield folder


@pytest.fixture(scope="module")
def server(namespace, database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zabbix")
    configuration = folder / "zabbix_server.conf"
    settings = {
        "LogType": "console", "DBHost": "127.0.0.1", "DBName": "zabbix", "DBUser": "zabbix", "PidFile": folder / "pid",
        "SocketDir": folder, "AllowRoot": 1, "StartPollers": 2, "StartPollersUnreachable": 1, "StartTrappers": 1, "StartPingers": 0,
        "StartDiscoverers": 0, "StartHTTPPollers": 0, "StartPreprocessors": 1, "StartLLDProcessors": 1, "StartDBSyncers": 1,
        "CacheUpdateFrequency": 1, "ListenIP": "127.0.0.1", "Timeout": 10,
    }
    configuration.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    with running(namespace, folder / "log", "zabbix_server", "-f", "-c", configuration):
        yield folder


@pytest.fixture(scope="module")
def api(namespace, server, tmp_path_factory):
    """Calls a method of Zabbix's API."""
    folder = tmp_path_factory.mktemp("front")
    site = folder / "site"
    shutil.copytree(FRONT_END, site, ignore_dangling_symlinks=True)
    replaced(site / "include/classes/core/CConfigFile.php", ("/etc/zabbix/zabbix.conf.php", f"{site}/conf/zabbix.conf.php"))
    (site / "conf/zabbix.conf.php").write_text(
        "<?php $DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '127.0.0.1', 'PORT' => '5432', 'DATABASE' => 'zabbix',"
        " 'USER' => 'zabbix', 'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false, 'DOUBLE_IEEE754' => true];"
        " $ZBX_SERVER_NAME = ''; $IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;\n")
    client = Client(tcp_connector(namespace, "127.0.0.1", 8081))
    token: str | None = None

    def call(method: str, **parameters):
        request = {"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1, "auth": token}
        answer = client.post("/api_jsonrpc.php", request, headers={"Content-Type": "application/json-rpc"})
        value = json.loads(answer.body)
        assert "error" not in value, value
        return value["result"]

    def login() -> str | None:
        with contextlib.suppress(OSError, EOFError):
            return call("user.login", username="Admin", password="zabbix")

    with running(namespace, folder / "log", "php", "-d", "max_execution_time=300", "-d", "memory_limit=256M",
                 "-S", "127.0.0.1:8081", "-t", site):
        token = wait_until(login, 30, "a login at Zabbix", 0.1)
        yield call


missing = [str(path) for path in (SCHEMA, FRONT_END / "api_jsonrpc.php", POSTGRES / "initdb") if not path.exists()]


@needs("zabbix_server", "php")
@pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)} (make test-integrations installs them)")
def test_zabbix_imports_the_template_and_reports_problems(namespace, api):
    both = {"createMissing": True, "updateExisting": True}
    rules = {name: both for name in ("templates", "items", "discoveryRules", "triggers")}
    rules["groups"] = {"createMissing": True, "updateExisting": False}
    assert api("configuration.import", format="yaml", source=TEMPLATE.read_text(), rules=rules) is True
    (template,) = api("template.get", filter={"host": "connectd"}, output=["templateid"])
    (group,) = api("hostgroup.get", filter={"name": "Zabbix servers"}, output=["groupid"])
    macros = [{"macro": f"{{$CONNECTD.{name}}}", "value": value} for name, value in (("INTERVAL", "1s"), ("TARGET", TARGET))]
    with Connectd(namespace, {"policy": {"profile": "internal"}, "monitors": MONITORS}):
        api("host.create", host="prober", groups=[group], templates=[template], macros=macros)
        # The template disables this part, because it is for hosts with one target.
        for item in api("item.get", host="prober", search={"key_": "connectd.check"}, startSearch=True, output=["itemid"]):
            api("item.update", itemid=item["itemid"], status=0)

        def values() -> dict[str, str]:
            items = api("item.get", host="prober", output=["key_", "lastvalue", "state", "error", "status"], webitems=True)
            broken = [item for item in items if item["state"] != "0"]
            assert not broken, broken
            return {item["key_"]: item["lastvalue"] for item in items if item["status"] == "0"}

        awaited = ("connectd.monitor.error[shut]", "connectd.monitor.time[open]", "connectd.ready", "connectd.check.error")
        found = wait_until(
            lambda: (v := values()) and all(v.get(key, "0") not in ("", "0") for key in awaited) and v, 120,
            lambda: f"values of {awaited}: {values()}", 1,
        )  # fmt: skip
        assert found["connectd.monitor.state[shut]"] == "down" and found["connectd.monitor.state[open]"] == "up"
        assert found["connectd.monitor.outcome[shut]"] == "refused" and found["connectd.monitor.outcome[open]"] == "connected"
        assert found["connectd.monitor.error[shut]"] == "ECONNREFUSED" and found["connectd.monitor.error[open]"] == ""
        assert found["connectd.monitor.fault[shut]"] == "target"
        assert found["connectd.monitor.hint[shut]"].startswith("Start the service, or check its port")
        assert 0 < float(found["connectd.monitor.time[open]"]) < 1 and found["connectd.ready"] == "ready"
        assert (found["connectd.check.outcome"], found["connectd.check.error"]) == ("refused", "ECONNREFUSED")

        def problems() -> list[dict]:
            return api("problem.get", output=["name", "opdata"])

        (problem,) = wait_until(problems, 60, "a problem at Zabbix", 0.5)
        assert problem["name"] == "Monitor shut is down (tcp://127.0.0.1:9)"
        assert problem["opdata"] == "ECONNREFUSED, fault: target"
