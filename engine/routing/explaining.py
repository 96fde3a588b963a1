"""Why each line of an order went where it went: every node with its cost difference, or what stands in its way.

The difference is exact for the order: what it would cost with this one line moved and the others where they are. The
shadow price says what the units taken there are worth to the other orders of the batch, by the run's prices. A node can
be cheaper for the order and still lose, because its stock or capacity saves more elsewhere.

The first that stands in a node's way is told: pinned elsewhere, reach, quota, stock, handling, service, deadline,
capacity, number of parcels. Not here: what would change it (changes.py), what a parcel costs (order_cost.py).
"""

from __future__ import annotations

from datetime import date

import numpy as np

from engine.errors import Fault, InvalidInput
from engine.routing.decision import Decision
from engine.routing.explanation import (
    Binding,
    LineExplanation,
    NodeChoice,
    OrderExplanation,
    RoutedCosts,
    RoutedParcel,
    Shipped,
    Standing,
)
from engine.routing.moving import Move, Moves, cents_of
from engine.routing.order_cost import Load
from engine.routing.reasons import reason_of
from engine.routing.what_if import changes_of, from_one_node
from solvers.plan import BACKORDER
from solvers.shortages import shortages

_RANK: dict[Standing, int] = {"chosen": 0, "eligible": 1}


def explain_decision(decision: Decision) -> OrderExplanation:
    """Return the whole explanation; raises InvalidInput if the rows are not of a plan for this problem."""
    return _Explainer(decision).explained()


class _Explainer:
    """Compares the nodes of one order's lines."""

    def __init__(self, decision: Decision) -> None:
        self._decision, self._problem = decision, decision.problem
        self._ids = self._problem.nodes.node_ids
        parts: dict[int, list[tuple[int, int]]] = {}
        for line, node, units in decision.rows:
            if node != BACKORDER:
                parts.setdefault(line, []).append((node, units))
        self._parts = {line: tuple(found) for line, found in parts.items()}
        self._moves = Moves(decision, self._parts)
        self._costs = self._checked()

    def _checked(self) -> RoutedCosts:
        """Return what the order costs; raises InvalidInput if it cannot be shipped so: the plan is of another batch."""
        moves = self._moves
        short = {n for at, parts in self._parts.items() for n, units in parts if moves.available(at, n) < units}
        for node, load in moves.cost.loads(self._parts).items():
            if node in short or moves.cost.parcel(node, load) is None:
                order_id, node_id = self._problem.orders.order_ids[0], self._ids[node]
                message = f"order {order_id!r} cannot be shipped so from {node_id!r}: the result is of another problem"
                raise InvalidInput(Fault(path="plan.csv", message=message))
        costs = moves.cost.costs(self._parts)
        assert costs is not None
        return costs

    def explained(self) -> OrderExplanation:
        """Return the whole explanation, lines by SKU."""
        loads, skus = self._moves.cost.loads(self._parts), self._problem.orders.line_sku.tolist()
        lines = sorted(range(len(skus)), key=lambda line: self._problem.skus[skus[line]])
        return OrderExplanation(
            order_id=self._problem.orders.order_ids[0],
            currency=self._problem.currency,
            cost_cents=cents_of(self._costs),
            costs=self._costs,
            shipments=tuple(self._parcel(node, loads[node]) for node in sorted(loads)),
            lines=tuple(self._line(line) for line in lines),
            from_one_node=from_one_node(self._moves) if len(loads) > 1 else (),
            relaxed=self._decision.relaxed,
            over_hub=self._decision.over_hub,
            value_cents=sum(
                self._moves.value_cents(line, node, units)
                for line, parts in self._parts.items()
                for node, units in parts
            ),
        )

    def _parcel(self, node: int, load: Load) -> RoutedParcel:
        parcel = self._moves.cost.parcel(node, load)
        assert parcel is not None
        days = self._decision.hand_over
        return RoutedParcel(
            node_id=self._ids[node],
            service=self._problem.services[parcel.service],
            ship_on=None if days is None else date.fromordinal(int(days[node, parcel.service])),
            units=load.units,
            weight_g=load.weight_g,
            shipping_cents=parcel.shipping,
            handling_cents=parcel.handling,
            units_cents=parcel.units_cents,
            late_cents=parcel.late,
        )

    def _line(self, line: int) -> LineExplanation:
        orders, moves, decision = self._problem.orders, self._moves, self._decision
        moved = {node: moves.move(line, node) for node in range(len(self._ids))}
        choices = {node: self._choice(move) for node, move in moved.items()}
        withheld = {node for sku, node in decision.withheld if sku == orders.line_sku[line]}
        silent = [n for n, choice in choices.items() if not choice.available and n not in withheld]
        known = sorted((choices[n] for n in choices.keys() - set(silent)), key=_by_merit)
        quantity, loads = int(orders.line_quantity[line]), moves.cost.loads(self._parts)
        missing = quantity - sum(units for _, units in self._parts.get(line, ()))
        without = moves.cost.costs({at: parts for at, parts in self._parts.items() if at != line})
        waits = None if missing == quantity or without is None else cents_of(without) - cents_of(self._costs)
        return LineExplanation(
            line_id=None if decision.line_ids is None else decision.line_ids[line],
            sku=self._problem.skus[orders.line_sku[line]],
            quantity=quantity,
            shipped=tuple(
                Shipped(node_id=self._ids[node], service=self._parcel(node, loads[node]).service, quantity=units)
                for node, units in self._parts.get(line, ())
            ),
            backordered=missing,
            backorder_reason=self._backorder_reason(line) if missing else None,
            backorder_difference_cents=waits,
            held_node_id=self._id(moves.own_node(line)),
            pinned_node_id=self._id(moves.pinned_node(line)),
            current_node_id=self._id(moves.current_node(line)),
            nodes=tuple(known),
            nodes_without_units=tuple(self._ids[n] for n in silent),
            changes=changes_of(moved.values(), choices, self._ids, int(orders.max_parcels[0])),
        )

    def _id(self, node: int) -> str | None:
        return None if node < 0 else self._ids[node]

    def _backorder_reason(self, line: int) -> str:
        """Return why a line is not shipped, or not in full."""
        opened = np.unique(np.array([node for parts in self._parts.values() for node, _ in parts], np.int64))
        lines = np.array([line], np.int64)
        [shortage] = shortages(self._problem, lines, np.zeros_like(opened), opened)
        sku = int(self._problem.orders.line_sku[line])
        is_refused = any(held.kind == "handling" for (k, _), held in self._decision.withheld.items() if k == sku)
        kits = self._decision.kits
        return reason_of(shortage, is_refused=is_refused, waits_for=0 if kits is None else int(kits[line, 1]))

    def _choice(self, move: Move) -> NodeChoice:
        standing, binding, why = self._standing(move)
        can_be = standing in ("chosen", "eligible")
        stock, units, parcels = self._moves.prices(move.line, move.node)
        return NodeChoice(
            node_id=self._ids[move.node],
            standing=standing,
            available=move.available,
            left=move.left,
            distance_km=self._moves.cost.distance_km(move.node),
            cost_difference_cents=move.difference_cents if can_be else None,
            shadow_price_cents=round(stock + units + parcels, 3),
            stock_price_cents=round(stock, 3),
            units_price_cents=round(units, 3),
            parcels_price_cents=round(parcels, 3),
            binding=binding,
            why=why,
            value_cents=self._moves.value_cents(move.line, move.node, self._moves.cost.quantity[move.line]),
        )

    def _standing(self, move: Move) -> tuple[Standing, Binding | None, str]:
        """Return the first thing that stands in a node's way, or why others were better."""
        moves, line, node = self._moves, move.line, move.node
        if any(n == node for n, _ in self._parts.get(line, ())):
            return "chosen", None, "ships it"
        pinned = moves.pinned_node(line)
        if pinned not in (-1, node):
            return "policy", "pin", f"the line is pinned to {self._ids[pinned]}"
        if not moves.cost.is_within_reach(node):
            if self._problem.lanes is not None:
                return "distance", "lane", "no lane to this order"
            return "distance", "reach", "too far: beyond the last zone or the distance limit"
        if move.available and moves.is_closed(line, node):
            return (
                "policy",
                "barred",
                f"has {move.available} units, but gets no such line, by the policy of the run or as it was refused",
            )
        short = self._short(move)
        if short is not None:
            return short
        if move.difference_cents is None:
            if moves.cost.is_carried_late(node, move.load):
                return "calendar", "need_by", "no service carries the parcel in time"
            return (
                "service",
                "service",
                "no service may carry it: its weight, service level, handling classes or address",
            )
        nodes = self._problem.nodes
        if nodes.capacity_units[node] < moves.cost.quantity[line] or nodes.capacity_parcels[node] < 1:
            return "capacity", "capacity", "it has not the capacity for it, whatever else it ships"
        if move.parcels > self._problem.orders.max_parcels[0]:
            return "policy", "parcels", f"the order would take {move.parcels} parcels, more than it may"
        if any(moves.available(at, node) < moves.cost.quantity[at] for at in moves.together(line)):
            return "policy", "kit", "it has not all of the kit, which ships from one node"
        return "eligible", *self._beaten(move)

    def _short(self, move: Move) -> tuple[Standing, Binding, str] | None:
        """Return what a node lacks that has too few units for the line."""
        least = 1 if self._problem.terms.line_split else self._moves.cost.quantity[move.line]
        if move.available >= least:
            return None
        held = self._decision.withheld.get((int(self._problem.orders.line_sku[move.line]), move.node))
        words = f"has {move.available} of {self._moves.cost.quantity[move.line]} units"
        if held is None:
            return "no_stock", "stock", words
        if held.kind == "handling":
            return "handling", "handling", f"has {held.units} units, but does not take its handling classes"
        if held.kind == "acceptance":
            return "policy", "acceptance", f"has {held.units} units, but refuses more orders than the policy allows"
        if held.kind == "quota":
            return "quota", "quota", f"{words}; {held.units} more are kept for other channels"
        assert held.day is not None
        return "no_stock", "stock", f"{words} now; {held.units} can be counted on from {date.fromordinal(held.day)}"

    def _beaten(self, move: Move) -> tuple[Binding, str]:
        """Return why a node that could ship the line does not."""
        difference, ranked = move.difference_cents, move.ranked_cents
        assert difference is not None
        assert ranked is not None
        if difference <= 0 < ranked:
            cheaper = f"{-difference / 100:,.2f} cheaper" if difference else "as good"
            more = f"{move.value_difference_cents / 100:,.2f}"
            return "value", f"{cheaper} for this order, but its units count for {more} more than where it is"
        if ranked > 0:
            current = self._moves.current_node(move.line)
            is_there = any(n == current for n, _ in self._parts.get(move.line, ()))
            leaves = is_there and self._problem.terms.move_cost_cents > 0
            with_it = ", with the rest of the kit" if len(self._moves.together(move.line)) > 1 else ""
            return "cost", f"costs this order more{with_it}{', moving the line included' if leaves else ''}"
        if move.lacks_units or move.lacks_rest:
            saves = "as good for this order" if not ranked else "cheaper for this order"
            if ranked < 0 <= difference:
                saves = "better for this order, as its units count for less"
            return "stock", f"{saves}, but its units save more elsewhere"
        if move.lacks_capacity_units or move.lacks_capacity_parcels:
            return "capacity", "its capacity saves more elsewhere"
        if ranked == 0:
            return "cost", "as good for this order"
        return "gap", "cheaper for this order: the plan is not the best possible, within its gap"


def _by_merit(choice: NodeChoice) -> tuple[int, int, float, str]:
    return (
        _RANK.get(choice.standing, 2),
        (choice.cost_difference_cents or 0) + choice.value_cents,
        choice.distance_km or 0.0,
        choice.node_id,
    )
