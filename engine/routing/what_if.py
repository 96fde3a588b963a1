"""What would have changed a routing decision: more units or capacity at a node, a lower rate, or one node for all.

Units and capacity are exact: with so many more at the node, nobody else would lose anything, and the plan would cost
that much less. A rate is told at the run's prices: below it, they favour the node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import floor

from engine.routing.explanation import Change, Lack, NodeChoice, OneNode
from engine.routing.moving import Move, Moves, cents_of

MOST_GAINS, MOST_RATES, MOST_NODES = 3, 2, 3
"""How many changes of stock or capacity, changes of rates, and single nodes are told."""
_CURED_BY_MORE = ("eligible", "no_stock", "quota", "capacity")


def changes_of(
    moves: Iterable[Move], choices: Mapping[int, NodeChoice], ids: Sequence[str], most_parcels: int
) -> tuple[Change, ...]:
    """Return what would have the line shipped from another node, the best gains first, then the nearest rates."""
    gains, rates = list[Change](), list[Change]()
    for move in moves:
        standing, node_id = choices[move.node].standing, ids[move.node]
        if move.difference_cents is None or move.parcels > most_parcels or move.lacks_rest:
            continue
        ranked = move.difference_cents + move.value_difference_cents
        if max(ranked, move.difference_cents) < 0 and standing in _CURED_BY_MORE:
            gains += _gain(move, node_id)
        elif standing == "eligible" and ranked >= 0 and _is_free(move):
            rates += _rate(move, node_id)
    gains.sort(key=lambda change: (-(change.saves_cents or 0), change.node_id))
    rates.sort(key=lambda change: (change.lower_by_cents or 0, change.node_id))
    return (*gains[:MOST_GAINS], *rates[:MOST_RATES])


def _is_free(move: Move) -> bool:
    """Return whether the node has all that the line needs, or prices say what others would pay for it."""
    return move.net_price_cents > 0 or not (
        move.lacks_units or move.lacks_capacity_units or move.lacks_capacity_parcels
    )


def _gain(move: Move, node_id: str) -> list[Change]:
    """Return the units and the capacity that a cheaper node lacks; nothing if it lacks nothing (the plan has a gap)."""
    assert move.difference_cents is not None
    saves, lacks = -move.difference_cents, list[str]()
    if move.lacks_units:
        lacks.append(_counted(move.lacks_units, "more unit"))
    if move.lacks_capacity_units:
        lacks.append(f"room for {_counted(move.lacks_capacity_units, 'more unit')}")
    if move.lacks_capacity_parcels:
        lacks.append(f"room for {_counted(move.lacks_capacity_parcels, 'more parcel')}")
    if not lacks:
        return []
    is_capacity = bool(move.lacks_capacity_units or move.lacks_capacity_parcels)
    return [
        Change(
            kind="capacity" if is_capacity else "stock",
            node_id=node_id,
            units=move.lacks_units,
            capacity_units=move.lacks_capacity_units,
            capacity_parcels=move.lacks_capacity_parcels,
            saves_cents=saves,
            why=f"with {' and '.join(lacks)}, {node_id} would ship it for {_money(saves)} less",
        )
    ]


def _rate(move: Move, node_id: str) -> list[Change]:
    assert move.ranked_cents is not None
    lower_by = max(0, floor(move.ranked_cents + max(0.0, move.net_price_cents)))
    or_worth = ", or its units counted for as much less," if move.value_difference_cents > 0 else ","
    return [
        Change(
            kind="rate",
            node_id=node_id,
            lower_by_cents=lower_by,
            why=f"if the parcel from {node_id} cost over {_money(lower_by)} less{or_worth} "
            f"{node_id} would be the better place",
        )
    ]


def from_one_node(moves: Moves) -> tuple[OneNode, ...]:
    """Return the nodes that could ship the whole order in one parcel, had they all of it: those that lack least first.

    Of those that lack as many units, the cheapest.
    """
    cost, problem = moves.cost, moves.decision.problem
    now, lines = cost.costs(moves.parts), range(len(cost.quantity))
    assert now is not None
    refusing = {node for (_, node), held in moves.decision.withheld.items() if held.kind in ("handling", "acceptance")}
    found = list[OneNode]()
    for node, node_id in enumerate(problem.nodes.node_ids):
        if node in refusing or any(
            moves.pinned_node(line) not in (-1, node) or moves.is_closed(line, node) for line in lines
        ):
            continue
        costs = cost.costs({line: ((node, cost.quantity[line]),) for line in lines})
        if costs is not None:
            found.append(_one_node(moves, cents_of(costs) - cents_of(now), node_id, node))
    return tuple(sorted(found, key=_by_lack)[:MOST_NODES])


def _by_lack(one: OneNode) -> tuple[int, int, str]:
    lacks = sum(lack.units for lack in one.lacks) + one.capacity_units + one.capacity_parcels
    return lacks, one.cost_difference_cents, one.node_id


def _one_node(moves: Moves, difference_cents: int, node_id: str, node: int) -> OneNode:
    problem = moves.decision.problem
    skus = [problem.skus[k] for k in problem.orders.line_sku.tolist()]
    lacks = {sku: moves.move(line, node).lacks_units for line, sku in enumerate(skus)}
    capacity_units, capacity_parcels = moves.alone(node)
    return OneNode(
        node_id=node_id,
        cost_difference_cents=difference_cents,
        lacks=tuple(Lack(sku=sku, units=units) for sku, units in lacks.items() if units),
        capacity_units=capacity_units,
        capacity_parcels=capacity_parcels,
    )


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
