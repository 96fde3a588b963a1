"""`verify`: check a result folder against its problem folder, trusting nothing in it.

Here: the order of the checks. Each check is in the file of its subject: plan_checks.py, summary_checks.py,
prices.py, line_values.py and certificate.py.
"""

from __future__ import annotations

from pathlib import Path

from engine.verification.certificate import proven_bound_cents
from engine.verification.line_values import value_lines
from engine.verification.plan_checks import plan_checks
from engine.verification.prices import Prices, understand
from engine.verification.problem import Problem
from engine.verification.reading import read_problem
from engine.verification.result import Result, read_result
from engine.verification.shipped import put_together
from engine.verification.summary_checks import (
    FILE,
    Stated,
    cost_checks,
    count_check,
    format_check,
    gap_checks,
    recomputed_costs,
    stated,
)
from engine.verification.verdict import Check, Disagreement, Progress, Verdict, check, not_proved

_BOUND_TITLE = "The stated bound is proven by the prices"


def verify(problem_dir: Path, result_dir: Path, progress: Progress | None = None) -> Verdict:
    """Check a result folder: form, feasibility, every cost, the stated gap, and the bound re-proved from prices.csv.

    Raises InvalidInput if the problem folder breaks its contract, or a file of the result is missing or not text.
    """
    tell = progress or _say_nothing
    tell("reading", 0, 3)
    problem = read_problem(problem_dir)
    tell("reading", 1, 3)
    result = read_result(result_dir)
    said = stated(result.summary)
    tell("reading", 2, 3)
    shipped = put_together(problem, result.plan)
    costs = recomputed_costs(problem, shipped)
    tell("reading", 3, 3)
    prices, prices_check = _understood(problem, result, said)
    values, values_faults = value_lines(problem, result.values)
    proven = None
    if prices is not None:
        proven = proven_bound_cents(
            problem, prices, values, progress=lambda done, of: tell("re-proving the bound", done, of)
        )
    checks = (
        _sha256_check(problem, result),
        check("plan_format", "plan.csv is well formed", result.plan_faults),
        prices_check,
        *_values_checks(result, values_faults),
        format_check(result.summary),
        *plan_checks(problem, shipped),
        *cost_checks(said, costs),
        count_check(problem, shipped, said),
        *gap_checks(said),
        _bound_check(said, proven),
    )
    return Verdict(checks=checks, proven_bound_cents=proven)


def _say_nothing(step: str, done: int, of: int) -> None:
    """Stand in where nobody wants to know how far the work is."""


def _sha256_check(problem: Problem, result: Result) -> Check:
    found = result.summary.get("problem_sha256")
    wrong = [Disagreement(place=f"{FILE}:problem_sha256", message=f"says {found!r}, the folder has {problem.sha256}")]
    return check("problem_sha256", "The result is of this problem", [] if found == problem.sha256 else wrong)


def _understood(problem: Problem, result: Result, said: Stated) -> tuple[Prices | None, Check]:
    """Return the prices if every one of them makes sense, and the check that says so."""
    name, title = "prices_format", "prices.csv is well formed, and every price has its resource"
    if result.prices is None:
        if said.bound_cents is None or said.bound_method == "search":
            return None, not_proved(name, title, "there is no prices.csv, and the bound does not rest on it")
        missing = Disagreement(place="prices.csv", message='is missing, and bound_method is "prices"')
        return None, check(name, title, [missing])
    prices, faults = understand(problem, result.prices)
    faults = [*result.prices_faults, *faults]
    return None if faults else prices, check(name, title, faults, f"{len(result.prices)} prices")


def _values_checks(result: Result, faults: list[Disagreement]) -> list[Check]:
    """Return the check of line_values.csv, if the result has one that says anything."""
    found, remark = [*result.values_faults, *faults], f"{len(result.values)} values"
    title = "line_values.csv is well formed, and every value has its order line"
    return [check("values_format", title, found, remark)] if result.values or found else []


def _bound_check(said: Stated, proven: int | None) -> Check:
    name, bound = "bound", said.bound_cents
    by_prices = "the prices prove nothing" if proven is None else f"the prices prove {proven} cents"
    if bound is None:
        return not_proved(name, _BOUND_TITLE, f"the result states no bound; {by_prices}")
    if proven is not None and proven >= bound:
        return check(name, _BOUND_TITLE, [], f"{by_prices}, {bound} are stated")
    if said.bound_method == "search":
        return not_proved(name, _BOUND_TITLE, f"{bound} cents were found by search; {by_prices}")
    if proven is None:
        return not_proved(name, _BOUND_TITLE, "prices.csv is missing or not valid, see above")
    return check(
        name,
        _BOUND_TITLE,
        [Disagreement(place=f"{FILE}:lower_bound_cents", message=f"says {bound}, but {by_prices}")],
    )
