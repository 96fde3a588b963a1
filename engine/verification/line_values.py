"""The line values of line_values.csv, checked against the problem: every value must have its order line.

Any values prove a bound, so nothing else can be wrong with them. Not here: what they prove (relaxation.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.verification.problem import Problem
from engine.verification.result import ValueRow
from engine.verification.verdict import Disagreement


def value_lines(problem: Problem, rows: Sequence[ValueRow]) -> tuple[dict[str, dict[str, int]], list[Disagreement]]:
    """Return the values in millicents by order and SKU, and a disagreement for each row without an order line."""
    values: dict[str, dict[str, int]] = {}
    faults: list[Disagreement] = []
    skus: dict[str, set[str]] = {}
    for row in rows:
        order = problem.orders.get(row.order_id)
        if order is not None and row.order_id not in skus:
            skus[row.order_id] = {line.sku for line in order.lines}
        if row.sku in skus.get(row.order_id, ()):
            values.setdefault(row.order_id, {})[row.sku] = row.value_millicents
        else:
            message = f"order {row.order_id!r} has no line of SKU {row.sku!r}"
            faults.append(Disagreement(place=row.place, message=message))
    return values, faults
