"""Patterns of modules: generated patterns have the same matches as in Debian's blackbox_exporter, which uses Go's regexp.

One process of each service has all modules that load. A peer sends the same lines to both, and each module expects its
pattern several times: what it sends back are the groups of each match, so that one probe compares many lines.
"""

import random
import re
import shutil
import signal
import subprocess
import urllib.parse

import pytest
import yaml

from support import tls_peers
from support.blackbox_exporter import EXPORTER, LOOPBACK, wait_for
from support.connectd_process import Connectd, binary
from support.http_client import Client, tcp_connector
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(shutil.which(EXPORTER) is None, reason=f"not installed: {EXPORTER}")

PORT, REFERENCE_PORT = 8251, 9125
SEED = 11
COUNT = 1500
LINES = 40
MATCHES = 8

ATOMS = [
    "a", "b", "é", "x", "K", "ſ", "ß", "Σ", "日", ".", "^", "$", r"\b", r"\B", r"\A", r"\z", "[a-c]", "[^a]", "[é-ü]",
    "[[:alpha:]]", "[^[:digit:]]", r"[\d\-x]", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\pL", r"\PL", r"\pN",
    r"\p{Greek}", r"\p{^Greek}", r"[\pN\x{100}]", r"\x41", r"\x{e9}", r"\x{10FFFF}", r"\x{FFFD}", r"\Q.*\E", r"\07",
    r"\t", "[]a]", "[^]a]", "()", "(a|)", "(|b)", "(?:)", "-", r"\-", r"\_", "[a-]", "[日-本]",
]
QUANTIFIERS = ["", "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,3}", "{2,}", "{1,2}?", "{,3}", "{01}"]
GROUPS = ["(", "(?:", "(?P<n>", "(?P<m>", "(?i:", "(?s:", "(?U:", "(?-i:", "(?is-m:"]
FLAGS = ["", "", "", "(?i)", "(?s)", "(?m)", "(?U)", "(?i-s)"]
# Read by neither: lookaround, backreferences, possessive quantifiers, atomic groups, PCRE's escapes, large repeats.
REFUSED = [
    "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", r"(a)\1", r"\8", "a++", "a**", "a{2}{3}", "(?>a)", r"\Z", r"\G", r"\K", r"\h",
    r"\R", r"\X", r"\C", r"\N", r"\e", "(?#c)", "(?P=n)", "(?P>n)", "(?x)a", "a{1001}", "(a{100}){11}", "a{3,1}",
    "a{99999999999}", "(", ")", "[a", "[b-a]", r"[a-\d]", "[[:foo:]]", r"\p{Klingon}", r"\x{110000}", r"\x4", "*a", "a|*",
    "(?P<é>a)", "(?P<n", "(?P<n>?)", "\\", r"\é", r"[\C]", "(?i", "(?-)", "(" * 1000 + ")" * 1000,
]
TEXTS = [
    "a", "b", "é", "x", " ", "ü", "A", "1", "-", "K", "k", "\u212a", "ſ", "s", "S", "Σ", "ς", "ß", "ẞ", "日", "α", "\t", "_",
    ".", "*", "\ufffd", "\r", "😀",
]
# Not UTF-8: lone bytes, surrogates, overlong forms, beyond the last character, one that is cut off.
BYTES = [b"\xff", b"\xc3", b"\x80", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]


def pattern(generator: random.Random, depth: int = 0) -> str:
    text = generator.choice(FLAGS) if depth == 0 else ""
    for _ in range(generator.randint(1, 4)):
        if depth < 2 and generator.random() < 0.25:
            atom = generator.choice(GROUPS) + pattern(generator, depth + 1) + ")"
        else:
            atom = generator.choice(ATOMS)
        text += atom + generator.choice(QUANTIFIERS)
        if generator.random() < 0.1:
            text += "|"
    return text


def line(generator: random.Random) -> bytes:
    pieces = [text.encode() for text in TEXTS] + BYTES
    return b"".join(generator.choice(pieces) for _ in range(generator.randint(0, 7)))


def modules(patterns: list[str]) -> str:
    """The entries of a module are one object, so that the file has anchors and aliases."""
    return yaml.safe_dump({"modules": {
        f"m{index}": {"prober": "tcp", "timeout": "5s", "tcp": {"query_response": [
            {"expect": text, "send": "<$0><$1><$2><$n>"}] * MATCHES}}
        for index, text in enumerate(patterns)}})


def refused(patterns: list[str], path) -> list[str]:
    """The patterns that the exporter refuses, found by bisection."""
    path.write_text(modules(patterns))
    run = subprocess.run([EXPORTER, "--config.check", f"--config.file={path}"], capture_output=True, check=False)
    if run.returncode == 0:
        return []
    if len(patterns) == 1:
        return patterns
    middle = len(patterns) // 2
    return refused(patterns[:middle], path) + refused(patterns[middle:], path)


def refused_here(patterns: list[str], folder) -> list[str]:
    """The same of connectd: it reports all of them at once."""
    (folder / "blackbox.yml").write_text(modules(patterns))
    (folder / "connectd.yaml").write_text("modules_file: blackbox.yml\n")
    run = subprocess.run(
        [binary(), "config", "check", folder / "connectd.yaml"], capture_output=True, text=True, check=False)
    found = re.findall(r"modules\.m(\d+)\.tcp\.query_response\[0\]: expect is not a pattern of RE2", run.stderr)
    assert (run.returncode == 0) == (not found), run.stderr
    return [patterns[index] for index in sorted(map(int, found))]


def test_both_load_the_same_patterns(tmp_path):
    generator = random.Random(SEED)
    # Patterns that are cut somewhere are wrong in many ways.
    cut = [text[:generator.randint(1, len(text))] for text in (pattern(generator) for _ in range(120))]
    wrong = refused(cut, tmp_path / "reference.yml")
    assert 10 < len(wrong) < len(cut)
    assert refused_here(cut, tmp_path) == wrong
    assert refused(REFUSED, tmp_path / "reference.yml") == REFUSED
    assert refused_here(REFUSED, tmp_path) == REFUSED
    # Go takes this name since 1.22, the exporter of Debian is built with 1.19.
    assert refused_here(["(?<n>a)"], tmp_path) == []


def test_patterns_match_the_same_lines_and_groups(loopback_only, tmp_path):
    generator = random.Random(SEED)
    patterns = [pattern(generator) for _ in range(COUNT)]
    wrong = set(refused(patterns, tmp_path / "reference.yml"))
    patterns = [text for text in patterns if text not in wrong]
    assert len(patterns) > COUNT * 0.9
    text = modules(patterns)
    path = tmp_path / "blackbox.yml"
    path.write_text(text)
    data, answers = [b""], []

    def script(connection) -> None:
        connection.sendall(data[0])
        connection.shutdown(1)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
        answers.append(answer)

    arguments = [f"--config.file={path}", f"--web.listen-address={LOOPBACK}:{REFERENCE_PORT}"]
    with (tmp_path / "log").open("wb") as log:
        exporter = subprocess.Popen(loopback_only.command(shutil.which(EXPORTER), *arguments), stdout=log, stderr=log)
    reference = Client(tcp_connector(loopback_only, LOOPBACK, REFERENCE_PORT), host="localhost")
    own = {"policy": {"profile": "internal"}, "modules_file": "blackbox.yml"}
    try:
        with (
            Connectd(loopback_only, own, port=PORT, files={"blackbox.yml": text}) as connectd,
            tls_peers.listening(loopback_only, script, LOOPBACK) as port,
        ):
            wait_for(reference, exporter)
            matches = 0
            for index, shown in enumerate(patterns):
                data[0] = b"".join(line(generator) + b"\n" for _ in range(LINES))
                query = urllib.parse.urlencode({"target": f"{LOOPBACK}:{port}", "module": f"m{index}"})
                verdicts = []
                for client in (reference, connectd.client):
                    answers.clear()
                    body = client.get(f"/probe?{query}").body.decode()
                    # The peer notes the answer at EOF, at about the same time as the probe ends.
                    wait_until(lambda: answers, 30, "the peer has seen the end of the connection", 0.001)
                    verdicts.append((re.search(r"^probe_success (\d)", body, re.M)[1], b"".join(answers)))
                assert verdicts[0] == verdicts[1], (shown, data[0])
                matches += verdicts[0][1].count(b"\n")
            assert matches > COUNT * MATCHES / 4
    finally:
        exporter.send_signal(signal.SIGTERM)
        exporter.wait(10)
