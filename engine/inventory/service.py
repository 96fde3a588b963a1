"""Stock and reservations as use cases: requests are checked against the current network and catalog, then done.

Not here: what is checked (checks.py), the rules of stock (the store keeps them), HTTP. A kit has no stock of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from msgspec import structs

from engine.clock import Clock
from engine.counts import COUNTS
from engine.errors import (
    DocumentsMoved,
    Fault,
    InsufficientStock,
    InvalidInput,
    NotFound,
    SlotFull,
    SupplyUnavailable,
    TooManyHolds,
)
from engine.events.holder import holder, most_held
from engine.faults import nearest
from engine.inventory.buffers import Kept, buffers_of, kept_at, rules_of
from engine.inventory.checks import RequestChecks, World, WorldOfEpoch, candidates, part_faults, ttl_faults
from engine.inventory.conditions import ConditionChange
from engine.inventory.history import History
from engine.inventory.load import NodeLoad
from engine.inventory.long_messages import weight_of
from engine.inventory.model import (
    DEFAULT_TTL_SECONDS,
    Adjustment,
    Hold,
    HoldLimit,
    HoldLine,
    Outcome,
    Position,
    PositionCount,
    Replay,
    Reservation,
    Supply,
)
from engine.inventory.quotas import PositionQuotas
from engine.inventory.receipts import AffectedLine, Receipt, Received
from engine.inventory.slot_desk import SlotDesk, has_slot, slot_reservation_id
from engine.inventory.slots import WantedSlot
from engine.inventory.store import InventoryStore, Verdict
from engine.tokens import new_token
from engine.turns import in_turns


def new_reservation_id(_: Sequence[HoldLine] = ()) -> str:
    """Return a new id, whatever the lines."""
    return f"res_{new_token(12)}"


class InventoryService:
    """The use cases; each that changes something is all or nothing.

    `world` returns the current network and catalog and raises NotFound before they are put. `latest` returns those last
    read, perhaps no longer current, for a store that compares their epoch when it holds, and spares a question for it;
    None otherwise. Every method may raise Unavailable; those that take a request raise InvalidInput with a fault for
    each thing wrong with it.
    """

    def __init__(
        self,
        store: InventoryStore,
        *,
        world: Callable[[], Awaitable[World]],
        latest: Callable[[], WorldOfEpoch | None] = lambda: None,
        clock: Clock,
        new_id: Callable[[Sequence[HoldLine]], str] = new_reservation_id,
        most_open_holds: int | None = None,
        load: NodeLoad | None = None,
        slots: SlotDesk | None = None,
    ) -> None:
        self._store = store
        self._world, self._latest = world, latest
        self._clock = clock
        self._new_id = new_id
        self._most_open_holds = most_open_holds
        self._load = load
        self._slots = slots

    async def put_positions(self, counts: Sequence[PositionCount], *, replay: Replay | None = None) -> list[Position]:
        """Set absolute counts; raises VersionConflict naming each position that moved."""
        checks = RequestChecks(await self._world())
        async for first, piece in in_turns(counts):
            checks.positions(piece, first)
        checks.finish()
        return await self._store.put_positions(counts, replay=replay)

    async def put_quotas(self, positions: Sequence[PositionQuotas]) -> list[PositionQuotas]:
        """Replace the channel quotas of positions, all or none; return them with what is used of each."""
        checks = RequestChecks(await self._world())
        async for first, piece in in_turns(positions):
            checks.quotas(piece, first)
        checks.finish()
        return await self._store.put_quotas(positions)

    async def adjust(
        self, adjustments: Sequence[Adjustment], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Change on_hand, or units in another condition, by deltas; raises OnHandOutOfRange naming each bad line."""
        try:
            checks = RequestChecks(await self._world())
            async for first, piece in in_turns(adjustments):
                checks.adjustments(piece, first)
            checks.finish()
        except (InvalidInput, NotFound) as fault:
            return await self._earlier(replay, fault)
        return await self._store.adjust(adjustments, replay=replay)

    async def change_conditions(
        self, changes: Sequence[ConditionChange], *, replay: Replay | None = None
    ) -> Outcome[list[Position]]:
        """Move units between conditions; raises WrongCondition naming each line that cannot be."""
        try:
            checks = RequestChecks(await self._world())
            async for first, piece in in_turns(changes):
                checks.condition_changes(piece, first)
            checks.finish()
        except (InvalidInput, NotFound) as fault:
            return await self._earlier(replay, fault)
        return await self._store.change_conditions(changes, replay=replay)

    async def put_supplies(
        self, supplies: Sequence[Supply], *, replay: Replay | None = None
    ) -> Outcome[tuple[AffectedLine, ...]]:
        """Add, change, re-date or remove (quantity 0) scheduled receipts; return the reservations this affects.

        Raises TooManySupplies naming each new one that a position has no room for.
        """
        try:
            world = await self._world()
            checks = RequestChecks(world)
            async for first, piece in in_turns(supplies):
                checks.supplies(piece, first)
            checks.finish()
        except (InvalidInput, NotFound) as fault:
            return await self._earlier(replay, fault)
        return await self._store.put_supplies(supplies, today=self._today(world), replay=replay)

    async def receive(self, receipts: Sequence[Receipt], *, replay: Replay | None = None) -> Outcome[Received]:
        """Take receipts of supplies into stock; raises SupplyUnavailable naming each that does not fit its supply."""
        try:
            world = await self._world()
            checks = RequestChecks(world)
            async for first, piece in in_turns(receipts):
                checks.receipts(piece, first)
            checks.finish()
        except (InvalidInput, NotFound) as fault:
            return await self._earlier(replay, fault)
        return await self._store.receive(receipts, today=self._today(world), replay=replay)

    async def positions(self, sku: str) -> tuple[Position, ...]:
        """Return the positions of a SKU by node_id, with conditions and buffers.

        Raises NotFound if it is neither in the catalog nor in stock.
        """
        found = await self._store.positions(sku)
        if found:
            return await self._with_buffers(found)
        catalog = (await self._world()).catalog
        if sku in catalog.kits:
            parts = ", ".join(part for part, _ in catalog.content[sku].components)
            raise NotFound(f"{sku!r} is a kit and has no stock of its own. Ask for its products: {parts}.")
        if sku not in catalog.content:
            alike = candidates(sku, catalog)
            raise NotFound(f"There is no product {sku!r}; {nearest(sku, alike) if alike else 'check the spelling'}")
        return ()

    async def hold(
        self,
        lines: Sequence[HoldLine],
        *,
        ttl_seconds: float = DEFAULT_TTL_SECONDS,
        channel: str | None = None,
        reference: str | None = None,
        promised_on: date | None = None,
        promised: str | None = None,
        slot: WantedSlot | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Reservation]:
        """Hold all lines or none under a new id, and a place of a slot with them.

        Raises InsufficientStock, SupplyUnavailable, TooManyHolds, SlotFull.
        """
        latest = self._latest() if slot is None else None
        while True:
            try:
                world, today = await self._checked(latest, lines, ttl_seconds)
            except (InvalidInput, NotFound) as fault:
                return await self._earlier(replay, fault)
            hold = Hold(
                reservation_id=self._new_id(lines) if slot is None else slot_reservation_id(replay),
                lines=tuple(lines),
                ttl_seconds=ttl_seconds,
                channel=channel,
                reference=reference,
                promised_on=promised_on,
                promised=promised,
                limit=self._limit(),
                as_of=latest.epoch if latest is not None and world is latest else None,
            )
            step = partial(self._store.hold, hold, today=today, buffers=_kept_back(world, [hold]), replay=replay)
            try:
                if slot is None or self._slots is None:
                    held = await step()
                else:
                    held = await self._slots.reserve(hold, slot, step, replay)
            except DocumentsMoved:
                latest = None
                continue
            except (InsufficientStock, SupplyUnavailable, TooManyHolds, SlotFull) as refusal:
                COUNTS.holds_refused += not refusal.replayed
                raise
            COUNTS.holds_made += not held.replayed
            return await self._noted(held)

    async def _checked(
        self, latest: WorldOfEpoch | None, lines: Sequence[HoldLine], ttl_seconds: float
    ) -> tuple[World, Mapping[str, int]]:
        """Return the world in which lines can be held, the latest known if they can there, and today in it."""
        if latest is not None:
            try:
                return latest, self._today_for(latest, lines, ttl_seconds)
            except (InvalidInput, NotFound):
                pass  # what is current may know better
        world = await self._world()
        return world, self._today_for(world, lines, ttl_seconds)

    def _today_for(self, world: World, lines: Sequence[HoldLine], ttl_seconds: float) -> Mapping[str, int]:
        """Return the day ordinal at each node; raises what is wrong with a hold in this world."""
        today = self._today(world)
        checks = RequestChecks(world)
        checks.lines(lines, today)
        checks.ttl(ttl_seconds)
        checks.finish()
        return today

    async def hold_many(self, holds: Sequence[Hold], *, replay: Replay | None = None) -> Outcome[list[Verdict]]:
        """Hold each by itself under its own id, in one step; return a reservation or a refusal for each, in order."""
        try:
            world = await self._world()
            today = self._today(world)
            checks = RequestChecks(world)
            checks.number(len(holds))
            checks.finish()
            async for first, piece in in_turns(holds, weight=weight_of):
                checks.holds(piece, today, first)
            checks.finish()
        except (InvalidInput, NotFound) as fault:
            return await self._earlier(replay, fault)
        buffers = _kept_back(world, holds)
        limit = self._limit()
        if limit is not None:
            holds = [replace(hold, limit=limit) for hold in holds]
        held = await self._store.hold_many(holds, today=today, buffers=buffers, replay=replay)
        if not held.replayed:
            made = sum(isinstance(one, Reservation) for one in held.value)
            COUNTS.holds_made += made
            COUNTS.holds_refused += len(held.value) - made
        if self._load is not None and not held.replayed:
            await self._load.note_many([one for one in held.value if isinstance(one, Reservation)])
        return held

    async def confirm(self, reservation_id: str, *, replay: Replay | None = None) -> Outcome[Reservation]:
        """Make a hold permanent; again: the same. Raises NotFound, IllegalState (also after its deadline)."""
        step = partial(self._store.confirm, reservation_id, replay=replay)
        desk = self._desk_of(reservation_id)
        return await self._noted(await (step() if desk is None else desk.confirm(reservation_id, step)))

    async def cancel(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Give units back, all or those of `lines`; raises NotFound, IllegalState."""
        _refuse(part_faults(lines or ()))
        step = partial(self._store.cancel, reservation_id, lines=lines, replay=replay)
        desk = self._desk_of(reservation_id)
        return await self._noted(await (step() if desk is None else desk.cancel(step)))

    async def extend(
        self, reservation_id: str, *, ttl_seconds: float = DEFAULT_TTL_SECONDS, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Move the deadline of a hold to now + ttl_seconds; raises NotFound, IllegalState."""
        _refuse(ttl_faults(ttl_seconds))
        step = partial(self._store.extend, reservation_id, ttl_seconds, replay=replay)
        desk = self._desk_of(reservation_id)
        return await self._noted(await (step() if desk is None else desk.extend(reservation_id, ttl_seconds, step)))

    async def consume(
        self, reservation_id: str, *, lines: Sequence[HoldLine] | None = None, replay: Replay | None = None
    ) -> Outcome[Reservation]:
        """Record that confirmed units have left their nodes; raises NotFound, IllegalState."""
        _refuse(part_faults(lines or ()))
        return await self._noted(await self._store.consume(reservation_id, lines=lines, replay=replay), has_left=True)

    async def get(self, reservation_id: str) -> Reservation:
        """Return a reservation; raises NotFound."""
        return await self._store.get_reservation(reservation_id)

    async def history(self, sku: str, node_id: str, *, limit: int = 100, after_event: int | None = None) -> History:
        """Return what happened to a position, newest first; raises InvalidInput for a SKU or node that is not known."""
        found = await self._store.history(sku, node_id, limit=limit, after_event=after_event)
        if not found.events:
            checks = RequestChecks(await self._world())
            checks.place("query", sku, node_id)
            checks.finish()
        return found

    async def sweep(self, limit: int = 1000) -> int:
        """Give back the units of holds whose deadline has passed, and return how many there were."""
        return await self._store.sweep(limit)

    async def _noted(self, outcome: Outcome[Reservation], *, has_left: bool = False) -> Outcome[Reservation]:
        """Note what a reservation takes of its nodes' capacity, but for one that was answered before."""
        if self._load is not None and not outcome.replayed:
            await self._load.note(outcome.value, has_left=has_left)
        return outcome

    def _today(self, world: World) -> Mapping[str, int]:
        """Return the day ordinal at each node."""
        return world.days.at(self._clock.now()).by_node

    async def _with_buffers(self, positions: Sequence[Position]) -> tuple[Position, ...]:
        """Return positions with what is kept back of each by rule."""
        world = await self._world()
        buffers = rules_of(world.network, world.catalog)
        return tuple(
            structs.replace(position, buffer=0 if buffers is None else buffers.of(position.sku, position.node_id))
            for position in positions
        )

    def _desk_of(self, reservation_id: str) -> SlotDesk | None:
        """Return who minds the window of a reservation, None if it has none, as its id tells."""
        return self._slots if has_slot(reservation_id) else None

    def _limit(self) -> HoldLimit | None:
        """Return whose open holds a hold counts among, None if these are not limited."""
        most = most_held() or self._most_open_holds
        return None if most is None else HoldLimit(holder=holder(), most=most)

    async def _earlier(self, replay: Replay | None, fault: InvalidInput | NotFound) -> Outcome[Any]:
        """Answer a request that does not pass its checks: as before if its key was answered, else by its fault.

        The network or the catalog may have moved since the first answer; the key still gets that one.
        """
        kept = None if replay is None else await self._store.recall(replay)
        if kept is None:
            raise fault
        return kept


def _kept_back(world: World, holds: Sequence[Hold]) -> Kept | None:
    """Return the buffers of the positions that holds are on, None if there is no rule."""
    buffers = buffers_of(world.network, world.catalog)
    if buffers is None:
        return None
    return kept_at(buffers, ((line.sku, line.node_id) for hold in holds for line in hold.lines))


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise InvalidInput(faults)
