"""The programs that are measured: how each is started, and how it is requested."""

from dataclasses import dataclass

from bench.paths import BLACKBOX, CONNECTD, built
from bench.process import Process

TARGET_PORT = 7000
HANGING_PORT = 7999
REFUSING_PORT = 7998
DESTINATIONS = 1000

BLACKBOX_CONFIGURATION = """modules:
  tcp_connect:
    prober: tcp
    timeout: 5s
    tcp:
      preferred_ip_protocol: ip4
"""


@dataclass(frozen=True)
class Contender:
    name: str
    title: str
    port: int
    ready_path: str
    speaks_checks: bool  # POST /v1/checks; else GET /probe

    def command(self, port, configuration=None):
        if not self.speaks_checks:
            with open(built("blackbox.yml"), "w", encoding="ascii") as file:
                file.write(BLACKBOX_CONFIGURATION)
            return [BLACKBOX, "--config.file=" + built("blackbox.yml"), f"--web.listen-address=127.0.0.1:{port}",
                    "--log.level=error"]
        binary = CONNECTD if self.name == "connectd" else built("service")
        return [binary, "serve", "--listen", f"127.0.0.1:{port}", *(["--config", configuration] if configuration else [])]

    def process(self, port=None, configuration=None, environment=None):
        return Process(self.name, self.command(port or self.port, configuration), environment)

    def request(self, target_port, timeout_ms=5000):
        """The load generator's arguments for one check of one destination."""
        if not self.speaks_checks:
            return ["--path", f"/probe?target={{host}}:{target_port}&module=tcp_connect"]
        body = f'{{"target":"tcp://{{host}}:{target_port}","timeout_ms":{timeout_ms}}}'
        return ["--method", "POST", "--path", "/v1/checks", "--body", body]

    @property
    def success(self):
        """What the answer to a check that connected contains."""
        return '"outcome":"connected"' if self.speaks_checks else "probe_success 1"

    @property
    def refusal(self):
        """What the answer to a check that was refused contains."""
        return '"outcome":"refused"' if self.speaks_checks else "probe_success 0"


def contenders():
    return [
        Contender("connectd", "connectd", 8001, "/livez", True),
        Contender("c", "the same service in C", 8002, "/livez", True),
        Contender("blackbox", "blackbox_exporter", 8003, "/-/healthy", False),
    ]
