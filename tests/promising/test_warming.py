"""Every kernel is compiled for one set of types only, and warming up compiles all of them."""

from __future__ import annotations

from typing import Any

from engine.promising.model import Destination
from engine.promising.warming import warm_up
from solvers.cartons import join_masks, pack_masks
from solvers.promise_freight import mask_unions
from solvers.promise_hubs import gather, hub_plans, in_time
from solvers.promise_options import promise_order, spread
from solvers.promise_parcels import days_alone, days_covered, make_offers, mask_sums, price_parcels, within_reach
from solvers.promise_transfers import bill_parcels, send_parts

KERNELS = (promise_order, days_alone, days_covered, price_parcels, within_reach, join_masks, pack_masks)
OF_HUBS = (send_parts, make_offers, hub_plans, bill_parcels, spread, gather, in_time, mask_sums, mask_unions)


async def test_no_promise_needs_another_compilation(world: Any, network: Any, catalog: Any) -> None:
    """A kernel that is handed another type (a read-only array, a bool for an int) is compiled again, for seconds."""
    warm_up()
    known = {kernel: list(kernel.signatures) for kernel in KERNELS}
    await world.stock(("a", "cup", 9), ("b", "saucer", 9), *(("a", f"part-{i:02d}", 9) for i in range(20)))
    await world.promise(("cup", 1), ("spoon", 1))
    await world.supply("a", "spoon", 3, in_days=4)
    await world.promise(("cup", 1), ("spoon", 1), ("anvil", 1), max_shipments=1)
    await world.promise(("cup", 1), to=None, pickup_node_id="a")
    await world.promise(("cup", 1), to=None, pickup_node_id="a", group="warehouses")
    await world.promise(*((f"part-{i:02d}", 1) for i in range(20)))
    catalog["products"][0] |= {"length_mm": 9, "width_mm": 9, "height_mm": 9, "handling_classes": ["hazmat"]}
    catalog["products"][1] |= {"made_to_order_days": 1, "ship_alone": True, "min_quantity": 2}
    catalog["kits"][0]["ships_split"] = True
    network["nodes"][0]["refuses"] = ["hazmat"]
    network["services"][0] |= {"dim_divisor": 5, "fuel_basis_points": 9, "residential_cents": 3}
    await world.put_catalog(catalog)
    home = Destination(latitude=40.0, longitude=-75.0, residential=True)
    for cartons in ([], [{"carton": "S", "length_mm": 9, "width_mm": 9, "height_mm": 9, "max_weight_g": 900}]):
        network["cartons"] = cartons
        await world.put_network(network)
        await world.promise(("cup", 1), ("spoon", 1), to=home)
        await world.promise(("set", 1), ("saucer", 1), to=home)
        await world.promise(("spoon", 1), ("tray", 1), to=home)
        await world.promise(*((f"part-{i:02d}", 1) for i in range(20)))
    network["policy"]["max_distance_km"] = 2000
    network["services"] = []
    await world.put_network(network)
    await world.promise(("cup", 1))
    assert {kernel: list(kernel.signatures) for kernel in KERNELS} == known


async def test_no_promise_with_hubs_needs_another_compilation(world: Any, network: Any, catalog: Any) -> None:
    warm_up()
    kernels = KERNELS + OF_HUBS
    known = {kernel: list(kernel.signatures) for kernel in kernels}
    network["nodes"][0]["hub"] = {}
    transfer = {"from_node_id": "b", "to_node_id": "a", "calendar": "daily", "transit_days": 1}
    network["transfers"] = [transfer]
    await world.put_network(network)
    await world.stock(("a", "cup", 9), ("b", "saucer", 9), *(("b", f"part-{i:02d}", 9) for i in range(20)))
    await world.promise(("cup", 1), ("saucer", 1), explain=True)
    await world.promise(("saucer", 1), ("spoon", 1), explain=True)
    await world.promise(*((f"part-{i:02d}", 1) for i in range(20)))
    catalog["products"][0] |= {"length_mm": 9, "width_mm": 9, "height_mm": 9, "handling_classes": ["hazmat"]}
    network["nodes"][1] |= {"refuses": ["hazmat"], "capacity_parcels": 3}
    network["services"][0] |= {"dim_divisor": 5, "fuel_basis_points": 9, "residential_cents": 3}
    network["cartons"] = [{"carton": "S", "length_mm": 9, "width_mm": 9, "height_mm": 9, "max_weight_g": 900}]
    await world.put_catalog(catalog)
    await world.put_network(network)
    home = Destination(latitude=40.0, longitude=-75.0, residential=True)
    await world.promise(("cup", 1), ("saucer", 1), to=home, max_shipments=1)
    catalog["products"][1]["handling_classes"] = ["cold_chain"]
    network["services"][0]["refuses"], network["services"][1]["refuses"] = ["cold_chain"], ["hazmat"]
    await world.put_catalog(catalog)
    await world.stock(("a", "saucer", 9))
    for transfers in ([transfer], []):
        network["transfers"] = transfers
        await world.put_network(network)
        assert len((await world.promise(("cup", 1), ("saucer", 1), to=home)).options[0].shipments) == 2
    assert {kernel: list(kernel.signatures) for kernel in kernels} == known
