"""A name server for tests of policies: names that lead to allowed and denied addresses, and answers that change."""

import threading

from support.address_registries import IPAddress
from support.dns_server import (
    AAAA,
    CNAME,
    A,
    Question,
    address_record,
    encode_name,
    record,
    zone,
)
from support.ssrf_vectors import addresses

GOOD, GOOD6, OTHER = "8.8.4.4", "2606:4700::1111", "9.9.9.9"
BAD, BAD6, METADATA = "10.0.0.1", "fd00::1", "169.254.169.254"


def name_of(address: IPAddress) -> str:
    return f"v{address.version}-{int(address):x}.addresses.test"


class Rebinding:
    """Answers with the addresses of a name in turn, each with TTL 0: an allowed address first, a denied one next."""

    def __init__(self, table: dict[str, list[str]]):
        self._table, self._turns, self._lock = table, {}, threading.Lock()

    def __call__(self, question: Question):
        if question.name not in self._table:
            return None
        with self._lock:
            turn = self._turns.get((question.name, question.kind), 0)
            self._turns[question.name, question.kind] = turn + 1
        entries = self._table[question.name]
        address = entries[turn % len(entries)]
        wanted = (":" in address) == (question.kind == AAAA) and question.kind in (A, AAAA)
        return question.reply([address_record(question.name, address)] if wanted else [])


REBINDING = Rebinding({"rebind.test": [GOOD, METADATA, BAD], "rebind6.test": [GOOD6, BAD6, "::ffff:10.0.0.1"],
                       "late.test": [METADATA, GOOD]})  # fmt: skip
ALIASES = {
    "one.test": ["cname:two.test"],
    "two.test": ["cname:three.test"],
    "three.test": [BAD],
    "long0.test": ["cname:long1.test"],
    **{f"long{n}.test": [f"cname:long{n + 1}.test"] for n in range(1, 12)},
    "long12.test": [METADATA],
    "good-alias.test": ["cname:good.test"],
    "good.test": [GOOD],
    "hidden.test": ["cname:inside.corp.example"],
    "inside.corp.example": [GOOD],
    "hidden-middle.test": ["cname:middle.corp.example"],
    "middle.corp.example": ["cname:good.test"],
    "circle.test": ["cname:circle2.test"],
    "circle2.test": ["cname:circle.test"],
    "plain.corp.example": [GOOD],
    "corp.example": [GOOD],
}
MIXED = {
    "good-first.test": [GOOD, BAD],
    "bad-first.test": [BAD, GOOD],
    "two-good.test": [GOOD, BAD, OTHER, METADATA],
    "six-bad.test": [GOOD, BAD6],
    "six-good.test": [GOOD6, BAD],
    "all-bad.test": [BAD, METADATA, BAD6, "::ffff:127.0.0.1", "64:ff9b::a00:1"],
    "many.test": [GOOD, *[f"10.0.0.{n}" for n in range(1, 60)]],
}
LITERALS = {name_of(address): [str(address)] for address in addresses()}
TABLE = zone({**LITERALS, **ALIASES, **MIXED})
# A record of another name in the answer must not be used.
FOREIGN = "foreign.test"


def answer(question: Question):
    if question.name == FOREIGN:
        records = [address_record("elsewhere.test", METADATA), address_record(FOREIGN, GOOD)]
        return question.reply(records if question.kind == A else [])
    if question.name == "alias-and-address.test":
        records = [record(question.name, CNAME, encode_name("good.test")), address_record(question.name, METADATA)]
        return question.reply(records if question.kind == A else [], code=0)
    return REBINDING(question) or TABLE(question)

HOST_RULES = [{"action": "deny", "host": "*.corp.example"}]
