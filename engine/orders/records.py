"""Orders as the bytes that a store keeps, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from engine.orders.life import life_of
from engine.orders.model import Captured, HistoryEntry, Note, Order, OrderState
from engine.orders.steering import steering_of
from engine.routing.model import AllocationRow, OrderLine

_DOCUMENTS = msgspec.json.Decoder(Captured)
_ROWS = msgspec.json.Decoder(tuple[AllocationRow, ...])
_NOTES = msgspec.json.Decoder(Note)
_encode = msgspec.json.Encoder(order="deterministic").encode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADDED = {"priority": 0, "customer_class": None, "terms_digest": None}
"""Fields that orders did not have at first: where they say nothing, fingerprints are as they were without them."""
_WRITTEN_AS = {"customer_digest": "customer"}
"""Fields that were called otherwise at first, in fingerprints for good."""
_FIELDS, _ALWAYS = [field.name for field in fields(Captured)], object()


def document(captured: Captured) -> bytes:
    """Return what was captured as JSON."""
    return msgspec.json.encode(captured)


def fingerprint(captured: Captured) -> str:
    """Return the digest of what was asked for, whenever that was: the same order again has the same."""
    asked = replace(captured, captured_at=_EPOCH, promised_on=None, promised=None)
    said = {name: value for name in _FIELDS if (value := getattr(asked, name)) != _ADDED.get(name, _ALWAYS)}
    written = [b'"%s":%s' % (_WRITTEN_AS.get(name, name).encode(), _encode(value)) for name, value in said.items()]
    return sha256(b"{%s}" % b",".join(written)).hexdigest()


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


def allocation_of(rows: str | bytes) -> tuple[AllocationRow, ...]:
    """Return an allocation, from its JSON; empty if there is none."""
    return _ROWS.decode(rows) if rows else ()


def captured_of(doc: str | bytes) -> Captured:
    """Return what was captured, from its JSON."""
    return _DOCUMENTS.decode(doc)


def order_of(fields: Sequence[str | bytes]) -> Order:
    """Return the order of the fields doc, state, reservation_id, run_id, rows, steering, life; a blank id is None.

    Replies that were kept before there were steering and life have none.
    """
    doc, state, reservation_id, run_id, rows, steering, life = (*fields, "", "")[:7]
    return Order(
        captured=_DOCUMENTS.decode(doc),
        state=OrderState(_text(state)),
        reservation_id=_text(reservation_id) or None,
        run_id=_text(run_id) or None,
        allocation=allocation_of(rows),
        steering=steering_of(steering),
        life=life_of(life),
    )


def history_entry(text: str) -> HistoryEntry:
    """Return the step written as "<ms> <state> <run_id>", or "<ms> <state>  <note>"."""
    milliseconds, state, run_id, *note = text.split(" ", 3)
    at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    said = _NOTES.decode(note[0]) if note else None
    return HistoryEntry(at=at, state=OrderState(state), run_id=run_id or None, note=said)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
