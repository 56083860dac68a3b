"""Ways to make system calls fail: a seccomp filter, a cgroup BPF program, a FUSE directory, a dead mount."""

import contextlib
import ctypes
import os
import pathlib
import platform
import select
import shutil
import struct
import subprocess
import threading

_libc = ctypes.CDLL(None, use_errno=True)
# Each architecture has its own numbers.
SYS_BPF, SYS_SOCKET = {"x86_64": (321, 41), "aarch64": (280, 198)}[platform.machine()]
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def seccomp_socket_refusal(family: int, number: int):
    """For the child before exec: socket(family, …) fails with this errno, as under RestrictAddressFamilies=."""
    instructions = b"".join(
        struct.pack("HBBI", *item)
        for item in (
            (0x20, 0, 0, 0),  # load the syscall number
            (0x15, 0, 3, SYS_SOCKET),
            (0x20, 0, 0, 16),  # load its first argument
            (0x15, 0, 1, family),
            (0x06, 0, 0, 0x00050000 | number),  # SECCOMP_RET_ERRNO
            (0x06, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
        )
    )
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = struct.pack("HxxxxxxQ", len(instructions) // 8, ctypes.addressof(buffer))

    def install() -> None:
        assert buffer is not None
        _check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(_libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0))

    return install


def _bpf(command: int, attributes: bytes) -> int:
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    return _check(_libc.syscall(SYS_BPF, command, buffer, len(attributes)))


@contextlib.contextmanager
def cgroup_that_forbids_connect(folder: str):
    """A version 2 cgroup whose connect4 program returns 0; yields a function that puts a process into it."""
    mount = pathlib.Path(folder) / "cgroup2"
    mount.mkdir()
    subprocess.run(["mount", "-t", "cgroup2", "none", str(mount)], check=True)
    group = mount / f"connectd-{os.getpid()}"
    program = -1
    try:
        group.mkdir()
        code = ctypes.create_string_buffer(
            struct.pack("<BBhi", 0xB7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0), 16
        )
        license = ctypes.create_string_buffer(b"GPL\0")
        load = struct.pack(
            "=IIQQIIQII16sII", 18, 2, ctypes.addressof(code), ctypes.addressof(license), 0, 0, 0, 0, 0, b"", 0, 10
        )  # CGROUP_SOCK_ADDR, expected attach type CGROUP_INET4_CONNECT
        program = _bpf(5, load)
        descriptor = os.open(group, os.O_RDONLY)
        try:
            _bpf(8, struct.pack("=IIII", descriptor, program, 10, 0))
        finally:
            os.close(descriptor)
        yield lambda pid: (group / "cgroup.procs").write_text(str(pid))
    finally:
        if program >= 0:
            os.close(program)
        with contextlib.suppress(OSError):
            for pid in (group / "cgroup.procs").read_text().split():
                (mount / "cgroup.procs").write_text(pid)
            group.rmdir()
        subprocess.run(["umount", "-l", str(mount)], check=False)
        shutil.rmtree(mount, ignore_errors=True)


class FailingFileSystem:
    """A FUSE mount in which the lookup of a name such as `e5` fails with errno 5, as with a broken disk or server."""

    def __init__(self, folder: str):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._descriptor = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self._descriptor},rootmode=40000,user_id=0,group_id=0,allow_other"
        source, kind = ctypes.c_char_p(b"connectd-test"), ctypes.c_char_p(b"fuse")
        try:
            _check(_libc.mount(source, folder.encode(), kind, 0, options.encode()))
        except OSError:
            os.close(self._descriptor)
            raise
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        while True:
            readable, _, _ = select.select([self._descriptor, self._wake_read], [], [])
            if self._wake_read in readable:
                return
            request = os.read(self._descriptor, 1 << 17)
            length, opcode, unique, _node = struct.unpack("=IIQQ", request[:24])
            error, body = self._answer(opcode, request[40:length])
            if opcode in (2, 42, 36):  # FORGET, BATCH_FORGET, INTERRUPT have no answer
                continue
            with contextlib.suppress(OSError):
                os.write(self._descriptor, struct.pack("=IiQ", 16 + len(body), -error, unique) + body)

    @staticmethod
    def _answer(opcode: int, body: bytes) -> tuple[int, bytes]:
        if opcode == 26:  # INIT
            return 0, struct.pack("=IIIIHHIIHHI28x", 7, 31, 65536, 0, 0, 0, 65536, 1, 0, 0, 0)
        if opcode == 3:  # GETATTR of the root
            return 0, struct.pack("=QII", 0, 0, 0) + struct.pack(
                "=QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 1, 0, 0, 0, 4096, 0
            )
        if opcode == 1:  # LOOKUP
            name = body.rstrip(b"\0")
            if name[:1] == b"e" and name[1:].isdigit():
                return int(name[1:]), b""
            return 2, b""
        return 38, b""

    def die(self) -> None:
        """Stops the server and keeps the mount, which then fails with ENOTCONN.

        The thread ends before its descriptor is closed. Otherwise it could read from a new file with the same number.
        """
        if self._descriptor < 0:
            return
        os.write(self._wake_write, b"x")
        self._thread.join()
        for descriptor in (self._descriptor, self._wake_read, self._wake_write):
            os.close(descriptor)
        self._descriptor = -1

    def remove(self) -> None:
        self.die()
        _libc.umount2(self.folder.encode(), 2)
