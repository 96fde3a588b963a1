"""Waves: shipments of a node that are picked together, and the list that they are picked by.

A wave is named first, with the shipments that it takes, and these join it one by one; whoever repeats the call, or
takes it up after a crash, finds the same wave and lets the rest join. A shipment is in one wave only: it joins by a
change of its order. Not here: what a picker does not find (engine/orders/rejecting.py).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from engine.clock import Clock
from engine.errors import IdempotencyConflict, IllegalState, NotFound
from engine.events.actor import actor
from engine.fulfillment.answers import Answers
from engine.fulfillment.service import FulfillmentService
from engine.inventory.model import Outcome, Replay
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.model import Order
from engine.storage.documents import DocumentStore

COLLECTION = "waves"
MOST_SHIPMENTS = 200
_AT_ONCE = 16


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """What is picked together at a node: the shipments that were wanted for it when it was made."""

    wave_id: str
    node_id: str
    created_at: datetime
    by: str
    shipment_ids: tuple[str, ...]
    fingerprint: str = ""


class PickLine(msgspec.Struct, frozen=True, kw_only=True):
    """How many units of a product to fetch, and for which shipments."""

    sku: str
    quantity: int
    shipments: tuple[tuple[str, str, int], ...]
    """(shipment id, line id, units)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedWave:
    """What a wave is made of: released shipments of a node, of some services, that leave until a day; the first."""

    node_id: str
    services: tuple[str, ...] = ()
    until: date | None = None
    most_shipments: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveState:
    """A wave as it stands: its shipments that joined, and what is to be fetched for them."""

    wave: Wave
    shipments: tuple[tuple[Order, Shipment], ...]
    pick_list: tuple[PickLine, ...]


class WaveService:
    """Makes waves of the work of nodes."""

    def __init__(
        self, documents: DocumentStore, fulfillment: FulfillmentService, clock: Clock, answers: Answers
    ) -> None:
        self._documents, self._fulfillment, self._clock, self._answers = documents, fulfillment, clock, answers

    async def create(self, wanted: WantedWave, *, by: str | None = None, replay: Replay | None = None) -> Outcome[Wave]:
        """Make a wave, and let its shipments join it. Raises IllegalState if there is nothing to pick.

        The same call again, under its key, finds the same wave; raises IdempotencyConflict for another one.
        """
        wave_id = f"wav_{secrets.token_hex(12) if replay is None else replay.digest[:24]}"
        fingerprint = "" if replay is None else replay.fingerprint
        known = await self._find(wave_id)
        wave = known or await self._made_once(wave_id, wanted, by or actor(), replay)
        if wave.fingerprint != fingerprint:
            raise IdempotencyConflict
        await self._join(wave)
        return Outcome(value=wave, replayed=known is not None)

    async def get(self, wave_id: str) -> WaveState:
        """Return a wave as it stands now; raises NotFound."""
        wave = await self._find(wave_id)
        if wave is None:
            raise NotFound(f"There is no wave {wave_id!r}. Check the id.")
        return await self._state(wave)

    async def _made_once(self, wave_id: str, wanted: WantedWave, by: str, replay: Replay | None) -> Wave:
        """Return a new wave; a refusal is the same when the call comes again, whatever there is to pick by then."""
        before = None if replay is None else await self._answers.find(replay)
        if before is not None:
            refusal = IllegalState(before)
            refusal.replayed = True
            raise refusal
        try:
            return await self._made(wave_id, wanted, by, "" if replay is None else replay.fingerprint)
        except IllegalState as error:
            if replay is not None:
                await self._answers.keep(replay, str(error))
            raise

    async def _made(self, wave_id: str, wanted: WantedWave, by: str, fingerprint: str) -> Wave:
        names = [shipment.shipment_id for _, shipment in await self._wanted(wanted)]
        if not names:
            why = f"Node {wanted.node_id!r} has no released shipment that fits. Release orders, or ask for others."
            raise IllegalState(why)
        wave = Wave(
            wave_id=wave_id,
            node_id=wanted.node_id,
            created_at=self._clock.now(),
            by=by,
            shipment_ids=tuple(names),
            fingerprint=fingerprint,
        )
        await self._documents.add(COLLECTION, wave_id, msgspec.json.encode(wave))
        first = await self._documents.find(COLLECTION, wave_id, 1)  # of two at once, the one that came first
        assert first is not None
        return msgspec.json.decode(first.body, type=Wave)

    async def _wanted(self, wanted: WantedWave) -> list[tuple[Order, Shipment]]:
        found, after, has_more = list[tuple[Order, Shipment]](), None, True
        while has_more and len(found) < wanted.most_shipments:
            page, has_more = await self._fulfillment.work(wanted.node_id, ShipmentState.RELEASED, 100, after)
            found += [
                (order, shipment)
                for order, shipment in page
                if shipment.node_id == wanted.node_id
                and (not wanted.services or shipment.service in wanted.services)
                and (wanted.until is None or shipment.ship_on <= wanted.until)
                and not order.steering.order_holds
            ]
            after = page[-1][1].shipment_id if page else None
        return found[: wanted.most_shipments]

    async def _join(self, wave: Wave) -> None:
        """Let shipments join that can; one that is picked by now, or recalled, stays away."""
        for start in range(0, len(wave.shipment_ids), _AT_ONCE):
            some = wave.shipment_ids[start : start + _AT_ONCE]
            await asyncio.gather(*(self._join_one(wave, shipment_id) for shipment_id in some))

    async def _join_one(self, wave: Wave, shipment_id: str) -> None:
        with suppress(IllegalState, NotFound):
            await self._fulfillment.pick(shipment_id, wave_id=wave.wave_id, by=wave.by)

    async def _state(self, wave: Wave) -> WaveState:
        found = await asyncio.gather(*map(self._fulfillment.find, wave.shipment_ids))
        joined = tuple((order, each) for order, each in found if each.wave_id == wave.wave_id)
        return WaveState(wave=wave, shipments=joined, pick_list=pick_list([each for _, each in joined]))

    async def _find(self, wave_id: str) -> Wave | None:
        found = await self._documents.find(COLLECTION, wave_id, 1)
        return None if found is None else msgspec.json.decode(found.body, type=Wave)


def pick_list(shipments: Sequence[Shipment]) -> tuple[PickLine, ...]:
    """Return what is to be fetched for shipments that are being picked, each product once, by SKU."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for shipment in shipments:
        for line in shipment.lines if shipment.state is ShipmentState.PICKING else ():
            found.setdefault(line.sku, []).append((shipment.shipment_id, line.line_id, line.quantity))
    return tuple(
        PickLine(sku=sku, quantity=sum(units for *_, units in rows), shipments=tuple(rows))
        for sku, rows in sorted(found.items())
    )
