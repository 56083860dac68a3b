"""Checks that combine values of every member, to compare the specification with the service.

Each member has values at and beyond its limits. `pairs` combines every value of a member with every value of each other one,
for each kind of target. No target answers on loopback, so every check ends at once.
"""

import itertools
import random

NULL, LIST, NUMBER, TEXT, OBJECT = None, [], 7, "text", {}


def whole(least: int, most: int, *more) -> list:
    """Values around the limits of an integer, and values of other types."""
    return [least - 1, least, most, most + 1, *more, float(least), least + 0.5, str(least), True, NULL]


KINDS = [
    "127.0.0.1:1", "tls://127.0.0.1:1", "udp://127.0.0.1:1", "quic://127.0.0.1:1", "unix:/p", "unix+dgram:/p",
    "UNIX+seqpacket:@p", {"transport": "tcp", "host": "localhost", "port": 1}, {"transport": "udp", "host": "::1", "port": "https"},
    {"transport": "unix", "path": "/p"}, {"transport": "unix", "path": "@p", "socket_type": "dgram"},
]  # fmt: skip

TARGETS = [
    *KINDS, "tcp://[::1]:https", "TLS://localhost:1", "Udp://localhost:1", "QUIC://[::1]:1", "unix:///p", "unix+seqpacket:/p",
    "xn--mnchen-3ya.localhost:1", "m\u00fcnchen.localhost:1", "tcp://a_b-c.localhost.:1", "[fe80::1%lo]:1",
    # Not a target, or not one of this form.
    "127.0.0.1", "http://127.0.0.1:1", "127.1:1", "tcp://127.0.0.1:0", "tcp://127.0.0.1:65536", "", "tcp://u@localhost:1",
    "a" * 63 + ".localhost:1", "a" * 64 + ".localhost:1", "tcp://" + "a" * 64 + ":1", ("a" * 62 + ".") * 4 + ":1",
    ("a" * 63 + ".") * 3 + "a" * 61 + ":1", ("a" * 63 + ".") * 3 + "a" * 61 + ".:1", ("a" * 63 + ".") * 3 + "a" * 62 + ":1",
    "tls://" + ("a" * 63 + ".") * 3 + "a" * 61 + ":65535", "tls://" + ("a" * 63 + ".") * 3 + "a" * 62 + ":65535",
    "udp://" + ("a" * 63 + ".") * 3 + "a" * 61 + ":53", "quic://" + ("a" * 63 + ".") * 3 + "a" * 62 + ":53",
    "unix:/" + "p" * 106, "unix:/" + "p" * 4095, "unix:/" + "p" * 4096, "unix:/" + "\u20ac" * 1365, "unix:/" + "\u20ac" * 1366,
    "unix:@" + "\U0001f600" * 1023, "unix:@" + "\U0001f600" * 1024, "unix:/\x01", "unix:/p\n", "unix:/\0",
    {"transport": "tcp", "host": "127.0.0.1", "port": 65535}, {"transport": "tcp", "host": "127.0.0.1", "port": 65536},
    {"transport": "tcp", "host": "127.0.0.1", "port": 0}, {"transport": "tcp", "host": "127.0.0.1", "port": "1"},
    {"transport": "tcp", "host": "127.0.0.1", "port": 1.0}, {"transport": "tcp", "host": "127.0.0.1", "port": 1.5},
    {"transport": "tcp", "host": "127.0.0.1", "port": "HTTPS"}, {"transport": "tcp", "host": "[::1]", "port": 1},
    {"transport": "tcp", "host": "fe80::1%lo", "port": 1}, {"transport": "tcp", "host": "", "port": 1},
    {"transport": "tcp", "host": ("a" * 63 + ".") * 3 + "a" * 61, "port": 1}, {"transport": "tcp", "host": ("a" * 63 + ".") * 3 + "a" * 61 + ".", "port": 1},
    {"transport": "tcp", "host": ("a" * 63 + ".") * 3 + "a" * 62, "port": 1}, {"transport": "tcp", "host": "127.0.0.1"},
    {"transport": "tcp", "host": "127.0.0.1", "port": 1, "path": "/p"}, {"transport": "tls", "host": "127.0.0.1", "port": 1},
    {"transport": "quic", "host": "127.0.0.1", "port": 1}, {"transport": "TCP", "host": "127.0.0.1", "port": 1},
    {"host": "127.0.0.1", "port": 1}, {"transport": "unix", "path": "p"}, {"transport": "unix", "path": "/" + "\u20ac" * 1366},
    {"transport": "unix", "path": "/" + "\u20ac" * 1365}, {"transport": "unix", "path": "/p", "socket_type": "raw"},
    {"transport": "unix", "path": "/p", "port": 1}, {"transport": "unix", "path": "@"}, {"transport": "unix", "path": "/p\0"},
    NULL, NUMBER, True, LIST, OBJECT,
]  # fmt: skip

EXPECT, SEND, REJECT, BEGIN = {"expect": "x"}, {"send": "x"}, {"reject": "x"}, {"starttls": True}
TLS_VERSIONS = ["1.0", "1.1", "1.2", "1.3"]
MEMBERS: dict[str, list] = {
    "id": ["", "x" * 1024, "\U0001f600" * 1024, "x" * 1025, NUMBER, NULL],
    "labels": [{}, {"": "x" * 1024, "\u20ac" * 2000: ""}, {"k": "x" * 1025}, {"k": 1}, {"k": NULL}, LIST, TEXT,
               {str(n): "" for n in range(64)}, {str(n): "" for n in range(65)}],
    "timeout_ms": whole(1, 60_000, 50, 99, 100, 1000, 5000, 5001, 29_999, 30_000),
    "hold_ms": whole(0, 60_000, 1, 49, 50, 99, 100, 999, 1000, 4999, 5000, 29_999, 59_999),
    "half_open": [True, False, 1, "true", NULL],
    "count": whole(1, 1000, 2, 3, 10, 12, 13, 60, 500),
    "interval_ms": whole(0, 60_000, 1, 10, 100, 1000, 10_000, 59_998, 59_999),
    "resolve": [{}, {"family": "ipv6", "addresses": "all"}, {"addresses": "race"}, {"server": "127.0.0.1:53"}, {"server": "[::1]:5353"},
                {"server": "127.0.0.1"}, {"server": "localhost:53"}, {"server": "127.0.0.1:domain"}, {"server": "127.0.0.1:0"},
                {"server": "[fe80::1%lo]:53"}, {"server": "::1:53"}, {"server": "m\u00fcnchen:53"}, {"family": "IPv4"}, {"family": NULL},
                {"x": 1}, TEXT, LIST, NULL],
    "bind": [{}, {"address": "127.0.0.1"}, {"address": "::1", "port": 0}, {"port": 1}, {"port": 65535}, {"port": 65536}, {"port": -1},
             {"address": "localhost"}, {"address": "[::1]"}, {"address": "fe80::1%lo"}, {"interface": "lo"}, {"interface": "a" * 16},
             {"interface": ""}, {"interface": "a b"}, {"interface": "\u00e9"}, {"x": 1}, NULL],
    "socket": [{}, {"close": "rst"}, {"close": "fin", "ttl": 255, "dscp": 63, "mark": 4294967295, "tcp_syn_retries": 127},
               {"ttl": 1, "dscp": 0, "mark": 0, "tcp_syn_retries": 1}, {"ttl": 0}, {"ttl": 256}, {"dscp": 64}, {"dscp": -1},
               {"mark": 4294967296}, {"mark": -1}, {"tcp_syn_retries": 0}, {"tcp_syn_retries": 128}, {"tcp_fast_open": True},
               {"tcp_fast_open": False}, {"mptcp": True}, {"mptcp": True, "tcp_fast_open": True}, {"tcp_md5": ""}, {"close": "RST"},
               {"ttl": NULL}, {"x": 1}, LIST, NULL],
    "tls": [True, False, {}, {"verify": False}, {"verify": True}, {"server_name": "db.internal"}, {"server_name": "db.internal", "verify": False},
            {"starttls": "smtp"}, {"starttls": "smtp", "verify": False}, {"starttls": "smtp", "server_name": "db"}, {"starttls": "http"},
            {"server_name": ""}, {"server_name": "::1"}, {"server_name": "[::1]"}, {"server_name": "fe80::1%lo"}, {"server_name": "a" * 64},
            {"server_name": "127.1"}, {"server_name": "db:1"}, {"server_name": "m\u00fcnchen"}, {"alpn": ["h2"]}, {"alpn": []},
            {"alpn": ["x"] * 17}, {"alpn": ["x" * 255]}, {"alpn": ["x" * 256]}, {"alpn": [""]}, {"alpn": ["\u00e9" * 127]}, {"alpn": ["\u00e9" * 128]},
            {"alpn": ["\u20ac" * 85]}, {"alpn": ["\u20ac" * 86]}, {"alpn": ["\U0001f600" * 63]}, {"alpn": ["\U0001f600" * 64]}, {"alpn": "h2"},
            *({"min_version": low, "max_version": high} for low in TLS_VERSIONS for high in TLS_VERSIONS),
            {"min_version": "1.3"}, {"max_version": "1.0"}, {"min_version": "1.4"}, {"ciphers": "HIGH"}, {"ciphers": ""}, {"ciphers": "H\u00cdGH"},
            {"ciphers": "HIGH:" * 819 + "H"}, {"ciphers": "HIGH:" * 819 + "HI"}, {"expect_alert": "bad_certificate"}, {"expect_alert": "x"},
            {"min_days_left": 0}, {"min_days_left": 36500}, {"min_days_left": 36501}, {"min_days_left": -1}, {"revocation": "ocsp_stapled"},
            {"revocation": "ocsp"}, {"legacy_renegotiation": True}, {"legacy_renegotiation": 1}, {"x": 1}, TEXT, LIST, NULL],
    "preset": ["dns", "ntp", "stun", "snmp", "ike", "quic", "http", "", 1, NULL],
    "dialog": [[SEND], [EXPECT], [SEND] * 64, [SEND] * 65, [], [{"send": ""}], [{"send_hex": ""}], [{"send_hex": "00"}], [{"send_hex": "0"}],
               [{"send_hex": "0g"}], [{"expect_hex": ""}], [{"expect_hex": "ab"}], [{"expect_hex": "ab" * 4096}], [{"expect_hex": "ab" * 4097}],
               [{"expect": ""}], [{"expect": "x" * 4096}], [{"expect": "x" * 4097}], [{"expect": "\u00e9" * 2048}], [{"expect": "\u00e9" * 2049}],
               [{"expect": "\u20ac" * 1365}], [{"expect": "\u20ac" * 1366}], [{"expect": "\U0001f600" * 1024}], [{"expect": "\U0001f600" * 1025}],
               [REJECT, EXPECT], [EXPECT, REJECT], [REJECT], [REJECT, SEND], [EXPECT, REJECT, SEND, {"expect_hex": "00"}], [SEND] * 62 + [REJECT, EXPECT],
               [SEND] * 63 + [REJECT], [REJECT] * 63 + [EXPECT], [REJECT] * 64, [{"reject": "x" * 4097}, EXPECT], [{"reject": ""}, EXPECT],
               [BEGIN], [EXPECT, BEGIN], [EXPECT, BEGIN, EXPECT], [SEND, EXPECT, BEGIN], [EXPECT, BEGIN, BEGIN], [{"starttls": False}],
               [{"send": "x", "expect": "x"}], [{}], [{"x": 1}], [TEXT], [NULL], [{"send": 1}], [{"send": "$1 $${name} $"}], TEXT, OBJECT, NULL],
    "trace": ["never", "on_failure", "always", "Never", {}, {"when": "never"}, {"when": "always", "max_ttl": 1, "flow": "fixed", "timeout_ms": 1},
              {"max_ttl": 255, "timeout_ms": 60_000}, {"max_ttl": 0}, {"max_ttl": 256}, {"timeout_ms": 0}, {"timeout_ms": 60_001},
              {"flow": "both"}, {"when": NULL}, {"x": 1}, True, LIST, NULL],
    "expect": ["connected", "!connected", "refused", ["connected", "refused"], ["connected"] * 23, ["connected"] * 24, [], [NULL], ["!connected"],
               "nosuch", "", "!", 1, NULL],
    "unknown": [1, NULL],
}  # fmt: skip

# A diagnosis has these members of a check, and one of its own.
DIAGNOSIS = {name: MEMBERS[name] for name in ("timeout_ms", "resolve", "bind", "socket", "tls", "preset", "unknown")} | {
    "control": TARGETS, "dialog": [[SEND]], "id": ["x"], "hold_ms": [0],
}  # fmt: skip


def singles(members: dict[str, list] = MEMBERS):
    """Every target alone, and every value of every member with every kind of target."""
    yield from ({"target": target} for target in TARGETS)
    yield {}
    for kind in KINDS:
        yield from ({"target": kind, name: value} for name, values in members.items() for value in values)


def pairs(members: dict[str, list] = MEMBERS):
    """Every value of each member with every value of each other member, for each kind of target."""
    for kind in KINDS:
        for (one, first), (other, second) in itertools.combinations(members.items(), 2):
            yield from ({"target": kind, one: a, other: b} for a in first for b in second)


def combinations(number: int, seed: int, members: dict[str, list] = MEMBERS, most: int = 6):
    """Random combinations of several members. `seed` repeats them."""
    chance = random.Random(seed)
    for _ in range(number):
        names = chance.sample(list(members), chance.randint(3, most))
        yield {"target": chance.choice(KINDS)} | {name: chance.choice(members[name]) for name in names}


def durations():
    """Holds and rounds at and next to round numbers, over TCP and UDP."""
    times = sorted({near for number in (1, 10, 20, 50, 100, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000)
                    for near in (number - 1, number, number + 1) if number > 0})  # fmt: skip
    yield from ({"target": kind, "timeout_ms": time, "hold_ms": hold}
                for kind in ("127.0.0.1:1", "udp://127.0.0.1:1") for time in times for hold in times)  # fmt: skip
    for count in (1, 2, 3, 4, 5, 10, 11, 12, 13, 60, 61, 100, 1000):
        for interval in times:
            yield {"target": "127.0.0.1:1", "count": count, "interval_ms": interval}
            yield from ({"target": "127.0.0.1:1", "count": count, "interval_ms": interval, "timeout_ms": time} for time in times)


def diagnoses():
    """Every value of each member of a diagnosis with some values of another."""
    yield from ({"target": target} for target in TARGETS)
    yield {}
    for kind in KINDS:
        for one, values in DIAGNOSIS.items():
            yield from ({"target": kind, one: value} for value in values)
            for other in ("tls", "socket", "preset"):
                if other != one:
                    yield from ({"target": kind, one: value, other: more} for value in values[:12] for more in MEMBERS[other][:14])


DESTINATIONS = [
    [], ["127.0.0.1"], ["::1"], ["fe80::1%lo"], ["ff02::1%1"], ["[::1]"], ["127.0.0.1:1"], ["localhost"], ["127.1"], ["::1%lo"],
    ["10.0.0.0/8"], [""], [None], [1], ["127.0.0.1"] * 1001, "127.0.0.1", {}, None, ["::ffff:127.0.0.1"], ["0.0.0.0"], ["1::2::3"],
    ["0177.0.0.1"], ["127.0.0.1 "], ["\uff11.1.1.1"], ["fe80::1%"], ["fe80::1%a/b"], ["FE80::A:b%eth0"], ["1:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:7::"], ["::1:2:3:4:5:6:7"], ["1:2:3:4:5:6:7:8:9"], ["::1.2.3.4"], ["::1.2.3.04"], ["12345::"],
]  # fmt: skip

PARAMETERS = {
    "timeout_ms": [0, 1, 100, 60_000, 60_001, -1, 500], "hold_ms": [0, 1, 99, 100, 499, 500, 60_000, -1],
    "half_open": [True, False], "family": ["any", "ipv4", "ipv6", "IPv4", ""], "addresses": ["first", "all", "race", "one"],
    "server_name": ["db.internal", "::1", "[::1]", "fe80::1%lo", "", "m\u00fcnchen", "127.1", "a" * 64], "verify": [True, False],
    "starttls": ["smtp", "imap", "http", ""], "min_days_left": [0, 36_500, 36_501, -1], "trace": ["never", "on_failure", "always", "x"],
    "expect": ["connected", "!connected", "refused,timeout", "refused,", "!refused,timeout", "", "nosuch"],
}  # fmt: skip


def probes(number: int):
    """Every value of every parameter for each kind of target, and random combinations."""
    targets = [target for target in TARGETS if isinstance(target, str)]
    yield from ({"target": target} for target in targets)
    for kind in KINDS:
        if isinstance(kind, str):
            yield from ({"target": kind, name: value} for name, values in PARAMETERS.items() for value in values)
    chance = random.Random(5)
    for _ in range(number):
        names = chance.sample(list(PARAMETERS), chance.randint(2, 5))
        yield {"target": chance.choice(targets[:7])} | {name: chance.choice(PARAMETERS[name]) for name in names}
