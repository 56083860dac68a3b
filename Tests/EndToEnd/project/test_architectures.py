"""arm64: no file names one architecture, and the C code that uses the kernel compiles for arm64."""

import pathlib
import re
import shutil
import subprocess

import pytest

from support.connectd_process import REPOSITORY

# Where the Debian package libc6-dev-arm64-cross puts glibc's and the kernel's headers.
HEADERS = pathlib.Path("/usr/aarch64-linux-gnu/include")


def sources():
    yield REPOSITORY / "Dockerfile"
    yield REPOSITORY / "Package.swift"
    for suffix in ("swift", "h", "c", "modulemap"):
        yield from (REPOSITORY / "Sources").rglob(f"*.{suffix}")


@pytest.mark.parametrize(
    "named",
    [
        r"x86|amd64-|aarch64|linux-gnu|#if\s+arch\(",
        # Numbers of system calls and of open(2) flags differ between architectures.
        r"\bsyscall\(\s*\d|\bSYS_\w+\s*=\s*\d|\bO_[A-Z]+\s*=\s*[0-9]",
        # A pointer on one and a structure on the other: two types in Swift.
        r"\bCVaListPointer\b|\bwithVaList\b|\bFloat80\b",
    ],
)
def test_no_file_names_one_architecture(named):
    found = [
        f"{path.relative_to(REPOSITORY)}: {line.strip()}"
        for path in sources()
        for line in path.read_text().splitlines()
        if re.search(named, line) and not line.lstrip().startswith(("//", "# "))
    ]
    assert not found, found


@pytest.mark.parametrize("shim", ["CLinux/shim.h", "CSpecification/specification.c"])
def test_c_compiles_for_arm64(shim, tmp_path):
    swift = shutil.which("swift")
    clang = pathlib.Path(swift).resolve().parent / "clang" if swift else None
    if clang is None or not clang.is_file():
        pytest.skip("the toolchain of Swift, with its clang, is not installed")
    if not HEADERS.is_dir():
        pytest.skip("libc6-dev-arm64-cross is not installed")
    path = tmp_path / "it.c"
    # The packed structure of amd64 has 12 bytes: Swift has to count with the one that the header says.
    path.write_text(
        f'#include "{REPOSITORY / "Sources" / shim}"\n#include <sys/epoll.h>\n'
        '_Static_assert(sizeof(struct epoll_event) == 16, "not for arm64");\n'
    )
    done = subprocess.run(
        [clang, "--target=aarch64-linux-gnu", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-nostdlibinc"]
        + ["-isystem", HEADERS, "-I", REPOSITORY / "Sources" / "CSpecification" / "include", path],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
