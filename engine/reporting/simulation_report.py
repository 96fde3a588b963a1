"""One HTML page about a simulated story: what each policy costs and how it serves, and how sure that is.

It works offline, without scripts, in light and dark, and on paper. The same results give the same bytes. Not here:
numbers (engine/simulation), charts (simulation_charts.py), sentences (summary.py, worst_orders.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from engine.reporting import simulation_charts as charts
from engine.reporting.numbers import change, points, reach, told, written
from engine.reporting.summary import summary
from engine.reporting.worst_orders import Explained, explain_dear, explain_late
from engine.simulation.expectations import Checked
from engine.simulation.facts import Ledger
from engine.simulation.intervals import CONFIDENCE, Interval
from engine.simulation.kpi import Better, Kpi, Unit
from engine.simulation.kpis import BY_NAME, HEADLINES, KPIS
from engine.simulation.results import PolicyTold, StoryResults
from engine.simulation.tally import Tally

MOST_MAPS, SHOWN_WORST = 6, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A KPI of a policy: the mean, its reach, and the difference from the base (`verdict`: better, worse, unsure)."""

    mean: str
    reach: str
    change: str = ""
    change_reach: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A KPI of all policies."""

    kpi: Kpi
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyShown:
    """What a page shows of one policy."""

    told: PolicyTold
    colour: int
    settings: str
    sentence: str
    headlines: Sequence[tuple[str, Cell]]
    steps: Markup
    full: Markup
    map: Markup
    late: Sequence[Explained]
    dear: Sequence[Explained]


def simulation_report(results: StoryResults, checked: Sequence[Checked] = ()) -> str:
    """Return the page; it refers to nothing outside itself."""
    base = next(iter(results.by_policy))
    tallies = {policy: results.tally(policy) for policy in results.by_policy}
    rows = [Row(kpi=kpi, cells=[cell(results, policy, base, kpi) for policy in results.by_policy]) for kpi in KPIS]
    shown = [row for row in rows if any(one.mean != "–" for one in row.cells)]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["broken"] = lambda name: Markup("_<wbr>").join(name.split("_"))
    folder = files("engine.reporting")
    page = environment.from_string((folder / "simulation_report.html").read_text(encoding="utf-8"))
    return page.render(
        story=results.story,
        style=Markup((folder / "simulation_report.css").read_text(encoding="utf-8")),
        confidence=f"{CONFIDENCE:.0%}",
        base=base,
        policies=[_policy(results, tallies, one, colour, base) for colour, one in enumerate(results.story.policies)],
        groups=[(group, [row for row in shown if row.kpi.group == group]) for group in _groups(shown)],
        left_out=[row.kpi.name for row in rows if row not in shown],
        frontier=Markup(charts.service_against_cost(results)),
        days=[(title, Markup(chart)) for title, chart in charts.by_day(results, tallies)],
        mixes=[(title, names, Markup(chart)) for title, names, chart in charts.mixes(results, tallies)],
        books=_books(results),
        checked=[(one, *_bar(one)) for one in checked],
    )


def cell(results: StoryResults, policy: str, base: str, kpi: Kpi) -> Cell:
    """Return a KPI of a policy, beside the base if it is another."""
    mean = results.mean(policy, kpi.name)
    shown = Cell(mean=told(mean, kpi.unit), reach="" if mean is None else reach(mean, kpi.unit))
    found = None if policy == base else results.difference(policy, base, kpi.name)
    if found is None:
        return shown
    return Cell(
        mean=shown.mean,
        reach=shown.reach,
        change=change(found, kpi.unit) if found.mean else "=",
        change_reach=reach(found, kpi.unit),
        verdict=verdict(found, kpi.better),
    )


def verdict(found: Interval, better: Better) -> str:
    """Return whether a difference is better or worse, where that may not be chance; else unsure."""
    if better is Better.NEITHER or not found.is_off_zero:
        return "unsure"
    return "better" if (found.mean < 0) == (better is Better.LOWER) else "worse"


def _groups(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.kpi.group for row in rows))


def _policy(
    results: StoryResults, tallies: Mapping[str, Tally], policy: PolicyTold, colour: int, base: str
) -> PolicyShown:
    tally = tallies[policy.name]
    worst = SHOWN_WORST if results.story.nodes else 0
    return PolicyShown(
        told=policy,
        colour=colour % 8,
        settings=_settings(policy),
        sentence=summary(results, policy.name, base),
        headlines=[(said, cell(results, policy.name, base, BY_NAME[name])) for name, said in HEADLINES.items()],
        steps=Markup("" if policy.name == base else charts.cost_steps(results, policy.name, base)),
        full=Markup(charts.node_days(results, tally, tallies[base])),
        map=Markup(charts.map_of(results, tallies, policy.name) if colour < MOST_MAPS else ""),
        late=[explain_late(order, results.story) for order in tally.latest[:worst]],
        dear=[explain_dear(order, results.story) for order in tally.dearest[:worst]],
    )


def _settings(policy: PolicyTold) -> str:
    """Return in words how a policy routes."""
    window = f"every {policy.window_minutes} minutes" if policy.window_minutes else "each order when it comes"
    said = [f"{policy.router.replace('_', ' ')}, {window}", "stock reserved at checkout"]
    if not policy.reserves:
        said[1] = "nothing reserved at checkout"
    return "; ".join([*said, "bid prices of each day"] if policy.bid_prices else said)


def _books(results: StoryResults) -> list[tuple[str, list[str]]]:
    """Return the sums of the ledgers, by their names in words."""
    rows = []
    for field in fields(Ledger):
        unit = Unit.CENTS if field.name.endswith("_cents") else Unit.COUNT
        sums = [[getattr(one.ledger, field.name) for one in every] for every in results.by_policy.values()]
        name = field.name.removesuffix("_cents").replace("_", " ")
        rows.append((name, [written(sum(values) / len(values), unit) for values in sums]))
    return rows


def _bar(checked: Checked) -> tuple[str, str, str]:
    """Return the bar, what there was, and by how much it was missed, as texts."""
    unit = BY_NAME[checked.kpi].unit
    bar = "no value to compare with" if checked.bar is None else written(checked.bar, unit)
    of = f", measured by {checked.of_policy}" if checked.of_policy is not None else ""
    value = "no value" if checked.value is None else written(checked.value, unit)
    return f"{checked.relation} {bar}{of}", value, points(checked.missed_by, unit) if checked.missed_by else ""
