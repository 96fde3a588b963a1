"""Every kernel is compiled for one set of types only, and warming up compiles all of them."""

from __future__ import annotations

from typing import Any

from engine.promising.warming import warm_up
from solvers.promise_options import promise_order
from solvers.promise_parcels import days_alone, days_covered, price_parcels, within_reach

KERNELS = (promise_order, days_alone, days_covered, price_parcels, within_reach)


async def test_no_promise_needs_another_compilation(world: Any, network: Any) -> None:
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
    network["policy"]["max_distance_km"] = 2000
    network["services"] = []
    await world.put_network(network)
    await world.promise(("cup", 1))
    assert {kernel: list(kernel.signatures) for kernel in KERNELS} == known
