"""Whether summary.json says what the plan amounts to: every cost, every count, the gap and the status.

Not here: whether the plan is allowed (plan_checks.py), whether the bound is true (certificate.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from engine.verification.problem import Problem
from engine.verification.shipped import Shipped
from engine.verification.verdict import Check, Disagreement, check, not_proved

FILE = "summary.json"
COST_PARTS = ("shipping", "handling", "units", "split", "late", "backorder")
_WHOLE = ("orders", "parcels", "split_orders", "backordered_units", "total_cost_cents")
_PRESENT = ("lower_bound_cents", "bound_method", "gap", "method", "stop_reason", "seed")
_GAP_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The statements of summary.json that are of the right kind; None where one is absent, null or of another kind."""

    status: str | None
    total_cents: int | None
    bound_cents: int | None
    bound_method: str | None
    gap: float | None
    costs: dict[str, object]
    counts: dict[str, int | None]


def whole(value: object) -> int | None:
    """Return a whole number from 0 up, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def stated(summary: dict[str, object]) -> Stated:
    """Pick the statements that the checks compare."""
    status, method, gap, costs = (summary.get(key) for key in ("status", "bound_method", "gap", "costs"))
    numeric = isinstance(gap, int | float) and not isinstance(gap, bool)
    return Stated(
        status=status if isinstance(status, str) else None,
        total_cents=whole(summary.get("total_cost_cents")),
        bound_cents=whole(summary.get("lower_bound_cents")),
        bound_method=method if isinstance(method, str) else None,
        gap=float(gap) if numeric else None,  # type: ignore[arg-type]
        costs=costs if isinstance(costs, dict) else {},
        counts={key: whole(summary.get(key)) for key in _WHOLE if key != "total_cost_cents"},
    )


def format_check(summary: dict[str, object]) -> Check:
    """Check that summary.json has every key, each of the right kind."""
    return check("summary_format", "summary.json is complete", _format(summary))


def _format(summary: dict[str, object]) -> Iterator[Disagreement]:
    rules: dict[str, tuple[bool, str]] = {
        "version": (whole(summary.get("version")) == 1, "1"),
        "status": (summary.get("status") in ("optimal", "feasible"), '"optimal" or "feasible"'),
        "costs": (isinstance(summary.get("costs"), dict), "an object of the parts of the cost"),
        "problem_sha256": (isinstance(summary.get("problem_sha256"), str), "a text"),
    }
    rules |= {key: (whole(summary.get(key)) is not None, "a whole number from 0") for key in _WHOLE}
    rules |= {key: (key in summary, "given, even if null") for key in _PRESENT}
    bound, method, gap = (summary.get(key) for key in ("lower_bound_cents", "bound_method", "gap"))
    if "lower_bound_cents" in summary:
        rules["lower_bound_cents"] = (bound is None or whole(bound) is not None, "a whole number from 0, or null")
    if "bound_method" in summary and bound is not None:
        rules["bound_method"] = (method in ("prices", "search"), '"prices" or "search"')
    if "gap" in summary and gap is not None:
        number = isinstance(gap, int | float) and not isinstance(gap, bool) and math.isfinite(gap)
        rules["gap"] = (number, "a number or null")
    for key, (holds, remedy) in rules.items():
        if not holds:
            yield Disagreement(place=f"{FILE}:{key}", message=f"is {summary.get(key)!r}; it must be {remedy}")


def recomputed_costs(problem: Problem, shipped: Shipped) -> dict[str, int] | None:
    """Return every part of the cost in cents as the plan has it, None if some parcel cannot travel at all."""
    parcels = Counter(parcel.order.order_id for parcel in shipped.parcels)
    costs = dict.fromkeys(COST_PARTS, 0)
    for parcel in shipped.parcels:
        if parcel.travels_by is None:
            return None
        costs["shipping"] += parcel.travels_by.shipping_cents
        costs["late"] += parcel.travels_by.late_cents
        costs["handling"] += parcel.node.parcel_cost_cents
        costs["units"] += parcel.node.unit_cost_cents * parcel.units
    costs["split"] = problem.terms.split_cost_cents * sum(count - 1 for count in parcels.values())
    costs["backorder"] = problem.terms.backorder_cost_cents_per_unit * shipped.backordered_units
    if problem.has_current_plan:
        costs["moves"] = sum(_moves(problem, shipped))
    return costs


def _moves(problem: Problem, shipped: Shipped) -> Iterator[int]:
    """Yield what each row of the plan costs because the line was elsewhere."""
    for order in problem.orders.values():
        for line in order.lines:
            rows = shipped.rows_by_line[order.order_id, line.sku] if line.move_cost_cents else ()
            yield from (line.moved_cents(row.node_id, row.quantity) for row in rows)


def cost_checks(said: Stated, costs: dict[str, int] | None) -> list[Check]:
    """Check every part of the cost, and the total."""
    parts, total = "Every part of the cost adds up", "The total is the sum of the plan's costs"
    if costs is None:
        why = "a parcel of the plan cannot travel at all, so it has no cost"
        return [not_proved("costs", parts, why), not_proved("total", total, why)]
    return [
        check("costs", parts, _costs(said, costs)),
        check("total", total, _total(said, sum(costs.values())), f"{sum(costs.values())} cents"),
    ]


def _costs(said: Stated, costs: dict[str, int]) -> Iterator[Disagreement]:
    for part, cents in costs.items():
        if whole(said.costs.get(part)) != cents:
            message = f"says {said.costs.get(part)!r}, the plan's rows cost {cents} cents"
            yield Disagreement(place=f"{FILE}:costs.{part}", message=message)
    if "moves" in said.costs and "moves" not in costs:
        message = "is given, and the problem has no current_plan.csv to move from; leave it out"
        yield Disagreement(place=f"{FILE}:costs.moves", message=message)


def _total(said: Stated, total_cents: int) -> Iterator[Disagreement]:
    if said.total_cents != total_cents:
        message = f"says {said.total_cents}, the plan's rows cost {total_cents} cents"
        yield Disagreement(place=f"{FILE}:total_cost_cents", message=message)


def count_check(problem: Problem, shipped: Shipped, said: Stated) -> Check:
    """Check the numbers of orders, parcels, split orders and backordered units."""
    parcels = Counter(parcel.order.order_id for parcel in shipped.parcels)
    counted = {
        "orders": len(problem.orders),
        "parcels": len(shipped.parcels),
        "split_orders": sum(count > 1 for count in parcels.values()),
        "backordered_units": shipped.backordered_units,
    }
    wrong = [
        Disagreement(place=f"{FILE}:{key}", message=f"says {said.counts[key]}, the plan has {count}")
        for key, count in counted.items()
        if said.counts[key] != count
    ]
    return check("counts", "Orders, parcels, splits and backorders are counted right", wrong)


def gap_checks(said: Stated) -> list[Check]:
    """Check that gap, status, bound and total go together, and that the bound is not above the total."""
    gap, above = "Gap and status follow from bound and total", "The bound is not above the total"
    return [
        check("gap", gap, _gap(said)),
        check("bound_below_total", above, _above(said)),
    ]


def _gap(said: Stated) -> Iterator[Disagreement]:
    total, bound = said.total_cents, said.bound_cents
    if total is None:
        yield Disagreement(place=f"{FILE}:total_cost_cents", message="without it no gap follows")
        return
    right = 0.0 if bound == total else None if not bound else (total - bound) / bound
    if (said.gap is None) != (right is None) or (
        said.gap is not None
        and right is not None
        and not math.isclose(said.gap, right, rel_tol=_GAP_TOLERANCE, abs_tol=_GAP_TOLERANCE)
    ):
        message = f"says {said.gap}, from total {total} and bound {bound} it is {right}"
        yield Disagreement(place=f"{FILE}:gap", message=message)
    status = "optimal" if bound == total else "feasible"
    if said.status != status:
        message = f"says {said.status!r}, from total {total} and bound {bound} it is {status!r}"
        yield Disagreement(place=f"{FILE}:status", message=message)


def _above(said: Stated) -> Iterator[Disagreement]:
    if said.bound_cents is not None and said.total_cents is not None and said.bound_cents > said.total_cents:
        message = f"says {said.bound_cents}, above the total of {said.total_cents} cents"
        yield Disagreement(place=f"{FILE}:lower_bound_cents", message=message)
