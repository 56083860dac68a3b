"""Full verified TLS 1.3 handshakes with P-256, compared with a plain OpenSSL loop and blackbox_exporter."""

import contextlib
import json
import os
import subprocess

from bench.contenders import DESTINATIONS
from bench.paths import built
from bench.process import Process
from bench.rate import listening, load

TLS_PORT = 7443
NAME = "bench.test"
CONNECTIONS = 16

CONNECTD_CONFIGURATION = f"authorities: {{bench: {{file: {built('tls/root.pem')}}}}}\n"
BLACKBOX_CONFIGURATION = f"""modules:
  tls:
    prober: tcp
    timeout: 5s
    tcp:
      preferred_ip_protocol: ip4
      tls: true
      tls_config: {{ca_file: {built('tls/root.pem')}, server_name: {NAME}}}
"""


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], cwd=built("tls"), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=60)


def make_certificates():
    """A root, an intermediate and the target's certificate, all with P-256 and valid during the run."""
    os.makedirs(built("tls"), exist_ok=True)
    for subject in ("root", "intermediate", "leaf"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{subject}.key")
    openssl("req", "-x509", "-new", "-key", "root.key", "-subj", "/CN=bench root", "-days", "30", "-out", "root.pem")
    sign("intermediate", "root", "basicConstraints=critical,CA:true")
    sign("leaf", "intermediate", f"subjectAltName=DNS:{NAME}")
    with open(built("tls/chain.pem"), "w", encoding="ascii") as chain:
        for subject in ("leaf", "intermediate"):
            with open(built(f"tls/{subject}.pem"), encoding="ascii") as certificate:
                chain.write(certificate.read())


def sign(subject, issuer, extension):
    with open(built(f"tls/{subject}.ext"), "w", encoding="ascii") as file:
        file.write(extension + "\n")
    openssl("req", "-new", "-key", f"{subject}.key", "-subj", f"/CN=bench {subject}", "-out", f"{subject}.csr")
    openssl("x509", "-req", "-in", f"{subject}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key",
            "-CAcreateserial", "-days", "30", "-extfile", f"{subject}.ext", "-out", f"{subject}.pem")


def target():
    return listening([built("tls_target"), "--port", str(TLS_PORT), "--certificate", built("tls/chain.pem"),
                      "--key", built("tls/leaf.key")])


class Service:
    """A contender that gets HTTP requests for checks with a handshake."""

    def __init__(self, contender, configuration, request, success):
        path = built(f"tls-{contender.name}.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(configuration)
        self.name, self.port, self.ready_path = contender.name, contender.port, contender.ready_path
        self._request, self.success = request, success
        command = contender.command(contender.port, path)
        if not contender.speaks_checks:
            command[1] = f"--config.file={path}"
        self.process = Process("tls-" + contender.name, command)

    def request(self, _):
        return self._request

    def turn(self, seconds):
        before = self.process.cpu_seconds()
        counted = load(self, self.port, seconds, CONNECTIONS)
        cpu_seconds = self.process.cpu_seconds() - before
        return {"rate": counted["rate"], "cpu_us": cpu_seconds * 1e6 / counted["requests"],
                "wrong": counted["non_200"] + counted["unexpected"] + counted["reconnects"]}


def services(field):
    body = (f'{{"target":"tcp://{{host}}:{TLS_PORT}","tls":{{"ca":"bench","server_name":"{NAME}",'
            '"min_version":"1.3"}}')
    asks = {
        "connectd": (CONNECTD_CONFIGURATION, ["--method", "POST", "--path", "/v1/checks", "--body", body],
                     '"verified":true'),
        "blackbox": (BLACKBOX_CONFIGURATION, ["--path", f"/probe?target={{host}}:{TLS_PORT}&module=tls"],
                     "probe_success 1"),
    }
    return [Service(contender, *asks[contender.name]) for contender in field if contender.name in asks]


def loop_turn(seconds):
    command = [built("tls_loop"), "--port", str(TLS_PORT), "--ca", built("tls/root.pem"), "--name", NAME, "--hosts",
               str(DESTINATIONS), "--threads", str(len(os.sched_getaffinity(0))), "--seconds", str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=seconds + 30)
    counted = json.loads(done.stdout)
    return {"rate": counted["rate"], "cpu_us": counted["cpu_us"], "wrong": counted["failures"]}


def measure(field, arguments):
    """Rounds of one turn per contender, as in `http`."""
    make_certificates()
    with contextlib.ExitStack() as stack:
        stack.enter_context(target())
        asked = services(field)
        for service in asked:
            stack.enter_context(service.process)
            service.process.wait_ready(service.port, service.ready_path)
            load(service, service.port, 1, CONNECTIONS)
        rounds = []
        for _ in range(arguments.rounds):
            turns = {service.name: service.turn(arguments.seconds) for service in asked}
            turns["loop"] = loop_turn(arguments.seconds)
            rounds.append(turns)
        return {"connections": CONNECTIONS, "seconds": arguments.seconds, "rounds": rounds}
