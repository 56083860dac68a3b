"""Names that lead to denied addresses: records, aliases, mixed answers, the hosts file, and answers that change."""

import pytest
from support.answering_internet import LOCAL_ADDRESSES
from support.names_to_denied_addresses import (
    BAD,
    FOREIGN,
    GOOD,
    GOOD6,
    HOST_RULES,
    METADATA,
    MIXED,
    OTHER,
    name_of,
)
from support.policy_oracle import PolicyOracle
from support.ssrf_judge import Vector, check_name, judged, seen_addresses
from support.ssrf_vectors import addresses

ORACLE = PolicyOracle("public", own_port=8080, local_addresses=LOCAL_ADDRESSES)
STRATEGIES = ("first", "race", "all")


@pytest.fixture(scope="module")
def service(internet, names):
    hosts = [f"{address} {name}" for name, address in (
        ("localhost", "127.0.0.1"), ("hosts-bad.test", BAD), ("hosts-good.test", GOOD), ("hosts-six.test", "::1"))]  # fmt: skip
    internet.prober.write_etc("hosts", "\n".join(hosts) + "\n")
    configuration = {"policy": {"rules": HOST_RULES}}
    with judged(internet, ORACLE, configuration) as running:
        yield running


def test_a_name_of_each_vector_is_judged_by_its_address(service):
    """An address record of every vector. A mapped address in an AAAA record is an address like any other."""
    tried = [Vector(address, 80, "tcp") for address in addresses()]
    checks = [{"target": f"tcp://{name_of(vector.address)}:80"} for vector in tried]
    body = {"checks": checks, "defaults": {"timeout_ms": 10_000}, "concurrency": 64}
    results = service.client.post("/v1/checks/batch", body).json["results"]
    service.assert_decided_as_expected(tried, [result["outcome"] for result in results])
    service.assert_no_escape()


@pytest.mark.parametrize("name", ["one.test", "two.test", "three.test", "long0.test", "circle.test", "all-bad.test", "none.test"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_alias_of_a_denied_address_is_denied(service, name, strategy):
    before = service.seen()
    denial = check_name(service, "three.test").body
    answer = check_name(service, name, resolve={"addresses": strategy})
    assert answer.status == 403 and answer.body == denial, "a name that does not exist looks the same in this profile"
    assert service.seen() == before


@pytest.mark.parametrize("name", ["hidden.test", "hidden-middle.test", "plain.corp.example", "PLAIN.Corp.Example", "a.b.corp.example"])
def test_a_denied_name_in_any_position_is_denied(service, name):
    before = service.seen()
    assert check_name(service, name).status == 403
    assert service.seen() == before


def test_no_question_is_asked_about_a_denied_name(service, names):
    check_name(service, "secret-question.corp.example")
    check_name(service, "good.test")
    asked = [question.name for question in names.questions]
    assert "good.test" in asked
    assert not [name for name in asked if name.startswith("secret-question")]


def test_a_denied_name_does_not_deny_its_parent(service):
    assert check_name(service, "corp.example").status == 200
    assert check_name(service, "good-alias.test").status == 200


@pytest.mark.parametrize("name", ["good-first.test", "bad-first.test", "two-good.test", "six-bad.test", "six-good.test", "many.test"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_mixed_answer_reaches_only_its_allowed_addresses(service, name, strategy):
    allowed = [address for address in MIXED[name] if address in (GOOD, GOOD6, OTHER)]
    answer = check_name(service, name, resolve={"addresses": strategy})
    if strategy == "all":
        assert answer.status == 403, "in this profile, a report of a denied address would reveal it"
        return
    assert answer.status == 200
    assert {attempt["address"] for attempt in answer.json["attempts"]} <= set(allowed)
    denied = set(MIXED[name]) - set(allowed)
    assert not [address for address in denied if f'"{address}"' in answer.body.decode()]
    service.assert_no_escape()


@pytest.mark.parametrize("name,allowed", [("hosts-bad.test", False), ("hosts-six.test", False), ("hosts-good.test", True),
                                          ("localhost", False), ("sub.localhost", False)])  # fmt: skip
def test_the_hosts_file_is_judged_too(service, name, allowed):
    assert check_name(service, name).status == (200 if allowed else 403)
    service.assert_no_escape()


@pytest.mark.parametrize("name", ["rebind.test", "rebind6.test", "late.test"])
@pytest.mark.parametrize(
    "members", [{}, {"count": 5, "interval_ms": 1}, {"tls": True}, {"trace": "always"}, {"resolve": {"addresses": "race"}}],
    ids=["once", "rounds", "TLS", "trace", "race"],
)  # fmt: skip
def test_the_judged_address_is_the_one_that_is_connected_to(service, name, members):
    """Each answer has TTL 0, and the next one is another address: a second resolution would lead to a denied one."""
    statuses = {check_name(service, name, **members).status for _ in range(12)}
    assert statuses == {200, 403}, "both answers were used"
    service.assert_no_escape()


def test_rebinding_while_many_checks_run(service):
    names = [name for name in ("rebind.test", "rebind6.test", "late.test") for _ in range(200)]
    body = {"checks": [{"target": f"tcp://{name}:80"} for name in names], "defaults": {"timeout_ms": 10_000}, "concurrency": 32}
    results = service.client.post("/v1/checks/batch", body).json["results"]
    outcomes = {result["outcome"] for result in results}
    assert outcomes == {"refused", "denied"}, outcomes
    service.assert_no_escape()


def test_rebinding_between_a_check_and_its_diagnosis(service):
    for _ in range(6):
        service.client.post("/v1/diagnoses", {"target": "tcp://rebind.test:80", "timeout_ms": 3000})
    service.assert_no_escape()


def test_records_of_other_names_are_not_used(service):
    assert check_name(service, FOREIGN).status == 200
    check_name(service, "alias-and-address.test")
    service.assert_no_escape()
    assert METADATA not in seen_addresses(service)


def test_the_judge_sees_a_name_that_is_allowed(service):
    """The positive control of this file."""
    assert check_name(service, "good-alias.test").status == 200
    assert GOOD in seen_addresses(service)
