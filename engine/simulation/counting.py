"""Facts to sums, column by column; what each sum means is said in counts.py."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.scenarios.story import DAY_SECONDS
from engine.simulation.counts import Counts
from engine.simulation.facts import DayFacts, Ending, Integers, NodeDayFacts, OrderFacts, ParcelFacts, WindowFacts

MILLION = 1_000_000
Rows = NDArray[np.bool_]
_PARCEL_SUMS = ("shipping_cents", "handling_cents", "units_cents", "packaging_cents", "distance_m")
_LOST = (Ending.NO_OFFER, Ending.TOO_LATE, Ending.TOO_DEAR)


def count_orders(counts: Counts, orders: OrderFacts, until_day: int) -> None:
    """Add orders of a story in which nothing happens any more from that day on."""
    endings = np.bincount(orders.ending, minlength=len(Ending)).tolist()
    counts.asked += len(orders.key)
    counts.lost_no_offer += endings[Ending.NO_OFFER]
    counts.lost_too_late += endings[Ending.TOO_LATE]
    counts.lost_too_dear += endings[Ending.TOO_DEAR]
    counts.delivered += endings[Ending.DELIVERED]
    counts.cancelled += endings[Ending.CANCELLED]
    counts.open += endings[Ending.OPEN]
    accepted = ~np.isin(orders.ending, _LOST)
    counts.shipped_orders += _number(orders.parcels > 0)
    counts.split_orders += _number(orders.parcels > 1)
    counts.routed_orders += _number(orders.routed_s >= 0)
    counts.rerouted_orders += _number(orders.reroutes > 0)
    counts.rejections += _sum(orders.rejections, accepted)
    counts.accepted_units += _sum(orders.units, accepted)
    counts.shipped_units += _sum(orders.units_shipped, accepted)
    counts.cancelled_units += _sum(orders.units_cancelled, accepted)
    counts.returned_units += _sum(orders.units_returned, accepted)
    counts.backordered_units += _sum(orders.units_backordered, accepted)
    counts.backordered_orders += _number(accepted & (orders.units_backordered > 0))
    counts.charged_cents += _sum(orders.charged_cents, accepted)
    counts.refund_cents += _sum(orders.refund_cents, accepted)
    counts.revenue_cents += _sum(orders.revenue_cents, accepted)
    counts.lost_cents += _sum(orders.lost_cents, orders.lost_cents > 0)
    counts.lost_for_stock_cents += _sum(orders.lost_cents, (orders.lost_cents > 0) & (orders.ending != Ending.TOO_DEAR))
    _count_fill(counts, orders)
    _count_times(counts, orders, accepted, until_day)


def _count_fill(counts: Counts, orders: OrderFacts) -> None:
    over = orders.ending != Ending.OPEN
    counts.over += _number(over)
    counts.over_lines += _sum(orders.lines, over)
    counts.over_units += _sum(orders.units, over)
    counts.filled_orders += _number(over & (orders.units_shipped == orders.units))
    counts.filled_lines += _sum(np.maximum(orders.lines_shipped, 0), over)
    counts.filled_units += _sum(np.maximum(orders.units_shipped, 0), over)


def _count_times(counts: Counts, orders: OrderFacts, accepted: Rows, until_day: int) -> None:
    delivered = orders.ending == Ending.DELIVERED
    kept = delivered | (orders.ending == Ending.OPEN)
    due = kept & (orders.promised_day >= 0) & (orders.promised_day < until_day)
    counts.due += _number(due)
    counts.due_on_time += _number(due & delivered & (orders.delivered_day <= orders.promised_day))
    wanted = kept & (orders.requested_day >= 0) & (orders.requested_day < until_day)
    counts.wanted += _number(wanted)
    counts.wanted_on_time += _number(wanted & delivered & (orders.delivered_day <= orders.requested_day))
    arrived = due & delivered
    early = orders.promised_day - orders.delivered_day
    counts.arrived += _number(arrived)
    counts.arrived_accurate += _number(arrived & (early >= 0) & (early <= 1))
    counts.arrived_error_days += _sum(np.abs(orders.delivered_day - orders.expected_day), arrived)
    promised = accepted & (orders.promised_day >= 0)
    counts.promised_orders += _number(promised)
    counts.promised_days += _sum(orders.promised_day - orders.placed_s // DAY_SECONDS, promised)
    priced = delivered & (orders.promised_day >= 0) & (orders.promised_cost_cents >= 0)
    counts.priced_orders += _number(priced)
    counts.priced_cost_cents += _sum(orders.cost_cents, priced)
    counts.priced_promised_cents += _sum(orders.promised_cost_cents, priced)


def count_parcels(counts: Counts, parcels: ParcelFacts) -> None:
    """Add parcels."""
    counts.parcels += len(parcels.order)
    counts.parcel_units += int(parcels.units.sum())
    for name in _PARCEL_SUMS:
        setattr(counts, name, getattr(counts, name) + int(getattr(parcels, name).sum()))
    counts.unit_distance_m += int((parcels.distance_m * parcels.units).sum())
    counts.late_parcels += _number((parcels.due_day >= 0) & (parcels.shipped_s // DAY_SECONDS > parcels.due_day))


def count_days(counts: Counts, day: DayFacts, nodes: NodeDayFacts) -> Integers:
    """Add days; return the share of its limits that left each node on each day, in millionths, where it has limits."""
    counts.days += len(day.day)
    counts.position_days += int(day.positions.sum())
    counts.stocked_out_days += int(day.stocked_out.sum())
    counts.backlog_units += int(nodes.backlog_units.sum())
    counts.backlog_parcels += int(nodes.backlog_parcels.sum())
    limited = (nodes.capacity_units > 0) | (nodes.capacity_parcels > 0)
    units = _share(nodes.units[limited], nodes.capacity_units[limited])
    shares = np.maximum(units, _share(nodes.parcels[limited], nodes.capacity_parcels[limited]))
    counts.node_days += len(shares)
    counts.utilisation_ppm += int(shares.sum())
    return shares


def count_windows(counts: Counts, windows: WindowFacts) -> None:
    """Add routing runs."""
    counts.windows += len(windows.at_s)
    counts.window_orders += int(windows.orders.sum())
    bounded = windows.bound_cents >= 0
    counts.bounded_cost_cents += _sum(windows.cost_cents, bounded)
    counts.bound_cents += _sum(windows.bound_cents, bounded)


def _share(left: Integers, capacity: Integers) -> Integers:
    """Return left over capacity in millionths, rounded down; 0 without a limit."""
    return np.where(capacity > 0, left * MILLION // np.maximum(capacity, 1), 0)


def _sum(values: Integers, rows: Rows) -> int:
    return int(values[rows].sum())


def _number(rows: Rows) -> int:
    return int(np.count_nonzero(rows))
