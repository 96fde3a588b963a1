"""The simulator against the live engine: fed the same calls at the same instants, both decide the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from engine.bootstrap import Engine, allot_engine
from engine.clock import SettableClock
from engine.config import Settings
from engine.inventory.model import HoldLine
from engine.network.document import NetworkDocument
from engine.orders import model
from engine.promising.model import Destination, PromiseRequest, WantedLine
from engine.routing.run_model import RunRequest
from engine.scenarios.story import DAY_SECONDS, StoryPolicy
from tests.simulation.small_world import MONDAY, Orders, Told, rows, story, told_by
from tests.simulation.test_same_story import a_network

COUNT = 60
BASKETS = ({"cup": 2}, {"plate": 1}, {"cup": 1, "plate": 3})


def unlimited() -> NetworkDocument:
    """Return the six nodes without limits of capacity."""
    document = a_network().model_dump(mode="json", by_alias=True)
    for node in document["nodes"]:
        node["capacity_parcels"] = None
    return NetworkDocument.model_validate(document)


def placed() -> list[tuple[int, dict[str, int], tuple[float, float]]]:
    """Return orders of two days, more than stock lasts for."""
    rng = np.random.default_rng(8)
    at = sorted(rng.integers(0, 2 * DAY_SECONDS, COUNT).tolist())
    where = zip(rng.uniform(30, 45, COUNT).tolist(), rng.uniform(-120, -75, COUNT).tolist(), strict=True)
    return [(seconds, BASKETS[n % 3], place) for n, (seconds, place) in enumerate(zip(at, where, strict=True))]


class Live:
    """The live engine, driven call by call."""

    def __init__(self, engine: Engine, clock: SettableClock, *, reserves: bool) -> None:
        self.engine, self.clock, self.reserves = engine, clock, reserves
        self.promised: dict[int, tuple[int, int] | None] = {}

    async def buy(self, key: int, lines: dict[str, int], place: tuple[float, float]) -> None:
        """Ask for a promise, and buy the cheapest option of all the lines."""
        where = {"latitude": place[0], "longitude": place[1]}
        wanted = tuple(WantedLine(sku=sku, quantity=units) for sku, units in lines.items())
        request = PromiseRequest(lines=wanted, destination=Destination(**where), channel="web")
        promise = await self.engine.promising.promise(request)
        self.promised[key] = None
        if not promise.options or promise.unavailable:
            return
        option = min(promise.options, key=lambda each: (each.total_cost_cents, each.promised_on))
        self.promised[key] = ((option.promised_on - MONDAY.date()).days, option.total_cost_cents)
        reservation_id = None
        if self.reserves:
            hold = await self.engine.promising.promised_hold(promise.promise_id, option.option_id)
            inventory = self.engine.inventory
            held = await inventory.hold(hold.lines, channel="web", promised_on=hold.promised_on, promised=hold.promised)
            reservation_id = held.value.reservation_id
            await inventory.confirm(reservation_id)
        await self.engine.orders.capture(
            model.NewOrder(
                channel="web",
                destination=model.Destination(**where),
                lines=tuple(model.NewLine(sku=sku, quantity=units) for sku, units in lines.items()),
                order_id=f"o{key}",
                reservation_id=reservation_id,
            )
        )

    async def ship(self, key: int, node_id: str) -> None:
        """Have a node ship what it has of an order."""
        order = await self.engine.orders.get(f"o{key}")
        assert order.reservation_id is not None
        reservation = await self.engine.inventory.get(order.reservation_id)
        lines = [
            HoldLine(sku=line.sku, quantity=line.quantity, node_id=line.node_id, ship_on=line.ship_on)
            for line in reservation.lines
            if line.node_id == node_id
        ]
        await self.engine.inventory.consume(order.reservation_id, lines=lines)


@pytest.mark.parametrize("reserves", [True, False])
async def test_the_simulator_decides_as_the_live_engine_fed_the_same_calls(
    reserves: bool, store_address: str, tenant: str
) -> None:
    """Promises, parcels and the stock that is left, with reservations and without, on the store that ships."""
    of = story(Orders(placed=placed()), stock(), network=unlimited(), days=5)
    policy = StoryPolicy(name="p", window_minutes=240, reserves=reserves)
    told = await asyncio.to_thread(told_by, of, policy)
    clock = SettableClock(MONDAY)
    settings = Settings(redis_url=store_address, tenant=tenant, durability="memory", explanation_days=0)
    async with allot_engine(settings, clock=clock) as engine:
        await engine.network.put(of.world.network)
        await engine.catalog.put(of.world.catalog)
        await engine.inventory.put_positions(of.world.positions)
        live = Live(engine, clock, reserves=reserves)
        await replay(live, told)
        for key, row in told.by_key.items():
            simulated = (row["promised_day"], row["promised_cost_cents"])
            assert (live.promised[key] or (-1, -1)) == simulated
            if live.promised[key] is not None:
                order = await engine.orders.get(f"o{key}")
                assert parcels_of(order) == sent_of(row)
        assert {row["ending"] for row in told.by_key.values()} >= {0, 3}
        view = await engine.stock.snapshot()
        assert told.ledger is not None
        assert int(view.cells[:, :, 0].sum()) == told.ledger.end_units


def stock() -> dict[tuple[str, str], int]:
    return {(f"n{number}", sku): 9 for number in range(6) for sku in ("cup", "plate")}


async def replay(live: Live, told: Told) -> None:
    """Feed the live engine what the simulator was fed, and let it route and ship at the same instants."""
    calls: list[tuple[int, int, Any]] = [(at, 2, (key, *what)) for key, (at, *what) in enumerate(placed())]
    calls += [(row["at_s"], 0, None) for day in told.windows for row in rows(day)]
    for key, row in told.by_key.items():
        calls += [(parcel["shipped_s"], 1, (key, f"n{parcel['node']}")) for parcel in row["sent"]]
    for at_s, rank, what in sorted(calls, key=lambda call: call[:2]):
        live.clock.move_to(MONDAY + timedelta(seconds=at_s))
        if rank == 2:
            await live.buy(*what)
        elif rank == 0:
            run = await live.engine.routing_runs.execute(RunRequest())
            assert run.failure is None
        else:
            await live.ship(*what)


def parcels_of(order: model.Order) -> set[tuple[str, int, int]]:
    """Return (node, day, units) of the parcels that a live order was decided to be."""
    found: dict[tuple[str, int], int] = {}
    for row in order.allocation:
        if row.node_id is not None and row.ship_on is not None:
            key = (row.node_id, (row.ship_on - MONDAY.date()).days)
            found[key] = found.get(key, 0) + row.quantity
    return {(node, day, units) for (node, day), units in found.items()}


def sent_of(row: dict[str, Any]) -> set[tuple[str, int, int]]:
    """Return the same of parcels that were simulated."""
    return {(f"n{parcel['node']}", parcel["due_day"], parcel["units"]) for parcel in row["sent"]}
