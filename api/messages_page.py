"""The page docs/reference/messages.md, made from the code: `python -m api.messages_page > docs/reference/messages.md`.

Every message by which an order's life refuses something: bad input, which names the place in the request, and steps
that an order is not in a state for. They are read from where they are raised, so that none is forgotten; what stands in
braces is filled in with the value.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = (
    ("Orders", "engine/orders"),
    ("Payments", "engine/payments"),
    ("Fulfillment", "engine/fulfillment"),
    ("Returns", "engine/returns"),
    ("Exceptions", "engine/exceptions"),
    ("Customers", "engine/customers"),
    ("Notices", "engine/notices"),
    ("Search", "engine/search"),
    ("Archive", "engine/archive"),
)
_REFUSALS = {"IllegalState", "NotFound", "Refused", "Unavailable", "refused"}
_HEAD = """# Messages

Every message by which something about an order is refused, as it is written in the code; what stands in braces is
filled in. Bad input answers 400 `invalid_input` with the place in `errors[].path`; the others answer 404, 409 or 503
with the message as `detail`, as [the HTTP API](http.md#errors) says. Where the reason of one is looked up, as in
`{why}`, it stands here as its own row.

This page is made by `python -m api.messages_page`.
"""


def page() -> str:
    """Return the page: a table of messages for each part of an order's life."""
    parts = [_HEAD]
    for title, folder in ROOMS:
        rows = sorted({(kind, text) for file in sorted((ROOT / folder).rglob("*.py")) for kind, text in _told(file)})
        if rows:
            parts += [f"## {title}", _table([("kind", "message"), *((kind, f"`{text}`") for kind, text in rows)])]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _told(file: Path) -> Iterator[tuple[str, str]]:
    """Yield what a file refuses: bad input or a step, and the message."""
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        named = _assigned(function)
        for call in ast.walk(function):
            if isinstance(call, ast.Call):
                for value in _messages(call):
                    for text in _texts(value, named):
                        yield ("bad input" if _name(call) == "Fault" else "refused"), text


def _messages(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the expressions of a call that are messages for people."""
    if _name(call) == "Fault":
        yield from (keyword.value for keyword in call.keywords if keyword.arg == "message")
    elif _name(call) in _REFUSALS and call.args:
        yield call.args[-1] if _name(call) == "refused" else call.args[0]


def _assigned(function: ast.AST) -> dict[str, list[ast.expr]]:
    """Return what is assigned to each name in a function."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                for name, value in pairs:
                    if isinstance(name, ast.Name):
                        found.setdefault(name.id, []).append(value)
    return found


def _texts(value: ast.expr, named: dict[str, list[ast.expr]], depth: int = 0) -> Iterator[str]:
    """Yield the texts that an expression may be; nothing for what is worked out elsewhere."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        yield "".join(_filled_in(part) for part in value.values)
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body, named, depth)
        yield from _texts(value.orelse, named, depth)
    elif isinstance(value, ast.Name) and depth < 3:
        for each in named.get(value.id, ()):
            yield from _texts(each, named, depth + 1)


def _filled_in(part: ast.expr) -> str:
    """Return a part of an f-string: as it stands there, or the name of its value in braces."""
    return str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"  # type: ignore[attr-defined]


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _table(rows: list[tuple[str, str]]) -> str:
    rows = [(kind, " ".join(text.split()).replace("|", "\\|")) for kind, text in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"| {kind.ljust(widths[0])} | {text.ljust(widths[1])} |" for kind, text in rows]
    lines.insert(1, f"|{'-' * (widths[0] + 2)}|{'-' * (widths[1] + 2)}|")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
