"""The bridge to the solvers: open orders, a network and live stock in; a `RoutingProblem` out; and a plan back.

Here: how calendars become delivery days, what counts as available, which services may carry an order. Not here: reading
the store (solving.py) and committing (routing_turns.py), solving (solvers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.delivery.day_tables import DayTables
from engine.network.days import NEVER, Today
from engine.network.document import PolicyDocument
from engine.network.model import Network
from engine.routing.arrivals import arrivals_of
from engine.routing.contents import Contents
from engine.routing.days_apart import DaysApart
from engine.routing.demand import Held, demand_of, due_days_of, held_by, keep_cents_of, step_cents_of, wait_of
from engine.routing.hub_offers import HubOffers, hub_offers
from engine.routing.model import AllocationRow, NodeCapacity, OpenOrder, OrderAllocation, UsedCapacity
from engine.routing.node_terms import Fitting, fitting_rules, with_closed_nodes
from engine.routing.ranking import at_most, positions_of, ranked
from engine.routing.rate_cards import bands_of, cards_of
from engine.routing.relaxing import with_relaxed_rules
from engine.routing.steered import with_steering
from engine.routing.ways import Wait, refused_stock, ways_of
from engine.routing.worst_cost import check_worst_cost
from solvers.plan import BACKORDER, RoutingPlan
from solvers.problem import UNLIMITED, IntArray, Nodes, RateCards, RoutingProblem, Stock, Terms

_UNITS_MOST = 2**40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """A problem, and what its indices mean: `orders` by id, node i of the problem is `node[i]` of the network."""

    problem: RoutingProblem
    paid: RoutingProblem
    """The same in money: without weights, nor what only ranks plans."""
    relaxed: RoutingProblem | None = None
    """The same with soft rules broken at their price; None if none is soft."""
    fitting: Sequence[Fitting] = ()
    """The rules of the policy that apply to every line."""
    orders: tuple[OpenOrder, ...]
    line_ids: tuple[str, ...]
    """Of every line of the problem."""
    later: NDArray[np.bool_]
    """Which lines their order holds for a later day, on which they ship if they wait now."""
    node: IntArray
    hand_over: IntArray
    """Day ordinal on which node n hands over to service v of the problem, shape (nodes, services)."""
    refused: frozenset[int]
    """SKUs of the problem of which a node has units that it does not handle."""
    hubs: HubOffers | None = None
    """What hubs can do for these orders; None if nothing is sent to one."""

    @property
    def told(self) -> RoutingProblem:
        """The problem as it is explained: with everything that ranks plans, but freight and handling in money."""
        rates, nodes = self.problem.rates, self.problem.nodes
        return replace(
            self.problem,
            rates=replace(rates, cost_cents=self.paid.rates.cost_cents),
            nodes=replace(
                nodes,
                parcel_cost_cents=self.paid.nodes.parcel_cost_cents,
                unit_cost_cents=self.paid.nodes.unit_cost_cents,
            ),
        )


def demanded_skus(orders: Sequence[OpenOrder]) -> list[str]:
    """Return the SKUs of all lines, sorted."""
    return sorted({line.sku for order in orders for line in order.lines})


def build_batch(
    orders: Sequence[OpenOrder],
    view: View,
    atp: AtpTable,
    capacities: Mapping[str, NodeCapacity],
    tables: DayTables | None = None,
    given_up: Mapping[str, date] | None = None,
) -> Batch:
    """Return the problem of routing these orders now; every SKU of theirs must be in `atp` and in the catalog.

    Stock is ATP(today). What an order's own reservation holds of a whole line at one node stays its own there, if it
    would be there today: not if it is due from a later supply, or a count has found less. `given_up` are promised days
    that could not be kept without hubs, by order. Raises InvalidInput if costs could pass 2^53 cents.
    """
    network, now, tables = view.network, atp.now, DayTables() if tables is None else tables
    node = np.array(sorted(range(len(network.node_ids)), key=network.node_ids.__getitem__), np.int64)
    place = np.argsort(node).tolist()
    ordered = tuple(sorted(orders, key=lambda order: order.order_id))
    skus = demanded_skus(orders)
    refused = refused_stock(view.catalog, network, skus)
    refused_of = dict(zip(skus, refused, strict=True))
    held = [held_by(order, view, atp, refused_of) for order in ordered]
    contents = Contents(view)
    waits = _waits(ordered, held, view)
    ways = ways_of(ordered, waits, view, DaysApart(view, now), contents)
    learned = tables.days(view, now).learned
    bands = bands_of(network, learned)
    cards = cards_of(network, ways, bands, learned, contents.heaviest_g(ordered), contents.light)
    arrivals = arrivals_of(view, now, tables, ways, bands, cards)
    due_days = due_days_of(ordered, view, ways, bands, cards, arrivals)
    sku_index = {sku: k for k, sku in enumerate(skus)}
    keep_cents = at_most(keep_cents_of(ordered, held, view, cards, contents), view.terms)
    step_cents = int(at_most(np.array(step_cents_of(ordered, view, cards, contents)), view.terms))
    leaves_on = arrivals.hand_over.min(axis=1, initial=NEVER)
    demand, line_ids, later = demand_of(ordered, held, view, ways, due_days, place, sku_index, keep_cents, leaves_on)
    problem = RoutingProblem(
        name="",
        currency=network.document.currency,
        terms=_terms(network.policy),
        nodes=_nodes(network, node, capacities),
        skus=tuple(skus),
        weight_g=np.array([contents.counted_g(sku) for sku in skus], np.int64),
        stock=_stock(atp, skus, node, refused | _unlikely(network)),
        orders=demand,
        services=ways.names(network),
        rates=RateCards(
            zones=bands.names,
            zone_max_km=bands.max_km,
            start=cards.start,
            max_weight_g=cards.max_weight_g,
            cost_cents=cards.cost_cents,
            transit_days=cards.days,
            delivery_days=arrivals.days[node],
        ),
        service_level=ways.level,
    )
    paid = replace(problem, orders=replace(demand, line_backorder_cents=None))
    fitting = fitting_rules(problem, ordered, view)
    unbarred = ranked(problem, fitting, view, lambda: positions_of(skus, node, atp, network, capacities))
    problem = with_closed_nodes(unbarred, fitting, view.terms.rules, node)
    problem = with_steering(problem, ordered, line_ids, step_cents)
    check_worst_cost(problem, "$")
    relaxed = None
    if view.terms.softens:
        relaxed = with_relaxed_rules(unbarred, fitting, view.terms.rules, node)
        relaxed = with_steering(relaxed, ordered, line_ids, step_cents)
        check_worst_cost(relaxed, "$")
    hubs = None
    if network.hubs is not None:
        parts = (ways, bands, cards, arrivals)
        hubs = hub_offers(ordered, waits, view, now, tables, parts, skus, place, due_days, given_up or {})
    there = atp.today[[atp.rows[sku] for sku in skus]] > 0 if skus else np.zeros(refused.shape, np.bool_)
    return Batch(
        problem=problem.freeze(),
        paid=paid,
        relaxed=None if relaxed is None else relaxed.freeze(),
        fitting=fitting,
        orders=ordered,
        line_ids=line_ids,
        later=later,
        node=node,
        hand_over=arrivals.hand_over[node],
        refused=frozenset(np.flatnonzero((there & refused).any(axis=1)).tolist()),
        hubs=hubs,
    )


def _waits(orders: Sequence[OpenOrder], held: Sequence[Held], view: View) -> dict[str, Wait]:
    """Return the orders that wait for something that is made to order."""
    making = view.catalog.making_days
    if not making:
        return {}
    waits = {o.order_id: wait_of(o, holds, making) for o, holds in zip(orders, held, strict=True)}
    return {order_id: wait for order_id, wait in waits.items() if wait != Wait()}


def _terms(policy: PolicyDocument) -> Terms:
    return Terms(
        split_cost_cents=policy.split_cost_cents,
        backorder_cost_cents_per_unit=policy.backorder_cost_cents_per_unit,
        late_day_cost_cents=policy.late_day_cost_cents,
        line_split=policy.line_split == "allowed",
        max_distance_km=float("inf") if policy.max_distance_km is None else policy.max_distance_km,
        move_cost_cents=policy.move_cost_cents,
    )


def _unlikely(network: Network) -> NDArray[np.bool_]:
    """Return the nodes that get no new orders, as they refuse too many."""
    acceptance = network.acceptance or (1.0,) * len(network.node_ids)
    return np.array(acceptance) < network.policy.min_acceptance


def capacities_left(network: Network, today: Today, used: Sequence[UsedCapacity]) -> dict[str, NodeCapacity]:
    """Return what each limited node can still ship on every one of the days on which it would hand over.

    Services may leave on several days; what is left on the fullest of them is there on all.
    """
    units: dict[str, int] = {}
    parcels: dict[str, int] = {}
    days = dict(zip(network.node_ids, ship_days(network, today), strict=True))
    for entry in used:
        if entry.ship_on.toordinal() in days.get(entry.node_id, ()):
            units[entry.node_id] = max(entry.units, units.get(entry.node_id, 0))
            parcels[entry.node_id] = max(entry.parcels, parcels.get(entry.node_id, 0))
    return {
        node_id: NodeCapacity(
            units=None if most_units < 0 else max(0, most_units - units.get(node_id, 0)),
            parcels=None if most_parcels < 0 else max(0, most_parcels - parcels.get(node_id, 0)),
        )
        for node_id, most_units, most_parcels in zip(
            network.node_ids, network.capacity_units.tolist(), network.capacity_parcels.tolist(), strict=True
        )
        if most_units >= 0 or most_parcels >= 0
    }


def ship_days(network: Network, today: Today) -> list[set[int]]:
    """Return the days on which each node hands over an order of this minute to one or another of its services."""
    days = np.where(network.serves, today.calendars.hand_over(today.ready)[:-1], NEVER).T
    return [{day for day in row if day < NEVER} for row in days.tolist()]


def _nodes(network: Network, node: IntArray, capacities: Mapping[str, NodeCapacity]) -> Nodes:
    ids = tuple(network.node_ids[n] for n in node)
    left = [capacities.get(node_id, NodeCapacity()) for node_id in ids]
    return Nodes(
        node_ids=ids,
        latitude=np.degrees(network.latitude_rad[node]),
        longitude=np.degrees(network.longitude_rad[node]),
        parcel_cost_cents=network.parcel_cost_cents[node],
        unit_cost_cents=network.unit_cost_cents[node],
        capacity_units=np.array([UNLIMITED if c.units is None else c.units for c in left], np.int64),
        capacity_parcels=np.array([UNLIMITED if c.parcels is None else c.parcels for c in left], np.int64),
        priority=network.priority[node],
    )


def _stock(atp: AtpTable, skus: Sequence[str], node: IntArray, refused: NDArray[np.bool_]) -> Stock:
    available = np.minimum(np.where(refused, 0, atp.today[[atp.rows[sku] for sku in skus]])[:, node], _UNITS_MOST)
    sku, at = np.nonzero(available > 0)
    return Stock(
        start=np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(sku, minlength=len(skus)))]).astype(
            np.int64
        ),
        node=at.astype(np.int64),
        available=available[sku, at].astype(np.int64),
    )


def allocations(batch: Batch, plan: RoutingPlan) -> list[OrderAllocation]:
    """Return the plan in the words of orders, one allocation per order with what it keeps, by order id."""
    problem, rows = batch.problem, dict[int, list[AllocationRow]]()
    owner = problem.line_order
    for line, n, quantity, v in zip(
        plan.line.tolist(), plan.node.tolist(), plan.quantity.tolist(), plan.service.tolist(), strict=True
    ):
        shipped = n != BACKORDER
        rows.setdefault(int(owner[line]), []).append(
            AllocationRow(
                line_id=batch.line_ids[line],
                sku=problem.skus[problem.orders.line_sku[line]],
                quantity=quantity,
                node_id=problem.nodes.node_ids[n] if shipped else None,
                service=problem.services[v] if shipped else None,
                ship_on=date.fromordinal(int(batch.hand_over[n, v])) if shipped else None,
            )
        )
    return [
        OrderAllocation(order_id=order.order_id, rows=(*order.kept, *rows.get(o, ())), revision=order.revision)
        for o, order in enumerate(batch.orders)
    ]
