"""What was decided before: pins.csv and current_plan.csv, put on the order lines they are of.

A pin without its order line is a fault. A row of an earlier plan without one is left out: the order has gone, or the
node has. Not here: whether a plan keeps pins (plan_checks.py), what moves cost in all (summary_checks.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import replace

from engine.verification.problem import Line, Order, Terms
from engine.verification.table import MOST_UNITS, Table, refuse_duplicates, refuse_unknown

Pairs = dict[tuple[str, str], str]
"""A node by order and SKU."""


def pinned_nodes(table: Table | None, orders: dict[str, Order], nodes: Container[str]) -> Pairs:
    """Return the only node that may ship each pinned line; record pins of unknown orders, lines and nodes as faults."""
    if table is None:
        return {}
    order_ids, skus, node_ids = table.names("order_id"), table.names("sku"), table.names("node_id")
    refuse_unknown(table, "order_id", list(enumerate(order_ids)), orders, "orders.csv")
    refuse_unknown(table, "node_id", list(enumerate(node_ids)), nodes, "nodes.csv")
    keys = list(zip(order_ids, skus, strict=True))
    refuse_duplicates(table, "sku", keys)
    lines = _lines(orders)
    for row, (order_id, sku) in enumerate(keys):
        if order_id in orders and sku and (order_id, sku) not in lines:
            table.fault(row, "sku", f"order {order_id!r} has no line of SKU {sku!r}; leave the pin out or correct it")
    return dict(zip(keys, node_ids, strict=True))


def current_nodes(table: Table | None, orders: dict[str, Order], nodes: Container[str]) -> Pairs:
    """Return where an earlier plan has the whole of each line.

    A line in several rows is divided, over nodes or with a part that is backordered, and so at no node.
    """
    if table is None:
        return {}
    order_ids, skus, node_ids = table.names("order_id"), table.names("sku"), table.columns["node_id"]
    refuse_duplicates(table, "node_id", list(zip(order_ids, skus, node_ids, strict=True)))
    table.whole_or_blank("quantity", least=1, most=MOST_UNITS)
    keys = list(zip(order_ids, skus, strict=True))
    rows_of, lines = Counter(keys), _lines(orders)
    return {
        key: node_id
        for key, node_id in zip(keys, node_ids, strict=True)
        if rows_of[key] == 1 and key in lines and node_id in nodes
    }


def with_earlier(orders: dict[str, Order], pinned: Pairs, current: Pairs, terms: Terms) -> dict[str, Order]:
    """Return the orders with what earlier decisions say of their lines."""
    if not pinned and not current:
        return orders
    return {
        order.order_id: replace(
            order, lines=tuple(_line(order.order_id, line, pinned, current, terms) for line in order.lines)
        )
        for order in orders.values()
    }


def _line(order_id: str, line: Line, pinned: Pairs, current: Pairs, terms: Terms) -> Line:
    node_id, cents = current.get((order_id, line.sku)), terms.move_cost_cents
    if terms.line_split_allowed:  # unit by unit, each share rounded up
        cents = line.quantity * -(-cents // line.quantity)
    return replace(
        line,
        pinned_node_id=pinned.get((order_id, line.sku)),
        current_node_id=node_id,
        move_cost_cents=0 if node_id is None else cents,
    )


def _lines(orders: dict[str, Order]) -> set[tuple[str, str]]:
    return {(order.order_id, line.sku) for order in orders.values() for line in order.lines}
