"""The presets with real servers, over IPv4 and IPv6: what each of them answers is understood."""

import contextlib
import pathlib
import re
import shutil
import tempfile

import pytest

from support import udp_servers
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_success
from support.real_servers import Missing
from support.udp_servers import ADDRESSES, PORTS

PORT = 8127


@pytest.fixture(scope="module")
def api(loopback_only):
    with Connectd(loopback_only, OPEN_CONFIGURATION, port=PORT) as running:
        yield running.client


@pytest.fixture(scope="module")
def start(loopback_only):
    """Starts a server once."""
    started = set()
    with contextlib.ExitStack() as stack:

        def start(name: str) -> None:
            if name in started:
                return
            folder = pathlib.Path(tempfile.mkdtemp(prefix="cd", dir="/tmp"))
            folder.chmod(0o755)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            try:
                stack.enter_context(getattr(udp_servers, name)(loopback_only, folder))
            except Missing as missing:
                pytest.skip(str(missing))
            started.add(name)

        yield start


def ask(api, preset: str, address: str, port: int) -> dict:
    host = f"[{address}]" if ":" in address else address
    if preset == "quic":
        result = api.check(f"quic://{host}:{port}", timeout_ms=3000)
    else:
        result = api.check(f"udp://{host}:{port}", preset=preset, timeout_ms=3000)
    assert_success(result, "answered")
    assert result["answer"]["preset"] == preset and result["answer"]["bytes"] > 0
    return result["answer"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_unbound_answers(start, api, address):
    start("unbound")
    answer = ask(api, "dns", address, PORTS["unbound"])
    assert (answer["rcode"], answer["answers"], answer["ra"], answer["tc"]) == ("NOERROR", 2, True, False)


@pytest.mark.parametrize("address", ADDRESSES)
def test_dnsmasq_refuses(start, api, address):
    """It has no server to ask."""
    start("dnsmasq")
    answer = ask(api, "dns", address, PORTS["dnsmasq"])
    assert (answer["rcode"], answer["answers"]) == ("REFUSED", 0)


@pytest.mark.parametrize("address", ADDRESSES)
def test_chrony_tells_the_time(start, api, address):
    start("chrony")
    answer = ask(api, "ntp", address, PORTS["chrony"])
    assert (answer["version"], answer["leap"], answer["stratum"]) == (4, 0, 3)
    assert answer["reference_id"] == "127.127.1.1" and answer["kiss_code"] is None and -40 < answer["precision"] < -10
    # Both use the same clock.
    assert 0 <= answer["delay_ms"] < 1000 and abs(answer["offset_ms"]) <= answer["delay_ms"] / 2 + 0.01


@pytest.mark.parametrize("address", ADDRESSES)
def test_coturn_tells_the_address(start, api, address):
    start("coturn")
    host = f"[{address}]" if ":" in address else address
    result = api.check(f"udp://{host}:{PORTS['coturn']}", preset="stun", timeout_ms=3000)
    answer = result["answer"]
    assert answer["mapped_address"] == result["attempts"][0]["local"] == {"address": address, "port": answer["mapped_address"]["port"]}
    assert answer["software"].startswith("Coturn") and answer["error_code"] is None


@pytest.mark.parametrize("address", ADDRESSES)
def test_snmpd_tells_its_engine(start, api, address):
    start("snmpd")
    answer = ask(api, "snmp", address, PORTS["snmpd"])
    # 8072 is the number of Net-SNMP.
    assert re.fullmatch("80001f88([0-9a-f]{2}){1,28}", answer["engine_id"])
    assert answer["engine_boots"] >= 1 and 0 <= answer["engine_time_seconds"] < 3600


@pytest.mark.parametrize("port", [500, 4500])
def test_strongswan_accepts_the_proposal(start, api, port):
    start("strongswan")
    answer = ask(api, "ike", "127.0.0.1", port)
    assert answer["proposal_accepted"] is True
    assert "MULTIPLE_AUTH_SUPPORTED" in [entry["name"] for entry in answer["notify"]]


def test_strongswan_refuses_the_proposal(start, api):
    start("strongswan")
    answer = ask(api, "ike", "::1", 500)
    assert answer["proposal_accepted"] is False
    assert answer["notify"] == [{"type": 14, "name": "NO_PROPOSAL_CHOSEN"}]


def test_strongswan_asks_for_a_cookie(start, api):
    """From the fourth unfinished exchange with one address on. It keeps no state for those, and each of them is an answer."""
    start("strongswan")
    answers = [ask(api, "ike", "127.0.0.1", 500) for _ in range(12)]
    assert [entry["name"] for entry in answers[-1]["notify"]] == ["COOKIE"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_aioquic_offers_its_versions(start, api, address):
    start("aioquic")
    answer = ask(api, "quic", address, PORTS["aioquic"])
    assert "0x00000001" in answer["versions"]
    assert all(re.fullmatch("0x[0-9a-f]{8}", version) for version in answer["versions"])


@pytest.mark.parametrize("preset", ["dns", "ntp", "stun", "snmp", "quic"])
def test_another_server_does_not_answer(start, api, preset):
    """chrony answers what is not NTP with nothing or with nonsense, as all of them do."""
    start("chrony" if preset != "ntp" else "unbound")
    port = PORTS["chrony" if preset != "ntp" else "unbound"]
    result = api.check(f"udp://127.0.0.1:{port}", preset=preset, timeout_ms=200)
    assert result["error"]["name"] in ("DEADLINE", "DIALOG_MISMATCH") and "answer" not in result
