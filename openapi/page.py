"""Renders the specification as one HTML page without scripts and external resources."""

import base64
import hashlib
import html
import json
import re

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:#0a58b4;--need:#b03020;--mark:#ffd54a40}
@media(prefers-color-scheme:dark){:root{--link:#6cb2ff;--need:#ff8f80}}
body{font:15px/1.55 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:17rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.2rem;box-sizing:border-box;border-right:1px solid var(--line);
font-size:13px}
nav ul{list-style:none;padding:0;margin:.2rem 0 1rem}main{overflow-wrap:anywhere;min-width:0;box-sizing:border-box;padding:1.2rem 2.5rem 6rem;max-width:64rem}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}main p a,main li a{text-decoration:underline}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem;padding:.5rem 1rem;background:Canvas;z-index:1}.skip:focus{left:0}
code,pre{font:13px/1.45 ui-monospace,monospace}code{background:var(--soft);border-radius:3px;padding:.05em .3em}
pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.8em;overflow:auto}pre code{background:none;padding:0}
table{border-collapse:collapse;margin:.8em 0;font-size:14px;display:block;overflow-x:auto;overflow-wrap:break-word}
td,th{border:1px solid var(--line);padding:.3em .6em;text-align:left;vertical-align:top}td p{margin:0 0 .3em}
.members{display:table;width:100%;overflow:visible}.members>tbody>tr>:first-child{width:1%;white-space:nowrap}.note{font-size:12px}
.type{overflow-wrap:anywhere;margin:0 0 .3em}.type details{display:inline-block;max-width:100%;vertical-align:top}
section{border-top:1px solid var(--line);margin-top:2rem}section h3{font:600 16px ui-monospace,monospace;overflow-wrap:anywhere}
section:target h3{background:var(--mark)}
.m{display:inline-block;min-width:3.6em;text-align:center;border-radius:4px;color:#fff;background:#2b6cb0;padding:.1em .4em;margin-right:.6em}
.m.post{background:#2f7d4f}summary{cursor:pointer}.need{color:var(--need);font-size:12px}
@media(max-width:55rem){body{display:block}nav{position:static;height:auto;max-height:60vh;border:0;border-bottom:1px solid var(--line)}
nav ul{columns:10rem}nav li{overflow-wrap:anywhere}main{padding:1rem}
.members,.members>tbody,.members>tbody>tr,.members>tbody>tr>td{display:block}.members>tbody>tr{border:1px solid var(--line);border-top:0}
.members>tbody>tr:first-child{border-top:1px solid var(--line)}.members>tbody>tr>td{border:0;padding:.3em .4em}
.members>tbody>tr>td:first-child{width:auto;white-space:normal}}
@media print{body{display:block}nav,.skip{display:none}main{max-width:none;padding:0}pre{white-space:pre-wrap}
table{display:table}tr,pre{break-inside:avoid}h3,h4{break-after:avoid}details::details-content{display:block;content-visibility:visible;block-size:auto}}
""".strip()


def policy() -> str:
    """The Content-Security-Policy of the page. It allows the page's own style only."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def anchor(*parts: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-")


def inline(text: str) -> str:
    """Renders code, bold text and links of Markdown."""
    pieces = re.split(r"(`[^`]+`)", text)
    for index, piece in enumerate(pieces):
        if index % 2:
            pieces[index] = f"<code>{html.escape(piece[1:-1])}</code>"
        else:
            piece = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(piece, quote=False))
            pieces[index] = re.sub(r"\[([^]]+)\]\((https?://[^)\s\"]+)\)", r'<a href="\2">\1</a>', piece)
    return "".join(pieces)


def table(rows: list[list[str]], head: list[str] | None = None) -> str:
    """Renders a table. The cells are HTML."""
    top = f"<tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>" if head else ""
    return f"<table>{top}{''.join('<tr>' + ''.join(f'<td>{cell}</td>' for cell in row) + '</tr>' for row in rows)}</table>"


def members(rows: list[tuple[str, list[str], str, str]]) -> str:
    """Renders name, notes, type and description of each member. On a narrow screen the name is above the rest."""
    made = [
        f"<tr><td><code>{html.escape(name)}</code>{''.join(f' {note}' for note in notes)}</td>"
        f'<td><div class="type">{kind}</div>{meaning}</td></tr>'
        for name, notes, kind, meaning in rows
    ]
    return f'<table class="members"><tbody>{"".join(made)}</tbody></table>'


REQUIRED = '<span class="need">required</span>'


def block(lines: list[str]) -> str:
    if lines[0].startswith("#"):
        level = min(len(lines[0]) - len(lines[0].lstrip("#")), 6)
        return f"<h{level}>{inline(lines[0].lstrip('# '))}</h{level}>" + (block(lines[1:]) if lines[1:] else "")
    if lines[0].startswith("|"):
        rows = [[inline(cell.strip()) for cell in line.strip().strip("|").split("|")] for line in lines]
        head = rows[0] if any(rows[0]) else None
        return table(rows[2:], head)
    if re.match(r"[-*] ", lines[0]):
        items = re.split(r"\n(?=[-*] )", "\n".join(lines))
        return f"<ul>{''.join(f'<li>{inline(item[2:])}</li>' for item in items)}</ul>"
    begin = next((i for i, line in enumerate(lines) if i and re.match(r"[-*] |\|", line)), len(lines))
    return f"<p>{inline(chr(10).join(lines[:begin]))}</p>" + (block(lines[begin:]) if lines[begin:] else "")


def markdown(text: str) -> str:
    """Renders the part of Markdown that the specification uses."""
    parts = re.split(r"^```.*\n((?:.*\n)*?)```\n?", (text or "").rstrip() + "\n", flags=re.MULTILINE)
    made = []
    for index, part in enumerate(parts):
        if index % 2:
            made.append(f"<pre><code>{html.escape(part)}</code></pre>")
        else:
            made += [block(lines.split("\n")) for lines in re.split(r"\n\s*\n", part.strip("\n")) if lines.strip()]
    return "".join(made)


def code(value) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return f"<pre><code>{html.escape(text)}</code></pre>"


def literal(value) -> str:
    return f"<code>{html.escape(json.dumps(value, ensure_ascii=False))}</code>"


class Page:
    def __init__(self, document: dict):
        self.document = document

    def resolved(self, value: dict) -> dict:
        while "$ref" in value:
            found = self.document
            for step in value["$ref"].lstrip("#/").split("/"):
                found = found[step]
            value = found
        return value

    def kind(self, schema) -> str:
        """The type of a schema in one line. Named schemas are links."""
        if not isinstance(schema, dict):
            return "nothing" if schema is False else "anything"
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return f'<a href="#{anchor("schema", name)}">{html.escape(name)}</a>'
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return " or ".join(dict.fromkeys(self.kind(item) for item in schema[word]))
        if "const" in schema:
            return literal(schema["const"])
        if "enum" in schema:
            return " ".join(literal(item) for item in schema["enum"])
        types = schema.get("type", "object" if "properties" in schema else "anything")
        text = " or ".join(types if isinstance(types, list) else [types])
        if "items" in schema:
            text += f" of {self.kind(schema['items'])}"
        if isinstance(schema.get("additionalProperties"), dict):
            text += f" of {self.kind(schema['additionalProperties'])}"
        return text + self.bounds(schema)

    @staticmethod
    def bounds(schema: dict) -> str:
        parts = []
        for low, high, unit in (
            ("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items")
        ):  # fmt: skip
            if low in schema or high in schema:
                parts.append(f"{schema.get(low, '')}…{schema.get(high, '')}{unit}")
        if "pattern" in schema:
            pattern = f"<code>{html.escape(schema['pattern'])}</code>"
            is_long = len(schema["pattern"]) > 120
            parts.append(f"<details><summary>pattern</summary>{pattern}</details>" if is_long else pattern)
        if "default" in schema:
            parts.append(f"default {literal(schema['default'])}")
        return f", {', '.join(parts)}" if parts else ""

    def body(self, schema) -> str:
        """Renders the description, members and examples of a schema."""
        if not isinstance(schema, dict):
            return ""
        made = markdown(schema.get("description", ""))
        if "$ref" in schema or not schema.get("properties"):
            made += f'<div class="type">{self.kind(schema)}</div>'
        required = schema.get("required", [])
        rows = [
            (name, [REQUIRED] if name in required else [], self.kind(member), self.member(member))
            for name, member in schema.get("properties", {}).items()
        ]
        if rows:
            made += members(rows)
        for example in schema.get("examples", []):
            made += code(example)
        return made

    def member(self, member) -> str:
        """Renders the description of a member, and the members of its schema if that has no name."""
        if not isinstance(member, dict):
            return ""
        made = markdown(member.get("description", ""))
        inner = next((part for part in (member, member.get("items")) if isinstance(part, dict) and part.get("properties")), None)
        return made + (self.body({k: v for k, v in inner.items() if k != "description"}) if inner else "")

    def content(self, holder: dict, level: str) -> str:
        made = ""
        for media, description in holder.get("content", {}).items():
            made += f"<p><code>{html.escape(media)}</code> {self.kind(description.get('schema', {}))}</p>"
            for name, example in description.get("examples", {}).items():
                example = self.resolved(example)
                summary = html.escape(example.get("summary", name))
                made += f"<details{level}><summary>{summary}</summary>{code(example.get('value'))}</details>"
        return made

    def operation(self, path: str, method: str, operation: dict, shared: list) -> str:
        made = [
            f'<section id="{anchor(method, path)}"><h3><span class="m {method}">{method.upper()}</span>{html.escape(path)}</h3>',
            f"<p><strong>{inline(operation.get('summary', ''))}</strong></p>",
            markdown(operation.get("description", "")),
        ]
        rows = [
            (
                item["name"],
                ([REQUIRED] if item.get("required") else [])
                + ([f'<span class="note">{html.escape(item["in"])}</span>'] if item["in"] != "query" else []),
                self.kind(item.get("schema", {})),
                markdown(item.get("description", "")),
            )
            for item in map(self.resolved, [*shared, *operation.get("parameters", [])])
        ]
        if rows:
            made.append("<h4>Parameters</h4>" + members(rows))
        if "requestBody" in operation:
            body = self.resolved(operation["requestBody"])
            made.append("<h4>Request body</h4>" + markdown(body.get("description", "")) + self.content(body, ""))
        made.append("<h4>Responses</h4>")
        for status, response in operation["responses"].items():
            response = self.resolved(response)
            made.append(
                f"<details{' open' if status == '200' else ''}><summary><code>{status}</code> "
                f"{inline(response.get('description', '').split(chr(10))[0])}</summary>"
                f"{markdown(chr(10).join(response.get('description', '').split(chr(10))[1:]))}{self.content(response, '')}</details>"
            )
        return "".join(made) + "</section>"

    def render(self) -> str:
        info, paths = self.document["info"], self.document["paths"]
        schemas = self.document["components"]["schemas"]
        operations = [
            (path, method, item[method], item.get("parameters", []))
            for path, item in paths.items() for method in ("get", "post") if method in item
        ]  # fmt: skip
        links = "".join(
            f'<li><a href="#{anchor(m, p)}"><code>{m.upper()}</code> {html.escape(p)}</a></li>' for p, m, *_ in operations
        )
        names = "".join(f'<li><a href="#{anchor("schema", name)}">{html.escape(name)}</a></li>' for name in schemas)
        body = "".join(self.operation(*operation) for operation in operations)
        types = "".join(
            f'<section id="{anchor("schema", name)}"><h3>{html.escape(name)}</h3>{self.body(schema)}</section>'
            for name, schema in schemas.items()
        )
        title = f"{info['title']} {info['version']}"
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
            f'<meta name="viewport" content="width=device-width,initial-scale=1">\n'
            f'<style>{STYLE}</style></head>\n<body><a class="skip" href="#text">Skip to the content</a>'
            f'<nav aria-label="Contents"><strong>{html.escape(title)}</strong><p>'
            f'<a href="openapi.yaml">openapi.yaml</a>, <a href="openapi.json">openapi.json</a></p>'
            f'Resources<ul>{links}</ul>Schemas<ul>{names}</ul></nav>\n<main id="text" tabindex="-1"><h1>{html.escape(title)}</h1>'
            f"<p>{inline(info.get('summary', ''))}</p>{markdown(info.get('description', ''))}\n"
            f"<h2>Resources</h2>{body}\n<h2>Schemas</h2>{types}</main></body></html>\n"
        )
