"""Working on imports: each row is a call of its own, under an idempotency key of its own, so it has one effect.

A piece of rows is taken, and then noted with what became of them; whoever is killed in between leaves the piece to the
next server, and its rows answer as they did. Not here: reading files (engine/imports/reading.py).
"""

from __future__ import annotations

import asyncio
import csv
import io
import secrets
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import msgspec

from api.decoding import decode
from api.routes.carrier_events import reported_event
from api.routes.inventory import new_count
from api.routes.orders import new_order
from api.schemas.carrier_events import CarrierEventBody
from api.schemas.inventory import PositionBody
from api.schemas.orders import OrderBody
from engine.bootstrap import Engine
from engine.errors import AllotError, InvalidInput, NotFound, StoreReplyError, Unavailable
from engine.events.actor import acting_as
from engine.fulfillment.carrier_events import Taken
from engine.imports.model import Import, Row, Verdict
from engine.imports.store import ImportStore
from engine.inventory.model import Replay

LEASE_SECONDS = 15.0
"""After so long without a sign of life another server works on an import."""
ROW_FAULT = "row_not_readable"
_encode = msgspec.json.Encoder().encode


class ImportWork:
    """The work of one process on the imports of a tenant."""

    def __init__(self, engine: Engine, store: ImportStore) -> None:
        self._engine, self._store, self._owner = engine, store, secrets.token_hex(8)

    async def step(self) -> bool:
        """Take a piece of each import that nobody else works on; return whether there is more to do."""
        has_more = False
        for import_id in await self._store.open():
            lease = f"import:{import_id}"
            if await self._engine.leases.take(lease, self._owner, LEASE_SECONDS):
                with acting_as(import_id):
                    if await self._piece(import_id):
                        has_more = True
                    else:
                        await self._engine.leases.release(lease, self._owner)
        return has_more

    async def _piece(self, import_id: str) -> bool:
        """Take the next piece of an import; return whether there is one more."""
        found = await self._store.get(import_id)
        if found is None:
            await self._store.forget_open(import_id)
            return False
        rows = await self._store.piece(import_id, found.next_piece)
        verdicts = [verdict for wave in _waves(rows, found) for verdict in await self._wave(found, wave)]
        verdicts.sort(key=lambda verdict: verdict.line)
        refused = sum(bool(verdict.code) for verdict in verdicts)
        done = len(verdicts) - refused
        await self._store.note(import_id, found.next_piece, done, refused, _lines(verdicts))
        return found.next_piece + 1 < found.pieces

    async def _wave(self, found: Import, rows: Sequence[Row]) -> list[Verdict]:
        return await asyncio.gather(*(self._row(found, row) for row in rows))

    async def _row(self, found: Import, row: Row) -> Verdict:
        """Do what a row says; raises Unavailable, for the whole piece is then taken again."""
        if row.fault or row.fields is None:
            return Verdict(line=row.line, identifier=_name(row, found.kind), code=ROW_FAULT, message=row.fault)
        key = sha256(f"{found.import_id}\0{row.line}".encode()).hexdigest()
        body = _encode(row.fields)
        replay = Replay(digest=key, fingerprint=sha256(body).hexdigest())
        try:
            if found.kind == "inventory":
                identifier = await self._count(decode(body, PositionBody), replay)
            elif found.kind == "carrier_events":
                identifier = await self._carrier_event(decode(body, CarrierEventBody))
            else:
                identifier = await self._order(decode(body, OrderBody), replay)
        except (Unavailable, StoreReplyError):
            raise
        except AllotError as error:
            message = "; ".join(map(str, error.faults)) if isinstance(error, InvalidInput) else str(error)
            return Verdict(line=row.line, identifier=_name(row, found.kind), code=error.code, message=message)
        return Verdict(line=row.line, identifier=identifier)

    async def _count(self, body: PositionBody, replay: Replay) -> str:
        await self._engine.inventory.put_positions([new_count(body)], replay=replay)
        return f"{body.sku} at {body.node_id}"

    async def _carrier_event(self, body: CarrierEventBody) -> str:
        """Take an event; again is no harm. Raises NotFound for a number that nobody knows."""
        (taken,) = (await self._engine.carrier_events.take([reported_event(body)])).value
        if taken is Taken.UNKNOWN_NUMBER:
            raise NotFound(f"No shipment has the tracking number {body.tracking_number!r}. Check it.")
        return body.tracking_number

    async def _order(self, body: OrderBody, replay: Replay) -> str:
        order = new_order(body)
        if order.order_id is None and order.channel_order_id is None:
            order = replace(order, order_id=f"ord_{replay.digest[:32]}")
        return (await self._engine.orders.capture(order, replay=replay)).value.captured.order_id


def _waves(rows: Sequence[Row], found: Import) -> list[list[Row]]:
    """Return rows in waves, each of what may go at once: a later row of one thing comes after the earlier ones."""
    waves: list[list[Row]] = []
    seen: dict[str, int] = {}
    for row in rows:
        name = _name(row, found.kind) or f"\0{row.line}"
        wave = seen.get(name, -1) + 1
        seen[name] = wave
        if wave == len(waves):
            waves.append([])
        waves[wave].append(row)
    return waves


def _name(row: Row, kind: str) -> str:
    fields = row.fields or {}
    if kind == "inventory":
        return f"{fields.get('sku', '')} at {fields.get('node_id', '')}" if fields else ""
    if kind == "carrier_events":
        return str(fields.get("tracking_number", ""))
    return str(fields.get("order_id") or fields.get("channel_order_id", ""))


def _lines(verdicts: Sequence[Verdict]) -> str:
    """Return the lines of a report."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    for verdict in verdicts:
        status = "refused" if verdict.code else "done"
        rows.writerow((verdict.line, status, verdict.identifier, verdict.code, verdict.message))
    return text.getvalue()
