"""Denied addresses through every entry: each request that names a target."""

import pytest
from support.check_entries import (
    ALLOWED,
    DENIED,
    ENTRIES,
    MODULES,
    ORACLE,
    PORT,
    host,
    parsed,
)
from support.ssrf_judge import judged


@pytest.fixture(scope="module")
def service(internet):
    configuration = {"policy": {"dialogs": "any", "options": ["bind", "interface", "mark"]}, "modules_file": "blackbox.yml"}
    with judged(internet, ORACLE, configuration, files={"blackbox.yml": MODULES}) as running:
        yield running


def test_the_oracle_agrees_with_the_lists():
    for address in DENIED + ALLOWED:
        assert ORACLE.allows(parsed(address), PORT, "tcp") == (address in ALLOWED), address


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_denies(service, entry):
    before = service.seen()
    for address in DENIED:
        word = entry.send(service.client, host(address))
        assert word == "denied" or word.startswith("400"), (address, word)
    assert service.seen() == before


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_reaches_an_allowed_address(service, entry):
    """The positive control: each entry really connects, and the judge sees it."""
    for address in ALLOWED:
        word = entry.send(service.client, host(address))
        assert not word.startswith("400"), (address, word)
        # In this profile, a name that a name server does not answer looks like a denied one.
        assert (word == "denied") == (entry.name == "check: name server"), (address, word)
    found = {(str(item.address), item.transport) for item in service.seen()}
    assert {(address, entry.transport) for address in ALLOWED} <= found
