"""The plan put together again from its rows: parcels, backorders and what each parcel's carriage costs.

Here: from rows to parcels, with a disagreement for each row that names something the problem does not hold.
Not here: what the rules allow (plan_checks.py), sums of money (summary_checks.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.verification.problem import Node, Order, Problem
from engine.verification.result import PlanRow
from engine.verification.tariffs import Offer, Tariffs
from engine.verification.verdict import Disagreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """All units of one order from one node.

    `offers` are the eligible ones, the right one first; `travels_by` is the one that the plan states, or the right one
    if the plan's is not eligible, or None if nothing is. `in_reach` is False without a lane or a zone.
    """

    order: Order
    node: Node
    rows: tuple[PlanRow, ...]
    units: int
    weight_g: int
    too_far: bool
    in_reach: bool
    offers: tuple[Offer, ...]
    travels_by: Offer | None

    @property
    def service(self) -> str:
        """The service that the plan states in the parcel's first row."""
        return self.rows[0].service

    @property
    def place(self) -> str:
        """Where the plan begins to speak of the parcel."""
        return self.rows[0].place

    def __str__(self) -> str:
        return f"the parcel of order {self.order.order_id} from {self.node.node_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """The whole plan: rows by (order, SKU), parcels, and backordered units."""

    rows_by_line: dict[tuple[str, str], list[PlanRow]]
    parcels: list[Parcel]
    backordered_units: int
    unknown: list[Disagreement]


def put_together(problem: Problem, rows: Sequence[PlanRow]) -> Shipped:
    """Group the plan's rows into parcels; rows of unknown orders, SKUs or nodes are only reported."""
    tariffs = Tariffs(problem)
    rows_by_line: dict[tuple[str, str], list[PlanRow]] = {
        (order.order_id, line.sku): [] for order in problem.orders.values() for line in order.lines
    }
    by_parcel: dict[tuple[str, str], list[PlanRow]] = {}
    unknown: list[Disagreement] = []
    backordered_units = 0
    for row in rows:
        wrong = _unknown(problem, rows_by_line, row)
        if wrong:
            unknown.append(Disagreement(place=row.place, message=wrong))
            continue
        rows_by_line[row.order_id, row.sku].append(row)
        if row.node_id:
            by_parcel.setdefault((row.order_id, row.node_id), []).append(row)
        else:
            backordered_units += row.quantity
    parcels = [
        _parcel(problem, tariffs, problem.orders[order_id], problem.nodes[node_id], found)
        for (order_id, node_id), found in by_parcel.items()
    ]
    return Shipped(rows_by_line=rows_by_line, parcels=parcels, backordered_units=backordered_units, unknown=unknown)


def _unknown(problem: Problem, lines: dict[tuple[str, str], list[PlanRow]], row: PlanRow) -> str:
    if row.order_id not in problem.orders:
        return f"order {row.order_id!r} is not in orders.csv"
    if (row.order_id, row.sku) not in lines:
        return f"order {row.order_id} has no line of SKU {row.sku!r}"
    if row.node_id and row.node_id not in problem.nodes:
        return f"node {row.node_id!r} is not in nodes.csv"
    return ""


def _parcel(problem: Problem, tariffs: Tariffs, order: Order, node: Node, rows: list[PlanRow]) -> Parcel:
    units = sum(row.quantity for row in rows)
    weight_g = sum(row.quantity * problem.weight_g.get(row.sku, 0) for row in rows)
    tariff = tariffs.tariff(node, order)
    offers = tariff.offers_for(weight_g) if tariff is not None else ()
    stated = next((offer for offer in offers if offer.service == rows[0].service), None)
    return Parcel(
        order=order,
        node=node,
        rows=tuple(rows),
        units=units,
        weight_g=weight_g,
        too_far=tariffs.too_far(node, order),
        in_reach=tariff is not None,
        offers=offers,
        travels_by=stated or (offers[0] if offers else None),
    )
