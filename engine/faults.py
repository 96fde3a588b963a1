"""From pydantic's complaints about a JSON document to `Fault`s with a JSON path, the value and the remedy.

Here: reading a document from bytes, paths, "did you mean". Not here: rules that span fields (each document's own).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from engine.errors import Fault, InvalidInput

Model = TypeVar("Model", bound=BaseModel)

_MOST_COMPARED = 500
_REMEDY = {
    "int_type": "give a whole number without quotes",
    "int_from_float": "give a whole number",
    "float_type": "give a number without quotes",
    "finite_number": "NaN and Infinity are not numbers here; give a finite one",
    "string_type": "give a text in quotes",
    "string_too_short": "it must not be empty",
    "tuple_type": "give a list [...]",
    "model_type": "give an object {...}",
    "model_attributes_type": "give an object {...}",
    "bool_type": "give true or false",
}


def nearest(value: str, choices: Iterable[str]) -> str:
    """Return the remedy that names the valid choice nearest to `value`, or a few of the valid ones.

    Of many choices only some that start alike are compared, so that a wrong SKU costs little.
    """
    choices = choices if isinstance(choices, Collection) else tuple(choices)
    known = choices
    if len(known) > _MOST_COMPARED:
        alike = (choice for choice in choices if choice[:2] == value[:2])
        known = list(islice(alike, _MOST_COMPARED))
    close = difflib.get_close_matches(value, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    if not choices:
        return "none is defined"
    if len(choices) > _MOST_COMPARED:
        return f"none of the {len(choices)} known ones is like it"
    return f"use one of: {', '.join(sorted(choices)[:8])}{', …' if len(choices) > 8 else ''}"


def json_path(location: Sequence[str | int]) -> str:
    """Return a place in a document as a JSON path: `("nodes", 3, "latitude")` is `$.nodes[3].latitude`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def prefixed(faults: Iterable[Fault], source: str | None) -> list[Fault]:
    """Return the faults with the file they were found in before their path, or as they are without one."""
    if source is None:
        return list(faults)
    return [Fault(path=f"{source}:{fault.path}", message=fault.message) for fault in faults]


def read_document(
    model: type[Model],
    body: bytes,
    source: str | None = None,
    *,
    check: Callable[[Model], Sequence[Fault]] | None = None,
) -> Model:
    """Read one JSON document; raise `InvalidInput` with every fault of its shape, or where it stops being JSON.

    A document of sound shape is refused with the faults that `check` finds; `source` (a file) stands before each path.
    """
    try:
        document = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise InvalidInput(prefixed(faults_of(error, model), source)) from None
    repeated = repeated_keys(body)
    if repeated:
        faults = [Fault(path="$", message=f"key {key!r} stands twice in one object; keep one") for key in repeated]
        raise InvalidInput(prefixed(faults, source))
    breaches = () if check is None else check(document)
    if breaches:
        raise InvalidInput(prefixed(breaches, source))
    return document


def repeated_keys(body: bytes) -> list[str]:
    """Return the keys that some object of a JSON document has twice: readers would differ about which one counts."""
    found: dict[str, None] = {}

    def note(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found[key] = None
            seen.add(key)

    json.loads(body, object_pairs_hook=note)
    return list(found)


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Return one fault for each complaint of pydantic about a document of type `model`."""
    return [
        Fault(path=complaint.place or json_path(complaint.location), message=complaint.message)
        for complaint in complaints_of(error, model)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What pydantic finds wrong at a location; `of_key`: with the key there; `place`: where JSON itself ends."""

    location: tuple[str | int, ...]
    message: str
    kind: str = ""
    of_key: bool = False
    keys: tuple[str, ...] = ()
    """Those that there are, where one is unknown."""
    place: str | None = None


def complaints_of(error: ValidationError, model: type[BaseModel]) -> list[Complaint]:
    """Return pydantic's complaints about a document of type `model`, each in our words and with its remedy."""
    complaints: list[dict[str, Any]] = [dict(complaint) for complaint in error.errors(include_url=False)]
    parents: set[tuple[str | int, ...]] = {
        tuple(complaint["loc"][:depth]) for complaint in complaints for depth in range(len(complaint["loc"]))
    }
    return [
        _complaint(complaint, model)
        for complaint in complaints
        if not (complaint["type"] == "too_short" and complaint["loc"] in parents)  # its members have faults
    ]


def _complaint(complaint: dict[str, Any], model: type[BaseModel]) -> Complaint:
    location, kind = tuple(complaint["loc"]), complaint["type"]
    message = _message(complaint, model)
    if kind == "json_invalid":
        place = re.search(r"line (\d+) column (\d+)", complaint["msg"])
        return Complaint(location=location, message=message, place=f"{place[1]}:{place[2]}" if place else None)
    unknown = kind == "extra_forbidden"
    keys = tuple(_keys_at(model, location[:-1])) if unknown else ()
    return Complaint(location=location, message=message, kind=kind, of_key=unknown, keys=keys)


def _message(complaint: dict[str, Any], model: type[BaseModel]) -> str:
    location, kind, value = complaint["loc"], complaint["type"], complaint["input"]
    if kind == "json_invalid":
        return f"{complaint['msg']}; send one JSON object"
    if kind == "missing":
        return f"{location[-1]!r} is required; add it"
    if kind == "extra_forbidden":
        return f"unknown key {location[-1]!r}; {nearest(str(location[-1]), _keys_at(model, location[:-1]))}"
    if kind in {"literal_error", "enum"}:
        expected = str(complaint["ctx"]["expected"])
        choices = re.findall(r"'([^']*)'", expected) or [expected]
        return f"{_shown(value)} is not known; {nearest(str(value), choices)}"
    if kind == "string_pattern_mismatch":
        return f"{_shown(value)} does not match {complaint['ctx']['pattern']}"
    if kind in {"too_short", "too_long"}:
        limits = complaint["ctx"]
        bound = f"at least {limits['min_length']}" if kind == "too_short" else f"at most {limits['max_length']}"
        return f"has {limits['actual_length']} entries; give {bound}"
    reason = complaint["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    remedy = _REMEDY.get(kind) or (reason if kind == "value_error" else f"it should be {reason}")
    return f"{_shown(value)} is not valid here; {remedy}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return the keys that the object at a place may have; `<…>` names the member of a union."""
    found: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, int) or part.startswith("<") or found is None:
            continue
        field = _by_key(found).get(part)
        found = _model_in(field) if field is not None else None
    return list(_by_key(found)) if found is not None else []


def _by_key(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
