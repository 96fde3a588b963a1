"""One line of a routed order moved to another node: what the order would cost, and what the node lacks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.routing.decision import Decision
from engine.routing.explanation import RoutedCosts
from engine.routing.order_cost import NO_LOAD, Load, OrderCost, Parts
from solvers.problem import UNLIMITED, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A whole line at a node, the others of the order where they are."""

    line: int
    node: int
    available: int
    """Units there for the line before the plan."""
    left: int
    """Units there for the line after the plan."""
    load: Load
    """Of the parcel that it would be in."""
    parcels: int
    difference_cents: int | None
    """None where no service carries the parcel."""
    lacks_units: int
    lacks_capacity_units: int
    lacks_capacity_parcels: int
    net_price_cents: float
    """What the run's prices make of the move: what it takes at the node, less what it leaves where the line is."""


def cents_of(costs: RoutedCosts) -> int:
    """Return the sum of the components."""
    return (
        costs.shipping_cents
        + costs.handling_cents
        + costs.units_cents
        + costs.split_cents
        + costs.late_cents
        + costs.backorder_cents
        + costs.moves_cents
    )


class Moves:
    """The moves of one order's lines away from its plan."""

    def __init__(self, decision: Decision, parts: Parts) -> None:
        self.decision, self.parts = decision, parts
        self.cost = OrderCost(decision.problem)
        stock = decision.problem.stock
        self._entries = [
            {int(stock.node[e]): e for e in range(int(stock.start[k]), int(stock.start[k + 1]))}
            for k in decision.problem.orders.line_sku.tolist()
        ]
        self._loads = self.cost.loads(parts)

    def own_node(self, line: int) -> int:
        """Return where the order has reserved the line, or -1."""
        return _of(self.decision.problem.orders.line_own_node, line)

    def pinned_node(self, line: int) -> int:
        """Return the only node that may ship the line, or -1."""
        return _of(self.decision.problem.orders.line_pinned_node, line)

    def current_node(self, line: int) -> int:
        """Return where an earlier plan has the line, or -1."""
        return _of(self.decision.problem.orders.line_current_node, line)

    def available(self, line: int, node: int) -> int:
        """Return the units that the line could have at a node before the plan."""
        if self.own_node(line) == node:
            return self.cost.quantity[line]
        entry = self._entries[line].get(node)
        return 0 if entry is None else int(self.decision.problem.stock.available[entry])

    def left(self, line: int, node: int) -> int:
        """Return the units there that the plan has left, with those that it gives this line."""
        if self.own_node(line) == node:
            return self.cost.quantity[line]
        entry = self._entries[line].get(node)
        return 0 if entry is None else int(self.decision.left.stock[entry])

    def prices(self, line: int, node: int) -> tuple[float, float, float]:
        """Return what the whole line at a node is worth to others: of its stock, unit and parcel capacity, in cents."""
        shadow, quantity, entry = self.decision.prices, self.cost.quantity[line], self._entries[line].get(node)
        here = any(at == node for at, _ in self.parts.get(line, ()))
        opens = self._loads.get(node, NO_LOAD).lines == here
        return (
            0.0 if entry is None or self.own_node(line) == node else shadow.stock_cents(entry, quantity),
            float(shadow.units[node]) * quantity / 1000,
            float(shadow.parcels[node]) / 1000 if opens else 0.0,
        )

    def move(self, line: int, node: int) -> Move:
        """Return the move of a whole line to a node."""
        quantity, weight_g, here = self.cost.quantity[line], self.cost.weight_g[line], self.parts.get(line, ())
        changed = {at: self._loads[at].plus(-units, -units * weight_g, -1) for at, units in here}
        changed[node] = changed.get(node, self._loads.get(node, NO_LOAD)).plus(quantity, quantity * weight_g)
        before = next((units for at, units in here if at == node), 0)
        is_open, left = node in self._loads, self.decision.left
        return Move(
            line=line,
            node=node,
            available=self.available(line, node),
            left=self.left(line, node),
            load=changed[node],
            parcels=self._parcels(changed),
            difference_cents=self._difference(line, node, changed),
            lacks_units=max(0, quantity - before - self.left(line, node)),
            lacks_capacity_units=_lack(quantity - before, int(left.units[node])),
            lacks_capacity_parcels=_lack(0 if is_open else 1, int(left.parcels[node])),
            net_price_cents=sum(self.prices(line, node)) - sum(self._let_go(line, at, units) for at, units in here),
        )

    def _parcels(self, changed: Mapping[int, Load]) -> int:
        """Return how many parcels the order has with some loads changed."""
        return sum(load.lines > 0 for load in {**self._loads, **changed}.values())

    def _difference(self, line: int, node: int, changed: Mapping[int, Load]) -> int | None:
        """Return what the order costs more with some loads changed, and the whole line at a node."""
        terms, cents = self.decision.problem.terms, 0
        for at, load in changed.items():
            before = self._loads.get(at)
            old = None if before is None else self.cost.parcel(at, before)
            new = self.cost.parcel(at, load) if load.lines else None
            if load.lines and new is None:
                return None
            cents += (new.cents if new else 0) - (old.cents if old else 0)
        here, quantity = self.parts.get(line, ()), self.cost.quantity[line]
        cents -= terms.backorder_cost_cents_per_unit * (quantity - sum(units for _, units in here))
        cents += self.cost.moves_cents(line, ((node, quantity),)) - self.cost.moves_cents(line, here)
        splits = max(0, self._parcels(changed) - 1) - max(0, len(self._loads) - 1)
        return cents + terms.split_cost_cents * splits

    def alone(self, node: int) -> tuple[int, int]:
        """Return the units and parcels of capacity that a node lacks for all lines of the order."""
        left, before = self.decision.left, self._loads.get(node, NO_LOAD)
        more = sum(self.cost.quantity) - before.units
        return _lack(more, int(left.units[node])), _lack(0 if before.lines else 1, int(left.parcels[node]))

    def _let_go(self, line: int, node: int, units: int) -> float:
        """Return what the units that the line takes at a node now would be worth to others."""
        stock, capacity, parcel = self.prices(line, node)
        return (stock + capacity) * units / self.cost.quantity[line] + parcel


def _of(nodes: IntArray | None, line: int) -> int:
    return -1 if nodes is None else int(nodes[line])


def _lack(needed: int, left: int) -> int:
    return 0 if left >= UNLIMITED else max(0, needed - max(0, left))
