"""The page at /docs: the endpoint table as plain HTML that needs no script and no other host."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from api.endpoint import Endpoint
from api.errors import kind_of
from api.openapi import ABOUT, refusals_of
from engine.errors import AllotError

HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { padding: .8rem; overflow-x: auto; border: 1px solid #8884; border-radius: .4rem; background: #8881; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8884; }
h3 { margin-bottom: .2rem; }
.method { display: inline-block; min-width: 3.2rem; font-weight: 700; }
td { padding: .15rem 1rem .15rem 0; vertical-align: top; }
nav a { margin-right: .8rem; }
"""

_HOW = """
<p>The machine-readable form of this page is <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<p>Every POST that changes something needs an <code>Idempotency-Key</code> header: one new value for each intended
change, and the same value when the request is sent again. Then the stored answer comes back byte for byte, with
<code>Idempotent-Replayed: true</code>, for 24 hours.</p>
"""


def render(endpoints: Sequence[Endpoint], version: str) -> str:
    """Return the page for a table of endpoints."""
    tags = list(dict.fromkeys(endpoint.tag for endpoint in endpoints))
    nav = "".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in [*tags, "errors"])
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>allot API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>allot API <small>{escape(version)}</small></h1><p>{escape(ABOUT)}</p>{_HOW}<nav>{nav}</nav>"
    )
    parts = [head]
    for tag in tags:
        parts.append(f'<h2 id="{escape(tag)}">{escape(tag)}</h2>')
        parts += [_endpoint(endpoint) for endpoint in endpoints if endpoint.tag == tag]
    parts.append(_errors(endpoints))
    parts.append("</body></html>")
    return "".join(parts)


def _endpoint(endpoint: Endpoint) -> str:
    about = escape(" ".join((endpoint.handler.__doc__ or "").split()))
    codes = ", ".join(
        f'{kind_of(kind).status} <a href="#{escape(kind.code)}"><code>{escape(kind.code)}</code></a>'
        for kind in sorted(refusals_of(endpoint), key=lambda kind: kind_of(kind).status)
    )
    return (
        f'<h3><code><span class="method">{endpoint.method}</span> {escape(endpoint.public_path)}</code></h3>'
        f"<p>{escape(endpoint.summary)}. {about}</p><pre>{escape(_curl(endpoint))}</pre>"
        f"<p>{_needs(endpoint)}Answers {endpoint.status}, or {codes}.</p>"
    )


def _needs(endpoint: Endpoint) -> str:
    return "" if endpoint.scope is None else f"Needs <code>{escape(endpoint.scope)}</code>. "


def _curl(endpoint: Endpoint) -> str:
    path = endpoint.public_path
    for name, example in endpoint.path_examples.items():
        path = path.replace(f"{{{name}}}", example)
    words = ["curl"] + ([f"-X {endpoint.method}"] if endpoint.method != "GET" else [])
    lines = [" ".join([*words, f"http://127.0.0.1:8000{path}"])]
    if endpoint.is_keyed:
        lines.append("-H 'Idempotency-Key: a-new-value-for-each-change'")
    if endpoint.example is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d '{json.dumps(endpoint.example, ensure_ascii=False)}'")
    return " \\\n  ".join(lines)


def _errors(endpoints: Sequence[Endpoint]) -> str:
    kinds: set[type[AllotError]] = {kind for endpoint in endpoints for kind in refusals_of(endpoint)}
    rows = "".join(
        f'<tr id="{escape(kind.code)}"><td>{kind_of(kind).status}</td><td><code>{escape(kind.code)}</code></td>'
        f"<td>{escape((kind.__doc__ or '').splitlines()[0])}</td></tr>"
        for kind in sorted(kinds, key=lambda kind: (kind_of(kind).status, kind.code))
    )
    return f'<h2 id="errors">errors</h2><table>{rows}</table>'
