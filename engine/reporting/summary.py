"""A policy in a sentence or two: the first as it is, the others by what is different from it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.reporting.numbers import points, written
from engine.simulation.intervals import Interval
from engine.simulation.kpi import Unit
from engine.simulation.kpis import BY_NAME
from engine.simulation.results import StoryResults

_MORE = (
    ("cost_per_order_cents", "costs {} {} an order", ("less", "more")),
    ("on_time_promise_share", "delivers {} {} of its orders by the promised day", ("fewer", "more")),
    ("fill_rate_units", "ships {} {} of the units that were asked for", ("less", "more")),
    ("split_rate", "splits {} {} of its orders", ("fewer", "more")),
    ("promised_days", "promises {} {}", ("earlier", "later")),
    ("lost_orders_share", "loses {} {} of the customers", ("fewer", "more")),
)


def summary(results: StoryResults, policy: str, base: str) -> str:
    """Return what there is to say about a policy: by itself if it is the base, else beside it."""
    return _alone(results, policy) if policy == base else _beside(results, policy, base)


def _alone(results: StoryResults, policy: str) -> str:
    def mean(kpi: str) -> Interval | None:
        return results.mean(policy, kpi)

    orders, cost = mean("orders_shipped"), mean("cost_per_order_cents")
    if orders is None or cost is None:
        return "Ships nothing."
    each = f"{written(cost.mean, Unit.CENTS)} {results.story.currency}"
    said = [f"Ships {written(round(orders.mean), Unit.COUNT)} orders for {each} each"]
    for kpi, words in (
        ("on_time_promise_share", "{} arrive by the promised day"),
        ("fill_rate_units", "{} of the units asked for are shipped"),
        ("split_rate", "{} of the orders are split"),
    ):
        found = mean(kpi)
        if found is not None:
            said.append(words.format(written(found.mean, Unit.SHARE)))
    lost = mean("lost_orders_share")
    if lost is not None and lost.mean > 0:
        said.append(f"{written(lost.mean, Unit.SHARE)} of the customers leave without an order")
    return f"{_listed(said)}."


def _beside(results: StoryResults, policy: str, base: str) -> str:
    differs, unsure = [], []
    for kpi, words, (less, more) in _MORE:
        found = results.difference(policy, base, kpi)
        unit = BY_NAME[kpi].unit
        name = kpi.removesuffix("_cents").removesuffix("_share").removesuffix("_units").replace("_", " ")
        if found is None or found.mean == 0:
            continue
        if found.is_off_zero or found.half_width is None:
            money = f" {results.story.currency}" if unit is Unit.CENTS else ""
            days = " day" if abs(found.mean) == 1 else " days"
            amount = points(abs(found.mean), unit).replace(" d", days) + money
            differs.append(words.format(amount, less if found.mean < 0 else more))
        else:
            unsure.append(name)
    if not differs:
        more = f"Nothing here tells it apart from {base} for certain: more replications might."
        return more if unsure else f"The same as {base} in cost, punctuality, fill and splits."
    said = f"Beside {base}, it {_listed(differs)}."
    if unsure:
        said += f" What else differs may be chance: {_listed(unsure)}."
    if results.story.replications == 1:
        said += " With one replication, effect and chance cannot be told apart."
    return said


def _listed(said: Sequence[str]) -> str:
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
