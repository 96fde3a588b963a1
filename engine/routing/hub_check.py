"""Checks a plan with hubs before it is committed, in the words of orders: by none of the code that made it.

What holds for every plan holds for it (plan_check.py); here is what holds for the parcels of hubs: the network has the
transfers, each leaves on its day, nothing is handed over before the last has come, the hub may pack it and its service
takes it on in time, no node sends and ships more than it can, and all of it costs what is stated. Days of transfers are
those of the calendars (hub_offers.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.routing.batch import Batch
from engine.routing.hub_parcel_check import Document, Packed, ParcelCheck
from engine.routing.model import AllocationRow, OrderAllocation, used_by
from engine.routing.parcel_check import Parcels, parcels_of
from engine.routing.plan_check import (
    NOWHERE,
    Ground,
    Rows,
    counted_costs,
    faults_of_costs,
    faults_of_lines,
    faults_of_parcels,
    refuse,
    rows_of,
)
from solvers.plan import RoutingPlan


def check_hubs(
    ground: Ground,
    batch: Batch,
    view: View,
    allocations: Sequence[OrderAllocation],
    plan: RoutingPlan,
    bound: int | None,
) -> None:
    """Raise PlanNotVerified unless allocations, some of them over hubs, keep every rule and cost what the plan says."""
    faults: list[str] = []
    rows = rows_of(ground, allocations, plan, faults)
    refuse(faults)
    told = [row for rows_of_order in _decided(batch, allocations) for row in rows_of_order]
    packed, by_hub = _packed(batch, rows, told)
    direct = Rows(**{name: getattr(rows, name)[~by_hub] for name in ("line", "node", "service", "quantity", "ship_on")})
    shipped = direct.node != NOWHERE
    parcels = parcels_of(batch.problem, direct.line[shipped], direct.node[shipped], direct.quantity[shipped])
    faults += faults_of_lines(ground, rows)
    faults += faults_of_parcels(ground, direct, parcels)
    faults += _full(batch, view, allocations)
    faults += _too_many(batch, parcels, packed)
    document = Document(view.network.document)
    checked = [ParcelCheck(batch, document, parcel, rows) for parcel in packed]
    for check in checked:
        faults += check.faults()
    if not faults:
        faults += faults_of_costs(_costs(batch, direct, parcels, checked), plan, bound)
    refuse(faults)


def _decided(batch: Batch, allocations: Sequence[OrderAllocation]) -> list[Sequence[AllocationRow]]:
    """Return the rows that were decided now, order by order."""
    kept = {order.order_id: len(order.kept) for order in batch.orders}
    return [each.rows[kept[each.order_id] :] for each in allocations]


def _packed(batch: Batch, rows: Rows, told: Sequence[AllocationRow]) -> tuple[list[Packed], NDArray[np.bool_]]:
    """Return the parcels of hubs, and which rows are in one: those sent to it, and what the hub has for it itself."""
    owner, index = batch.problem.line_order[rows.line], {n: k for k, n in enumerate(batch.problem.nodes.node_ids)}
    hub_of: dict[int, tuple[int, int, int]] = {}
    several = set[int]()
    for k, row in enumerate(told):
        if row.hub is not None:
            key = (index[row.hub.node_id], int(rows.service[k]), row.hub.ship_on.toordinal())
            if hub_of.setdefault(int(owner[k]), key) != key:
                several.add(int(owner[k]))
    by_hub = np.array(
        [
            row.hub is not None or hub_of.get(int(owner[k]), (NOWHERE - 1,))[0] == rows.node[k]
            for k, row in enumerate(told)
        ],
        np.bool_,
    )
    found = []
    for order, (hub, way, day) in sorted(hub_of.items()):
        mine = np.flatnonzero(by_hub & (owner == order)).tolist()
        wrong = NOWHERE if order in several else way
        found.append(
            Packed(order=order, hub=hub, way=wrong, day=day, rows=tuple(mine), told=tuple(told[k] for k in mine))
        )
    return found, by_hub


def _full(batch: Batch, view: View, allocations: Sequence[OrderAllocation]) -> Iterable[str]:
    """Tell nodes that ship more on a day than they can; what others have used is known of days of now only."""
    problem, network = batch.problem, view.network
    now: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    ids = {n: k for k, n in enumerate(problem.nodes.node_ids)}
    for decided in _decided(batch, allocations):
        for (node_id, day), (units, parcels) in used_by(decided).items():
            place = ids[node_id]
            if (batch.hand_over[place] == day.toordinal()).any():
                now[node_id][0] += units
                now[node_id][1] += parcels
                continue
            n = network.index[node_id]
            for used, most in ((units, network.capacity_units[n]), (parcels, network.capacity_parcels[n])):
                if 0 <= most < used:
                    yield f"{node_id} ships {used} on {day}, and {most} at most on any day"
    for node_id, (units, parcels) in now.items():
        place = ids[node_id]
        if units > problem.nodes.capacity_units[place] or parcels > problem.nodes.capacity_parcels[place]:
            yield f"{node_id} ships and sends {units} units in {parcels} parcels, and has less left"


def _too_many(batch: Batch, parcels: Parcels, packed: Sequence[Packed]) -> Iterable[str]:
    count = np.bincount(parcels.order, minlength=batch.problem.order_count)
    for each in packed:
        count[each.order] += 1
    for order in np.flatnonzero(count > batch.problem.orders.max_parcels).tolist():
        yield f"order {batch.orders[order].order_id} leaves in {count[order]} parcels, more than it may"


def _costs(batch: Batch, direct: Rows, parcels: Parcels, checked: Sequence[ParcelCheck]) -> dict[str, int]:
    """Return what the whole plan costs, and its figures."""
    found = counted_costs(batch.problem, direct, parcels) | {"transfer": 0}
    beside = np.bincount(parcels.order, minlength=batch.problem.order_count)
    for check in checked:
        for name, cents in check.costs().items():
            found[name] += cents
        others = int(beside[check.order])
        found["split"] += batch.problem.terms.split_cost_cents if others else 0
        found["split orders"] += others == 1
        found["parcels"] += 1
    return found
