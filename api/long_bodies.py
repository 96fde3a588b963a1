"""Long bodies that are one list of objects, decoded in turns of the event loop: the same structs as at once.

msgspec keeps the interpreter for as long as it decodes: ten milliseconds for ten thousand objects. Its first pass here
only finds where each object ends, in a tenth of that. Not here: what is wrong with a body (decoding.py).
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw

from api.decoding import decoded
from engine.turns import ROWS, in_turns, turn

T = TypeVar("T")

LONG_BYTES = 2**16
"""A body of more is decoded in turns, if it is a list; it takes about half a millisecond."""
_PIECE_BYTES = 2**16
_ROW_BYTES = _PIECE_BYTES // ROWS


class _Shape(NamedTuple):
    """The one field of a body, what finds its objects, and what decodes an array of them."""

    name: str
    outline: msgspec.json.Decoder[Any]
    rows: msgspec.json.Decoder[list[Any]]


async def decoded_in_turns(body: bytes, kind: type[T]) -> T | None:
    """Return a long body as a `kind` (a msgspec struct); None if it is not one, of which `decode` says why."""
    shape = _shape(cast("Any", kind))
    if shape is None:
        return decoded(body, kind)
    found: list[Any] = []
    await turn()
    try:
        objects = getattr(shape.outline.decode(body), shape.name)
        async for _, piece in in_turns(objects, ROWS, _weight):
            found += shape.rows.decode(b"[%s]" % b",".join(piece))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return kind(**{shape.name: found})


def _weight(row: Raw) -> int:
    return 1 + len(row) // _ROW_BYTES


@cache
def _shape(kind: type[Any]) -> _Shape | None:
    """Return how a body is decoded in pieces, None if it is not one list."""
    fields = msgspec.structs.fields(kind)
    if len(fields) != 1:
        return None
    hint = get_type_hints(kind, include_extras=True)[fields[0].name]
    bare, *limits = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if get_origin(bare) is not list or fields[0].encode_name != fields[0].name:
        return None
    name, rows = fields[0].name, msgspec.json.Decoder[list[Any]](bare)
    outlined: Any = Annotated[(list[Raw], *limits)] if limits else list[Raw]
    outline = msgspec.defstruct(f"{kind.__name__}Outline", [(name, outlined)], forbid_unknown_fields=True)
    return _Shape(name, msgspec.json.Decoder(outline), rows)
