"""What was said of an order very often: the oldest of it becomes one, so that no order grows without an end.

What runs keep to stays as it was: pins, forbidden nodes, the priority, and which lines a node refused. Every word of it
stands in the order's history with its reason. Not here: what is said, and what follows (rejecting.py, overriding.py).
"""

from __future__ import annotations

from dataclasses import replace

from engine.orders.steering import Override, RejectedLine, Rejection

MOST_OVERRIDES, MOST_REJECTIONS = 20, 50


def folded_overrides(overrides: tuple[Override, ...]) -> tuple[Override, ...]:
    """Return the newest overrides, the oldest of them with all that those before it left in force."""
    while len(overrides) > MOST_OVERRIDES:
        first, second, *rest = overrides
        pins = {pin.line_id: pin for pin in (*first.pins, *second.pins)}
        forbidden = first.forbidden_node_ids if second.forbidden_node_ids is None else second.forbidden_node_ids
        one = replace(
            second,
            pins=tuple(pin for pin in pins.values() if pin.node_id),
            forbidden_node_ids=forbidden,
            priority=first.priority if second.priority is None else second.priority,
        )
        overrides = (one, *rest)
    return overrides


def folded_rejections(rejections: tuple[Rejection, ...]) -> tuple[Rejection, ...]:
    """Return the newest rejections, with the lines of earlier ones of the same node; one of each node that refused."""
    while len(rejections) > MOST_REJECTIONS:
        at = next((index for index in range(len(rejections)) if _is_said_again(rejections, index)), None)
        if at is None:
            break
        old = rejections[at]
        found = list(rejections)
        if old.kind.is_attempt:
            into = next(index for index in range(at + 1, len(found)) if _is_like(found[index], old))
            found[into] = replace(found[into], lines=_together(old, found[into]))
        del found[at]
        rejections = tuple(found)
    return rejections


def _is_said_again(rejections: tuple[Rejection, ...], index: int) -> bool:
    """Return whether nothing is lost with a rejection: its node was closed, or refused something later too."""
    old = rejections[index]
    return not old.kind.is_attempt or any(_is_like(each, old) for each in rejections[index + 1 :])


def _is_like(later: Rejection, old: Rejection) -> bool:
    return later.node_id == old.node_id and later.kind.is_attempt


def _together(*rejections: Rejection) -> tuple[RejectedLine, ...]:
    units: dict[str, int] = {}
    for rejection in rejections:
        for line in rejection.lines:
            units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return tuple(RejectedLine(line_id=line_id, quantity=count) for line_id, count in units.items())
