"""The program's hardening, as the loader sees it."""

import pathlib
import shutil
import subprocess

import pytest

from support.connectd_process import binary, clean_environment

ROOT = pathlib.Path(__file__).parents[3]
PRELOADS = {
    "sets a variable": 'setenv("PRELOADED", "1", 1);',
    "removes its own variable": 'unsetenv("LD_PRELOAD");',
    "empties the environment": "clearenv();",
    "does nothing": "",
}


def test_the_program_has_its_linker_hardening():
    subprocess.run([ROOT / "scripts" / "check-hardening", binary(), "debug"], check=True)


def test_a_release_is_hardened():
    release = ROOT / ".build" / "release" / "connectd"
    if not release.exists():
        pytest.skip("not built: make release")
    subprocess.run([ROOT / "scripts" / "check-hardening", release], check=True)


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
