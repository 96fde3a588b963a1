"""One line of a routed order moved to another node: what the order would cost, and what the node lacks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.routing.decision import Decision
from engine.routing.explanation import RoutedCosts
from engine.routing.order_cost import NO_LOAD, Load, OrderCost, Parts
from solvers.plan import BACKORDER
from solvers.problem import UNLIMITED, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A whole line at a node, with the rest of its kit if it has one; the others of the order where they are."""

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
    value_difference_cents: int
    """What its units count more there beside costs; of what waits, as at the dearest node, so that nobody waits."""
    lacks_units: int
    lacks_rest: bool
    """Whether it lacks units of the rest of the line's kit, which goes with it."""
    lacks_capacity_units: int
    lacks_capacity_parcels: int
    net_price_cents: float
    """What the run's prices make of the move: what it takes at the node, less what it leaves where the line is."""

    @property
    def ranked_cents(self) -> int | None:
        """What the order would cost more as plans are ranked: in money, and by what units count beside it."""
        return None if self.difference_cents is None else self.difference_cents + self.value_difference_cents


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
        self._moves: dict[tuple[int, int], Move] = {}

    def own_node(self, line: int) -> int:
        """Return where the order has reserved the line, or -1."""
        return _of(self.decision.problem.orders.line_own_node, line)

    def pinned_node(self, line: int) -> int:
        """Return the only node that may ship the line, or -1."""
        return _of(self.decision.problem.orders.line_pinned_node, line)

    def current_node(self, line: int) -> int:
        """Return where an earlier plan has the line, or -1."""
        return _of(self.decision.problem.orders.line_current_node, line)

    def is_closed(self, line: int, node: int) -> bool:
        """Return whether the node ships such lines only if their order holds them there."""
        problem = self.decision.problem
        if problem.closed is None or self.own_node(line) == node:
            return False
        rows = problem.orders.line_closed_row
        return bool(problem.closed[(problem.orders.line_sku if rows is None else rows)[line], node])

    def available(self, line: int, node: int) -> int:
        """Return the units that the line could have at a node before the plan."""
        if self.own_node(line) == node:
            return self.cost.quantity[line]
        entry = self._entries[line].get(node)
        return 0 if entry is None else int(self.decision.problem.stock.available[entry])

    def value_cents(self, line: int, node: int, units: int) -> int:
        """Return what units of a line count at a node beside what they cost; at `BACKORDER`, as at the dearest."""
        problem = self.decision.problem
        if problem.unit_value_cents is None:
            return 0
        rows = problem.orders.line_value_row
        of_line = problem.unit_value_cents[(problem.orders.line_sku if rows is None else rows)[line]]
        return units * int(of_line.max(initial=0) if node == BACKORDER else of_line[node])

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
        if (line, node) not in self._moves:
            self._moves[line, node] = self._move(line, node)
        return self._moves[line, node]

    def together(self, line: int) -> tuple[int, ...]:
        """Return the lines that go where this one goes: of its kit, or itself alone."""
        kits = self.decision.kits
        if kits is None or kits[line, 0] < 0:
            return (line,)
        return tuple(at for at in range(len(self.cost.quantity)) if kits[at, 0] == kits[line, 0])

    def _move(self, line: int, node: int) -> Move:
        changed, before, lines = {node: self._loads.get(node, NO_LOAD)}, 0, self.together(line)
        for at in lines:
            quantity, weight_g = self.cost.quantity[at], self.cost.weight_g[at]
            for place, units in self.parts.get(at, ()):
                changed[place] = changed.get(place, self._loads.get(place, NO_LOAD)).plus(-units, -units * weight_g, -1)
                before += units if place == node else 0
            changed[node] = changed[node].plus(quantity, quantity * weight_g)
        left, more = self.decision.left, sum(self.cost.quantity[at] for at in lines) - before
        return Move(
            line=line,
            node=node,
            available=self.available(line, node),
            left=self.left(line, node),
            load=changed[node],
            parcels=self._parcels(changed),
            difference_cents=self._difference(lines, node, changed),
            value_difference_cents=sum(self._value_difference(at, node) for at in lines),
            lacks_units=self._lacks(line, node),
            lacks_rest=any(self._lacks(at, node) for at in lines if at != line),
            lacks_capacity_units=_lack(more, int(left.units[node])),
            lacks_capacity_parcels=_lack(0 if node in self._loads else 1, int(left.parcels[node])),
            net_price_cents=sum(
                sum(self.prices(at, node)) - sum(self._let_go(at, place, n) for place, n in self.parts.get(at, ()))
                for at in lines
            ),
        )

    def _value_difference(self, line: int, node: int) -> int:
        """Return what a whole line counts more at a node than where it is, and waits, now."""
        parts, quantity = self.parts.get(line, ()), self.cost.quantity[line]
        waiting = quantity - sum(units for _, units in parts)
        now = sum(self.value_cents(line, at, units) for at, units in (*parts, (BACKORDER, waiting)))
        return self.value_cents(line, node, quantity) - now

    def _lacks(self, line: int, node: int) -> int:
        """Return the units that a node has not left for a line, beside those that it ships of it."""
        ships = sum(units for place, units in self.parts.get(line, ()) if place == node)
        return max(0, self.cost.quantity[line] - ships - self.left(line, node))

    def _parcels(self, changed: Mapping[int, Load]) -> int:
        """Return how many parcels the order has with some loads changed."""
        return sum(load.lines > 0 for load in {**self._loads, **changed}.values())

    def _difference(self, lines: Sequence[int], node: int, changed: Mapping[int, Load]) -> int | None:
        """Return what the order costs more with some loads changed, and these whole lines at a node."""
        terms, cents = self.decision.problem.terms, 0
        for at, load in changed.items():
            before = self._loads.get(at)
            old = None if before is None else self.cost.parcel(at, before)
            new = self.cost.parcel(at, load) if load.lines else None
            if load.lines and new is None:
                return None
            cents += (new.cents if new else 0) - (old.cents if old else 0)
        for line in lines:
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
