"""Reading problem.json: the batch-wide rules, with line and key in every complaint."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import NoReturn

from engine.errors import Fault, InvalidInput
from engine.verification.problem import Terms
from engine.verification.table import MOST, Faults

FILE = "problem.json"
_REQUIRED = ("version", "backorder_cost_cents_per_unit")


def read_terms(body: bytes) -> Terms:
    """Read problem.json; raise InvalidInput naming each unknown, missing, repeated or impossible key."""
    try:
        text = body.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=_pairs, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise InvalidInput(Fault(path=FILE, message="is not UTF-8; save the file as UTF-8")) from None
    except json.JSONDecodeError as error:
        path = f"{FILE}:{error.lineno}:{error.colno}"
        raise InvalidInput(Fault(path=path, message=f"is not JSON: {error.msg}")) from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(Fault(path=FILE, message=f"is not usable JSON: {error}")) from None
    if not isinstance(document, dict):
        raise InvalidInput(Fault(path=FILE, message="must be one JSON object"))
    return _terms(text, document)


def _terms(text: str, document: dict[str, object]) -> Terms:
    faults = Faults()
    for key in document:
        if key not in _RULES:
            message = f"unknown key {key!r}; the keys are {', '.join(_RULES)}"
            faults.add(_place(text, key), message)
    for key in _REQUIRED:
        if key not in document:
            faults.add(f"{FILE}:1:{key}", f"{key!r} is required; add it")
    for key, (holds, remedy) in _RULES.items():
        if key in document and not holds(document[key]):
            faults.add(_place(text, key), f"{json.dumps(document[key])[:60]} is not valid; {remedy}")
    faults.stop_if_any()

    def whole(key: str) -> int | None:
        value = document.get(key)
        return value if isinstance(value, int) else None

    distance = document.get("max_distance_km")
    return Terms(
        split_cost_cents=whole("split_cost_cents") or 0,
        backorder_cost_cents_per_unit=whole("backorder_cost_cents_per_unit") or 0,
        late_day_cost_cents=whole("late_day_cost_cents"),
        line_split_allowed=document.get("line_split", "never") == "allowed",
        max_nodes_per_order=whole("max_nodes_per_order"),
        max_distance_km=float(distance) if isinstance(distance, int | float) else None,
        move_cost_cents=whole("move_cost_cents") or 0,
    )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def _is_distance(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (number and math.isfinite(value) and value >= 0)  # type: ignore[arg-type,operator]


_WHOLE = f"give a whole number from 0 to {MOST}"
_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "version": (lambda value: _is_whole(value) and value == 1, "this program reads version 1"),
    "name": (lambda value: isinstance(value, str), "give a text"),
    "currency": (lambda value: isinstance(value, str), "give a text such as USD"),
    "split_cost_cents": (_is_whole, _WHOLE),
    "backorder_cost_cents_per_unit": (_is_whole, _WHOLE),
    "late_day_cost_cents": (lambda value: value is None or _is_whole(value), f"{_WHOLE}, or null"),
    "move_cost_cents": (_is_whole, _WHOLE),
    "line_split": (lambda value: value in ("never", "allowed"), 'give "never" or "allowed"'),
    "max_nodes_per_order": (lambda value: value is None or _is_whole(value), f"{_WHOLE}, or null"),
    "max_distance_km": (_is_distance, "give a number of kilometres from 0, or null"),
}
"""Each key, what must hold for its value, and the remedy where it does not."""


def _place(text: str, key: str) -> str:
    found = re.search(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:", text)
    line = text.count("\n", 0, found.start()) + 1 if found else 1
    return f"{FILE}:{line}:{key}"


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"the key {twice!r} is there twice; remove one")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number here; give a finite one")
