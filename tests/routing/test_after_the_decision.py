"""What nodes and people say after a run has decided, and what the next run makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.errors import IllegalState, InvalidInput
from engine.inventory.model import Replay
from engine.network.document import NetworkDocument
from engine.orders.changing import OrderChanges
from engine.orders.holding import NewHold
from engine.orders.overriding import NewOverride
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind
from engine.orders.steering_service import OrderSteering
from engine.routing.run_model import Run, RunRequest

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()


@pytest.fixture
def steering(world: World) -> OrderSteering:
    return OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=2)


def reasons(run: Run) -> dict[tuple[str, str], tuple[int, str]]:
    return {(entry.order_id, entry.sku): (entry.quantity, entry.reason) for entry in run.unrouted}


async def nodes_of(world: World, order_id: str) -> dict[str, list[tuple[int, str | None]]]:
    found: dict[str, list[tuple[int, str | None]]] = {}
    for row in (await world.orders.get(order_id)).allocation:
        found.setdefault(row.sku, []).append((row.quantity, row.node_id))
    return found


async def put_policy(world: World, network_document: dict[str, Any], **fields: object) -> None:
    document = {**network_document, "policy": {**network_document["policy"], **fields}}
    await world.networks.put(NetworkDocument.model_validate(document))


async def test_a_rejected_line_goes_to_another_node_and_the_rest_stays(world: World, steering: OrderSteering) -> None:
    """Catches a node that is not excluded: east is cheaper, and has the mugs again."""
    await world.count(east={"MUG": 9, "TEA": 9}, west={"MUG": 9, "TEA": 9})
    await world.order("o1", {"MUG": 2, "TEA": 1})
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"MUG": [(2, "east")], "TEA": [(1, "east")]}
    new = NewRejection(node_id="east", reason="broken", lines=(("1", None),))
    await steering.reject("o1", new)
    run = await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"MUG": [(2, "west")], "TEA": [(1, "east")]}
    assert (run.unrouted, (await world.orders.get("o1")).state) == ((), "sourced")
    assert (await world.position("east", "MUG")).reserved == 0
    assert (await world.position("west", "MUG")).confirmed == 2
    assert (await world.position("east", "TEA")).confirmed == 1


async def test_another_order_still_goes_to_the_node_that_refused_one(world: World, steering: OrderSteering) -> None:
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.order("o1", {"MUG": 2})
    await world.runs().execute(ALL)
    await steering.reject("o1", NewRejection(node_id="east", reason="no time"))
    await world.order("o2", {"MUG": 2})
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"MUG": [(2, "west")]}
    assert await nodes_of(world, "o2") == {"MUG": [(2, "east")]}


async def test_the_rest_of_a_short_pick_comes_from_elsewhere(world: World, steering: OrderSteering) -> None:
    await world.count(east={"MUG": 5}, west={"MUG": 9})
    await world.order("o1", {"MUG": 5})
    await world.runs().execute(ALL)
    short = NewRejection(node_id="east", reason="bin empty", kind=RejectionKind.SHORT_PICK, lines=(("1", 2),))
    await steering.reject("o1", short)
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"MUG": [(3, "east"), (2, "west")]}
    assert (await world.position("east", "MUG")).on_hand == 3


async def test_where_an_order_may_have_one_parcel_it_moves_as_a_whole(
    world: World, steering: OrderSteering, network_document: dict[str, Any]
) -> None:
    """Catches a remainder that is routed beside what is kept, as a second parcel that the policy forbids."""
    await put_policy(world, network_document, max_nodes_per_order=1)
    await world.count(east={"MUG": 9, "TEA": 9}, west={"MUG": 9, "TEA": 9})
    await world.order("o1", {"MUG": 2, "TEA": 1})
    await world.runs().execute(ALL)
    await steering.reject("o1", NewRejection(node_id="east", reason="broken", lines=(("1", None),)))
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"MUG": [(2, "west")], "TEA": [(1, "west")]}


async def test_a_line_that_every_node_has_refused_says_so(world: World, steering: OrderSteering) -> None:
    await world.count(east={"MUG": 9})
    await world.order("o1", {"MUG": 2})
    await world.runs().execute(ALL)
    await steering.reject("o1", NewRejection(node_id="east", reason="no time"))
    assert reasons(await world.runs().execute(ALL)) == {("o1", "MUG"): (2, "excluded_node")}


async def test_after_two_attempts_the_order_is_left_for_people_until_they_say_more(
    world: World, steering: OrderSteering
) -> None:
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.order("o1", {"MUG": 2})
    for node_id in ("east", "west"):
        await world.runs().execute(ALL)
        await steering.reject("o1", NewRejection(node_id=node_id, reason="no time"))
    assert reasons(await world.runs().execute(ALL)) == {("o1", "MUG"): (2, "too_many_rejections")}
    assert await nodes_of(world, "o1") == {"MUG": [(2, None)]}
    await steering.override("o1", NewOverride(reason="they have time now", pins=(("1", "west"),)))
    assert reasons(await world.runs().execute(ALL)) == {}
    assert await nodes_of(world, "o1") == {"MUG": [(2, "west")]}


async def test_a_run_keeps_to_a_pin_though_another_node_is_cheaper(world: World, steering: OrderSteering) -> None:
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.order("o1", {"MUG": 2})
    await steering.override("o1", NewOverride(reason="sell west down", pins=(("1", "west"),)))
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"MUG": [(2, "west")]}


async def test_a_pin_that_cannot_be_kept_is_told(world: World, steering: OrderSteering) -> None:
    await world.count(east={"MUG": 9})
    await world.order("o1", {"MUG": 2})
    await steering.override("o1", NewOverride(reason="sell west down", pins=(("1", "west"),)))
    assert reasons(await world.runs().execute(ALL)) == {("o1", "MUG"): (2, "pinned_node")}
    await steering.override("o1", NewOverride(reason="never mind", pins=(("1", None),)))
    assert reasons(await world.runs().execute(ALL)) == {}


async def test_a_forbidden_node_ships_nothing_of_the_order(world: World, steering: OrderSteering) -> None:
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.order("o1", {"MUG": 2})
    await world.runs().execute(ALL)
    await steering.override("o1", NewOverride(reason="strike there", forbidden_node_ids=("east",)))
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"MUG": [(2, "west")]}
    assert (await world.position("east", "MUG")).reserved == 0


async def test_a_forbidden_node_and_one_that_refused_a_line_are_both_left_out(
    world: World, steering: OrderSteering
) -> None:
    """Catches lines that are closed to the forbidden nodes alone, or only to those that refused them."""
    await world.count(east={"MUG": 9, "TEA": 9}, west={"MUG": 9, "TEA": 9})
    await world.order("o1", {"MUG": 1, "TEA": 1})
    await world.runs().execute(ALL)
    await steering.reject("o1", NewRejection(node_id="east", reason="broken", lines=(("1", None),)))
    await steering.override("o1", NewOverride(reason="strike there", forbidden_node_ids=("west",)))
    assert reasons(await world.runs().execute(ALL)) == {("o1", "MUG"): (1, "excluded_node")}
    assert await nodes_of(world, "o1") == {"MUG": [(1, None)], "TEA": [(1, "east")]}


async def test_an_order_hold_stops_an_order_and_nothing_else(world: World, steering: OrderSteering) -> None:
    await world.count(east={"MUG": 9})
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 2})
    await steering.stop("o1", NewHold(reason="fraud?"))
    assert reasons(await world.runs().execute(ALL)) == {("o1", "MUG"): (2, "order_hold")}
    assert await nodes_of(world, "o2") == {"MUG": [(2, "east")]}
    await steering.release("o1")
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"MUG": [(2, "east")]}
    with pytest.raises(IllegalState, match="no order hold"):
        await steering.release("o1")


@pytest.mark.parametrize("wins", ["a", "b"])
async def test_the_order_of_a_higher_priority_gets_the_last_unit(world: World, wins: str) -> None:
    """Catches a priority that is only kept: by cost one order wins, whichever asks for it."""
    await world.count(east={"MUG": 1})
    for order_id in ("a", "b"):
        await world.order(order_id, {"MUG": 1}, priority=3 if order_id == wins else 2)
    run = await world.runs().execute(ALL)
    assert reasons(run) == {({"a": "b", "b": "a"}[wins], "MUG"): (1, "outbid")}
    assert run.summary["total_cost_cents"] == 500 + 5000
    assert run.summary["lower_bound_cents"] <= 5500


async def test_priority_is_set_by_people_too_and_wins_against_costs(world: World, steering: OrderSteering) -> None:
    """By cost the tea and the mug of `both` would go in one parcel; `first` wants the mug more."""
    await world.count(east={"MUG": 1, "TEA": 1})
    await world.order("both", {"MUG": 1, "TEA": 1})
    await world.order("first", {"MUG": 1})
    await steering.override("first", NewOverride(reason="promised by phone", priority=1))
    assert reasons(await world.runs().execute(ALL)) == {("both", "MUG"): (1, "outbid")}


async def test_a_priority_out_of_range_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="priority"):
        await world.order("o1", {"MUG": 1}, priority=10)


async def test_a_torn_kit_is_not_kept_in_part(world: World, steering: OrderSteering) -> None:
    products = [{"sku": sku, "weight_g": 400} for sku in ("MUG", "TEA", "POT")]
    kit = {"sku": "SET", "components": [{"sku": "MUG", "quantity": 1}, {"sku": "TEA", "quantity": 1}]}
    await world.catalogs.put(CatalogDocument.model_validate({"products": products, "kits": [kit]}))
    await world.count(east={"MUG": 9, "TEA": 9, "POT": 9}, west={"MUG": 9, "TEA": 9})
    await world.order("o1", {"SET": 1, "POT": 1})
    await world.runs().execute(ALL)
    await steering.reject("o1", NewRejection(node_id="east", reason="broken", lines=(("1/MUG", None),)))
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == {"POT": [(1, "east")], "MUG": [(1, "west")], "TEA": [(1, "west")]}


async def test_a_rejection_in_the_middle_of_a_run_is_routed_anew_in_the_same_run(
    world: World, steering: OrderSteering
) -> None:
    """Catches a commit that overrules the node: the order would go to it again."""
    await world.count(east={"MUG": 9}, west={"MUG": 9, "TEA": 0})
    await world.order("o1", {"MUG": 2, "TEA": 1})
    await world.runs().execute(ALL)

    class Meanwhile(type(world.book)):  # type: ignore[misc]
        has_said = False

        async def commit(self, run_id: str, allocations: Any, **more: Any) -> Any:
            if not Meanwhile.has_said:
                Meanwhile.has_said = True
                await steering.reject("o1", NewRejection(node_id="east", reason="no time", lines=(("1", None),)))
            return await world.book.commit(run_id, allocations, **more)

    book = Meanwhile(world.stock, world.clock)
    book.__dict__.update(world.book.__dict__)
    run = await world.runs(book).execute(ALL)
    assert run.summary["rounds"] == 2
    assert (await nodes_of(world, "o1"))["MUG"] == [(2, "west")]


async def test_an_override_that_comes_again_under_its_key_gets_the_first_answer_whatever_was_said_since(
    world: World, steering: OrderSteering
) -> None:
    """Catches a request that is checked against the order as it is now before its key is looked up."""
    await world.order("o1", {"MUG": 2})
    key = Replay(digest="d" * 64, fingerprint="f" * 64)
    pin = NewOverride(reason="vip", pins=(("1", "east"),))
    first = await steering.override("o1", pin, replay=key)
    await steering.override("o1", NewOverride(reason="fire", pins=(("1", None),), forbidden_node_ids=("east",)))
    again = await steering.override("o1", pin, replay=key)
    assert (again.value, again.replayed) == (first.value, True)
    with pytest.raises(InvalidInput, match="is forbidden"):
        await steering.override("o1", pin, replay=replace(key, digest="e" * 64))
