"""Drop-ship vendors: their lead time in working days, and the chance that they take an order (b is a vendor here)."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from engine.inventory.model import PositionCount


@pytest_asyncio.fixture
async def shop(world: Any, network: Any) -> Any:
    network["calendars"].append({"calendar": "weekdays", "working_days": ["mon", "tue", "wed", "thu", "fri"]})
    network["nodes"][1] |= {"kind": "vendor", "calendar": "weekdays", "lead_time_days": 3, "acceptance": 0.8}
    await world.put_network(network)
    await world.inventory.put_positions([PositionCount(node_id="b", sku="spoon", unlimited=True)])
    return world


async def test_a_vendor_ships_after_its_working_days(shop: Any, day: Any) -> None:
    """It is Wednesday before the cut-off: three working days later is Monday; far by ground takes four more."""
    promise = await shop.promise(("spoon", 1000), service_levels=("standard",), each={})
    assert promise.options == ()
    promise = await shop.promise(("spoon", 5), service_levels=("standard",))
    (option,) = promise.options
    assert option.shipments[0].ship_on == day(5)
    assert option.promised_on == day(9)


async def test_processing_comes_on_top(shop: Any, network: Any, day: Any) -> None:
    network["nodes"][1]["processing_days"] = 1
    await shop.put_network(network)
    (option,) = (await shop.promise(("spoon", 5), service_levels=("standard",))).options
    assert option.shipments[0].ship_on == day(6)


async def test_the_chance_of_a_refusal_lowers_the_confidence(shop: Any, network: Any) -> None:
    await shop.stock(("a", "cup", 5), ("shop", "tray", 5))
    own = await shop.promise(("cup", 1))
    assert {option.confidence for option in own.options} == {0.9}
    mixed = await shop.promise(("cup", 1), ("spoon", 1))
    assert {option.confidence for option in mixed.options} == {0.72}
    network["nodes"][2] |= {"kind": "vendor", "acceptance": 0.5}
    await shop.put_network(network)
    both = await shop.promise(("tray", 1), ("spoon", 1))
    assert {option.confidence for option in both.options} == {0.36}


@pytest.mark.parametrize(("least", "is_used"), [(0.8, True), (0.81, False)])
async def test_the_policy_leaves_out_who_refuses_too_often(
    shop: Any, network: Any, least: float, is_used: bool
) -> None:
    network["policy"]["min_acceptance"] = least
    await shop.put_network(network)
    await shop.stock(("a", "cup", 5))
    promise = await shop.promise(("cup", 1), ("spoon", 1), ("tray", 1))
    served = {line.sku for option in promise.options for parcel in option.shipments for line in parcel.lines}
    assert served == ({"cup", "spoon"} if is_used else {"cup"})
    reasons = {line.sku: line.reason for line in promise.unavailable}
    assert reasons == {"tray": "no_stock"} | ({} if is_used else {"spoon": "low_acceptance"})
    await shop.stock(("shop", "spoon", 5))
    assert "spoon" not in {line.sku for line in (await shop.promise(("spoon", 1))).unavailable}
