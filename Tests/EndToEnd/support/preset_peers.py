"""Answers to the questions of presets, as servers of the protocols give them."""


def dns(question: bytes) -> bytes:
    """REFUSED."""
    return question[:2] + b"\x81\x85" + question[4:]


def ntp(question: bytes) -> bytes:
    assert len(question) == 48 and question[0] & 7 == 3
    return b"\x24\x02" + bytes(22) + question[40:48] + bytes(16)


def stun(question: bytes) -> bytes:
    assert question[:2] == b"\0\x01" and question[4:8] == b"\x21\x12\xa4\x42"
    return b"\x01\x01\0\x0c" + question[4:20] + bytes.fromhex("00200008 0001a147 e112a643")


def snmp(question: bytes) -> bytes:
    """A report with the engine ID 8000000001."""
    assert question[0] == 0x30 and question[1] == len(question) - 2
    header = question[5:24]
    security = bytes.fromhex("0415 3013 0405 8000000001 020103 020109 0400 0400 0400")
    scoped = bytes.fromhex("3011 0400 0400 a80b 020100 020100 020100 3000")
    content = b"\x02\x01\x03" + header + security + scoped
    return bytes([0x30, len(content)]) + content


def ike(question: bytes) -> bytes:
    """NO_PROPOSAL_CHOSEN."""
    assert int.from_bytes(question[24:28], "big") == len(question)
    return question[:8] + bytes(range(8)) + b"\x29\x20\x22\x20" + bytes(4) + (36).to_bytes(4, "big") + bytes.fromhex("000000080000000e")


def quic(question: bytes) -> bytes:
    assert len(question) == 1200
    destination, source = question[6:14], question[15:23]
    return b"\xca" + bytes(4) + b"\x08" + source + b"\x08" + destination + b"\0\0\0\x01"


ANSWERS = {"dns": dns, "ntp": ntp, "stun": stun, "snmp": snmp, "ike": ike, "quic": quic}
# What the result shows of each answer, besides `preset` and `bytes`.
SAID = {
    "dns": {"rcode": "REFUSED", "aa": False, "tc": False, "ra": True, "answers": 0},
    "ntp": {"version": 4, "leap": 0, "stratum": 2, "reference_id": "0.0.0.0", "kiss_code": None, "precision": 0,
            "root_delay_ms": 0, "root_dispersion_ms": 0, "offset_ms": None, "delay_ms": None},
    "stun": {"mapped_address": {"address": "192.0.2.1", "port": 32853}, "software": None, "error_code": None, "reason": None},
    "snmp": {"engine_id": "8000000001", "engine_boots": 3, "engine_time_seconds": 9},
    "ike": {"proposal_accepted": False, "notify": [{"type": 14, "name": "NO_PROPOSAL_CHOSEN"}], "vendor_ids": []},
    "quic": {"versions": ["0x00000001"]},
}  # fmt: skip


def answering(preset: str):
    """What a server of the preset does with each datagram."""

    def act(peer) -> None:
        question, client = peer.recvfrom(2000)
        peer.sendto(ANSWERS[preset](question), client)

    return act
