"""From the bytes of a request to its typed body, or to `InvalidInput` that names every fault.

msgspec decodes and says no; only then the document is walked once more, slowly, to find every fault with its
path (`$.lines[3].quantity`), its value and the remedy. Not here: rules that need the network or the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import inspect as shapes
from pydantic import BaseModel

from engine.errors import Fault, InvalidInput
from engine.faults import nearest, read_document
from engine.forecasting.document import ForecastDocument

T = TypeVar("T")

MOST_FAULTS = 100
"""At most so many faults are looked for: an answer is for reading, and finding faults takes time."""
_LONGEST_SHOWN = 60
_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def decode(body: bytes, kind: type[T]) -> T:
    """Return `body` as a `kind` (a msgspec struct or a pydantic document); raises InvalidInput."""
    if issubclass(kind, BaseModel):
        if issubclass(kind, ForecastDocument) and (document := kind.in_pieces(body)) is not None:
            return document
        _plain(body)
        return read_document(kind, body)
    try:
        decoded: T = _decoder(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = list(islice(_faults(kind, _plain(body), "$"), MOST_FAULTS))
        raise InvalidInput(found or [Fault(path="$", message=str(error))]) from None
    return decoded


def decoded(body: bytes, kind: type[T]) -> T | None:
    """Return `body` as a `kind` (a msgspec struct); None if it is not one, of which `decode` says why."""
    try:
        found: T = _decoder(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found


def decode_query(pairs: Mapping[str, str], kind: type[T]) -> T:
    """Return the query string as a `kind`; paths are the names of the parameters. Raises InvalidInput."""
    try:
        return msgspec.convert(dict(pairs), kind, strict=False)
    except msgspec.ValidationError as error:
        found = list(islice(_faults(kind, dict(pairs), "query", is_strict=False), MOST_FAULTS))
        raise InvalidInput(found or [Fault(path="query", message=str(error))]) from None


def _decoder(kind: type) -> msgspec.json.Decoder[Any]:
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind)
    return _decoders[kind]


def _plain(body: bytes) -> Any:
    """Return the JSON value as plain objects; raises InvalidInput with line and column where it is no JSON."""
    if not body.strip():
        raise InvalidInput(Fault(path="1:1", message="the body is empty; send one JSON object"))
    try:
        body.decode("utf-8")
        return msgspec.json.decode(body)
    except UnicodeDecodeError as error:
        raise InvalidInput(Fault(path=_place(body, error.start), message="is not UTF-8; send UTF-8 text")) from None
    except RecursionError:
        raise InvalidInput(Fault(path="$", message="is nested too deeply; no document needs that")) from None
    except msgspec.DecodeError as error:
        reason = re.sub(r" \(byte \d+\)$", "", str(error).removeprefix("JSON is malformed: "))
        at = re.search(r"\(byte (\d+)\)$", str(error))
        path = _place(body, int(at[1]) if at else len(body))
        raise InvalidInput(Fault(path=path, message=f"is not JSON: {reason}; send one JSON object")) from None


def _place(body: bytes, offset: int) -> str:
    """Return the place of a byte as line:column, both from 1."""
    before = body[:offset]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return f"{before.count(bytes([10])) + 1}:{column}"


def _faults(kind: Any, value: Any, path: str, *, is_strict: bool = True) -> Iterator[Fault]:
    """Yield every fault of `value` as a `kind`, deepest places first."""
    bare, choices = _unwrapped(kind)
    if value is None and NoneType in choices:
        return
    members = [choice for choice in choices if choice is not NoneType]
    if len(members) == 1:
        bare, _ = _unwrapped(members[0])
    nested: Iterator[Fault] = iter(())
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct) and isinstance(value, dict):
        nested = _faults_of_struct(bare, value, path, is_strict)
    elif get_origin(bare) in (list, tuple) and isinstance(value, list):
        inner = get_args(bare)[0]
        nested = (
            fault
            for index, element in enumerate(value)
            for fault in _faults(inner, element, f"{path}[{index}]", is_strict=is_strict)
        )
    first = next(nested, None)
    if first is not None:
        yield first
        yield from nested
        return
    try:
        msgspec.convert(value, kind, strict=is_strict)
    except msgspec.ValidationError as error:
        yield Fault(path=path, message=_message(value, kind, str(error)))


def _faults_of_struct(kind: type[msgspec.Struct], value: dict[str, Any], path: str, is_strict: bool) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    if kind.__struct_config__.forbid_unknown_fields:
        for key in value:
            if key not in fields:
                short = key if len(key) <= _LONGEST_SHOWN else f"{key[:_LONGEST_SHOWN]}…"
                yield Fault(path=f"{path}.{short}", message=f"unknown key {short!r}; {nearest(short, fields)}")
    for name, field in fields.items():
        if name in value:
            yield from _faults(field.type, value[name], f"{path}.{name}", is_strict=is_strict)
        elif field.required:
            yield Fault(path=f"{path}.{name}", message=f"{name!r} is required; add it")


def _unwrapped(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the type without its annotations, and the members if it is a union."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        return kind, get_args(kind)
    return kind, ()


def _message(value: Any, kind: Any, complaint: str) -> str:
    shape: Any = shapes.type_info(kind)
    if isinstance(shape, shapes.UnionType):
        kinds = [member for member in shape.types if not isinstance(member, shapes.NoneType)]
        shape = kinds[0] if len(kinds) == 1 else shape
    if isinstance(shape, shapes.Metadata):
        described = (shape.extra_json_schema or {}).get("description")
        if described is not None:
            return f"{_shown(value)} is not valid here; give {described}"
        shape = shape.type
    if isinstance(shape, shapes.StructType) and isinstance(value, dict):
        return complaint  # the struct's own rule, from its __post_init__
    if isinstance(shape, shapes.LiteralType) and isinstance(value, str):
        return f"{_shown(value)} is not known; {nearest(value, map(str, shape.values))}"
    return f"{_shown(value)} is not valid here; give {_wanted(shape, complaint)}"


def _wanted(shape: Any, complaint: str) -> str:
    """Return in words what a value of this shape has to be."""
    if isinstance(shape, shapes.IntType | shapes.FloatType):
        noun = "a whole number" if isinstance(shape, shapes.IntType) else "a number"
        if shape.ge is not None and shape.le is not None:
            return f"{noun} from {shape.ge} to {shape.le}, without quotes"
        low = f", at least {shape.ge}" if shape.ge is not None else ""
        return f"{noun}{low}, without quotes"
    if isinstance(shape, shapes.StrType):
        if shape.pattern is not None:
            return f"a text that matches {shape.pattern}"
        most = f" of at most {shape.max_length} characters" if shape.max_length else ""
        return f"a text in quotes{most}" if not shape.min_length else f"a text in quotes{most}, not empty"
    if isinstance(shape, shapes.ListType | shapes.VarTupleType):
        return f"a list of {shape.min_length or 0} to {shape.max_length or 'many'} entries"
    if isinstance(shape, shapes.LiteralType):
        return "one of: " + ", ".join(map(str, shape.values))
    words = {
        shapes.BoolType: "true or false",
        shapes.DateType: "a day as 'YYYY-MM-DD'",
        shapes.DateTimeType: "a time as '2026-01-31T15:00:00Z'",
        shapes.StructType: "an object {...}",
    }
    return words.get(type(shape)) or f"something else ({complaint})"


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)} entries"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}…"
