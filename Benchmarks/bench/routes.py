"""`POST /v1/routes` with 100,000 destinations: time, CPU, memory, and the latency of /livez meanwhile."""

import http.client
import json
import threading
import time

DESTINATIONS = 100_000


def measure(field, arguments):
    contender = next(contender for contender in field if contender.name == "connectd")
    addresses = [f"127.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(1, DESTINATIONS + 1)]
    body = json.dumps({"destinations": addresses})
    with contender.process() as process:
        process.wait_ready(contender.port, contender.ready_path)
        quiet = latencies(contender.port, until=time.monotonic() + 1)
        cpu_before, memory_before = process.cpu_seconds(), process.resident_bytes()
        asking = Asking(contender.port, body)
        asking.start()
        busy = latencies(contender.port, asking=asking)
        asking.join()
        if asking.count != DESTINATIONS:
            raise RuntimeError(f"{asking.count} routes of {DESTINATIONS}")
        return {
            "seconds": asking.seconds,
            "cpu_us": (process.cpu_seconds() - cpu_before) * 1e6 / DESTINATIONS,
            "bytes": process.resident_bytes() - memory_before,
            "quiet_p99_ms": percentile(quiet, 0.99),
            "busy_p99_ms": percentile(busy, 0.99),
        }


class Asking(threading.Thread):
    def __init__(self, port, body):
        super().__init__()
        self.port, self.body = port, body
        self.seconds, self.count = 0.0, 0

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        begin = time.monotonic()
        connection.request("POST", "/v1/routes", self.body, {"Content-Type": "application/json"})
        answer = connection.getresponse().read()
        self.seconds = time.monotonic() - begin
        self.count = sum("local" in route for route in json.loads(answer).get("routes", []))


def latencies(port, until=None, asking=None):
    """Milliseconds of requests for /livez on one connection, until a time or the end of a thread."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    found = []
    while time.monotonic() < until if until else asking.is_alive():
        begin = time.monotonic()
        connection.request("GET", "/livez")
        connection.getresponse().read()
        found.append((time.monotonic() - begin) * 1000)
    return found


def percentile(values, share):
    return sorted(values)[int(share * (len(values) - 1))]
