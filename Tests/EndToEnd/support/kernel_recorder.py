"""Records, inside the kernel, which addresses a process gives to connect(2) and sendmsg(2) and which packets leave.

Programs attached to a control group see every connect(2) of an IPv4 or IPv6 socket and every datagram sent to an
address, whichever system call or library it came through. nftables records each destination in an output hook.
Both keep each destination once, in a set that reports when it is full, so nothing is lost under load.

What they do not see: connects of UNIX sockets, which a test judges by what the listener accepts.
"""

import contextlib
import ctypes
import ipaddress
import json
import os
import pathlib
import platform
import struct
from typing import NamedTuple

BPF_CALL = {"x86_64": 321, "aarch64": 280}
MAP_CREATE, MAP_GET_NEXT_KEY, PROG_LOAD, PROG_ATTACH = 0, 4, 5, 8
MAP_HASH, PROG_CGROUP_SOCK_ADDR = 1, 18
MOST_ENDPOINTS = 1 << 18
# Attach type → (name, offsets of the address words in struct bpf_sock_addr).
HOOKS = {
    10: ("connect", (4,)),
    11: ("connect", (8, 12, 16, 20)),
    14: ("send", (4,)),
    15: ("send", (8, 12, 16, 20)),
}
STREAM = 1

_libc = ctypes.CDLL(None, use_errno=True)


class Endpoint(NamedTuple):
    """A destination: `how` is `connect`, `send` or `packet`."""

    how: str
    transport: str
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int

    def __str__(self) -> str:
        return f"{self.how} of {self.transport} to {self.address}, port {self.port}"


def missing() -> str | None:
    """Why connects cannot be recorded here; None if they can."""
    if platform.machine() not in BPF_CALL:
        return f"not installed: a recorder of system calls for {platform.machine()}"
    if _control_groups() is None:
        return "not installed: a mount of cgroup2"
    try:
        os.close(_new_map())
    except OSError as error:
        return f"not installed: BPF in this kernel ({error})"
    return None


def _control_groups() -> pathlib.Path | None:
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(folder)
    return None


def _bpf(command: int, attributes: bytes) -> int:
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    result = _libc.syscall(BPF_CALL[platform.machine()], command, buffer, len(attributes))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"bpf command {command}: {os.strerror(number)}")
    return result


# The key of an endpoint: attach type, socket type, four words of the address, port.
KEY = struct.Struct("=II16sI")


def _new_map() -> int:
    return _bpf(MAP_CREATE, struct.pack("=IIII16x", MAP_HASH, KEY.size, 8, MOST_ENDPOINTS))


def _instruction(code: int, destination: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("=BBhi", code, destination | source << 4, offset, value)


def _program(hook: int, words: tuple[int, ...], map_descriptor: int) -> bytes:
    """Stores the key of the context's endpoint in the map, and allows the call."""
    load, store, store_value, copy, add, call, leave = 0x61, 0x63, 0x62, 0xBF, 0x07, 0x85, 0x95
    start = -KEY.size
    code = _instruction(copy, 6, 1)
    code += _instruction(store_value, 10, 0, start, hook)
    for place, source in [(4, 32), *[(8 + 4 * index, word) for index, word in enumerate(words)], (24, 24)]:
        code += _instruction(load, 1, 6, source) + _instruction(store, 10, 1, start + place)
    for index in range(len(words), 4):
        code += _instruction(store_value, 10, 0, start + 8 + 4 * index, 0)
    code += _instruction(0x7A, 10, 0, start - 12, 0)  # the value, 8 bytes
    code += _instruction(0x18, 1, 1, 0, map_descriptor) + _instruction(0)
    for register, offset in ((2, start), (3, start - 12)):
        code += _instruction(copy, register, 10) + _instruction(add, register, 0, 0, offset)
    code += _instruction(0xB7, 4) + _instruction(call, 0, 0, 0, 2)
    return code + _instruction(0xB7, 0, 0, 0, 1) + _instruction(leave)


def _attach(hook: int, program: bytes, group_descriptor: int) -> int:
    code, license_text = ctypes.create_string_buffer(program), ctypes.create_string_buffer(b"GPL")
    log = ctypes.create_string_buffer(65536)
    load = struct.pack(
        "=IIQQIIQII16sII", PROG_CGROUP_SOCK_ADDR, len(program) // 8, ctypes.addressof(code), ctypes.addressof(license_text),
        1, len(log), ctypes.addressof(log), 0, 0, b"", 0, hook,
    )  # fmt: skip
    try:
        loaded = _bpf(PROG_LOAD, load)
    except OSError as error:
        raise OSError(error.errno, f"{error}: {log.value.decode()}") from None
    _bpf(PROG_ATTACH, struct.pack("=IIIII", group_descriptor, loaded, hook, 0, 0))
    return loaded


class ConnectRecorder:
    """A control group whose processes' connects and datagrams are recorded. `join` moves a process into it."""

    def __init__(self, name: str):
        self.group = _control_groups() / name
        self.group.mkdir()
        self._map = _new_map()
        descriptor = os.open(self.group, os.O_RDONLY)
        self._programs = [_attach(hook, _program(hook, words, self._map), descriptor) for hook, (_, words) in HOOKS.items()]
        os.close(descriptor)

    def join(self) -> None:
        """Moves the calling process into the group: for the time between fork and exec."""
        (self.group / "cgroup.procs").write_text("0")

    def endpoints(self) -> set[Endpoint]:
        found: set[Endpoint] = set()
        key, following = ctypes.create_string_buffer(KEY.size), ctypes.create_string_buffer(KEY.size)
        attributes = struct.pack("=IIQQ", self._map, 0, 0, ctypes.addressof(following))
        with contextlib.suppress(FileNotFoundError):
            while True:
                _bpf(MAP_GET_NEXT_KEY, attributes)
                found.add(self._endpoint(following.raw))
                key.raw = following.raw
                attributes = struct.pack("=IIQQ", self._map, 0, ctypes.addressof(key), ctypes.addressof(following))
        assert len(found) < MOST_ENDPOINTS, "the record of connects is full"
        return found

    @staticmethod
    def _endpoint(key: bytes) -> Endpoint:
        hook, kind, words, port = KEY.unpack(key)
        name, offsets = HOOKS[hook]
        address = ipaddress.IPv4Address(words[:4]) if len(offsets) == 1 else ipaddress.IPv6Address(words)
        return Endpoint(name, "tcp" if kind == STREAM else "udp", address, struct.unpack("!H", struct.pack("=I", port)[:2])[0])

    def close(self) -> None:
        """Removes the group, and the programs with it. Its processes must have ended."""
        for descriptor in [self._map, *self._programs]:
            os.close(descriptor)
        self.group.rmdir()


# What answers a packet, and what the kernel sends by itself when an interface comes up, is not recorded.
PACKET_RULES = f"""
table inet recorder {{
  set ipv4 {{ type ipv4_addr . inet_proto . inet_service; size {MOST_ENDPOINTS}; flags dynamic; }}
  set ipv6 {{ type ipv6_addr . inet_proto . inet_service; size {MOST_ENDPOINTS}; flags dynamic; }}
  set others {{ type ipv4_addr; size 65536; flags dynamic; }}
  set others6 {{ type ipv6_addr; size 65536; flags dynamic; }}
  chain output {{
    type filter hook output priority -300;
    icmp type {{ destination-unreachable, time-exceeded, echo-reply }} return
    icmpv6 type {{ 1, 2, 3, 4, 130, 131, 132, 133, 143 }} return
    tcp flags & (ack | rst) != 0 return
    udp sport 53 return
    ip protocol {{ tcp, udp }} update @ipv4 {{ ip daddr . ip protocol . th dport }} return
    ip6 nexthdr {{ tcp, udp }} update @ipv6 {{ ip6 daddr . ip6 nexthdr . th dport }} return
    meta nfproto ipv4 update @others {{ ip daddr }}
    meta nfproto ipv6 update @others6 {{ ip6 daddr }}
  }}
}}
"""


class PacketRecorder:
    """Records the destination of each packet that a network namespace sends, on every interface."""

    def __init__(self, namespace):
        self._namespace = namespace
        namespace.nft(PACKET_RULES)

    def endpoints(self) -> set[Endpoint]:
        found = set()
        for name in ("ipv4", "ipv6", "others", "others6"):
            text = self._namespace.run("nft", "-j", "-n", "list", "set", "inet", "recorder", name)
            [elements] = [item["set"].get("elem", []) for item in json.loads(text)["nftables"] if "set" in item]
            assert len(elements) < 65536 or name in ("ipv4", "ipv6"), "the record of packets is full"
            found |= {self._endpoint(element) for element in elements}
        assert len(found) < MOST_ENDPOINTS, "the record of packets is full"
        return found

    @staticmethod
    def _endpoint(element) -> Endpoint:
        if isinstance(element, dict) and "elem" in element:
            element = element["elem"]["val"]
        if isinstance(element, str):
            return Endpoint("packet", "another protocol", ipaddress.ip_address(element), 0)
        address, protocol, port = element["concat"]
        transport = {6: "tcp", 17: "udp", "tcp": "tcp", "udp": "udp"}[protocol]
        return Endpoint("packet", transport, ipaddress.ip_address(address), int(port))
