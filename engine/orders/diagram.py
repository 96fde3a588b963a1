"""The page docs/reference/order-states.md, made from the table of moves: `python -m engine.orders.diagram > FILE`."""

from __future__ import annotations

import sys

from engine.orders.model import OrderState
from engine.orders.states import MOVES, PROGRESS

_MEANS = {
    OrderState.CAPTURED: "kept; its checks have not been made, or none are asked for",
    OrderState.VALIDATED: "has passed the checks of the order policy",
    OrderState.ON_HOLD: "stopped for a reason until the order hold is released; routing leaves it alone",
    OrderState.PROMISED: "keeps to the day of the promise that its reservation was made from",
    OrderState.BACKORDERED: "was routed, and has no node: no stock, refused by a node, or lost on its way",
    OrderState.SOURCED: "a node has its stock reserved, and will ship it",
    OrderState.RELEASED: "its node was told to ship it",
    OrderState.PICKING: "its node is picking it",
    OrderState.PACKED: "stands packed at its node",
    OrderState.SHIPPED: "has left the node; its stock is off on_hand",
    OrderState.DELIVERED: "has arrived",
    OrderState.RETURNED: "came back",
    OrderState.CANCELLED: "will not be shipped; its stock was given back",
}
_HEAD = """# Order states

Every unit of every line is in one of these states. A line is in the first state of the table that any of its units is
in, and an order in the first that any of its lines is in: what waits most is what counts. Where a unit stands is
worked out from what is kept of the order, so that it cannot disagree with its shipments or its stock. A step that is
not in the table is refused with 409 `illegal_state`, and the refusal names those that are possible.

This page is made by `python -m engine.orders.diagram`.
"""


def page() -> str:
    """Return the page: the table of states, and the diagram."""
    rows = [(f"`{state.value}`", _MEANS[state], _next(state)) for state in PROGRESS]
    widths = [max(len(row[column]) for row in (*rows, ("state", "a unit", "may become"))) for column in range(3)]
    lines = [_row(("state", "a unit", "may become"), widths), f"|{'|'.join('-' * (width + 2) for width in widths)}|"]
    lines += [_row(row, widths) for row in rows]
    arrows = [f"    {state.value} --> {after.value}" for state in PROGRESS for after in _sorted(state)]
    ends = [f"    {state.value} --> [*]" for state in PROGRESS if not MOVES[state]]
    diagram = ["```mermaid", "stateDiagram-v2", "    [*] --> captured", *arrows, *ends, "```"]
    return "\n".join((_HEAD, *lines, "", *diagram, ""))


def _sorted(state: OrderState) -> list[OrderState]:
    return sorted(MOVES[state], key=PROGRESS.index)


def _next(state: OrderState) -> str:
    return ", ".join(f"`{after.value}`" for after in _sorted(state)) or "nothing"


def _row(cells: tuple[str, str, str], widths: list[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"


if __name__ == "__main__":
    sys.stdout.write(page())
