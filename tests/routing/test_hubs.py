"""Routing runs over hubs, by cases that can be added up by hand.

Customers are next to `east`, a hub: 3 cents for each unit that others send. `west`, far away, sends to it on weekdays:
one day, there at 07:00, 150 cents, 33 for a kilogram and 5 for each unit. Mugs are at `east`, tea at `west`, 400 g
each. It is Friday morning.

Two parcels: 500 + 900, and 100 for the split: 1500. One by the hub: 500; 150 + 13 + 5 for the transfer and 3 at the
hub: 671. It leaves east on Monday and arrives on Tuesday, a day before tea from west would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from engine.catalog.document import CatalogDocument
from engine.delivery.promised import PromisedParcel, PromisedTerms, text_of
from engine.dispatch.dispatcher import Dispatcher
from engine.errors import PlanNotVerified
from engine.inventory.model import Hold, HoldLine
from engine.network.document import NetworkDocument
from engine.orders.changing import OrderChanges
from engine.orders.explanations import ExplanationService
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind
from engine.orders.steering_service import OrderSteering
from engine.routing.batch import demanded_skus, ship_days
from engine.routing.channels import Planned
from engine.routing.consolidating import Ground as Hubs
from engine.routing.consolidating import consolidated
from engine.routing.explained_blobs import MemoryBlobs
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.hub_check import check_hubs
from engine.routing.hub_plan import plan_with_hubs
from engine.routing.model import AllocationRow, HubStop, OrderAllocation
from engine.routing.phases import Phases
from engine.routing.plan_check import Ground
from engine.routing.run_model import Run, RunRequest
from engine.routing.solving import Solved, Solver, Table
from solvers.stopping import Stopping

if TYPE_CHECKING:
    from conftest import World

FRIDAY, MONDAY, TUESDAY = date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24)
BOTH = {"MUG": 1, "TEA": 1}
SENT = HubStop(node_id="east", available_on=MONDAY, ship_on=MONDAY)
OVER_HUB = {("TEA", "west", FRIDAY, SENT), ("MUG", "east", MONDAY, None)}
DIRECT = {("TEA", "west", FRIDAY, None), ("MUG", "east", FRIDAY, None)}


@pytest_asyncio.fixture
async def hub(world: World, network_document: dict[str, Any]) -> dict[str, Any]:
    """Return the network with the hub, which the world has."""
    network_document["nodes"][1]["hub"] = {"unit_cost_cents": 3}
    transfer = {"from_node_id": "west", "to_node_id": "east", "calendar": "weekdays", "transit_days": 1}
    transfer |= {"arrives_at": "07:00", "cost_cents": 150, "kg_cost_cents": 33, "unit_cost_cents": 5}
    network_document["transfers"] = [transfer]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 5}, west={"TEA": 5})
    return network_document


async def put(world: World, document: dict[str, Any], **policy: Any) -> None:
    changed = document | {"policy": document["policy"] | policy}
    await world.networks.put(NetworkDocument.model_validate(changed))


async def route(world: World, **request: Any) -> Run:
    run = await world.runs().execute(RunRequest(**request))
    assert run.status in ("committed", "dry_run"), run
    return run


async def told(world: World, order_id: str = "o1") -> set[tuple[str, str | None, date | None, HubStop | None]]:
    order = await world.book.get(order_id)
    return {(row.sku, row.node_id, row.ship_on, row.hub) for row in order.allocation}


async def test_one_parcel_from_the_hub_is_cheaper_than_two(world: World, hub: dict[str, Any]) -> None:
    await world.order("o1", BOTH)
    run = await route(world)
    figures = {"total_cost_cents": 671, "lower_bound_cents": 671, "solve_status": "optimal", "hub_parcels": 1}
    assert figures.items() <= run.summary.items()
    assert {"shipping": 500, "units": 3, "split": 0, "transfer": 168}.items() <= run.summary["costs"].items()
    assert (run.summary["parcels"], run.summary["split_orders"]) == (1, 0)
    assert await told(world) == OVER_HUB


async def test_units_and_room_are_taken_where_they_are(world: World, hub: dict[str, Any]) -> None:
    """Tea is reserved at west, and counts there on Friday; the parcel counts at the hub on Monday, with all units."""
    await world.order("o1", BOTH)
    await route(world)
    assert (await world.position("west", "TEA")).confirmed == 1
    assert (await world.position("east", "MUG")).dated != ()
    used = await world.book.used_capacity([FRIDAY, MONDAY])
    assert {(u.node_id, u.ship_on, u.units, u.parcels) for u in used} == {
        ("west", FRIDAY, 1, 1),
        ("east", MONDAY, 2, 1),
    }


@pytest.mark.parametrize("node", [0, 1])
async def test_a_full_node_sends_and_packs_no_more(world: World, hub: dict[str, Any], node: int) -> None:
    """West sends, or east packs, one order a day: the second goes in two parcels, of which west has no room for one."""
    hub["nodes"][node]["capacity_parcels"] = 1
    await put(world, hub)
    for number in (1, 2):
        await world.order(f"o{number}", BOTH)
    run = await route(world)
    assert run.summary["hub_parcels"] == 1
    assert run.summary["moved_orders"] == 0
    used = await world.book.used_capacity([FRIDAY, MONDAY])
    assert all(u.parcels == 1 for u in used if u.node_id == ("west", "east")[node])


async def test_an_order_ships_complete_if_only_a_hub_can(world: World, hub: dict[str, Any]) -> None:
    """One parcel at most: without the hub one of the two waits, and so both do."""
    await put(world, hub, max_nodes_per_order=1)
    await world.order("o1", BOTH)
    run = await world.route_under(ship_complete=True, max_nodes_per_order=1)
    assert (run.unrouted, await told(world)) == ((), OVER_HUB)


async def test_an_order_goes_over_a_hub_if_only_that_is_in_time(world: World, hub: dict[str, Any]) -> None:
    hub["transfers"][0]["cost_cents"] = 1200
    await put(world, hub)
    await world.order("o1", BOTH, need_by=TUESDAY)
    await world.order("o2", BOTH)
    run = await route(world)
    assert run.unrouted == ()
    assert (await told(world), await told(world, "o2")) == (OVER_HUB, DIRECT)


async def promised(world: World) -> None:
    """Reserve as an option over the hub was promised for Tuesday, and capture the order."""
    parcel = PromisedParcel(node_id="east", service="ground", ship_on=MONDAY, weight_g=800)
    terms = PromisedTerms(service_level="standard", p50=TUESDAY, p90=TUESDAY, parcels=(parcel,))
    lines = (
        HoldLine(sku="MUG", quantity=1, node_id="east", ship_on=MONDAY),
        HoldLine(sku="TEA", quantity=1, node_id="west", ship_on=FRIDAY),
    )
    hold = Hold(reservation_id="res_1", lines=lines, promised_on=TUESDAY, promised=text_of(terms))
    await world.stock.hold(hold, today={"east": FRIDAY.toordinal(), "west": FRIDAY.toordinal()})
    await world.order("o1", BOTH, reservation_id="res_1", service_level="standard")


async def test_what_was_promised_over_a_hub_is_kept_at_whatever_it_costs(world: World, hub: dict[str, Any]) -> None:
    """Two parcels would be cheaper now, and a day late. Catches a run that gives up a day which only the hub keeps."""
    hub["transfers"][0]["cost_cents"] = 1200
    await put(world, hub)
    await promised(world)
    run = await route(world)
    assert (run.unrouted, await told(world)) == ((), OVER_HUB)
    assert run.summary["lower_bound_cents"] <= run.summary["total_cost_cents"] == 1721


async def test_a_promised_day_that_no_hub_keeps_is_given_up(world: World, hub: dict[str, Any]) -> None:
    hub["transfers"][0]["transit_days"] = 4
    await put(world, hub)
    await promised(world)
    run = await route(world)
    assert (run.unrouted, await told(world)) == ((), DIRECT)


@pytest.fixture
def steering(world: World) -> OrderSteering:
    return OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=3)


@pytest.mark.parametrize("node_id", ["west", "east"])
async def test_who_refuses_its_part_opens_the_whole_parcel(
    world: World, hub: dict[str, Any], steering: OrderSteering, node_id: str
) -> None:
    """West does not send, or east does not pack: nothing waits at the hub for what does not come."""
    await world.order("o1", BOTH)
    await route(world)
    await steering.reject("o1", NewRejection(node_id=node_id, reason="no time"))
    assert {row.node_id for row in (await world.book.get("o1")).allocation} == {None}
    assert (await world.position("west", "TEA")).confirmed == 0
    await route(world)
    after = {(sku, node) for sku, node, _, _ in await told(world)}
    assert after == ({("MUG", "east"), ("TEA", None)} if node_id == "west" else {("MUG", None), ("TEA", "west")})
    assert all(row[3] is None for row in await told(world))


async def test_a_hub_finds_short_only_what_it_has_itself(
    world: World, hub: dict[str, Any], steering: OrderSteering
) -> None:
    await world.order("o1", BOTH)
    await route(world)
    short = NewRejection(node_id="east", reason="bin empty", kind=RejectionKind.SHORT_PICK)
    await steering.reject("o1", short)
    assert ((await world.position("east", "MUG")).on_hand, (await world.position("west", "TEA")).on_hand) == (4, 5)


async def test_vendors_send_nothing_to_hubs(world: World, hub: dict[str, Any]) -> None:
    """What a vendor is told is to ship to the customer."""
    hub["nodes"][0]["kind"] = "vendor"
    await put(world, hub)
    await world.order("o1", BOTH)
    run = await route(world)
    assert await told(world) == DIRECT
    assert [sent.node_id for sent in run.drop_ship_orders] == ["west"]


async def test_a_hub_packs_nothing_of_an_order_that_it_is_barred_for(world: World, hub: dict[str, Any]) -> None:
    await world.count(west={"MUG": 5, "POT": 5})
    await world.order("o1", {"TEA": 1, "POT": 1})
    run = await world.route_under(rules=[{"when": {"channels": ["web"]}, "forbidden_node_ids": ["east"]}])
    assert run.summary["parcels"] == 1
    assert {row[1:] for row in await told(world)} == {("west", FRIDAY, None)}


async def test_an_explanation_tells_the_transfer_and_what_the_hub_saves(world: World, hub: dict[str, Any]) -> None:
    kept = ExplainedRuns(MemoryBlobs(world.clock, 7))
    await world.order("o1", BOTH)
    await world.route_under(kept)
    explained = (await ExplanationService(world.book, kept, 7).explain("o1")).explanation
    over = explained.over_hub
    assert over is not None
    assert (over.node_id, over.ship_on, over.line_ids, over.shipping_cents) == ("east", MONDAY, ("1", "2"), 500)
    (transfer,) = over.transfers
    assert (transfer.node_id, transfer.ship_on, transfer.line_ids, transfer.transfer_cents) == (
        "west",
        FRIDAY,
        ("2",),
        168,
    )
    assert (explained.cost_cents, over.saves_cents, over.why) == (
        1500,
        829,
        "That costs 8.29 less than without hubs.",
    )


Rows = Sequence[OrderAllocation]


@pytest_asyncio.fixture
async def solved(world: World, hub: dict[str, Any]) -> tuple[Solved, Callable[[Rows], None]]:
    """Return what a run decides of two orders over the hub, the second of tea alone, and what checks it."""
    hub["transfers"][0]["cut_off"] = "12:00"
    await put(world, hub)
    await world.order("o1", BOTH)
    await world.order("o2", {"TEA": 1})
    orders, view = await world.book.open_orders(), await world.reference.current()
    stock = await world.stock.read(demanded_skus(orders))
    table = Table(view=view, channel=None, planned=Planned(), turns=1, stock=stock, phases=Phases())
    solver = Solver(world.book, world.stock, world.clock, Dispatcher(), explains=False)
    found = await solver.solve(orders, table, RunRequest(), None)
    batch, hubs = found.batch, found.hubs
    assert batch.hubs is not None
    assert hubs is not None
    plan = plan_with_hubs(batch.problem, batch.hubs, hubs)
    ground = Ground(problem=batch.problem, orders=batch.orders, line_ids=batch.line_ids, hand_over=batch.hand_over)
    return found, lambda rows: check_hubs(ground, batch, view, rows, plan, hubs.bound_cents)


def changed(solved: Solved, sku: str, change: Callable[[AllocationRow], AllocationRow]) -> Rows:
    first, *rest = solved.allocations
    return [replace(first, rows=tuple(change(row) if row.sku == sku else row for row in first.rows)), *rest]


def test_a_plan_with_hubs_that_holds_passes(solved: tuple[Solved, Callable[[Rows], None]]) -> None:
    found, check = solved
    assert found.hubs is not None
    assert len(found.hubs.parcels) == 2
    check(found.allocations)


TAMPERED: dict[str, tuple[str, Callable[[AllocationRow], AllocationRow], str]] = {
    "not sent at all": ("TEA", lambda row: replace(row, hub=None), "on another day"),
    "sent on a day without a transfer": ("TEA", lambda row: replace(row, ship_on=MONDAY), "nothing leaves west"),
    "sent to a node that is no hub": (
        "TEA",
        lambda row: replace(row, hub=replace(SENT, node_id="west")),
        "no transfer from west",
    ),
    "handed over before it is there": (
        "TEA",
        lambda row: replace(row, hub=replace(SENT, ship_on=FRIDAY)),
        "does not carry it there in time",
    ),
    "the hub's own part on another day": ("MUG", lambda row: replace(row, ship_on=FRIDAY), "on another day"),
    "units that are not there": ("MUG", lambda row: replace(row, node_id="west", hub=SENT), "MUG leave west"),
    "a unit too many": ("TEA", lambda row: replace(row, quantity=2), "1 ordered, 2 planned"),
    "by another service": ("TEA", lambda row: replace(row, service="air"), "shipping"),
}


@pytest.mark.parametrize(("sku", "change", "why"), TAMPERED.values(), ids=TAMPERED)
def test_a_plan_with_hubs_that_was_changed_is_told(
    solved: tuple[Solved, Callable[[Rows], None]],
    sku: str,
    change: Callable[[AllocationRow], AllocationRow],
    why: str,
) -> None:
    found, check = solved
    with pytest.raises(PlanNotVerified, match=why):
        check(changed(found, sku, change))


async def test_what_there_is_no_time_for_stays_and_nothing_is_proven(world: World, hub: dict[str, Any]) -> None:
    await world.order("o1", BOTH)
    run = await route(world, time_limit_seconds=1e-9)
    assert await told(world) == DIRECT
    assert (run.summary["hub_parcels"], run.summary["lower_bound_cents"]) == (0, None)


async def test_time_that_runs_out_while_orders_change_over_leaves_the_others_and_the_bound(
    world: World, solved: tuple[Solved, Callable[[Rows], None]]
) -> None:
    """Of four looks at the time, the first two are for what hubs could do, and the last finds it over."""
    view, looks = await world.reference.current(), count()
    ground = Hubs(
        batch=solved[0].batch,
        result=solved[0].result,
        network=view.network,
        days=ship_days(view.network, view.days.at(world.clock.now())),
        used={},
        stopping=Stopping(stopwatch=looks.__next__, time_limit_seconds=3),
    )
    found = consolidated(ground)
    assert found is not None
    assert solved[0].hubs is not None
    assert (len(solved[0].hubs.parcels), len(found.parcels)) == (2, 1)
    assert found.bound_cents == solved[0].hubs.bound_cents


@pytest.mark.parametrize("method", ["one_by_one", "nearest", "exact"])
async def test_other_methods_go_over_hubs_too(world: World, hub: dict[str, Any], method: str) -> None:
    await world.order("o1", BOTH)
    run = await route(world, method=method, dry_run=True)
    assert (run.summary["total_cost_cents"], run.summary["lower_bound_cents"]) == (671, 671)


async def test_a_kit_goes_over_a_hub_as_a_whole(world: World, hub: dict[str, Any]) -> None:
    """Tea and mug are a kit, of which west has both and east the mug only: nothing of it is east's own."""
    products = [{"sku": sku, "weight_g": 400} for sku in ("MUG", "TEA", "POT")]
    kit = {"sku": "SET", "components": [{"sku": "MUG", "quantity": 1}, {"sku": "TEA", "quantity": 1}]}
    await world.catalogs.put(CatalogDocument.model_validate({"products": products, "kits": [kit]}))
    await world.count(west={"MUG": 5}, east={"POT": 5})
    await world.order("o1", {"SET": 1, "POT": 1})
    await route(world)
    assert await told(world) == {
        ("MUG", "west", FRIDAY, SENT),
        ("TEA", "west", FRIDAY, SENT),
        ("POT", "east", MONDAY, None),
    }
