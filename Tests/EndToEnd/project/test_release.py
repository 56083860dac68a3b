"""scripts/release and scripts/verify-release on a copy of the files that it reads and changes; it needs no built program."""

import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
import tarfile

import pytest

from support.connectd_process import REPOSITORY

PLACES = runpy.run_path(str(REPOSITORY / "scripts" / "set-version"), run_name="set-version")["PLACES"]
EXTRAS = runpy.run_path(str(REPOSITORY / "scripts" / "release"), run_name="release")["EXTRAS"]
COPIED = {
    *PLACES, *EXTRAS, "openapi/generate", "openapi/page.py",
    *(f"scripts/{name}" for name in ("release", "set-version", "sbom", "strip-program", "verify-release")),
}  # fmt: skip
PINS = {
    "pins": [{"identity": "swift-log", "location": "https://github.com/apple/swift-log", "state": {"version": "1.16.2"}}]
}
CHANGES = "# Changes\n\n## Unreleased\n\n- A new flag.\n\n## 0.1.0\n\nThe first one.\n"


def run(*words, folder) -> subprocess.CompletedProcess:
    environment = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return subprocess.run([*map(str, words)], cwd=folder, capture_output=True, text=True, timeout=60, env=environment)


def git(folder, *words) -> str:
    done = run("git", "-c", "user.name=Test", "-c", "user.email=test@example.com", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_project(folder):
    """A repository at version 0.1.0 with one change that is not released."""
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    assert run(folder / "scripts/set-version", "0.1.0", folder=folder).returncode == 0
    (folder / "CHANGELOG.md").write_text(CHANGES)
    (folder / "Package.resolved").write_text(json.dumps(PINS))
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "Start")
    return folder


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


def program(folder, version: str):
    """A program that only prints its version. It is compiled, because strip(1) reads no scripts."""
    path = folder / "connectd"
    source = folder / "connectd.c"
    source.write_text(f'#include <stdio.h>\nint main(void) {{ puts("connectd {version} (libraries)"); }}\n')
    done = run("cc", "-o", path, source, folder=folder)
    assert done.returncode == 0, done.stderr
    return path


def release(project, *words) -> subprocess.CompletedProcess:
    return run(project / "scripts/release", *words, folder=project)


def test_a_release_has_an_archive_notes_and_checksums(project, tmp_path):
    done = release(project, "0.2.0", "--program", program(tmp_path, "0.2.0"), "--output", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    [archive] = (tmp_path / "out").glob("connectd-0.2.0-linux-*.tar.gz")
    assert (tmp_path / "out/NOTES.md").read_text() == "# connectd 0.2.0\n\n- A new flag.\n"
    sums = dict(reversed(line.split("  ")) for line in (tmp_path / "out/SHA256SUMS").read_text().splitlines())
    names = (archive.name, archive.name.replace(".tar.gz", ".cdx.json"), "NOTES.md")
    assert sums == {name: hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() for name in names}
    assert run("sha256sum", "--check", "SHA256SUMS", folder=tmp_path / "out").returncode == 0
    with tarfile.open(archive) as tar:
        entries = {entry.name: entry for entry in tar}
        top = archive.name.removesuffix(".tar.gz")
        assert set(entries) == {f"{top}/connectd", f"{top}/connectd.cdx.json"} | {f"{top}/{folder}{name.rpartition('/')[2]}" for name, folder in EXTRAS.items()}
        assert entries[f"{top}/connectd"].mode == 0o755 and entries[f"{top}/connectd"].uid == 0
        tar.extractall(tmp_path / "unpacked", filter="data")
    assert run(tmp_path / "unpacked" / top / "connectd", folder=tmp_path).stdout == "connectd 0.2.0 (libraries)\n"


@pytest.fixture(scope="module")
def signed_release(tmp_path_factory):
    """A folder with the files of a release that is signed with a new key, both keys, and their public part."""
    folder = tmp_path_factory.mktemp("signed")
    for name in ("release-key", "other-key"):
        assert run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name, folder=folder).returncode == 0
    key = (folder / "release-key.pub").read_text()
    (folder / "signers").write_text(f'releases@example.org namespaces="connectd-release" {key}')
    arguments = ("--program", program(folder, "0.2.0"), "--output", folder / "out", "--sign", folder / "release-key")
    done = release(make_project(folder / "project"), "0.2.0", *arguments)
    assert done.returncode == 0 and str(folder / "out/SHA256SUMS.sig") in done.stdout, done.stdout + done.stderr
    return folder


@pytest.fixture
def signed(signed_release, tmp_path):
    """A copy of these files that a test may change."""
    return shutil.copytree(signed_release, tmp_path / "signed") / "out"


def verify(files) -> subprocess.CompletedProcess:
    return run(REPOSITORY / "scripts/verify-release", files, files.parent / "signers", folder=files)


def test_a_signed_release_is_verified(signed):
    done = verify(signed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "signed by releases@example.org" in done.stdout and done.stdout.endswith("verified: 1 archive\n")


def test_a_release_is_verified_without_the_files_that_were_not_downloaded(signed):
    (signed / "NOTES.md").unlink()
    assert verify(signed).returncode == 0
    next(signed.glob("*.tar.gz")).unlink()
    done = verify(signed)
    assert done.returncode == 1 and "no connectd-*.tar.gz" in done.stderr


def sign_again(files, key: str, namespace: str = "connectd-release") -> None:
    (files / "SHA256SUMS.sig").unlink()
    done = run("ssh-keygen", "-Y", "sign", "-f", files.parent / key, "-n", namespace, files / "SHA256SUMS", folder=files)
    assert done.returncode == 0, done.stderr


def update_sums(files) -> None:
    """As someone who changes a file and its checksum, but has no key."""
    names = [line.split("  ")[1] for line in (files / "SHA256SUMS").read_text().splitlines()]
    lines = [f"{hashlib.sha256((files / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (files / "SHA256SUMS").write_text("".join(lines))


def other_archive(files) -> None:
    [archive] = files.glob("*.tar.gz")
    archive.rename(files / "connectd-0.1.9-linux-x86_64.tar.gz")


def archive_with_a_pattern_as_name(files) -> None:
    """Its name matches the line of the real archive, if it is read as a pattern."""
    [archive] = files.glob("*.tar.gz")
    archive.rename(files / "connectd-.*.tar.gz")


def other_program(files) -> None:
    """An archive whose list of software is about another program, with a valid signature."""
    [archive] = files.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(files / "unpacked", filter="data")
    (files / "unpacked" / archive.name.removesuffix(".tar.gz") / "connectd").write_text("other\n")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(files / "unpacked" / archive.name.removesuffix(".tar.gz"), archive.name.removesuffix(".tar.gz"))
    update_sums(files)
    sign_again(files, "release-key")


FORGERIES = {
    "a changed archive": (lambda files: [path.write_bytes(b"other") for path in files.glob("*.tar.gz")], "differs from SHA256SUMS"),
    "changed notes": (lambda files: (files / "NOTES.md").write_text("other\n"), "differs from SHA256SUMS"),
    "changed notes and checksums": (
        lambda files: [(files / "NOTES.md").write_text("other\n"), update_sums(files)], "does not match SHA256SUMS",
    ),
    "no signature": (lambda files: (files / "SHA256SUMS.sig").unlink(), "SHA256SUMS.sig is missing"),
    "another key": (lambda files: sign_again(files, "other-key"), "is not from a key"),
    "a signature for another purpose": (lambda files: sign_again(files, "release-key", "git"), "is not from a key|does not match"),
    "an archive that is not listed": (other_archive, "not in SHA256SUMS|differs from SHA256SUMS"),
    "an archive with a pattern as its name": (archive_with_a_pattern_as_name, "not in SHA256SUMS"),
    "an archive with another program": (other_program, "is about another program"),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_release_is_not_verified(signed, forgery):
    change, reason = FORGERIES[forgery]
    change(signed)
    done = verify(signed)
    assert done.returncode == 1 and re.search(reason, done.stderr), done.stdout + done.stderr


def test_a_key_that_does_not_exist_is_refused_at_once(project):
    done = release(project, "0.2.0", "--sign", "no-such-key")
    assert done.returncode == 1 and "no-such-key is not a file: name a private key" in done.stderr
    assert git(project, "status", "--porcelain") == ""


def test_a_release_without_a_signature_says_so(project, tmp_path):
    done = release(project, "0.2.0", "--program", program(tmp_path, "0.2.0"), "--output", tmp_path / "out")
    assert done.returncode == 0 and "give --sign KEY" in done.stderr


def test_a_release_sets_the_version_everywhere(project, tmp_path):
    assert release(project, "0.2.0", "--program", program(tmp_path, "0.2.0"), "--output", tmp_path).returncode == 0
    assert (project / "CHANGELOG.md").read_text() == CHANGES.replace("## Unreleased\n", "## Unreleased\n\n## 0.2.0\n")
    changed = set(git(project, "diff", "--name-only").split())
    assert {*PLACES, "CHANGELOG.md"} <= changed
    assert '"0.2.0"' in (project / "Sources/connectd/Connectd.swift").read_text()


def test_a_second_run_makes_the_same_archive(project, tmp_path):
    built = program(tmp_path, "0.2.0")
    for out in ("a", "b"):
        assert release(project, "0.2.0", "--program", built, "--output", tmp_path / out).returncode == 0
    assert (tmp_path / "a/SHA256SUMS").read_text() == (tmp_path / "b/SHA256SUMS").read_text()


def test_a_dry_run_changes_nothing(project):
    done = release(project, "0.2.0", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "from 0.1.0 to 0.2.0" in done.stdout and "- A new flag." in done.stdout and "make release" in done.stdout
    assert git(project, "status", "--porcelain", "--ignored") == ""


@pytest.mark.parametrize(("version", "reason"), [
    ("0.0.9", "0.0.9 is older than 0.1.0"), ("0.2", "'0.2' is not a version"), ("v0.2.0", "'v0.2.0' is not a version"),
    ("0.02.0", "'0.02.0' is not a version"), ("0.3.0", "the tag v0.3.0 exists"),
])  # fmt: skip
def test_a_wrong_version_is_refused(project, version, reason):
    git(project, "tag", "v0.3.0")
    done = release(project, version)
    assert done.returncode == 1 and done.stderr.startswith(f"release: {reason}"), done.stderr
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize("changelog", [
    CHANGES.replace("- A new flag.\n\n", ""), CHANGES.replace("## Unreleased\n\n- A new flag.\n\n", ""),
])  # fmt: skip
def test_a_release_without_changes_is_refused(project, changelog):
    (project / "CHANGELOG.md").write_text(changelog)
    done = release(project, "0.2.0", "--dry-run")
    assert done.returncode == 1 and "CHANGELOG.md has no" in done.stderr


def test_changes_that_are_not_committed_are_refused(project):
    (project / "README.md").write_text("changed\n")
    done = release(project, "0.2.0")
    assert done.returncode == 1 and "not committed" in done.stderr


def test_a_program_of_another_version_is_refused(project, tmp_path):
    done = release(project, "0.2.0", "--program", program(tmp_path, "0.1.0"), "--output", tmp_path / "out")
    assert done.returncode == 1 and "not version 0.2.0" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_project_itself_could_be_released():
    """With the version of the sources or the next one: the checks pass, but nothing is built."""
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    if run("git", "rev-parse", "HEAD", folder=REPOSITORY).returncode != 0:
        pytest.skip("not a checkout of git")
    assert "## Unreleased" in changelog
    done = run(REPOSITORY / "scripts/release", "999.0.0", "--dry-run", folder=REPOSITORY)
    assert done.returncode == 0 and done.stdout.count("\n- ") > 0, done.stderr
