"""Promised days are given up, and a batch solved again, only where that may let units ship that wait."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.inventory.model import Hold, HoldLine
from engine.network.document import NetworkDocument
from engine.routing import solving
from engine.routing.run_model import RunRequest
from solvers.plan import RoutingResult

if TYPE_CHECKING:
    from conftest import World

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(("promised_on", "solves"), [(FRIDAY, 2), (date(2026, 12, 4), 1)])
async def test_a_batch_is_solved_again_only_if_later_parcels_help(
    promised_on: date,
    solves: int,
    world: World,
    network_document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """o2 finds its node full of o1. With weeks left all parcels are in time: another day would not empty the node.

    Catches windows that take twice as long whenever anything promised has to wait.
    """
    counted = list[RoutingResult]()
    inner = solving.solve

    def counting(*args: Any, **named: Any) -> RoutingResult:
        counted.append(inner(*args, **named))
        return counted[-1]

    monkeypatch.setattr(solving, "solve", counting)
    for node in network_document["nodes"]:
        node["capacity_parcels"] = 1
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(west={"MUG": 2})
    for number in (1, 2):
        hold = Hold(
            reservation_id=f"res_{number}",
            lines=(HoldLine(sku="MUG", quantity=1, node_id="west"),),
            promised_on=promised_on,
        )
        await world.stock.hold(hold, today={"west": FRIDAY.toordinal()})
        await world.order(f"o{number}", {"MUG": 1}, reservation_id=f"res_{number}")
    run = await world.runs().execute(RunRequest())
    assert len(run.unrouted) == 1
    assert len(counted) == solves


@pytest.mark.parametrize("lines", [10, 11, 25])
async def test_an_order_that_is_too_late_for_its_promise_is_shipped_later_however_long_it_is(
    lines: int, world: World
) -> None:
    """Promised for today, a Friday; what leaves today comes on Monday.

    Seeded bug this catches: of orders of more lines than are priced exactly, a day that cannot be kept was never given
    up, and they waited for ever.
    """
    skus = [f"S{number:02d}" for number in range(lines)]
    products = [{"sku": sku, "weight_g": 10} for sku in skus]
    await world.catalogs.put(CatalogDocument.model_validate({"products": products}))
    await world.count(east=dict.fromkeys(skus, 1))
    hold = Hold(
        reservation_id="res_1",
        lines=tuple(HoldLine(sku=sku, quantity=1, node_id="east") for sku in skus),
        promised_on=FRIDAY,
    )
    await world.stock.hold(hold, today={"east": FRIDAY.toordinal()})
    await world.order("o1", dict.fromkeys(skus, 1), reservation_id="res_1")
    run = await world.runs().execute(RunRequest())
    assert run.unrouted == ()
    assert run.summary["committed_orders"] == 1
