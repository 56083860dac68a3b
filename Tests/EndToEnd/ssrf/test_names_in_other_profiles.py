"""Names in profiles that show denied addresses, and names that a search domain completes."""

import pytest
from support.answering_internet import NAME_SERVER
from support.names_to_denied_addresses import GOOD, HOST_RULES, METADATA
from support.policy_oracle import PolicyOracle
from support.ssrf_judge import check_name, judged, seen_addresses


def test_a_search_domain_is_denied_by_its_full_name(internet, names):
    internet.prober.write_etc("resolv.conf", f"nameserver {NAME_SERVER}\nsearch corp.example\noptions timeout:1 attempts:1\n")
    try:
        with judged(internet, PolicyOracle("internal", own_port=8090), {"policy": {"rules": HOST_RULES}}) as service:
            assert check_name(service, "plain").status == 403
            assert not service.seen()
    finally:
        internet.prober.write_etc("resolv.conf", f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n")


@pytest.mark.parametrize("strategy", ("first", "race", "all"))
def test_other_profiles_skip_denied_addresses_too(internet, names, strategy):
    with judged(internet, PolicyOracle("internal", own_port=8091)) as service:
        answer = check_name(service, "two-good.test", resolve={"addresses": strategy})
        assert answer.status == 200
        assert METADATA not in seen_addresses(service) and GOOD in seen_addresses(service)
        if strategy == "all":
            outcomes = {attempt["address"]: attempt["outcome"] for attempt in answer.json["attempts"]}
            assert outcomes[METADATA] == "denied" and outcomes[GOOD] == "refused"
