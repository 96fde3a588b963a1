"""What is asked and answered about availability; frozen structs in the shape of the wire.

Not here: the formula (atp.py), reading stock (stock.py).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=128)]
MOST_SKUS = 500
"""Lines of one call."""
MOST_DAY_ENTRIES = 4_000_000
"""SKUs × nodes × days that one call may ask for by node."""


class AskedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A SKU, product or kit; the quantity is only a hint and changes nothing in the answer."""

    sku: Name
    quantity: Annotated[int, Meta(ge=1, le=10**6)] | None = None


class AvailabilityRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which SKUs, at which nodes (all, a group, some of them, or both: those in both), for how many days from today.

    Without `by_node` only sums are told.
    """

    lines: Annotated[tuple[AskedLine, ...], Meta(min_length=1, max_length=MOST_SKUS)]
    node_ids: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=10_000)] | None = None
    group: Name | None = None
    channel: Name | None = None
    horizon_days: Annotated[int, Meta(ge=1, le=365)] = 7
    by_node: bool = True


class DayAtp(Struct, frozen=True, kw_only=True):
    """Units available to promise on one day of a node; may be negative at a node, never in a sum."""

    date: date
    atp: int


class NodeAvailability(Struct, frozen=True, kw_only=True):
    """One SKU at one node; `available_now` is ATP(today), `by_day` starts today in the node's time zone."""

    node_id: str
    available_now: int
    by_day: tuple[DayAtp, ...]


class LineAvailability(Struct, frozen=True, kw_only=True):
    """One SKU summed over the nodes asked for, and at each of them; nodes that never held it are left out."""

    sku: str
    available_now: int
    by_day: tuple[DayAtp, ...]
    nodes: tuple[NodeAvailability, ...]


class Availability(Struct, frozen=True, kw_only=True):
    """The answer; it holds nothing."""

    as_of: datetime
    binding: bool
    lines: tuple[LineAvailability, ...]
    channel: str | None = None
