"""The rules of tidy.py on small samples, and on every file of the project."""

import pathlib
import re
import subprocess
import textwrap

import markdown_rules
import pytest
import swift_rules
import tidy
from vocabulary import PHRASES


def test_the_project_is_tidy():
    try:
        names = tidy.project_files()
    except tidy.NotACheckout as error:
        pytest.skip(f"not a checkout of git: {error}")
    assert len(names) > 300
    problems = tidy.complaints(tidy.offenses(names), tidy.read_allowed(tidy.ALLOWED.read_text()))
    assert not problems, "\n".join(["", *problems])


def test_commits_that_blame_ignores_exist():
    """A wrong hash would make `git blame` fail for everyone who uses the list."""
    lines = (tidy.ROOT / ".git-blame-ignore-revs").read_text().splitlines()
    hashes = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[0-9a-f]{40}", line) for line in hashes), hashes
    assert len(set(hashes)) == len(hashes)
    shallow = git("rev-parse", "--is-shallow-repository")
    if shallow.stdout.strip() != "false":
        pytest.skip("not a complete checkout of git")
    missing = [line for line in hashes if git("merge-base", "--is-ancestor", line, "HEAD").returncode != 0]
    assert not missing, f"not commits of this branch: {missing}"


def git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=tidy.ROOT, capture_output=True, text=True)


# Phrases

BAD = {
    "whoever": ["Whoever asks gets it.", "def test_whoever_asks():"],
    "nobody": ["Nobody listens.", "def test_nobody_listens():", "case .nobody:"],
    "is-no": ["It is no duration.", "These are no\n/// addresses.", "must be no list"],
    "stands": ["The port stands after it.", "the head stood there"],
    "in-force": ["It is put in force.", "The policy in force."],
    "goes-on": ["It goes on.", "if goesOn {", "func mayGoOn()"],
    "behind": ["behind the handshake", "the zone behind it", "flight(behind: hello)", "is_behind_it"],
    "is-there-already": ["It is there already."],
    "must-be-a-text": ["must be a text", "host must be a string, but is a list"],
    "time-is-over": ["The time is over."],
    "as-may-be": ["as many as may be", "as many documents as may be"],
    "whether-well": ["whether the service is well."],
    "mend": ["Mend the file.", "It was mended."],
    "held-against": ["is held against the rules"],
    "for-the-time-of": ["for the time of the call"],
    "such-a-one": ["Such a one is refused."],
    "to-be-had": ["where none is to be had"],
    "in-vain": ["It asked in vain."],
    "let-go": ["Lets go of the socket."],
    "lies-about": ["a file that lies about"],
    "goodbye": ["sayGoodbye()", "Good-bye.", "the goodbye"],
    "shaken": ["var shaken = true", "let isShaken: Bool"],
    "nil-where": ["nil where it is not one.", "Empty where the peer speaks first.", "the group, where there is none"],
    "told-apart": ["They are told apart.", "It tells one from\n// the other apart."],
    "passed-over": ["Other text is passed over."],
    "so-many": ["Waits until so many bytes have come.", "ends in so many ms"],
    "under-way": ["a check under way"],
    "given-back": ["The permit is given back.", "gives back what it took"],
    "is-told": ["The client is told why."],
    "beside": ["runs beside it", "stated(beside: inherited)"],
    "nothing-shows": ["nothing outside shows when"],
    "first-word": ["The policy has the first word.", "it accepts that without a word"],
    "archaic": ["It is read anew.", "It seldom fails.", "the rules thereof"],
    "callback": ["struct CallBackTests", "Call-backs of the library", "let callBack = 1"],
    "spelling": [
        "behaviour", "let colourOfText", "Neighbour", "to recognise it", "Initialises", "the initialiser", "authorisation", "licence",
        "a judgement", "analyse", "was signalled", "grey", "towards",
    ],
}  # fmt: skip

GOOD = """
There is no such file, and there are no\n// others. It is no longer there. Where there is no route. Is there no address?
User=nobody, as_nobody, `nobody`, "nobody", runuser -u nobody, nobody:nogroup
behind a router, behind your load balancer, behind the reverse proxy, nothing is left behind, behind NAT
cancelled, otherwise, promise, raise, comprises, wise, the exercise, precise, disguise, revised, advertised, emphasis, noise, list
programmer, programmed, greylist, centred, fulfill, understand, stand-alone, outstanding, standard, algorithm, bewhoever_not
The text is a string. A callback. c-ares calls back once. well-formed, amend, recommended, wellness, ongoing, go on-line? forced
It is nil if there is none. The library is told to stop. Besides, so many addresses have no route, so many of them. A handshake. The Line type. Sentence ends. "It is not a list." enforce reinforce behindhand mendicant goonies elsewhere merely
"""


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in BAD.items() for text in texts])
def test_a_phrase_is_found(rule, text):
    assert [found[0] for found in tidy.phrase_offenses(text)] == [rule]


def test_every_phrase_has_a_sample():
    assert {phrase.rule for phrase in PHRASES} == set(BAD)


@pytest.mark.parametrize("line", [line for line in GOOD.replace("\n//", " ").splitlines() if line])
def test_plain_english_passes(line):
    found = [advice for _, _, advice in tidy.phrase_offenses(line.replace("bewhoever_not", "").replace("go on-line?", ""))]
    assert found == []


def test_a_phrase_is_found_across_comment_lines():
    assert list(tidy.phrase_offenses("let x = 1\n    /// This is\n    /// no duration.\n")) == [("is-no", 2, "'is no': write is not a")]
    assert list(tidy.phrase_offenses("# There\n# is no file.\n")) == []


# Swift


def swift(text: str, name: str = "Sample.swift") -> list[tuple[str, int]]:
    found = tidy.swift_offenses(pathlib.PurePath("Sources/Module", name), textwrap.dedent(text))
    return [(rule, line) for rule, line, _ in found]


def test_the_length_of_a_swift_file():
    assert swift("struct Sample {}\n" + "// a\n" * 499) == []
    assert swift("struct Sample {}\n" + "// a\n" * 500) == [("file-length", 501)]


@pytest.mark.parametrize("head", [
    "func run()", "init?(value: Int)", "deinit", "subscript(index: Int) -> Int", "static func make<T>(_ body: () -> Void = {}) throws(E) -> [T]",
    "@Test func `a name with { braces`()", "func long(\n        a: Int,\n        b: Int\n    ) -> Int",
])  # fmt: skip
def test_the_length_of_a_function(head):
    def source(lines: int) -> str:
        body = "        call(\"{ \\(value(\"}\")) \")  // }\n" * lines
        return f"struct Sample {{\n    {head} {{\n{body}    }}\n    var x: Int {{ 1 }}\n}}\n"

    fits = 70 - 1 - (head.count("\n") + 1)
    assert swift(source(fits)) == []
    assert swift(source(fits + 1)) == [("function-length", 2)]


def test_a_requirement_has_no_length():
    requirements = "".join(f"    func f{number}()\n    init(a{number}: Int)\n" for number in range(80))
    assert swift(f"protocol Sample {{\n{requirements}}}\nenum Other {{\n    case a\n}}\n") == []


@pytest.mark.parametrize(("text", "name"), [
    ("struct Sample {}", "Sample.swift"), ("extension Sample {\n    enum Kind {}\n}", "Kind.swift"),
    ("extension Sample {}", "Sample+Feature.swift"), ("extension Outer.Sample {}", "Sample+Feature.swift"),
    ("public final class Sample {}", "Sample.swift"), ("@Suite struct SampleTests {}", "SampleTests.swift"),
    ("typealias Sample = Int", "Sample.swift"), ("print(1)", "main.swift"),
])  # fmt: skip
def test_a_good_file_name(text, name):
    assert swift(text, name) == []


@pytest.mark.parametrize(("text", "name"), [
    ("struct Other {}", "Sample.swift"), ("extension Sample {}", "Sample.swift"), ("extension Other {}", "Sample+Feature.swift"),
    ("// struct Sample {}", "Sample.swift"), ("func sample() {}", "Sample.swift"), ('let text = "struct Sample"', "Sample.swift"),
])  # fmt: skip
def test_a_file_name_without_a_type(text, name):
    assert swift(text, name) == [("file-name", 1)]


@pytest.mark.parametrize("name", ["Line", "Talk", "StartTLSTalk", "Words", "Ending", "Place", "Surroundings", "AttemptSurroundings", "Demands"])
def test_everyday_words_as_type_names(name):
    assert swift(f"struct Sample {{}}\n\nenum {name} {{}}\n") == [("type-name", 3)]


@pytest.mark.parametrize("name", ["RequestLine", "CommandLine", "LineReader", "PlaceholderText", "Password", "EndpointName"])
def test_names_that_only_contain_such_words(name):
    assert swift(f"struct Sample {{}}\n\nenum {name} {{}}\n") == []


UNSAFE = [
    "final class A: @unchecked Sendable {}", "nonisolated(unsafe) let x: OpaquePointer", "let x = unsafeBitCast(y, to: Z.self)",
    "let x = y.assumingMemoryBound(to: UInt8.self)", "await withUnsafeContinuation { park($0) }", "let x = try! make()", "let x = y as! Z",
    "let x = y!", "f(x!.count, 1)", "f(x()![0])", "let text = \"\\(x!)\"", "var x: Int!",
]  # fmt: skip


@pytest.mark.parametrize("line", UNSAFE)
def test_an_unsafe_word_needs_a_proof(line):
    assert swift(f"struct Sample {{}}\n{line}\n") == [("safety", 2)]
    assert swift(f"struct Sample {{}}\n// SAFETY: it is never shared.\n{line}\n") == []
    assert swift(f"// SAFETY: far away.\nstruct Sample {{}}\n{'// a' + chr(10) * 2}{chr(10) * 8}{line}\n") == [("safety", 13)]
    assert swift(f"// SAFETY, for all of them: the owner outlives them.\nstruct Sample {{}}\n{chr(10) * 20}{line}\n") == []


@pytest.mark.parametrize("line", [
    "if a != b {}", "if !a {}", "// x!", 'let text = "Wow!"', 'let text = #"\\(x!)"#', '    """\n    try! this!\n    """', "a ? !b : c", "f(!x)",
    "if a!=b {}",
])  # fmt: skip
def test_no_unsafe_word(line):
    assert swift(f"struct Sample {{}}\n{line}\n") == []


@pytest.mark.parametrize(("text", "code"), [
    ('a("b") // c', "a(   )     "), ('"\\(x["k"]) }" + y', "   x[   ]     + y"), ('#"\\(x)"# y', "         y"), ('#"\\#(x)"# y', "     x    y"),
    ('#""""#, {', "      , {"), ("a /* b } */ c", "a           c"), ('"""\n"a" {\n""" b', "   \n     \n    b"), ('"\\"" + z', "     + z"), ('"\\(f(g("x")))" {', "   f(g(   ))   {"),
])  # fmt: skip
def test_comments_and_literals_are_blanked(text, code):
    assert swift_rules.code_alone(text) == code


def test_the_code_of_every_swift_file_is_balanced():
    """The rules rely on it: one literal that is read wrongly would hide the rest of a file."""
    try:
        names = [name for name in tidy.project_files() if name.endswith(".swift")]
    except tidy.NotACheckout as error:
        pytest.skip(f"not a checkout of git: {error}")
    for name in names:
        code = re.sub(r"`[^`\n]*`", "", swift_rules.code_alone((tidy.ROOT / name).read_text()))
        assert all(code.count(a) == code.count(b) for a, b in ("()", "[]", "{}")) and '"' not in code, name


# Markdown

TABLE = "a\n\n| x | y |\n|---|:-:|\n| 1 | `a\\|b` |\n| 2 | |\n\nb\n"


@pytest.mark.parametrize(("broken", "line"), [
    (TABLE.replace("| 2", "\n| 2"), 7), (TABLE.replace("a\\|b", "a|b"), 5), (TABLE.replace("| 2 | |", "| 2 |"), 6),
    (TABLE.replace("|---|:-:|\n", ""), 3), (TABLE.replace("|---|:-:|", "|---|"), 3),
    (TABLE.replace("a\n\n", "a\n"), 2), (TABLE.replace("\n\nb", "\nb"), 3), (TABLE.replace("`a\\|b` |", "b"), 5),
])  # fmt: skip
def test_a_broken_table(broken, line):
    assert list(markdown_rules.table_faults(TABLE)) == []
    assert next(iter(markdown_rules.table_faults(broken)))[0] == line


def test_a_table_in_a_code_block_is_code():
    assert list(markdown_rules.table_faults("```\n| a |\n| b | c |\n```\n")) == []


def md(text: str, folder: pathlib.Path, name: str = "guide.md") -> list[tuple[str, int]]:
    (folder / name).write_text(text)
    return [(rule, line) for rule, line, _ in tidy.markdown_offenses(folder / name, text)]


def test_links_lead_to_files_and_headings(tmp_path):
    (tmp_path / "other.md").write_text("# One heading\n\n```\n# no heading\n```\n")
    good = "[a](other.md) [b](other.md#one-heading) [c](#here) [d](https://example.com/x)\n\n[e]: other.md\n\n## Here\n"
    assert md(good, tmp_path) == []
    for link in ("missing.md", "other.md#two", "#there", "other.md#no-heading"):
        assert md(f"# Here\n\n[a]({link})\n", tmp_path) == [("md-link", 3)], link


def test_headings_are_unique_except_in_the_changelog(tmp_path):
    text = "# A\n\n## Fixed\n\n## Fixed\n"
    assert md(text, tmp_path) == [("md-heading", 5)]
    assert md(text, tmp_path, "CHANGELOG.md") == []
    assert md("# A\n\n```\n# B\n# B\n```\n", tmp_path) == []


def test_a_readme_is_short(tmp_path):
    assert md("a\n" * 250, tmp_path, "README.md") == []
    assert md("a\n" * 251, tmp_path, "README.md") == [("md-length", 251)]
    assert md("a\n" * 251, tmp_path) == []


@pytest.mark.parametrize(("line", "count"), [
    ("One sentence. Another one.", 1), ("- Open it. (Then close it.)", 1), ("**Stop.** It is not safe.", 1), ("Why? Because of that.", 1),
    ("One sentence, e.g. One word.", 0), ("1. A point.", 0), ("10. Run `a. B`.", 0), ("See section 4.2. ", 0), ("`a. B` is code.", 0),
    ("| A cell. Another sentence. |", 0), ("version 1.2 and up", 0), ("It says \"no\". Then it ends.", 1),
])  # fmt: skip
def test_one_sentence_per_line(line, count):
    assert len(list(markdown_rules.sentence_faults(line + "\n"))) == count


def test_the_words_of_a_sentence():
    assert list(markdown_rules.long_sentence_faults(" ".join(["word"] * 20) + ". " + " ".join(["word"] * 20) + ".")) == []
    assert [line for line, _ in markdown_rules.long_sentence_faults("# Title\n\n" + " ".join(["word"] * 21) + ".")] == [3]
    assert list(markdown_rules.long_sentence_faults("`" + "word " * 30 + "`\n| " + "word " * 30 + "|\n```\n" + "word " * 30 + "\n```\n")) == []
    assert list(markdown_rules.long_sentence_faults("[a link](https://example.com/with/a/long/path) " + "word " * 17)) == []


# Python


def test_the_length_of_python_functions_and_files():
    assert list(tidy.python_offenses("def f():\n" + "    x = 1\n" * 69)) == []
    assert [found[:2] for found in tidy.python_offenses("def f():\n" + "    x = 1\n" * 70)] == [("function-length", 1)]
    assert [found[:2] for found in tidy.python_offenses("x = 1\n" * 701)] == [("file-length", 701)]


# The ratchet

FOUND = [("a.md", "nobody", 3, "advice"), ("a.md", "nobody", 5, "advice"), ("b.md", "is-no", 1, "advice")]


def test_the_list_is_written_sorted_and_read_back():
    counts = tidy.counted(FOUND)
    assert counts == {("a.md", "nobody"): 2, ("b.md", "is-no"): 1}
    text = tidy.written(counts)
    assert text.splitlines()[1:] == ["a.md nobody 2", "b.md is-no 1"]
    assert tidy.read_allowed(text) == counts
    # Both sides of a merge are in the file: the one that fixed more is right.
    assert tidy.read_allowed(text + "a.md nobody 1\n")["a.md", "nobody"] == 1


def test_more_and_fewer_offenses_are_complaints():
    assert tidy.complaints(FOUND, tidy.counted(FOUND)) == []
    grown = tidy.complaints(FOUND, {("a.md", "nobody"): 1, ("b.md", "is-no"): 1})
    assert grown == [
        "a.md:3: nobody: advice", "a.md:5: nobody: advice", "a.md: nobody: 2 offenses, but allowed.txt allows 1",
    ]  # fmt: skip
    new = tidy.complaints(FOUND, {("a.md", "nobody"): 2})
    assert new == ["b.md:1: is-no: advice"]
    shrunk = tidy.complaints(FOUND[:2], {**tidy.counted(FOUND), ("a.md", "nobody"): 3})
    assert [line.partition(": run ")[0] for line in shrunk] == [
        "a.md: nobody: 2 offenses, but allowed.txt allows 3", "b.md: is-no: 0 offenses, but allowed.txt allows 1",
    ]  # fmt: skip


def test_an_update_lets_files_move_but_no_rule_grow():
    moved = [(path.replace("a.md", "c.md"), *rest) for path, *rest in FOUND]
    assert tidy.grown_rules(tidy.counted(moved), tidy.counted(FOUND)) == []
    more = [*moved, ("d.md", "is-no", 1, "advice")]
    assert tidy.grown_rules(tidy.counted(more), tidy.counted(FOUND)) == ["is-no: 1 -> 2"]
    assert tidy.new_offenses(more, tidy.counted(FOUND)) == ["d.md:1: is-no: advice"]
