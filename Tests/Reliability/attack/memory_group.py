"""A control group with a memory limit and without swap, for one process. Versions 1 and 2 of cgroups."""

import os
import pathlib

from support.waiting import wait_until

MOUNTS = pathlib.Path("/sys/fs/cgroup")


class MemoryGroup:
    """A context manager: creates the group, and removes it when its processes have ended."""

    def __init__(self, name: str, limit_bytes: int):
        self.limit_bytes = limit_bytes
        self.is_unified = (MOUNTS / "cgroup.controllers").is_file()
        self.path = (MOUNTS if self.is_unified else MOUNTS / "memory") / name

    def __enter__(self) -> "MemoryGroup":
        if self.is_unified:
            (MOUNTS / "cgroup.subtree_control").write_text("+memory")
        self.path.mkdir()
        self._write("memory.max" if self.is_unified else "memory.limit_in_bytes", self.limit_bytes)
        if self.is_unified:
            self._write("memory.swap.max", 0)
        else:
            self._write("memory.swappiness", 0)
            # Version 1 counts socket buffers separately, and only with a limit. Version 2 counts them always.
            self._write("memory.kmem.tcp.limit_in_bytes", 1 << 40)
        return self

    def __exit__(self, *_) -> None:
        # A process that was killed may take a moment to leave it.
        wait_until(lambda: self.path.rmdir() is None, 10, f"{self.path} is empty", 0.1)

    def join(self) -> None:
        """Moves the calling process into the group."""
        self._write("cgroup.procs", os.getpid())

    @property
    def wrapper(self) -> tuple[str, ...]:
        """A command that runs another one. It mounts the groups, because `ip netns exec` replaces /sys."""
        if self.is_unified:
            mounts = f"mount -t cgroup2 cgroup {MOUNTS}"
        else:
            memory = MOUNTS / "memory"
            mounts = f"mount -t tmpfs tmpfs {MOUNTS} && mkdir {memory} && mount -t cgroup -o memory cgroup {memory}"
        return "sh", "-c", f'{mounts} && exec "$@"', "sh"

    @property
    def socket_bytes(self) -> int:
        """The memory of TCP buffers, which is part of `usage_bytes` in version 2 only."""
        if self.is_unified:
            return self._numbers("memory.stat")["sock"]
        return int(self._read("memory.kmem.tcp.usage_in_bytes"))

    @property
    def usage_bytes(self) -> int:
        return int(self._read("memory.current" if self.is_unified else "memory.usage_in_bytes"))

    @property
    def kills(self) -> int:
        """How many processes the kernel has killed for lack of memory."""
        return self._numbers("memory.events" if self.is_unified else "memory.oom_control")["oom_kill"]

    def _numbers(self, file: str) -> dict[str, int]:
        return {name: int(value) for name, value in (line.split() for line in self._read(file).splitlines())}

    def _read(self, file: str) -> str:
        return (self.path / file).read_text()

    def _write(self, file: str, value: int) -> None:
        (self.path / file).write_text(str(value))
