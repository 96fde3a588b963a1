"""Orders as the bytes that a store keeps, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from engine.orders.model import Captured, HistoryEntry, Order, OrderState
from engine.routing.model import AllocationRow, OrderLine

_DOCUMENTS = msgspec.json.Decoder(Captured)
_ROWS = msgspec.json.Decoder(tuple[AllocationRow, ...])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def document(captured: Captured) -> bytes:
    """Return what was captured as JSON."""
    return msgspec.json.encode(captured)


def fingerprint(captured: Captured) -> str:
    """Return the digest of what was asked for, whenever that was: the same order again has the same."""
    asked = replace(captured, captured_at=_EPOCH, promised_on=None, promised=None)
    return sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


def demand_of(lines: Sequence[OrderLine] | Sequence[AllocationRow]) -> str:
    """Return lines or rows as one text, rows of a line summed; equal for an order and a whole allocation of it."""
    quantities: dict[tuple[str, str], int] = {}
    for line in lines:
        key = (line.line_id, line.sku)
        quantities[key] = quantities.get(key, 0) + line.quantity
    return "\n".join(f"{line_id}\t{sku}\t{quantity}" for (line_id, sku), quantity in sorted(quantities.items()))


def rows_document(rows: Sequence[AllocationRow]) -> bytes:
    """Return an allocation as JSON."""
    return msgspec.json.encode(rows)


def captured_of(doc: str | bytes) -> Captured:
    """Return what was captured, from its JSON."""
    return _DOCUMENTS.decode(doc)


def order_of(fields: Sequence[str | bytes]) -> Order:
    """Return the order of the fields doc, state, reservation_id, run_id, rows; a blank id is None."""
    doc, state, reservation_id, run_id, rows = fields
    return Order(
        captured=_DOCUMENTS.decode(doc),
        state=OrderState(_text(state)),
        reservation_id=_text(reservation_id) or None,
        run_id=_text(run_id) or None,
        allocation=_ROWS.decode(rows) if rows else (),
    )


def history_entry(text: str) -> HistoryEntry:
    """Return the step written as "<ms> <state> <run_id>"."""
    milliseconds, state, run_id = text.split(" ", 2)
    at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    return HistoryEntry(at=at, state=OrderState(state), run_id=run_id or None)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
