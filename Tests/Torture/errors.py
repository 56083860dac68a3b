"""The errors that each function can fail with, and which of them say something about the peer."""

import errno

# The peer's own errors: a check of it may say so, and its connection may just end.
FROM_PEER = {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN, errno.ECONNABORTED}
# They cause another try, so the result must not change.
TRIED_AGAIN = {errno.EINTR}

_NO_DESCRIPTOR = ("EMFILE", "ENFILE", "ENOMEM")
_FILE = ("EIO", "ENOMEM", "EACCES")
_BY_FUNCTION = {
    "socket": ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"),
    "socketpair": _NO_DESCRIPTOR,
    # EADDRINUSE would be the fault of the request that asked for the port.
    "bind": ("ENOMEM",),
    "listen": ("EADDRINUSE", "ENOMEM"),
    "connect": ("ENOBUFS", "ENOMEM"),
    "accept4": ("EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ECONNABORTED", "EINTR"),
    "getsockname": ("ENOBUFS",),
    "getpeername": ("ENOBUFS", "ENOTCONN"),
    "getsockopt": ("ENOBUFS", "ENOMEM"),
    "setsockopt": ("ENOMEM",),
    "shutdown": ("ENOTCONN",),
    "recv": ("ENOMEM", "EINTR", "ECONNRESET"),
    "recvfrom": ("ENOMEM", "EINTR", "ECONNRESET"),
    "recvmsg": ("ENOMEM", "EINTR", "EAGAIN"),
    "send": ("ENOBUFS", "ENOMEM", "EINTR", "ECONNRESET", "EPIPE"),
    "sendto": ("ENOBUFS", "ENOMEM", "EINTR"),
    "sendmsg": ("ENOBUFS", "ENOMEM", "EINTR", "ECONNRESET"),
    "read": ("EIO", "EINTR"),
    "write": ("EIO", "ENOSPC", "EINTR", "EAGAIN"),
    # Of a datagram socket of c-ares.
    "writev": ("ENOBUFS", "ENOMEM", "EINTR"),
    "readlink": ("ENOMEM",),
    "readlinkat": ("ENOMEM",),
    "pread": ("EIO", "EINTR"),
    "epoll_create1": _NO_DESCRIPTOR,
    "epoll_ctl": ("ENOSPC", "ENOMEM"),
    "epoll_wait": ("EINTR",),
    "epoll_pwait2": ("EINTR", "ENOSYS", "EPERM"),
    "poll": ("ENOMEM", "EINTR"),
    "eventfd": _NO_DESCRIPTOR,
    "signalfd": _NO_DESCRIPTOR,
    "fcntl": ("EMFILE", "ENOMEM"),
    "dup3": ("EMFILE", "EINTR"),
    "close": ("EIO", "EINTR"),
    "open": ("EMFILE", "ENFILE", *_FILE),
    "openat2": ("EMFILE", "ENFILE", *_FILE, "ENOSYS"),
    "statx": (*_FILE, "ENOSYS"),
    "fopen": ("EMFILE", *_FILE),
    "opendir": ("EMFILE", *_FILE),
    "pthread_create": ("EAGAIN",),
    "pthread_attr_init": ("ENOMEM",),
    "mmap": ("ENOMEM",),
    "getentropy": ("EIO",),
    "getifaddrs": ("EMFILE", "ENOMEM"),
    "setpriority": ("EACCES",),
}
_FILE_FUNCTIONS = {"stat", "lstat", "fstat", "fstatfs", "access", "chmod", "unlink", "rename", "readdir"}
# Without an errno of their own.
_NO_MEMORY = ("ENOMEM",)


def errors_of(function: str) -> list[int]:
    """The most plausible one first."""
    names = _BY_FUNCTION.get(function) or (_FILE if function in _FILE_FUNCTIONS else _NO_MEMORY)
    return [getattr(errno, name) for name in names]
