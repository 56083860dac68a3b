"""/docs: the specification as a web page, without scripts and without resources of other hosts."""

import base64
import hashlib
import html
import html.parser
import json
import re
import shutil
import subprocess

import pytest
import yaml

from support.connectd_process import REPOSITORY, Connectd


@pytest.fixture(scope="module")
def connectd(loopback_only):
    with Connectd(loopback_only) as running:
        yield running


@pytest.fixture(scope="module")
def page(connectd):
    answer = connectd.client.get("/docs")
    assert answer.status == 200
    return answer


class Elements(html.parser.HTMLParser):
    """Collects unclosed elements, elements that load resources, and link targets."""

    VOID = {"meta", "link", "br", "img", "hr"}

    def __init__(self, text: str):
        super().__init__()
        self.open, self.names, self.found, self.links = [], set(), set(), set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            assert not name.startswith("on") and name not in ("style", "src"), (tag, name)
            if name == "id":
                assert value not in self.names, f"twice: {value}"
                self.names.add(value)
            if name == "href":
                self.links.add(value)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"


def test_the_page_matches_the_repository(page):
    assert page.body == (REPOSITORY / "openapi" / "docs.html").read_bytes()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    documented = yaml.safe_load((REPOSITORY / "openapi" / "openapi.yaml").read_text())["paths"]["/docs"]["get"]
    for name in documented["responses"]["200"]["headers"]:
        assert name.lower() in page.headers


def test_its_policy_allows_only_its_own_style(page):
    style = re.search(rb"<style>(.*?)</style>", page.body, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in page.headers["content-security-policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == f"'sha256-{digest}'"
    assert not {"script-src", "connect-src", "img-src"} & rules.keys()
    assert rules["frame-ancestors"] == "'none'"


def test_it_has_no_script_and_every_link_within_it_leads_somewhere(page):
    elements = Elements(page.body.decode())
    assert not elements.open
    assert not {"script", "img", "iframe", "link", "object"} & elements.found
    assert not {link for link in elements.links if link.startswith("#")} - {f"#{name}" for name in elements.names}


def test_every_resource_and_schema_is_on_it(page):
    specification = yaml.safe_load((REPOSITORY / "openapi" / "openapi.yaml").read_text())
    text = page.body.decode()
    for path in specification["paths"]:
        assert f"</span>{path}</h3>" in text
    for name in specification["components"]["schemas"]:
        assert f"<h3>{name}</h3>" in text


def test_it_needs_a_token_like_other_resources(loopback_only):
    files = {"tokens": "me:0123456789abcdef0123456789abcdef\n"}
    with Connectd(loopback_only, {"auth": {"tokens_file": "tokens"}}, port=8391, files=files, unix=False) as guarded:
        assert guarded.client.get("/docs").status == 401
        bearer = {"Authorization": "Bearer 0123456789abcdef0123456789abcdef"}
        assert guarded.client.get("/docs", headers=bearer).status == 200


def test_another_site_cannot_load_it(connectd):
    assert connectd.http.get("/docs", headers={"Sec-Fetch-Site": "cross-site"}).status == 403


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colors, #rrggbb or #rgb."""

    def luminance(color: str) -> float:
        digits = color.lstrip("#")
        digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_its_colors_have_enough_contrast_in_both_themes(page):
    style = re.search(r"<style>(.*?)</style>", page.body.decode(), re.DOTALL)[1]
    light, dark = re.findall(r":root\{([^}]*)\}", style)
    for colors, ground in ((light, "#ffffff"), (dark, "#121212")):
        for name in ("link", "need"):
            color = re.search(rf"--{name}:(#\w+)", colors)[1]
            assert contrast(color, ground) >= 4.5, (name, color, ground)
    badges = re.findall(r"\.m(?:\.post)?\{[^}]*background:(#\w+)", style)
    assert len(badges) == 2 and all(contrast(badge, "#ffffff") >= 4.5 for badge in badges)


def test_its_contents_can_be_skipped_by_keyboard(page):
    text = page.body.decode()
    assert re.search(r"<body>\s*<a class=\"skip\" href=\"#text\">", text), "not the first thing that Tab comes to"
    assert '<main id="text" tabindex="-1">' in text


WIDTHS = (1280, 768, 390, 320)
# Given to a copy of the page, everything unfolded: what sticks out, but for code and tables that scroll within themselves; which words of a
# usual length are broken over two lines; which cells with text are narrower than 50 pixels.
MEASURE = """<script>addEventListener('load',()=>{document.querySelectorAll('details').forEach(d=>d.open=true);
const width=document.documentElement.clientWidth
const wide=[...document.querySelectorAll('body *')].filter(e=>e.getBoundingClientRect().right>width+1&&!e.closest('pre,table:not(.members)'))
const broken=[],walker=document.createTreeWalker(document.body,NodeFilter.SHOW_TEXT)
for(let node;node=walker.nextNode();){if(node.parentElement.closest('pre,nav,.type'))continue
for(const word of node.data.matchAll(/(?<!\\S)[A-Za-z0-9_]{2,24}(?![^\\s.,;:])/g)){const range=document.createRange()
range.setStart(node,word.index);range.setEnd(node,word.index+word[0].length)
if(new Set([...range.getClientRects()].map(r=>Math.round(r.top))).size>1)broken.push(word[0])}}
const narrow=[...document.querySelectorAll('td,th')].filter(e=>e.innerText.trim().length>3&&e.clientWidth<50)
parent.postMessage([innerWidth,document.documentElement.scrollWidth-width,wide.map(e=>e.outerHTML.slice(0,80)),broken.slice(0,20),
narrow.map(e=>e.innerText)],'*')})</script>"""
FRAMES = """<title>[]</title><script>const all=[]
addEventListener('message',e=>{all.push(e.data);document.title=JSON.stringify(all)})</script>"""


# The tests below need a browser.
in_a_browser = pytest.mark.integration


@pytest.fixture(scope="module")
def browser():
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is not installed")
    return lambda *arguments: subprocess.run(
        [found, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *arguments],
        capture_output=True, text=True, timeout=180,
    ).stdout  # fmt: skip


@in_a_browser
def test_the_layout_fits_any_width(browser, tmp_path):
    """A Chromium window is at least 500 pixels wide, so frames simulate narrower screens."""
    (tmp_path / "page.html").write_text((REPOSITORY / "openapi" / "docs.html").read_text().replace("</head>", MEASURE))
    frames = "".join(
        f'<iframe src="page.html" width="{width}" height="800" frameborder="0"></iframe>' for width in WIDTHS
    )
    (tmp_path / "frames.html").write_text(FRAMES + frames)
    address = (tmp_path / "frames.html").as_uri()
    dom = browser("--window-size=1400,900", "--virtual-time-budget=60000", "--dump-dom", address)
    measured = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", dom, re.DOTALL)[1]))
    assert sorted(width for width, *_ in measured) == sorted(WIDTHS)
    assert [found for found in measured if any(found[1:])] == []


PLANTED = ".members{table-layout:fixed}.members>tbody>tr>td:first-child{white-space:normal;overflow-wrap:anywhere;width:1%}"


@in_a_browser
def test_the_layout_test_finds_a_narrow_column(browser, tmp_path):
    """The measurement of the test above finds mistakes."""
    text = (REPOSITORY / "openapi" / "docs.html").read_text().replace("</style>", PLANTED + "</style>")
    (tmp_path / "page.html").write_text(text.replace("</head>", MEASURE))
    (tmp_path / "frames.html").write_text(FRAMES + '<iframe src="page.html" width="1280" height="800"></iframe>')
    dom = browser("--window-size=1400,900", "--virtual-time-budget=60000", "--dump-dom", (tmp_path / "frames.html").as_uri())
    [[_, _, _, broken, narrow]] = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", dom, re.DOTALL)[1]))
    assert "timeout_ms" in broken and any(text.startswith("timeout_ms") for text in narrow)


@in_a_browser
def test_folded_parts_are_printed(browser, tmp_path):
    """More pages than without the rules for print, by which folded parts are shown; the contents are not."""
    text = (REPOSITORY / "openapi" / "docs.html").read_text()
    folded = tmp_path / "folded.html"
    folded.write_text(text.replace("details::details-content{", "details::nothing{"))

    def pages(address: str) -> int:
        paper = tmp_path / "paper.pdf"
        browser("--no-pdf-header-footer", f"--print-to-pdf={paper}", address)
        return len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))

    assert pages((REPOSITORY / "openapi" / "docs.html").as_uri()) > 1.5 * pages(folded.as_uri())
