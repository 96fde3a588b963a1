"""From the entries of the two streams of a partition (lua/feed.lua) to events, row by row.

Not here: reading them (redis_feed.py), and their order over streams (merging.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.clock import instant_of
from engine.feed.model import (
    CustomerData,
    Data,
    DocumentData,
    Event,
    InventoryData,
    LowStockData,
    OrderData,
    ReservationData,
    RunData,
    Wanted,
    WebhookData,
)
from engine.inventory.changes import Entry
from engine.inventory.history import history_of
from engine.inventory.view import BYTES_PER_NODE

_stock_entry = msgspec.msgpack.Decoder(Entry).decode
_other_entry = msgspec.msgpack.Decoder(tuple[int, str, str, str | dict[str, str], tuple[tuple[Any, ...], ...]]).decode
_note = msgspec.json.Decoder(dict[str, Any]).decode
_ACTS = {"put": "put", "add": "added"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StockEntry:
    """An entry of the journal: a row for each position that changed."""

    number: int
    entry: Entry
    cells: bytes
    node_ids: Sequence[str]
    source: str

    @property
    def at_ms(self) -> int:
        """When it happened."""
        return self.entry[0]

    @property
    def rows(self) -> int:
        """How many events it has."""
        return len(self.entry[3])

    def may_be(self, wanted: Wanted) -> bool:
        """Return whether any of its events is wanted."""
        return "inventory.changed" in wanted

    def event(self, row: int) -> Event:
        """Return the event of a row."""
        at_ms, act, who, rows = self.entry
        sku, slot, whys, moves = rows[row]
        at = 2 * row * BYTES_PER_NODE
        cells = self.cells[at : at + 2 * BYTES_PER_NODE]
        history = history_of([(self.number, at_ms, act, who, whys, moves)], cells, has_more=False, is_cut_off=False)
        (change,) = history.events
        data = InventoryData(
            sku=sku,
            node_id=self.node_ids[slot],
            event=change.event,
            act=change.act,
            who=change.who,
            whys=change.whys,
            before=change.before,
            after=change.after,
            schedule=change.schedule,
            conditions=change.conditions,
        )
        return _event(self, row, "inventory.changed", data)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEntry:
    """An entry of what happened to all but positions."""

    number: int
    entry: tuple[int, str, str, str | dict[str, str], tuple[tuple[Any, ...], ...]]
    source: str

    @property
    def at_ms(self) -> int:
        """When it happened."""
        return self.entry[0]

    @property
    def rows(self) -> int:
        """How many events it has, those of no known type too."""
        return len(self.entry[4])

    def may_be(self, wanted: Wanted) -> bool:
        """Return whether any of its events may be wanted."""
        return wanted.may_want(f"{self.entry[1]}.")

    def event(self, row: int) -> Event:
        """Return the event of a row."""
        _, kind, act, who, rows = self.entry
        fields = rows[row]
        whose = who if isinstance(who, str) else who.get(str(fields[0]), "")
        what, data = _READ[kind](fields, act, whose)
        return _event(self, row, f"{kind}.{what}", data)


FeedEntry = StockEntry | OtherEntry


def stock_entry(number: int, packed: bytes, cells: bytes, node_ids: Sequence[str], source: str) -> StockEntry:
    """Return an entry of the journal; `source` names its stream in the ids of its events."""
    return StockEntry(number=number, entry=_stock_entry(packed), cells=cells, node_ids=node_ids, source=source)


def other_entry(number: int, packed: bytes, source: str) -> OtherEntry:
    """Return an entry of the other stream; `source` names it in the ids of its events."""
    return OtherEntry(number=number, entry=_other_entry(packed), source=source)


def slots_of(packed: bytes) -> list[int]:
    """Return the slots that the rows of an entry of the journal name."""
    return [row[1] for row in _stock_entry(packed)[3]]


def _event(entry: FeedEntry, row: int, name: str, data: Data) -> Event:
    evt = f"evt_{entry.source}{entry.number}_{row}"
    return Event(id=evt, type=name, time=instant_of(entry.at_ms), data=data)


def _reservation(fields: Sequence[Any], act: str, who: str) -> tuple[str, Data]:
    reservation_id, state, deadline, reference, channel, order_id = (*fields, False, False, False)[:6]
    data = ReservationData(
        reservation_id=reservation_id,
        state=state,
        expires_at=instant_of(deadline) if state == "held" and deadline else None,
        reference=reference or None,
        channel=channel or None,
        order_id=order_id or None,
        act=act,
        who=who,
    )
    return ("cancelled" if state == "forestalled" else state), data


def _order(fields: Sequence[Any], act: str, who: str) -> tuple[str, Data]:
    order_id, state, said = fields
    run_id, _, note = said.partition(" ")
    data = OrderData(
        order_id=order_id, state=state, run_id=run_id or None, note=_note(note) if note else None, act=act, who=who
    )
    return state, data


def _routing_run(fields: Sequence[Any], _: str, __: str) -> tuple[str, Data]:
    return fields[1], RunData(run_id=fields[0], status=fields[1])


def _customer(fields: Sequence[Any], _: str, who: str) -> tuple[str, Data]:
    return fields[1], CustomerData(customer_id=fields[0], who=who)


def _document(fields: Sequence[Any], act: str, who: str) -> tuple[str, Data]:
    return _ACTS[act], DocumentData(name=fields[0], version=fields[1], who=who)


def _low_stock(fields: Sequence[Any], _: str, __: str) -> tuple[str, Data]:
    sku, node_id, state, available, threshold = fields
    limit = None if threshold is False else threshold
    return state, LowStockData(sku=sku, node_id=node_id, state=state, available=available, threshold=limit)


def _webhook(fields: Sequence[Any], _: str, __: str) -> tuple[str, Data]:
    return fields[1], WebhookData(webhook_id=fields[0], detail=fields[2])


_READ = {
    "reservation": _reservation,
    "order": _order,
    "routing_run": _routing_run,
    "customer": _customer,
    "document": _document,
    "low_stock": _low_stock,
    "webhook": _webhook,
}
