"""The kinds of field that many bodies share, with their ranges."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

_PRINTABLE = r"^[^\x00-\x1f\x7f]+(?![\s\S])"  # the look-ahead is the end: Python lets "$" pass a newline


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A part of a request: a key that is not known is an error. What is read from text has no cycles to look for."""


class Nothing(Body, frozen=True, kw_only=True):
    """The body of a request that needs none: no bytes, or `{}`."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of a reply, which has no cycles either."""


Identifier = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=_PRINTABLE,
        description="a text of 1 to 128 characters, without control characters",
    ),
]
SlotId = Annotated[
    str,
    Meta(min_length=1, max_length=140, pattern=_PRINTABLE, description="a window as '<slot>@2026-01-31'"),
]
Quantity = Annotated[int, Meta(ge=1, le=10**6)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Cents = Annotated[int, Meta(ge=0, le=10**12, description="whole minor units of the currency")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}(?![\\s\\S])", description="three capital letters of ISO 4217: EUR")]
Delta = Annotated[int, Meta(ge=-(2**31 - 1), le=2**31 - 1)]
Text = Annotated[str, Meta(max_length=1000)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="degrees, from -90 to 90")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="degrees, from -180 to 180")]
