"""The life cycle of an order: one state for each unit of each line, rolled up to the line and to the order.

`MOVES` is the whole of it: what may follow what. Where a unit stands is worked out from what is kept of the order
(routing, shipments, returns), so that it never disagrees with it. docs/reference/order-states.md is made from here.

Not here: the facts (facts/), what makes a move (the rules of each capability).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from engine.errors import IllegalState
from engine.orders.facts.returns import came_back
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Order, OrderState

S = OrderState
MOVES: Mapping[OrderState, frozenset[OrderState]] = MappingProxyType(
    {
        S.CAPTURED: frozenset({S.VALIDATED, S.PROMISED, S.ON_HOLD, S.SOURCED, S.BACKORDERED, S.CANCELLED}),
        S.VALIDATED: frozenset({S.PROMISED, S.ON_HOLD, S.SOURCED, S.BACKORDERED, S.CANCELLED}),
        S.ON_HOLD: frozenset({S.CAPTURED, S.VALIDATED, S.PROMISED, S.SOURCED, S.BACKORDERED, S.CANCELLED}),
        S.PROMISED: frozenset({S.VALIDATED, S.ON_HOLD, S.SOURCED, S.BACKORDERED, S.CANCELLED}),
        S.BACKORDERED: frozenset({S.ON_HOLD, S.SOURCED, S.CANCELLED}),
        S.SOURCED: frozenset({S.ON_HOLD, S.BACKORDERED, S.RELEASED, S.CANCELLED}),
        S.RELEASED: frozenset({S.SOURCED, S.BACKORDERED, S.PICKING, S.PACKED, S.SHIPPED, S.CANCELLED}),
        S.PICKING: frozenset({S.SOURCED, S.BACKORDERED, S.PACKED, S.SHIPPED, S.CANCELLED}),
        S.PACKED: frozenset({S.SOURCED, S.BACKORDERED, S.PICKING, S.SHIPPED, S.CANCELLED}),
        S.SHIPPED: frozenset({S.DELIVERED, S.RETURNED, S.BACKORDERED, S.CANCELLED}),
        S.DELIVERED: frozenset({S.RETURNED}),
        S.RETURNED: frozenset(),
        S.CANCELLED: frozenset(),
    }
)
"""What may follow each state. Units that a carrier has lost are backordered, and sent again, or cancelled."""
PROGRESS = (
    S.ON_HOLD,
    S.CAPTURED,
    S.VALIDATED,
    S.PROMISED,
    S.BACKORDERED,
    S.SOURCED,
    S.RELEASED,
    S.PICKING,
    S.PACKED,
    S.SHIPPED,
    S.DELIVERED,
    S.RETURNED,
    S.CANCELLED,
)
"""From what waits most to what is over; a line, and an order, is in the first of these that any of its units is in."""
OVER = frozenset({S.DELIVERED, S.RETURNED, S.CANCELLED})
_SHOWN_AS = {
    ShipmentState.RELEASED: S.RELEASED,
    ShipmentState.PICKING: S.PICKING,
    ShipmentState.PACKED: S.PACKED,
    ShipmentState.SHIPPED: S.SHIPPED,
    ShipmentState.DELIVERED: S.DELIVERED,
}
Move = tuple[str, OrderState | None, OrderState | None, int]
"""Units of a line that went from a state to another: line, from, to, units."""
Units = dict[str, dict[OrderState, int]]
"""Units of each line of an order's demand, by the state that they are in."""


def check_move(before: OrderState, after: OrderState, what: str) -> None:
    """Raise IllegalState, with what is possible, if `what` (`Line '1'`) cannot go from one state to another."""
    if after in MOVES[before]:
        return
    legal = ", ".join(sorted(state.value for state in MOVES[before]))
    follows = f"from there it can be: {legal}" if legal else "nothing follows that"
    raise IllegalState(f"{what} is {before.value}, and cannot be {after.value}; {follows}.")


def units_by_state(order: Order) -> Units:
    """Return how many units of each line of the demand are in which state; what is kept always sums to the demand."""
    units: Units = {line.line_id: {} for line in order.demand}
    rest = {line.line_id: line.quantity for line in order.demand}
    for line_id, state, count in _settled(order):
        _count(units, rest, line_id, state, count)
    waiting, given = _waiting(order), _with_nodes(order)
    for row in order.allocation if waiting not in {S.ON_HOLD, S.CANCELLED} else ():
        if row.line_id in rest and row.node_id is not None:
            released = min(row.quantity, given.get(row.line_id, 0))
            given[row.line_id] = given.get(row.line_id, 0) - released
            _count(units, rest, row.line_id, S.SOURCED, min(row.quantity - released, rest[row.line_id]))
    for line_id, count in rest.items():
        if count > 0:
            units[line_id][waiting] = units[line_id].get(waiting, 0) + count
    return units


def line_state(units: Mapping[OrderState, int]) -> OrderState:
    """Return the state of a line by those of its units."""
    return next((state for state in PROGRESS if units.get(state)), S.CANCELLED)


def state_of(order: Order) -> OrderState:
    """Return the state of an order by those of its lines."""
    found = {state for units in units_by_state(order).values() for state, count in units.items() if count}
    return next((state for state in PROGRESS if state in found), S.CANCELLED)


def customer_lines(order: Order) -> list[tuple[OrderState, dict[OrderState, int]]]:
    """Return the state of each of the customer's lines, and its units by state; those of a kit are of its products."""
    units = units_by_state(order)
    found: list[tuple[OrderState, dict[OrderState, int]]] = []
    for line in order.lines:
        summed: dict[OrderState, int] = {}
        for line_id, counts in units.items():
            if line_id == line.line_id or line_id.startswith(f"{line.line_id}/"):
                for state, count in counts.items():
                    summed[state] = summed.get(state, 0) + count
        found.append((line_state(summed), summed))
    return found


def is_over(order: Order) -> bool:
    """Return whether nothing more is to be done for an order, until something of it comes back."""
    waits = any(not each.is_over for each in order.life.returns)
    states = {state for units in units_by_state(order).values() for state, count in units.items() if count}
    return states <= OVER and not waits and not order.life.effects


def moves_between(before: Units, after: Units) -> list[Move]:
    """Return the fewest moves that make one of the other; legal ones first.

    Units that are asked for now come from None, those that are not asked for any more go there.
    """
    moves: list[Move] = []
    for line_id in {**before, **after}:
        left, came = _differences(before.get(line_id, {}), after.get(line_id, {}))
        for is_legal in (True, False):
            for source in left:
                for target in came:
                    count = min(left[source], came[target])
                    if count and (target in MOVES[source]) is is_legal:
                        moves.append((line_id, source, target, count))
                        left[source] -= count
                        came[target] -= count
        moves += [(line_id, source, None, count) for source, count in left.items() if count]
        moves += [(line_id, None, target, count) for target, count in came.items() if count]
    return moves


def _differences(
    before: Mapping[OrderState, int], after: Mapping[OrderState, int]
) -> tuple[dict[OrderState, int], dict[OrderState, int]]:
    states = [state for state in PROGRESS if before.get(state) or after.get(state)]
    change = {state: after.get(state, 0) - before.get(state, 0) for state in states}
    left = {state: -count for state, count in change.items() if count < 0}
    return left, {state: count for state, count in change.items() if count > 0}


def _settled(order: Order) -> Iterable[tuple[str, OrderState, int]]:
    """Yield units that shipments, returns and cancellations tell the state of."""
    back = came_back(order.life.returns)
    for shipment in order.life.shipments:
        state = _SHOWN_AS.get(shipment.state)
        for line in shipment.lines if state is not None else ():
            assert state is not None
            returned = min(line.quantity, back.get(line.line_id, 0)) if shipment.has_left else 0
            if returned:
                back[line.line_id] -= returned
                yield line.line_id, S.RETURNED, returned
            yield line.line_id, state, line.quantity - returned
    for cancelled in order.life.cancelled:
        yield cancelled.line_id, S.CANCELLED, cancelled.quantity


def _with_nodes(order: Order) -> dict[str, int]:
    """Return the units of each line that stand in rows and in shipments that have not left."""
    given: dict[str, int] = {}
    for shipment in order.life.shipments:
        for line in shipment.lines if shipment.is_with_node else ():
            given[line.line_id] = given.get(line.line_id, 0) + line.quantity
    return given


def _waiting(order: Order) -> OrderState:
    """Return the state of units that have no node, or are stopped."""
    if order.is_cancelled:
        return S.CANCELLED
    if order.steering.order_hold is not None:
        return S.ON_HOLD
    if order.state is not S.CAPTURED:
        return S.BACKORDERED
    if order.promised_on is not None or (order.life.amendment is None and order.captured.promised is not None):
        return S.PROMISED
    return S.CAPTURED if order.life.checks is None else S.VALIDATED


def _count(units: Units, rest: dict[str, int], line_id: str, state: OrderState, count: int) -> None:
    if count > 0 and line_id in rest:
        units[line_id][state] = units[line_id].get(state, 0) + count
        rest[line_id] -= count
