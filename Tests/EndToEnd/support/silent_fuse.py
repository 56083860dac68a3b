"""A FUSE file system that never answers: every access blocks until it is unmounted."""

import contextlib
import ctypes
import os
import select
import struct

INIT = 26
_MNT_FORCE, _MNT_DETACH = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


def missing() -> str | None:
    """Why it cannot be used here; None if it can."""
    if os.geteuid() != 0:
        return "mounting a file system needs root"
    return None if os.path.exists("/dev/fuse") else "there is no /dev/fuse"


class SilentMount:
    """Requests stay in the kernel's queue, where a process that waits for one can still be killed.

    If the server had read a request, the process would wait for it forever, even while it exits."""

    def __init__(self, folder: str):
        self.folder = folder
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if _libc.mount(b"silent", folder.encode(), b"fuse", 2 | 4, options) != 0:
            number = ctypes.get_errno()
            os.close(self._device)
            raise OSError(number, f"mount: {os.strerror(number)}")
        self._answer_init()

    def _answer_init(self) -> None:
        assert select.select([self._device], [], [], 10)[0], "the kernel asks first"
        request = os.read(self._device, 1 << 17)
        _, operation, unique = struct.unpack_from("<IIQ", request)
        assert operation == INIT
        body = struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 12, 9, 4096, 1, 1, 0, 0)
        os.write(self._device, struct.pack("<IiQ", 16 + len(body), 0, unique) + body)

    @property
    def was_asked(self) -> bool:
        """Whether a request waits for an answer."""
        return bool(select.select([self._device], [], [], 0)[0])

    def remove(self) -> None:
        """Blocked callers get an error."""
        _libc.umount2(self.folder.encode(), _MNT_FORCE)
        _libc.umount2(self.folder.encode(), _MNT_DETACH)
        os.close(self._device)


@contextlib.contextmanager
def silent_mount(folder: str):
    made = SilentMount(folder)
    try:
        yield made
    finally:
        made.remove()
