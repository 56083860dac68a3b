"""The page through which the driver tells shim.c which call fails, and reads which calls there were."""

import dataclasses
import mmap
import pathlib
import struct

NAME_BYTES, SITE_BYTES = 48, 180
# `struct control` of shim.c, up to the counters.
HEADER = struct.Struct(f"=IIiiqiiqi{SITE_BYTES}s")
PAGE_BYTES = 256 << 10


@dataclasses.dataclass(frozen=True, order=True)
class Call:
    """A function and the object that calls it, such as recv of libmicrohttpd."""

    function: str
    caller: str

    def __str__(self) -> str:
        return f"{self.function}@{self.caller.removeprefix('lib').removesuffix('.so')}"


@dataclasses.dataclass(frozen=True)
class Injection:
    call: Call
    ordinal: int
    error: int
    is_persistent: bool = False


class SharedPage:
    """A file that the program under test maps. Each program that starts with it writes the names of the functions."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        with path.open("wb") as file:
            file.truncate(PAGE_BYTES)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), PAGE_BYTES)
        self._write(-1, -1, 0, 0, False)
        self._functions: list[str] = []
        self._callers: list[str] = []

    def environment(self, shim: pathlib.Path) -> dict[str, str]:
        return {"LD_PRELOAD": str(shim), "TORTURE_CONTROL": str(self.path), "SWIFT_BACKTRACE": "enable=no",
                "ASAN_OPTIONS": "verify_asan_link_order=0:detect_stack_use_after_return=0:detect_leaks=1:allocator_may_return_null=1"}  # fmt: skip

    def _write(self, function: int, caller: int, ordinal: int, error: int, is_persistent: bool) -> None:
        # The function is written last: it arms the call.
        struct.pack_into("=iqii", self._map, 12, caller, ordinal, error, is_persistent)
        struct.pack_into("=qi", self._map, 32, 0, 0)
        self._map[44 : 44 + SITE_BYTES] = bytes(SITE_BYTES)
        struct.pack_into("=i", self._map, 8, function)

    @property
    def has_names(self) -> bool:
        return bool(self._functions)

    def read_names(self) -> None:
        """Call it once a program has started."""
        functions, callers = struct.unpack_from("=II", self._map, 0)
        assert functions and callers, "the program did not load the shim"
        start = HEADER.size + 8 * callers + 8 * functions * callers
        names = [self._name(start + NAME_BYTES * index) for index in range(functions + callers)]
        self._functions, self._callers = names[:functions], names[functions:]

    def _name(self, offset: int) -> str:
        return self._map[offset : offset + NAME_BYTES].split(b"\0")[0].decode()

    def reset(self) -> None:
        """Sets all counts of calls to zero, for a program that runs or is about to start."""
        start, size = self._counters()
        self._map[start : start + size] = bytes(size)

    def _counters(self) -> tuple[int, int]:
        callers = len(self._callers)
        return HEADER.size + 8 * callers, 8 * len(self._functions) * callers

    def counts(self) -> dict[Call, int]:
        """The calls since `reset`."""
        start, size = self._counters()
        numbers = iter(struct.unpack_from(f"={size // 8}q", self._map, start))
        return {Call(function, caller): count for function in self._functions for caller in self._callers if (count := next(numbers))}

    def arm(self, injection: Injection) -> None:
        self.disarm()
        self.reset()
        call = injection.call
        self._write(
            self._functions.index(call.function), self._callers.index(call.caller), injection.ordinal, injection.error,
            injection.is_persistent,
        )  # fmt: skip

    def disarm(self) -> None:
        struct.pack_into("=i", self._map, 8, -1)

    @property
    def injected(self) -> int:
        """How many calls have failed since `arm`."""
        return struct.unpack_from("=q", self._map, 32)[0]

    @property
    def site(self) -> str:
        """Where the first of them was called: a place in OpenSSL's source, or an object and an offset."""
        return bytes(self._map[44 : 44 + SITE_BYTES]).split(b"\0")[0].decode(errors="replace")

    @property
    def live_allocations(self) -> dict[str, int]:
        """By library, the allocations that were not freed. An allocation that another library frees makes it inexact."""
        numbers = struct.unpack_from(f"={len(self._callers)}q", self._map, HEADER.size)
        return dict(zip(self._callers, numbers))
