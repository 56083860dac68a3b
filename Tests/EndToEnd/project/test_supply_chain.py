"""What the program and the image are made of: exact versions, base images by digest, and the list of the software."""

import hashlib
import json
import pathlib
import re
import runpy
import shutil
import subprocess
import sys

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import get_spdx_licensing
from packageurl import PackageURL

from support.connectd_process import REPOSITORY, release_binary

SBOM = REPOSITORY / "scripts" / "sbom"
TESTS = REPOSITORY / "Tests" / "EndToEnd"
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
RESOLVED = REPOSITORY / "Package.resolved"


def names(text: str) -> dict[str, str]:
    """The names and versions in a list of Python packages; without comments and options."""
    lines = [line for line in text.splitlines() if line and line[0] not in "#-"]
    found = dict(re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?(.*)", line).groups() for line in lines)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found.items()}


def test_swift_packages_have_exact_versions():
    manifest = (REPOSITORY / "Package.swift").read_text()
    packages = re.findall(r"\.package\(.*", manifest)
    assert packages and all(re.search(r'exact: "\d+\.\d+\.\d+"\)', line) for line in packages), packages


@pytest.mark.parametrize("path", sorted(TESTS.glob("requirements*.txt")), ids=lambda path: path.name)
def test_python_packages_have_exact_versions(path):
    text = path.read_text()
    [constraints] = re.findall(r"(?m)^-c (.+)$", text)
    wanted, locked = names(text), names((TESTS / constraints).read_text())
    assert wanted and all(re.fullmatch(r"==[\w.]+", version) for version in (*wanted.values(), *locked.values()))
    assert wanted.items() <= locked.items()


def test_the_installed_python_packages_are_those_of_the_list():
    done = subprocess.run([sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, timeout=60, check=True)
    installed, locked = names(done.stdout), names((TESTS / "constraints.txt").read_text())
    assert not {name for name, version in installed.items() if name in locked and locked[name] != version}
    assert names((TESTS / "requirements.txt").read_text()).keys() <= installed.keys()


def bases() -> list[str]:
    """The images that the Dockerfile takes from a registry, with the last stage's one at the end."""
    stages = dict(re.findall(r"(?m)^FROM (\S+) AS (\S+)$", DOCKERFILE))
    own = {name: base for base, name in stages.items()}
    final = re.findall(r"(?m)^FROM (\S+)$", DOCKERFILE)[-1]
    external = [base for base in re.findall(r"(?m)^FROM (\S+)", DOCKERFILE) if base not in own]
    return [*external, own.get(final, final)]


def test_base_images_have_a_version_and_a_digest():
    for base in bases():
        assert re.fullmatch(r"(swift:\d+\.\d+\.\d+-bookworm|debian:bookworm-\d{8}-slim)@sha256:[0-9a-f]{64}", base), base


def test_the_labels_name_the_base_image():
    name, digest = bases()[-1].split("@")
    assert f'image.base.name="docker.io/library/{name}"' in DOCKERFILE
    assert f'image.base.digest="{digest}"' in DOCKERFILE


def test_the_dockerfile_takes_nothing_else_from_the_network():
    """Except for Debian packages and the Swift packages in Package.swift."""
    assert not re.search(r"(?m)^ADD |https?://|\b(curl|wget|pip3?|npm|git) ", re.sub(r"(?m)^#.*", "", DOCKERFILE))


def hadolint(path: pathlib.Path) -> subprocess.CompletedProcess:
    found = shutil.which("hadolint") or shutil.which("hadolint", path=str(pathlib.Path(sys.executable).parent))
    assert found, "hadolint is not installed: make venv brings it"
    return subprocess.run([found, path], capture_output=True, text=True, timeout=60)


def test_hadolint_accepts_the_dockerfile():
    done = hadolint(REPOSITORY / "Dockerfile")
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


def test_hadolint_finds_mistakes(tmp_path):
    (tmp_path / "Dockerfile").write_text(re.sub(r"(?m)^# hadolint ignore=.*\n", "", DOCKERFILE))
    done = hadolint(tmp_path / "Dockerfile")
    assert done.returncode == 1 and "DL3008" in done.stdout


def make_sbom(program, *arguments: str) -> str:
    command = [SBOM, "--program", program, "--version", "1.2.3", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sbom() -> dict:
    if not RESOLVED.exists():
        pytest.skip("no Package.resolved: swift package resolve")
    return json.loads(make_sbom(release_binary()))


def test_the_list_follows_the_schema(sbom):
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(sbom))
    assert error is None, error
    broken = {**sbom, "components": [{"type": "library"}]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


def test_the_same_input_gives_the_same_list(sbom, tmp_path):
    copy = shutil.copy(release_binary(), tmp_path)
    assert json.loads(make_sbom(copy)) == sbom
    with open(copy, "ab") as file:
        file.write(b"\0")
    other = json.loads(make_sbom(copy))
    assert other["serialNumber"] != sbom["serialNumber"]
    assert other["components"] == sbom["components"]


def test_the_list_names_the_program_by_its_checksum(sbom):
    program = sbom["metadata"]["component"]
    assert (program["name"], program["version"]) == ("connectd", "1.2.3")
    assert program["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(release_binary().read_bytes()).hexdigest()}]


def test_the_list_has_every_swift_package_at_its_version(sbom):
    pins = {pin["identity"]: pin["state"]["version"] for pin in json.loads(RESOLVED.read_text())["pins"]}
    listed = {part["name"]: part["version"] for part in sbom["components"] if part["purl"].startswith("pkg:swift/")}
    assert listed == pins
    version = re.search(r"Swift version ([0-9.]+)", subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout)[1]
    parts = {part["name"]: part["version"] for part in sbom["components"] if part["name"].startswith("swift")} | pins
    assert {name for name, used in parts.items() if used == version and name not in pins} == {
        "swift", "swift-foundation", "swift-corelibs-libdispatch", "swift-toolchain",
    }  # fmt: skip


def test_the_list_has_every_linked_library_with_its_checksum(sbom):
    """As the loader finds them on this machine."""
    loaded = subprocess.run(["ldd", release_binary()], capture_output=True, text=True, check=True).stdout
    needed = subprocess.run(["readelf", "-d", release_binary()], capture_output=True, text=True, check=True).stdout
    wanted = {}
    for name, path in re.findall(r"(\S+) => (/\S+)", loaded):
        if f"[{name}]" in needed and "/swift/" not in path:
            real = pathlib.Path(path).resolve()
            wanted[real.name] = hashlib.sha256(real.read_bytes()).hexdigest()
    files = [file for part in sbom["components"] for file in part.get("components", [])]
    listed = {file["name"]: file["hashes"][0]["content"] for file in files}
    assert len(wanted) > 8 and wanted.items() <= listed.items()


def test_each_part_has_a_package_url_and_each_linked_one_a_license(sbom):
    for part in sbom["components"]:
        url = PackageURL.from_string(part["purl"])
        assert url.name == part["name"] and url.version in (part["version"], f"swift-{part['version']}-RELEASE"), part["purl"]
    linked = [part for part in sbom["components"] if part.get("components") or not part["purl"].startswith("pkg:deb/")]
    for part in linked:
        [license] = part["licenses"]
        assert get_spdx_licensing().validate(license["expression"]).errors == [], part["name"]


def test_the_list_says_what_depends_on_what(sbom):
    graph = {entry["ref"]: entry["dependsOn"] for entry in sbom["dependencies"]}
    program = graph[sbom["metadata"]["component"]["bom-ref"]]
    # Loaded instead of linked.
    assert any("libnats3.4@" in ref for ref in program)
    assert any("libmicrohttpd12@" in ref for ref in program) and not any("libgnutls30@" in ref for ref in program)
    [http] = [refs for ref, refs in graph.items() if "libmicrohttpd12@" in ref]
    assert any("libgnutls30@" in ref for ref in http)
    known = {part["bom-ref"] for part in sbom["components"]}
    assert all(set(refs) <= known for refs in graph.values())


def test_licenses_of_swift_packages_are_those_of_their_sources():
    licenses = runpy.run_path(str(SBOM), run_name="sbom")["PACKAGE_LICENSES"]
    checkouts = REPOSITORY / ".build" / "checkouts"
    if not checkouts.exists():
        pytest.skip("no .build/checkouts: swift package resolve")
    for name, license in licenses.items():
        text = (checkouts / name / "LICENSE.txt").read_text()
        assert "Apache License" in text and ("Runtime Library Exception" in text) == ("Swift-exception" in license), name


def test_an_unknown_swift_package_is_an_error(tmp_path):
    pins = {"pins": [{"identity": "swift-nio", "location": "https://github.com/apple/swift-nio", "state": {"version": "2.0.0"}}]}
    (tmp_path / "Package.resolved").write_text(json.dumps(pins))
    command = [SBOM, "--program", release_binary(), "--version", "1.2.3", "--resolved", tmp_path / "Package.resolved"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "the license of the Swift package swift-nio is unknown" in done.stderr


MODULE = """
public struct Counter {
    var count = 0
    public mutating func add(_ number: Int) throws -> Int { count += number; return count }
}
"""


def stripped_library(folder: pathlib.Path) -> str:
    """The checksum of a Swift library that is built in this folder, as scripts/strip-program copies it."""
    folder.mkdir()
    (folder / "Counter.swift").write_text(MODULE)
    command = ["swiftc", "-O", "-g", "-wmo", "-parse-as-library", "-module-name", "Counter", "-emit-library"]
    build = [*command, "-use-ld=lld", "-Xlinker", "--build-id=none", folder / "Counter.swift", "-o", folder / "library"]
    subprocess.run(build, check=True, timeout=120, cwd=folder)
    subprocess.run([REPOSITORY / "scripts" / "strip-program", folder / "library", folder / "copy"], check=True)
    assert str(folder).encode() in (folder / "library").read_bytes()
    return hashlib.sha256((folder / "copy").read_bytes()).hexdigest()


def test_the_folder_of_the_build_does_not_change_a_stripped_program(tmp_path):
    assert stripped_library(tmp_path / "a") == stripped_library(tmp_path / "another-folder")
