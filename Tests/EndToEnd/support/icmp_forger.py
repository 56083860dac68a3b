"""Answers packets to silent addresses with the ICMP errors or TCP segments that a test chooses."""

import contextlib
import os
import select
import socket
import struct
import threading

ETH_P_ALL = 3


def checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ip_packet(source: bytes, destination: bytes, protocol: int, payload: bytes) -> bytes:
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + source + destination + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, source, destination)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


class Packet:
    """An IP packet as received from the link."""

    def __init__(self, data: bytes):
        self.data = data
        if data[0] >> 4 == 4:
            self.head_length = (data[0] & 15) * 4
            self.protocol, self.source, self.destination = data[9], data[12:16], data[16:20]
        else:
            self.head_length = 40
            self.protocol, self.source, self.destination = data[6], data[8:24], data[24:40]
        self.payload = data[self.head_length :]
        self.version = data[0] >> 4


def icmp_error(packet: Packet, kind: int, code: int, sender: bytes, extra: int = 0) -> bytes:
    """An ICMP error about a packet; `extra` is the second word, such as the MTU or the pointer."""
    body = struct.pack("!BBHI", kind, code, 0, extra) + packet.data[: packet.head_length + 64]
    if packet.version == 4:
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        return ip_packet(sender, packet.source, socket.IPPROTO_ICMP, body)
    pseudo = sender + packet.source + struct.pack("!II", len(body), socket.IPPROTO_ICMPV6)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    return ip_packet(sender, packet.source, socket.IPPROTO_ICMPV6, body)


def tcp_segment(packet: Packet, flags: int, sequence: int, acknowledgement: int) -> bytes:
    """A segment to the sender of a SYN, from the destination of the SYN."""
    source_port, destination_port = struct.unpack("!HH", packet.payload[:4])
    segment = struct.pack(
        "!HHIIBBHHH", destination_port, source_port, sequence, acknowledgement, 0x50, flags, 65535, 0, 0
    )
    pseudo = packet.destination + packet.source + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(segment))
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    return ip_packet(packet.destination, packet.source, socket.IPPROTO_TCP, segment)


def reset_in_simultaneous_open(packet: Packet) -> list[bytes]:
    """A SYN without ACK takes the connecting socket to SYN_RECV; a RST there is ECONNRESET instead of ECONNREFUSED."""
    if packet.payload[13] & 0x3F != 0x02:
        return []
    sequence = struct.unpack("!I", packet.payload[4:8])[0]
    return [tcp_segment(packet, 0x02, 5000, 0), tcp_segment(packet, 0x14, 5001, (sequence + 1) & 0xFFFFFFFF)]


@contextlib.contextmanager
def answering(namespace, destination: str, reply, interface: str = "link0"):
    """Sends `reply(packet)` (a list of IP packets) for each packet to the destination that arrives on the link."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    wanted = socket.inet_pton(family, destination)
    with namespace.entered():
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        tap.bind((interface, ETH_P_ALL))
    wake_read, wake_write = os.pipe()

    def loop() -> None:
        while True:
            readable, _, _ = select.select([tap, wake_read], [], [])
            if wake_read in readable:
                return
            frame, (_, _, direction, *_) = tap.recvfrom(65535)
            if direction == socket.PACKET_OUTGOING or frame[12:14] not in (b"\x08\x00", b"\x86\xdd"):
                continue
            packet = Packet(frame[14:])
            if packet.destination == wanted:
                for answer in reply(packet):
                    tap.send(frame[6:12] + frame[:6] + frame[12:14] + answer)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.write(wake_write, b"x")
        thread.join()
        for descriptor in (wake_read, wake_write):
            os.close(descriptor)
        tap.close()


def forging(namespace, destination: str, kind: int, code: int, sender: str, extra: int = 0):
    """Answers everything to the destination with one ICMP error from `sender`."""
    family = socket.AF_INET6 if ":" in sender else socket.AF_INET
    source = socket.inet_pton(family, sender)
    return answering(namespace, destination, lambda packet: [icmp_error(packet, kind, code, source, extra)])
