"""From the days of lines to the answer, as structs or as the JSON of these structs, byte for byte.

A page of 500 SKUs is two megabytes of JSON in which the same days come again and again. They are written once for each
(node, level) and put together, in a fraction of the time that it takes to make structs and to encode them. Not here:
the days (days.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

import msgspec

from engine.availability.days import Cell, LineDays, cell_parts
from engine.availability.model import Availability, DayAtp, LineAvailability, NodeAvailability

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found: the days of each SKU's line, and which nodes they are of, each with the day it is there."""

    as_of: datetime
    channel: str | None
    skus: Sequence[str]
    lines: LineDays
    node_ids: Sequence[str]
    local_day: Sequence[int]
    horizon_days: int
    by_node: bool


class _Made(dict[Cell, T]):
    """What is made of each (node, level), when it is first asked for."""

    def __init__(self, make: Callable[[int, Sequence[int]], T], horizon_days: int) -> None:
        self._make = make
        self._horizon_days = horizon_days

    def __missing__(self, cell: Cell) -> T:
        node, level = cell_parts(cell)
        made = self[cell] = self._make(node, [level] * self._horizon_days)
        return made


def _by_line(found: Found, make: Callable[[int, Sequence[int]], T]) -> list[list[T]]:
    """Return what is made of the (node, level of each day) of every cell, by line."""
    if not found.by_node:
        return [[] for _ in found.skus]
    lines = found.lines
    made = list(map(_Made(make, found.horizon_days).__getitem__, lines.cells))
    for place, levels in lines.levels.items():
        made[place] = make(cell_parts(lines.cells[place])[0], levels)
    return [made[start:end] for start, end in zip(lines.starts, lines.starts[1:], strict=False)]


def availability_of(found: Found) -> Availability:
    """Return the answer as structs; equal nodes are one object."""

    def days(first_day: int, levels: Sequence[int]) -> tuple[DayAtp, ...]:
        return tuple(DayAtp(date=date.fromordinal(first_day + i), atp=level) for i, level in enumerate(levels))

    def at_node(node: int, levels: Sequence[int]) -> NodeAvailability:
        by_day = days(found.local_day[node], levels)
        return NodeAvailability(node_id=found.node_ids[node], available_now=levels[0], by_day=by_day)

    of = found.lines
    columns = (found.skus, of.available_now, of.first_day, of.summed, _by_line(found, at_node))
    lines = (
        LineAvailability(sku=sku, available_now=units, by_day=days(first_day, summed), nodes=tuple(nodes))
        for sku, units, first_day, summed, nodes in zip(*columns, strict=True)
    )
    return Availability(as_of=found.as_of, binding=False, lines=tuple(lines), channel=found.channel)


def document_of(as_of: datetime, lines: Sequence[bytes], channel: str | None) -> bytes:
    """Return the JSON of the answer: the same bytes as `availability_of`, encoded."""
    head = f'{{"as_of":{_text(as_of)},"binding":false,"lines":['
    return b"".join((head.encode(), b",".join(lines), f'],"channel":{_text(channel)}}}'.encode()))


def line_texts(found: Found) -> list[bytes]:
    """Return the JSON of each line."""
    begun: dict[int, tuple[str, ...]] = {}
    flat: dict[tuple[int, int], str] = {}

    def days(first_day: int, levels: Sequence[int]) -> str:
        level = levels[0]
        is_flat = level == levels[-1]  # ATP never falls
        if is_flat and (first_day, level) in flat:
            return flat[first_day, level]
        if first_day not in begun:
            dates = (date.fromordinal(first_day + i) for i in range(found.horizon_days))
            begun[first_day] = tuple(f'{{"date":"{day.isoformat()}","atp":' for day in dates)
        written = "},".join([f"{begin}{level}" for begin, level in zip(begun[first_day], levels, strict=True)])
        if is_flat:
            flat[first_day, level] = written
        return written

    begun_at = [f',{{"node_id":{_text(node_id)},"available_now":' for node_id in found.node_ids if found.by_node]

    def at_node(node: int, levels: Sequence[int]) -> bytes:
        by_day = days(found.local_day[node], levels)
        return f'{begun_at[node]}{levels[0]},"by_day":[{by_day}}}]}}'.encode()

    of = found.lines
    columns = (found.skus, of.available_now, of.first_day, of.summed, _by_line(found, at_node))
    texts = []
    for sku, units, first_day, summed, nodes in zip(*columns, strict=True):
        head = f'{{"sku":{_text(sku)},"available_now":{units},"by_day":[{days(first_day, summed)}}}],"nodes":['.encode()
        if nodes:
            nodes[0] = nodes[0][1:]
        texts.append(b"".join((head, *nodes, b"]}")))
    return texts


def _text(value: str | datetime | None) -> str:
    return _encode(value).decode()
