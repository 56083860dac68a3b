"""What is in the image: only the program, its libraries, and the list of its software."""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import tarfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from support import containers
from support.connectd_process import REPOSITORY
from support.containers import podman

BASE = "docker.io/library/debian:bookworm-slim"


@pytest.fixture(scope="module")
def image():
    return containers.image()


def files_of(image: str) -> dict[str, tarfile.TarInfo]:
    """Every file of an image, as a container would begin with it."""
    name = podman("create", "--network=none", image, "true").stdout.strip()
    try:
        with (
            subprocess.Popen(
                ["podman", "export", name], stdout=subprocess.PIPE, env=containers.environment()
            ) as export,
            tarfile.open(fileobj=export.stdout, mode="r|") as archive,
        ):
            return {f"/{member.name}": member for member in archive}
    finally:
        podman("rm", "-f", name)


# Besides libraries and the package manager's own list: of Debian's packages, and ours.
ADDED = re.compile(
    r"/usr/local/bin/connectd|/usr/local/share/sbom/connectd\.cdx\.json|/etc/connectd/connectd\.yaml"
    r"|/usr/share/ca-certificates/.*|/etc/ssl/.*|/etc/ca-certificates.*|/usr/s?bin/(openssl|c_rehash|update-ca-certificates)"
    r"|/usr/share/doc/.+/copyright|/usr/share/lintian/.*|/etc/ld\.so\.cache|/var/cache/(ldconfig|debconf)/.*"
    r"|/var/lib/apt/extended_states|/etc/(hosts|hostname|resolv\.conf|mtab)"
)
LIBRARIES = re.compile(
    r"/usr/lib/(ssl/.*|[^/]+-linux-gnu/(engines-3|ossl-modules)/.*|[^/]+-linux-gnu/lib[a-z0-9-]+\.so[.0-9]*)"
)


def test_the_image_contains_nothing_else(image):
    """No package lists and caches, no documentation, no compiler, no source, no build files."""
    base, all_of_it = files_of(BASE), files_of(image)
    added = {
        path: member for path, member in all_of_it.items()
        if path not in base or (member.isfile() and member.size != base[path].size)
    }  # fmt: skip
    files = {path for path, member in added.items() if member.isfile() and not path.startswith("/var/lib/dpkg/")}
    assert not {path for path in files if not ADDED.fullmatch(path) and not LIBRARIES.fullmatch(path)}
    # Root owns what was added, and no other user may write to it.
    assert not {path for path, member in added.items() if member.uid != 0 or (member.isfile() and member.mode & 0o022)}
    # No program is setuid or has capabilities, however the container is started.
    assert not {path for path, member in all_of_it.items() if member.isfile() and member.mode & 0o6000}


@pytest.fixture(scope="module")
def program(image, tmp_path_factory) -> pathlib.Path:
    """A copy of the program in the image."""
    return copied(image, "/usr/local/bin/connectd", tmp_path_factory.mktemp("image"))


def copied(image: str, path: str, folder: pathlib.Path) -> pathlib.Path:
    content = podman("run", "--rm", "--network=none", "--entrypoint", "cat", image, path, binary=True).stdout
    copy = folder / path.rpartition("/")[2]
    copy.write_bytes(content)
    return copy


def test_the_program_contains_no_build_paths(program):
    content = program.read_bytes()
    assert len(content) > 5_000_000
    assert b"/source/" not in content and b"/root/" not in content


def test_the_program_is_hardened(program):
    done = subprocess.run([REPOSITORY / "scripts" / "check-hardening", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# With these, a program that got into the container could fetch or build others.
TOOLS = ("ar", "as", "c++", "cc", "clang", "curl", "gcc", "git", "ld", "make", "nc", "pip", "python3", "socat", "ssh",
         "swift", "telnet", "wget")  # fmt: skip


def test_the_image_has_no_compiler_and_no_download_tool(image):
    """Debian's shell and package manager are there. They need root and a writable file system to change anything."""
    programs = {path.rpartition("/")[2] for path in files_of(image) if re.match(r"/(usr/)?(local/)?s?bin/", path)}
    assert "sh" in programs and not programs & set(TOOLS)


@pytest.fixture(scope="module")
def settings(image) -> dict:
    return json.loads(podman("inspect", "--type", "image", image).stdout)[0]


def test_the_image_starts_the_program_as_another_user_than_root(settings):
    config = settings["Config"]
    assert config["User"] == "65532:65532" and config["StopSignal"] in ("15", "SIGTERM")
    assert config["Entrypoint"] == ["connectd"] and config["Cmd"] == ["serve", "--config", "/etc/connectd/connectd.yaml"]
    assert config["ExposedPorts"] == {"8080/tcp": {}} and not config.get("Volumes")
    assert {variable.partition("=")[0] for variable in config["Env"]} <= {"PATH", "container"}
    assert settings["Healthcheck"]["Test"] == ["CMD", "connectd", "healthcheck"]


WANTED = (
    "Package.swift", "Sources/connectd/Connectd.swift", "Sources/CLinux/shim.h", "Sources/CLinux/module.modulemap",
    "Sources/CSpecification/include/specification.h", "Tests/DNSTests/Dnsmasq.swift", "openapi/openapi.yaml",
    "deploy/image/connectd.yaml", "scripts/check-hardening", "scripts/sbom", "scripts/strip-program",
)  # fmt: skip


def test_secrets_do_not_enter_the_build(tmp_path):
    """`.dockerignore` lists what may enter the build. The context here has secrets that must stay out."""
    containers.image()
    for name in WANTED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("wanted\n")
    for name in (
        ".env", "tokens", "deploy/compose/tokens", "server.key", "Sources/.env", "Sources/connectd/server.key",
        "deploy/image/tokens", "scripts/release-key", "Tests/EndToEnd/ca.pem", ".git/config", ".build/x", "Tests/DNSTests/key.pem",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret\n")
    shutil.copy(REPOSITORY / ".dockerignore", tmp_path)
    (tmp_path / "Dockerfile").write_text(f"FROM {BASE}\nCOPY . /context\n")
    tag = "connectd:context-test"
    done = subprocess.run(
        ["buildah", "build", "--isolation=chroot", "--pull=never", "--network=host", "-t", tag, str(tmp_path)],
        capture_output=True, text=True, timeout=120, env=containers.environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    try:
        found = {
            path.removeprefix("/context/")
            for path, member in files_of(tag).items()
            if path.startswith("/context/") and member.isfile()
        }
    finally:
        podman("rmi", "-f", tag)
    assert found == set(WANTED)


@pytest.fixture(scope="module")
def sbom(image, settings, tmp_path_factory) -> dict:
    """The list of the software in the image, where its label says."""
    return json.loads(copied(image, settings["Labels"]["connectd.sbom"], tmp_path_factory.mktemp("sbom")).read_text())


def test_the_list_of_software_follows_the_schema(sbom):
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(sbom))
    assert error is None, error


def test_the_list_of_software_is_about_this_program(sbom, program, settings):
    listed = sbom["metadata"]["component"]
    assert listed["version"] == settings["Labels"]["org.opencontainers.image.version"]
    assert listed["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(program.read_bytes()).hexdigest()}]


def test_the_list_of_software_has_every_package_of_the_image(sbom, image):
    query = ("dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package} ${Version}\\n")
    shown = podman("run", "--rm", "--network=none", "--entrypoint", query[0], image, *query[1:]).stdout
    installed = {tuple(line.split(" ")[1:]) for line in shown.splitlines() if line.startswith("installed ")}
    listed = {(part["name"], part["version"]) for part in sbom["components"] if part["purl"].startswith("pkg:deb/")}
    assert len(installed) > 50 and listed == installed


def test_the_list_of_software_has_the_checksums_of_the_libraries(sbom, image, tmp_path):
    files = [file for part in sbom["components"] for file in part.get("components", [])]
    assert len(files) > 8
    paths = [path for path, member in files_of(image).items() if member.isfile()]
    for file in files:
        [path] = [path for path in paths if path.endswith(f"-linux-gnu/{file['name']}")]
        content = copied(image, path, tmp_path).read_bytes()
        assert file["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]


def test_its_labels_match_the_program(image):
    labels = json.loads(podman("inspect", "--type", "image", image).stdout)[0]["Labels"]
    said = podman("run", "--rm", "--network=none", image, "--version").stdout
    assert re.match(rf"connectd {re.escape(labels['org.opencontainers.image.version'])} \(", said)
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
