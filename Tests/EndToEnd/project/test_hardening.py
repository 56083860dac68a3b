"""The program's hardening, as the loader sees it."""

import json
import pathlib
import shutil
import subprocess

import pytest

from support.connectd_process import binary, clean_environment, release_binary

ROOT = pathlib.Path(__file__).parents[3]
PRELOADS = {
    "sets a variable": 'setenv("PRELOADED", "1", 1);',
    "removes its own variable": 'unsetenv("LD_PRELOAD");',
    "empties the environment": "clearenv();",
    "does nothing": "",
}


def check_hardening(program, *mode: str) -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / "scripts" / "check-hardening", program, *mode], capture_output=True, text=True)


def test_the_program_has_its_linker_hardening():
    done = check_hardening(binary(), "debug")
    assert done.returncode == 0, done.stderr


def test_a_release_is_hardened():
    done = check_hardening(release_binary())
    assert done.returncode == 0, done.stderr


HARDENED = [
    "-O2", "-pie", "-fPIE", "-Wl,-z,relro,-z,now,-z,noexecstack", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2",
]  # fmt: skip
WEAKNESSES = {
    "-no-pie -fno-pie": "is not position-independent",
    "-shared": "is a library",
    "-Wl,-z,norelro": "no segment that is read-only after relocation",
    "-Wl,-z,lazy": "resolves symbols lazily",
    "-Wl,-z,execstack": "has an executable stack",
    "-DTEXT_RELOCATION -Wl,-z,notext": "has relocations in its code",
    "-Wl,-rpath,/opt/lib": "has a RUNPATH",
    "-fno-stack-protector": "without a stack protector",
    "-U_FORTIFY_SOURCE": "without _FORTIFY_SOURCE",
}
HARDENED_SOURCE = """
#include <stdio.h>
#include <string.h>
#ifdef TEXT_RELOCATION
__asm__(".text; .quad puts");
#endif
int main(int count, char **words)
{
    char copy[64];
    memcpy(copy, words[0], strlen(words[0]) + (size_t)count);
    return puts(copy) < 0;
}
"""


def hardened_program(tmp_path, flags: str) -> pathlib.Path:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("not installed: gcc")
    source = tmp_path / "program.c"
    source.write_text(HARDENED_SOURCE)
    program = tmp_path / "program"
    subprocess.run([compiler, *HARDENED, source, "-o", program, *flags.split()], check=True, capture_output=True)
    return program


def test_a_hardened_program_passes_the_check(tmp_path):
    done = check_hardening(hardened_program(tmp_path, ""))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("flags", WEAKNESSES)
def test_each_missing_protection_fails_the_check(tmp_path, flags):
    done = check_hardening(hardened_program(tmp_path, flags))
    assert done.returncode == 1 and WEAKNESSES[flags] in done.stderr, done


def release_flags(target: str, tool: str) -> list[str]:
    """The flags in Package.swift for the release build of a target."""
    if shutil.which("swift") is None:
        pytest.skip("not installed: swift")
    command = ["swift", "package", "dump-package", "--ignore-lock"]
    package = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120).stdout)
    [settings] = [entry["settings"] for entry in package["targets"] if entry["name"] == target]
    used = [entry for entry in settings if entry["tool"] == tool and entry.get("condition", {}).get("config") != "debug"]
    return [flag for entry in used for flag in entry["kind"].get("unsafeFlags", {}).get("_0", [])]


# No function has a Swift value in memory, which would get Swift's own stack protector.
STACK = "public func hasClosed(_ descriptor: Int32) -> Bool { connectd_peer_has_closed(descriptor) > 0 }"
LENGTHS = """
public func set(_ descriptor: Int32, key: UnsafePointer<UInt8>, count: Int, of peer: UnsafePointer<sockaddr>) -> Bool {
    connectd_set_md5(descriptor, peer, 16, key, count) == 0
}
"""


def undefined_symbols(tmp_path, swift: str, flags: list[str]) -> str:
    """The symbols that a Swift file with one shim takes from libraries."""
    (tmp_path / "shims.swift").write_text(f"import CLinux\n{swift}")
    command = ["swiftc", "-O", "-c", "-parse-as-library", "-module-name", "Shims", "-I", ROOT / "Sources" / "CLinux"]
    subprocess.run([*command, tmp_path / "shims.swift", "-o", tmp_path / "shims.o", *flags], check=True, timeout=120)
    command = ["nm", "--undefined-only", tmp_path / "shims.o"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("target", ["SocketIO", "CheckEngine", "connectd"])
def test_the_c_shims_check_lengths_and_the_stack(tmp_path, target):
    """Swift compiles the inline functions of the shims with the flags of the target that imports them."""
    flags = release_flags(target, "swift")
    c_flags = [word for flag, following in zip(flags, flags[1:]) if flag == "-Xcc" for word in (flag, following)]
    assert "__stack_chk_fail" in undefined_symbols(tmp_path, STACK, c_flags)
    assert "__explicit_bzero_chk" in undefined_symbols(tmp_path, LENGTHS, c_flags)


def test_without_these_flags_the_shims_have_no_checks(tmp_path):
    """The test above can fail."""
    assert "_chk" not in undefined_symbols(tmp_path, STACK, []) and "_chk" not in undefined_symbols(tmp_path, LENGTHS, [])


def test_the_c_plus_plus_shim_checks_the_stack_and_the_library(tmp_path):
    """With the compiler of the toolchain, as `swift build` calls it."""
    flags = release_flags("CRE2", "cxx")
    assert "-D_FORTIFY_SOURCE=3" in flags
    compiler = pathlib.Path(shutil.which("swiftc")).resolve().with_name("clang++")
    shim = ROOT / "Sources" / "CRE2"
    command = [compiler, "-O2", "-fPIC", *flags, "-I", shim / "include", "-c", shim / "connectd_re2.cpp"]
    subprocess.run([*command, "-o", tmp_path / "shim.o"], check=True, timeout=120)
    symbols = subprocess.run(["nm", tmp_path / "shim.o"], check=True, capture_output=True, text=True).stdout
    assert "U __stack_chk_fail" in symbols and "__glibcxx_assert_fail" in symbols


def test_releases_have_no_runpath():
    for name in ("Makefile", "Dockerfile"):
        builds = [line for line in (ROOT / name).read_text().splitlines() if "swift build -c release" in line]
        assert builds and all("--disable-local-rpath" in line for line in builds), name


@pytest.mark.parametrize("what", PRELOADS)
def test_a_preloaded_library_does_not_hide_arguments(tmp_path, what):
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("not installed: a C compiler")
    source = tmp_path / "preload.c"
    source.write_text(
        "#define _GNU_SOURCE\n#include <stdlib.h>\n"
        f"__attribute__((constructor)) static void start(void) {{ {PRELOADS[what]} }}\n"
    )
    library = tmp_path / "preload.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    programs = [binary(), ROOT / ".build" / "release" / "connectd"]
    for program in (program for program in programs if pathlib.Path(program).exists()):
        answer = subprocess.run(
            [program, "errors", "ECONNREFUSED"],
            env={**clean_environment(), "LD_PRELOAD": str(library)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert answer.returncode == 0 and "ECONNREFUSED (111)" in answer.stdout, answer
