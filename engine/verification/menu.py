"""From an order and the prices to what its pattern may choose from: the nodes, and what each line costs there.

Here: eligibility, stock and capacity of one order on its own, and the price terms. Not here: choosing (pattern.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.verification.pattern import Menu, Source
from engine.verification.prices import Prices
from engine.verification.problem import Line, Node, Order, Problem
from engine.verification.tariffs import Tariffs


class Menus:
    """Makes menus for the orders of one problem at one set of prices, all costs in millicents."""

    def __init__(self, problem: Problem, prices: Prices) -> None:
        self.problem = problem
        self.prices = prices
        self._tariffs = Tariffs(problem)

    def backorder(self, line: Line) -> int:
        """Return the cost of backordering a whole line, with what it costs that it leaves where it is now."""
        cents = self.problem.terms.backorder_cost_cents_per_unit * line.quantity
        return 1000 * (cents + line.moved_cents("", line.quantity))

    def unit(self, node: Node) -> int:
        """Return what every unit leaving a node costs: its handling and the price of the node's units."""
        return 1000 * node.unit_cost_cents + self.prices.units.get(node.node_id, 0)

    def parcel(self, node: Node) -> int:
        """Return what every parcel leaving a node costs before its carriage: handling and the price of parcels."""
        return 1000 * node.parcel_cost_cents + self.prices.parcels.get(node.node_id, 0)

    def stock_charge(self, node: Node, line: Line, units: int) -> int:
        """Return what the stock prices charge for so many units of a line, served together from a node."""
        charged = self.prices.stock.get(line.sku, {}).get(node.node_id, ())
        return sum(price.charge(units) for price in charged)

    def menu(self, order: Order, lines: Sequence[Line], *, whole_lines: bool = True) -> Menu:
        """Return the menu of some lines of an order.

        A source holds a line if it has all its units (with `whole_lines` off: any unit of it; `line_costs` are then
        of one unit), no pin names another, and it may ship anything at all.
        """
        problem = self.problem
        costs: dict[str, dict[int, int]] = {}
        held: dict[str, dict[int, int]] = {}
        for index, line in enumerate(lines):
            least = line.quantity if whole_lines else 1
            for node_id, available in problem.available.get(line.sku, {}).items():
                if available >= least and line.may_leave(node_id):
                    node = problem.nodes[node_id]
                    cost = least * self.unit(node) + self.stock_charge(node, line, least)
                    cost += 1000 * line.moved_cents(node_id, least)
                    costs.setdefault(node_id, {})[index] = cost
                    held.setdefault(node_id, {})[index] = available
        sources: list[Source] = []
        for node_id, line_costs in costs.items():
            node = problem.nodes[node_id]
            if node.capacity_parcels == 0 or (tariff := self._tariffs.tariff(node, order)) is None:
                continue
            sources.append(
                Source(
                    node_id=node_id,
                    fixed=self.parcel(node),
                    line_costs=line_costs,
                    held=held[node_id],
                    capacity_units=node.capacity_units,
                    tariff=tariff,
                )
            )
        return Menu(
            skus=[line.sku for line in lines],
            backorder=[self.backorder(line) for line in lines],
            quantity=[line.quantity for line in lines],
            weight_g=[line.quantity * problem.weight_g.get(line.sku, 0) for line in lines],
            split=1000 * problem.terms.split_cost_cents,
            most_parcels=order.max_nodes,
            sources=sources,
        )
