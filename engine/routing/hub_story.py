"""Why orders of a run go over a hub, as explanations tell it.

Not here: how they would go without (explaining.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from engine.routing.batch import Batch
from engine.routing.explanation import HubTransfer, OverHub
from engine.routing.hub_offers import OWN
from engine.routing.hub_plan import Columns, HubParcel, HubPlan, parcel_costs, plan_with_hubs
from engine.routing.plan_costs import plan_of


def over_hubs(batch: Batch, hubs: HubPlan) -> dict[str, OverHub]:
    """Return what is told of each order that goes over a hub, by its id."""
    return {batch.orders[parcel.order].order_id: _told(batch, hubs, parcel) for parcel in hubs.parcels}


def _told(batch: Batch, hubs: HubPlan, parcel: HubParcel) -> OverHub:
    offers, problem = batch.hubs, batch.problem
    assert offers is not None
    costs, ids = parcel_costs(batch.paid, offers, parcel), problem.nodes.node_ids
    before = plan_of(batch.paid, *_of_order(batch, hubs.before, parcel.order)).costs.total
    alone = replace(hubs, parcels=(parcel,), rest=_of_order(batch, hubs.rest, parcel.order))
    saves = before - plan_with_hubs(batch.paid, offers, alone).costs.total
    if offers.keeps[parcel.order]:
        why = "Only so does it keep the day that was promised."
    elif saves > 0:
        why = f"That costs {saves / 100:,.2f} less than without hubs."
    else:
        why = "What ranks plans beside money prefers it."
    return OverHub(
        node_id=ids[int(offers.stop_hub[parcel.stop])],
        service=problem.services[parcel.service],
        ship_on=date.fromordinal(int(offers.hand_over[parcel.stop, parcel.service])),
        line_ids=tuple(sorted(batch.line_ids[line] for line in parcel.lines)),
        transfers=tuple(
            HubTransfer(
                node_id=ids[part.node],
                ship_on=date.fromordinal(int(offers.legs.leaves[part.leg])),
                available_on=date.fromordinal(offers.available_on(part.leg)),
                line_ids=tuple(sorted(batch.line_ids[line] for line in part.lines)),
                transfer_cents=part.transfer_cents,
            )
            for part in parcel.parts
            if part.leg != OWN
        ),
        shipping_cents=costs.shipping,
        handling_cents=costs.handling,
        units_cents=costs.units,
        transfer_cents=costs.transfer,
        late_cents=costs.late,
        saves_cents=saves,
        why=why,
    )


def _of_order(batch: Batch, rows: Columns, order: int) -> Columns:
    """Return the rows of one order."""
    start = batch.problem.orders.line_start
    mine = slice(*np.searchsorted(rows[0], start[order : order + 2]).tolist())
    line, node, quantity, service = (column[mine] for column in rows)
    return line, node, quantity, service
