"""Debian's blackbox_exporter next to connectd: modules that both support, peers for them, and comparisons of their metrics."""

import re
import socket
import subprocess
import time
import urllib.parse

import yaml

from support import tls_peers
from support.connectd_process import Connectd
from support.http_client import Client
from support.waiting import wait_until

PORT, REFERENCE_PORT = 8241, 9115
LOOPBACK = "127.0.0.1"
NAMED = "blackbox.example.test"
EXPORTER = "prometheus-blackbox-exporter"
# Metrics that are durations.
DURATIONS = {"probe_dns_lookup_time_seconds", "probe_duration_seconds"}
SECONDS = {"timeout": "2s"}


def tcp(**settings) -> dict:
    return {"prober": "tcp", **SECONDS, "tcp": settings}


def answers(*entries: dict, **settings) -> dict:
    return tcp(query_response=list(entries), **settings)


# Modules that both support, with patterns that mean the same in RE2 and PCRE2.
MODULES = {
    "connect": tcp(),
    "four": tcp(preferred_ip_protocol="ip4"),
    "six_only": tcp(preferred_ip_protocol="ip6", ip_protocol_fallback=False),
    "four_only": tcp(preferred_ip_protocol="ip4", ip_protocol_fallback=False),
    "source": tcp(source_ip_address="127.0.0.9"),
    "banner": answers({"expect": "^SSH-2.0-"}),
    "whole_line": answers({"expect": "^OK$"}, {"expect": "^OK$"}),
    "twice": answers({"expect": "OK"}, {"expect": "OK"}),
    "end_of_line": answers({"expect": "second$"}, {"expect": "^third"}),
    "across": answers({"expect": "first[^x]*second"}),
    "prompt": {**answers({"expect": "login: "}), "timeout": "500ms"},
    "mail": answers(
        {"expect": r"^220 (?P<name>\S+) (.*)$", "send": "EHLO $2 ${name} $1x $$5 ${9}"},
        {"expect": "^250 ok", "send": "QUIT $1"}),
    "send": answers({"send": "price $1 $$"}, {"expect": "^price \\$1 \\$\\$$"}),
    "upgrade": answers(
        {"expect": "^220", "send": "STARTTLS"}, {"expect": "^220", "starttls": True}, {"send": "EHLO"}, {"expect": "EHLO"},
        tls_config={"insecure_skip_verify": True}),
    "upgrade12": answers(
        {"expect": "^220", "send": "STARTTLS"}, {"expect": "^220", "starttls": True}, {"send": "EHLO"}, {"expect": "EHLO"},
        tls_config={"insecure_skip_verify": True, "max_version": "TLS12"}),
    "tls": tcp(tls=True, tls_config={"ca_file": "root.pem"}),
    "tls_named": tcp(tls=True, tls_config={"ca_file": "root.pem", "server_name": "good.example.test"}),
    "tls_unverified": tcp(tls=True, tls_config={"insecure_skip_verify": True}),
    "tls_system": tcp(tls=True),
    "tls12": tcp(tls=True, tls_config={"insecure_skip_verify": True, "max_version": "TLS12"}),
    "tls_client": tcp(
        tls=True, tls_config={"ca_file": "root.pem", "cert_file": "client.pem", "key_file": "client.key"}),
    "web": {"prober": "http"},
}
# Modules that Debian's blackbox_exporter does not support yet.
NEWER = {
    "bytes": answers({"expect_bytes": "AB"}, {"expect_bytes": "C\n"}, {"expect": "^rest"}),
    "labels": answers({"expect": "^SSH-([0-9.]+)-(.*)$", "labels": [
        {"name": "version", "value": "v${1}"}, {"name": "software", "value": "$2"}]}),
    "path": {"prober": "unix", **SECONDS, "unix": {"query_response": [{"send": "ping"}, {"expect": "^ping$"}]}},
}


def says(*parts: bytes, stays: bool = False):
    """A peer that sends this, and then closes or waits for EOF."""

    def script(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.01)  # Each part is a separate packet.
        if stays:
            tls_peers.until_the_end(connection)

    return script


def repeats(connection: socket.socket) -> None:
    while data := connection.recv(4096):
        connection.sendall(data)


def resets(connection: socket.socket) -> None:
    tls_peers.end_with_a_reset(connection)


def mail(heard: list):
    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 mx.example ESMTP ready\r\n")
        heard.append(connection.recv(4096))
        connection.sendall(b"250-one\r\n250 ok\r\n")
        heard.append(connection.recv(4096))

    return script


def upgrades(context):
    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 ready\r\n")
        assert connection.recv(4096) == b"STARTTLS\n"
        connection.sendall(b"220 go\r\n")
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(secured.recv(4096))
            secured.recv(1)

    return script


class Both:
    """The two services, their namespace, and requests to both."""

    def __init__(self, namespace, connectd, reference):
        self.namespace, self.connectd, self.reference = namespace, connectd, reference

    def probe(self, client, headers: dict | None = None, **query) -> tuple[int, str]:
        answer = client.get("/probe?" + urllib.parse.urlencode(query), headers=headers)
        return answer.status, answer.body.decode()

    def ask(self, headers: dict | None = None, **query) -> tuple[int, str]:
        return self.probe(self.connectd.client, headers, **query)

    def compare(self, headers: dict | None = None, **query) -> dict:
        """Probes with both; connectd must have every metric of blackbox_exporter, with its type, help, labels and value."""
        theirs = self.probe(self.reference, headers, **query)
        ours = self.ask(headers, **query)
        assert ours[0] == theirs[0], (ours, theirs)
        if theirs[0] != 200:
            return {}
        wanted, found = parsed(theirs[1]), parsed(ours[1])
        for name, family in wanted.items():
            assert name in found, f"{name} is missing:\n{ours[1]}"
            assert family[:2] == found[name][:2], name
            samples = as_in_0_23(found[name][2])
            assert family[2].keys() == samples.keys(), name
            if name not in DURATIONS:
                assert family[2] == samples, name
        return found


def parsed(text: str) -> dict:
    """Families by their names: type, help, and samples with their labels."""
    families: dict = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, described = line.split(" ", 3)
            families[name] = [None, described, {}]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            families[name][0] = kind
        else:
            sample, _, value = line.rpartition(" ")
            # Samples of histograms and summaries have their own suffixes.
            families.setdefault(sample.partition("{")[0], [None, None, {}])[2][sample] = float(value)
    return families


def as_in_0_23(samples: dict) -> dict:
    """Samples without the label that blackbox_exporter has had since 0.26."""
    return {re.sub('serialnumber="[^"]*",', "", sample): number for sample, number in samples.items()}


def value(families: dict, name: str) -> float:
    [number] = families[name][2].values()
    return number


def failure(families: dict) -> str:
    [sample] = families["probe_failure_info"][2]
    return sample


def wait_for(client: Client, process: subprocess.Popen) -> None:
    """Waits until blackbox_exporter answers."""

    def is_healthy() -> bool:
        assert process.poll() is None, f"blackbox_exporter ended with {process.returncode}"
        return client.get("/-/healthy").status == 200

    wait_until(is_healthy, 60, "blackbox_exporter is healthy", 0.05)


def started(namespace, files: dict[str, str], configuration: dict | None = None, **options) -> Connectd:
    modules = yaml.safe_dump({"modules": MODULES | NEWER})
    own = {"policy": {"profile": "internal"}, "modules_file": "blackbox.yml"}
    return Connectd(
        namespace, own | (configuration or {}), port=options.pop("port", PORT), files=files | {"blackbox.yml": modules},
        **options)
