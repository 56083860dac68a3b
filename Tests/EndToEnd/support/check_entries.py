"""Every request through which a client names a target, with every option that connects in a way of its own."""

import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from support.address_registries import IPAddress
from support.answering_internet import LOCAL_ADDRESSES
from support.policy_oracle import PolicyOracle, Rule
from support.ssrf_vectors import literal

PORT = 80
ORACLE = PolicyOracle("public", (Rule("deny", "1.1.1.0/24"),), ("2a00:64:68::/96",), 8080, LOCAL_ADDRESSES)
DENIED = [
    "169.254.169.254", "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.0.192", "1.1.1.1",
    "224.0.0.251", "255.255.255.255", "240.0.0.1", "198.18.0.1", "168.63.129.16", "::1", "::", "fe80::1", "fd00:ec2::254",
    "ff02::fb", "2001:db8::1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:808:808:8000:0:5601:5601",
    "2a00::5efe:a00:1", "2a00:64:68::7f00:1", "3fff::1", "100::1", "5f00::1",
]  # fmt: skip
ALLOWED = ["8.8.4.4", "2606:4700::1111"]
PRESETS = ("dns", "ntp", "stun", "snmp", "ike", "quic")
DIALOG = [{"send": "x"}, {"expect": "y"}]
# Members of a request, for a check of a TCP target.
TCP_MEMBERS = {
    "plain": {},
    "all addresses": {"resolve": {"addresses": "all"}},
    "race": {"resolve": {"addresses": "race"}},
    "TLS": {"tls": True},
    "TLS without verification": {"tls": {"verify": False, "server_name": "example.com", "alpn": ["h2"]}},
    **{f"STARTTLS {name}": {"tls": {"starttls": name}} for name in ("smtp", "imap", "ldap", "postgres", "xmpp")},
    "dialog": {"dialog": DIALOG},
    "dialog with STARTTLS": {"dialog": [{"expect": "2"}, {"starttls": True}]},
    "hold": {"hold_ms": 50},
    "half-open": {"half_open": True},
    "rounds": {"count": 3, "interval_ms": 1},
    "half-open rounds": {"count": 2, "interval_ms": 1, "half_open": True},
    "trace": {"trace": "always"},
    "trace from one port": {"trace": {"when": "always", "flow": "fixed", "max_ttl": 4, "timeout_ms": 500}},
    "trace on failure": {"trace": "on_failure"},
    "reset": {"socket": {"close": "rst"}},
    "socket options": {"socket": {"ttl": 9, "dscp": 46, "tcp_syn_retries": 1}},
    "mark": {"socket": {"mark": 7}},
    "TCP fast open": {"socket": {"tcp_fast_open": True}, "dialog": [{"send": "x"}]},
    "multipath TCP": {"socket": {"mptcp": True}},
    "interface": {"bind": {"interface": "out0"}},
    "expectation": {"expect": ["refused", "timeout"]},
}


@dataclass(frozen=True)
class Entry:
    """A request. `send(client, host)` sends it, and returns what says whether the target was denied."""

    name: str
    transport: str
    send: Callable[[object, str], str]


def _check(members: dict, scheme: str = "tcp") -> Callable[[object, str], str]:
    def send(client, host: str) -> str:
        answer = client.post_check(f"{scheme}://{host}:{PORT}", **{"timeout_ms": 700, **members})
        return _word(answer)

    return send


def _word(answer) -> str:
    """`denied`, the outcome, or the status of another problem with its text."""
    if answer.status == 403:
        return "denied"
    if answer.status == 400 and answer.json.get("errors"):
        return f"400 {answer.json['errors']}"
    return answer.json.get("outcome", f"{answer.status} {answer.body[:300]!r}")


def _probe(query: str) -> Callable[[object, str], str]:
    def send(client, host: str) -> str:
        return _word(client.get(f"/v1/probe?target={quote(f'tcp://{host}:{PORT}', safe='')}&timeout_ms=700{query}"))

    return send


def _module(name: str) -> Callable[[object, str], str]:
    def send(client, host: str) -> str:
        answer = client.get(f"/probe?module={name}&target={quote(f'{host}:{PORT}', safe='')}&debug=true")
        return "denied" if answer.status == 403 or b"denied" in answer.body else f"{answer.status}"

    return send


def _batch(client, host: str) -> str:
    body = {"checks": [{"target": f"tcp://{host}:{PORT}"}], "defaults": {"timeout_ms": 700}, "retry_timeouts": 1}
    return client.post("/v1/checks/batch", body).json["results"][0]["outcome"]


def _batch_lines(client, host: str) -> str:
    body = {"checks": [{}], "defaults": {"target": f"tcp://{host}:{PORT}", "timeout_ms": 700}, "per_host": 1}
    answer = client.post("/v1/checks/batch", body, {"Accept": "application/x-ndjson"})
    return json.loads(answer.body.splitlines()[0])["outcome"]


def _route(client, host: str) -> str:
    answer = client.post("/v1/routes", {"destinations": [host.strip("[]")]})
    [route] = answer.json["routes"]
    return route["error"]["class"] if "error" in route else "routed"


def _diagnosis(client, host: str) -> str:
    answer = client.post("/v1/diagnoses", {"target": f"tcp://{host}:{PORT}", "timeout_ms": 1500})
    if answer.status != 200:
        return _word(answer)
    checks = answer.json["checks"]
    return checks[0]["outcome"] if checks else answer.json["verdict"]


def _survey(client, host: str) -> str:
    answer = client.post("/v1/surveys", {"check": {"target": f"tcp://{host}:{PORT}", "timeout_ms": 700}})
    if answer.status != 200:
        return _word(answer)
    [vantage] = answer.json["vantages"]
    return "denied" if vantage["status"] == "forbidden" else vantage["result"]["outcome"]


def _name_server(client, host: str) -> str:
    return _word(client.post_check("tcp://names.example:80", timeout_ms=700, resolve={"server": f"{host}:{PORT}"}))


def _object(client, host: str) -> str:
    target = {"transport": "tcp", "host": host.strip("[]"), "port": PORT}
    return _word(client.post_check(target, timeout_ms=700))


ENTRIES = [
    *[Entry(f"check: {name}", "tcp", _check(members)) for name, members in TCP_MEMBERS.items()],
    Entry("check: tls target", "tcp", _check({}, "tls")),
    Entry("check: object target", "tcp", _object),
    Entry("check: udp target", "udp", _check({}, "udp")),
    Entry("check: udp dialog", "udp", _check({"dialog": [{"send": "x"}]}, "udp")),
    Entry("check: udp trace", "udp", _check({"trace": "always"}, "udp")),
    Entry("check: udp rounds", "udp", _check({"count": 2, "preset": "ntp"}, "udp")),
    *[Entry(f"check: preset {name}", "udp", _check({"preset": name}, "udp")) for name in PRESETS],
    Entry("check: quic target", "udp", _check({}, "quic")),
    Entry("check: name server", "udp", _name_server),
    Entry("batch", "tcp", _batch),
    Entry("batch in lines, target in the defaults", "tcp", _batch_lines),
    Entry("routes", "udp", _route),
    Entry("diagnosis", "tcp", _diagnosis),
    Entry("survey", "tcp", _survey),
    Entry("probe: plain", "tcp", _probe("")),
    Entry("probe: STARTTLS", "tcp", _probe("&starttls=smtp")),
    Entry("probe: all addresses", "tcp", _probe("&addresses=all")),
    *[Entry(f"module: {name}", "tcp", _module(name)) for name in ("connect", "tls", "banner", "six")],
]
MODULES = """
modules:
  connect: {prober: tcp, timeout: 1s}
  tls: {prober: tcp, timeout: 1s, tcp: {tls: true, tls_config: {insecure_skip_verify: true}}}
  banner: {prober: tcp, timeout: 1s, tcp: {query_response: [{send: "x"}, {expect: "y"}]}}
  six: {prober: tcp, timeout: 1s, tcp: {preferred_ip_protocol: ip6, ip_protocol_fallback: true}}
"""


def host(address: str) -> str:
    return literal(parsed(address))


def parsed(address: str) -> IPAddress:
    return ipaddress.ip_address(address)
