"""Turns an assignment into the plan that is handed out: rows by line and node, services, and cost by component."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.cost import best_service
from solvers.plan import BACKORDER, Costs, RoutingPlan
from solvers.problem import IntArray
from solvers.tables import Compiled, Tables


def conclude(compiled: Compiled, cand: NDArray[np.int32], divided: IntArray) -> RoutingPlan:
    """Return the plan of an assignment.

    `cand` holds the candidate of each line of the tables or `BACKORDER`. `divided` has rows (line of the tables,
    candidate, units) for units of backordered lines that are shipped after all, shape (n, 3).
    """
    t, nodes = compiled.tables, compiled.problem.nodes
    line = np.concatenate([np.arange(len(cand)), divided[:, 0]])
    chosen = np.concatenate([cand.astype(np.int64), divided[:, 1]])
    quantity = np.concatenate([t.quantity, divided[:, 2]])
    np.subtract.at(quantity, divided[:, 0], divided[:, 2])
    line, chosen, quantity = _merge_pieces(t, line, chosen, quantity)
    order = np.repeat(np.arange(compiled.problem.order_count), np.diff(t.line_start))[line]
    shipped = chosen != BACKORDER
    c = np.where(shipped, t.cand_start[order] + chosen, 0)
    node = np.where(shipped, t.cand_node[c] if len(t.cand_node) else BACKORDER, BACKORDER)
    opened, parcel_of = np.unique(c[shipped], return_inverse=True)
    per_unit_g, per_unit_cents = t.weight_g // t.quantity, (t.short_cents - t.moved_cents) // t.quantity
    moved = node != t.current_node[line]
    grams = np.zeros(len(opened), np.int64)
    np.add.at(grams, parcel_of, (per_unit_g[line] * quantity)[shipped])
    owner = np.searchsorted(t.cand_start, opened, side="right") - 1
    freight_cents, late_cents, service = _carry(t, opened, owner, grams)
    parcels = np.bincount(owner, minlength=compiled.problem.order_count)
    splits = np.maximum(parcels - 1, 0)
    units_cents = (nodes.unit_cost_cents[node[shipped]] * quantity[shipped]).sum()
    short = int(quantity[~shipped].sum())
    row_service = np.full(len(line), BACKORDER, np.int64)
    row_service[shipped] = service[parcel_of]
    rank = np.lexsort((node, t.line[line]))
    return RoutingPlan(
        line=t.line[line][rank],
        node=node[rank],
        quantity=quantity[rank],
        service=row_service[rank],
        costs=Costs(
            shipping=int((freight_cents - late_cents).sum()),
            handling=int(nodes.parcel_cost_cents[t.cand_node[opened]].sum()) if len(opened) else 0,
            units=int(units_cents),
            split=int(splits.sum()) * t.split_cents,
            late=int(late_cents.sum()),
            backorder=int((per_unit_cents[line] * quantity)[~shipped].sum()),
            moves=int((t.moved_cents[line] * quantity // t.quantity[line])[moved].sum()),
            value=int((t.value_cents[t.value_row[line], node] * quantity)[shipped].sum()) if len(t.value_cents) else 0,
        ),
        parcels=len(opened),
        split_orders=int((splits > 0).sum()),
        backordered_units=short,
    )


def _merge_pieces(
    t: Tables, line: IntArray, chosen: IntArray, quantity: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return lines (told by their first piece), candidates and units, with one row per line and place."""
    if len(line) == len(t.line) == len(np.bincount(t.line)):  # nothing is in pieces
        return line, chosen, quantity
    _, first, piece = np.unique(t.line, return_index=True, return_inverse=True)
    places = np.stack([first[piece.reshape(-1)][line], chosen], axis=1)
    rows, row = np.unique(places[quantity > 0], axis=0, return_inverse=True)
    units = np.zeros(len(rows), np.int64)
    np.add.at(units, row.reshape(-1), quantity[quantity > 0])
    return rows[:, 0], rows[:, 1], units


@njit(cache=True, nogil=True)
def _carry(t: Tables, opened: IntArray, owner: IntArray, grams: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return service + late cents, late cents and service of every parcel (a candidate with its weight)."""
    cents, late, service = np.empty_like(opened), np.empty_like(opened), np.empty_like(opened)
    for k in range(len(opened)):
        c = opened[k]
        cents[k], late[k], service[k] = best_service(
            t.freight,
            t.cand_node[c],
            t.cand_place[c],
            t.cand_place_end[c],
            grams[k],
            (t.due_days[owner[k]], t.service_level[owner[k]]),
            False,
        )
    return cents, late, service
