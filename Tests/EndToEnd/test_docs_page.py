"""/docs: the specification for a browser, from this host alone and without a script."""

import base64
import hashlib
import html.parser
import re

import pytest
import yaml

from connectd_process import Connectd, REPOSITORY


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
    """Elements that do not close, those that load something, and names that may be pointed at."""

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


def test_it_is_the_page_of_the_repository(page):
    assert page.body == (REPOSITORY / "openapi" / "docs.html").read_bytes()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    documented = yaml.safe_load((REPOSITORY / "openapi" / "openapi.yaml").read_text())["paths"]["/docs"]["get"]
    for name in documented["responses"]["200"]["headers"]:
        assert name.lower() in page.headers


def test_its_policy_allows_its_own_style_alone(page):
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


def test_it_needs_a_token_where_other_resources_do(loopback_only):
    files = {"tokens": "me:0123456789abcdef0123456789abcdef\n"}
    with Connectd(loopback_only, {"auth": {"tokens_file": "tokens"}}, port=8391, files=files, unix=False) as guarded:
        assert guarded.client.get("/docs").status == 401
        bearer = {"Authorization": "Bearer 0123456789abcdef0123456789abcdef"}
        assert guarded.client.get("/docs", headers=bearer).status == 200


def test_another_site_may_not_show_it(connectd):
    assert connectd.http.get("/docs", headers={"Sec-Fetch-Site": "cross-site"}).status == 403
