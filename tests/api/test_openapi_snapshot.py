"""The OpenAPI document as it was, one fact per line: a change to it shows in the diff of openapi.snapshot.

If a change is meant: `python -m tests.api.test_openapi_snapshot`, and look at what it changed.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api import openapi
from api.table import ENDPOINTS

SNAPSHOT = Path(__file__).with_name("openapi.snapshot")
DEPTHS = {"paths": 5, "components": 5, "info": 2, "tags": 1}
"""How many names stand before the value in a line; two for all else."""


def facts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield each fact of a document: where it stands, and what is there."""
    depth = DEPTHS.get(path[0], 2) if path else 1
    if isinstance(value, dict) and value and len(path) < depth:
        for name, inner in value.items():
            yield from facts(inner, (*path, str(name)))
    elif isinstance(value, list) and len(path) < depth and path[-1:] == ("parameters",):
        for inner in value:
            yield from facts(inner, (*path, inner["name"]))
    else:
        yield " ".join(path), json.dumps(value, ensure_ascii=False)


def now() -> list[str]:
    """Return the document's facts; a long one that stands elsewhere too is told once."""
    lines, first = [], dict[str, str]()
    for where, what in facts(openapi.document(ENDPOINTS, "0")):
        known = first.setdefault(what, where) if len(what) > 200 else where
        lines.append(f"{where} {what}" if known == where else f"{where} is that of {known}")
    return lines


def test_the_document_is_as_it_was():
    known = SNAPSHOT.read_text("utf-8").splitlines()
    changes = [line[:300] for line in difflib.unified_diff(known, now(), "as it was", "now", lineterm="", n=0)]
    assert changes == [], "meant? python -m tests.api.test_openapi_snapshot writes the snapshot anew"


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(now()) + "\n", "utf-8")
