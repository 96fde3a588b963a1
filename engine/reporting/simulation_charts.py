"""From results to the charts of their report: which numbers each chart shows.

Not here: how charts are drawn (charts/), the page around them (simulation_report.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.reporting.charts.days import day_lines, fullness
from engine.reporting.charts.frontier import Point, frontier
from engine.reporting.charts.network_map import Arc, Disc, network_map
from engine.reporting.charts.shares import share_bars
from engine.reporting.charts.waterfall import waterfall
from engine.reporting.numbers import written
from engine.simulation.kpi import Unit
from engine.simulation.results import StoryResults
from engine.simulation.tally import BAND_KM, Tally

PARTS = ("shipping", "handling", "units", "packaging")
MOST_NODES, MOST_COLUMNS = 28, 60
BANDS = (*(f"up to {km:,} km" for km in BAND_KM), f"over {BAND_KM[-1]:,} km")
_CAPACITY_UNITS, _CAPACITY_PARCELS, _UNITS, _PARCELS, _BACKLOG = 0, 1, 2, 3, 4


def cents(value: float) -> str:
    """Return money without its currency."""
    return written(value, Unit.CENTS)


def share(value: float) -> str:
    """Return a share in percent, without decimals if it has none."""
    percent = 100 * value
    return f"{percent:.0f} %" if abs(percent - round(percent)) < 1e-9 else f"{percent:.4g} %"


def count(value: float) -> str:
    """Return a number of things."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2g}"


def cost_steps(results: StoryResults, policy: str, base: str) -> str:
    """Return the waterfall of costs per order from the base to a policy."""
    means = {name: [_mean(results, name, f"{part}_per_order_cents") for part in PARTS] for name in (base, policy)}
    if any(value is None for values in means.values() for value in values):
        return ""
    before, after = ([value or 0.0 for value in means[name]] for name in (base, policy))
    steps = [(part, new - old) for part, old, new in zip(PARTS, before, after, strict=True)]
    return waterfall((base, sum(before)), steps, (policy, sum(after)), cents)


def service_against_cost(results: StoryResults) -> str:
    """Return the frontier of on-time share and cost per order; of fill rate where nothing was due."""
    for service, label in (
        ("on_time_promise_share", "delivered by the promised day"),
        ("fill_rate_units", "units shipped of those asked for"),
    ):
        points = []
        for colour, policy in enumerate(results.by_policy):
            cost, good = results.mean(policy, "cost_per_order_cents"), results.mean(policy, service)
            if cost is not None and good is not None:
                points.append(
                    Point(
                        name=policy,
                        colour=colour % 8,
                        cost=cost.mean,
                        cost_reach=cost.half_width or 0.0,
                        service=good.mean,
                        service_reach=good.half_width or 0.0,
                    )
                )
        if points:
            return frontier(points, f"{results.story.currency} per order", label, cents, share)
    return ""


def by_day(results: StoryResults, tallies: Mapping[str, Tally]) -> list[tuple[str, str]]:
    """Return charts of days with their titles: utilisation, backlog, cost per order, open orders."""
    first, days = results.story.warm_up_days, results.story.days
    span = range(first, days)
    charts: list[tuple[str, str]] = []
    for title, values, shown in (
        ("How full nodes were, of those with a limit", _network_share, share),
        ("Backlog: units that should have left, and have not", _backlog, count),
        ("Cost per order, by the day it was placed", _cost_of_day, cents),
        ("Orders that are open as the day ends", _open_orders, count),
    ):
        series = [(colour % 8, [values(tally, day) for day in span]) for colour, tally in enumerate(tallies.values())]
        drawn = day_lines(series, first, title, shown, from_zero=values is not _cost_of_day)
        if drawn and any(value for _, numbers in series for value in numbers):
            charts.append((title, drawn))
    return charts


def _network_share(tally: Tally, day: int) -> float | None:
    columns = tally.node_days.get(day)
    if columns is None:
        return None
    found = [_fuller(columns, node) for node in range(len(columns[_UNITS]))]
    limited = [value for value in found if value is not None]
    return sum(limited) / len(limited) if limited else None


def _fuller(columns: Sequence[Sequence[int]], node: int) -> float | None:
    """Return the larger share of its limits that left a node; None without a limit."""
    shares = [
        columns[left][node] / columns[capacity][node]
        for capacity, left in ((_CAPACITY_UNITS, _UNITS), (_CAPACITY_PARCELS, _PARCELS))
        if columns[capacity][node] > 0
    ]
    return max(shares, default=None)


def _backlog(tally: Tally, day: int) -> float | None:
    columns = tally.node_days.get(day)
    return None if columns is None else sum(columns[_BACKLOG]) / tally.replications


def _cost_of_day(tally: Tally, day: int) -> float | None:
    orders = tally.shipped_by_day.get(day)
    return sum(tally.cost_by_day.get(day, ())) / orders if orders else None


def _open_orders(tally: Tally, day: int) -> float | None:
    row = tally.day_rows.get(day)
    return None if row is None else row[3] / tally.replications


def node_days(results: StoryResults, tally: Tally, base: Tally) -> str:
    """Return how full nodes with a limit were, the busiest of the base first, day by day or several days together."""
    story = results.story
    span = range(story.warm_up_days, story.days)
    together = -(-len(span) // MOST_COLUMNS) or 1
    busy = [(_average(_fullness_of(base, node, span)), name, node) for node, name in enumerate(story.node_ids)]
    order = sorted(((-share, name, node) for share, name, node in busy if share is not None))[:MOST_NODES]
    rows = []
    for _, name, node in order:
        days = _fullness_of(tally, node, span)
        rows.append((name, [_average(days[start : start + together]) for start in range(0, len(days), together)]))
    labels = [str(day) for day in span[::together]]
    return fullness(rows, labels, "How full each node was")


def _fullness_of(tally: Tally, node: int, span: range) -> list[float | None]:
    columns = [tally.node_days.get(day) for day in span]
    return [None if day is None or node >= len(day[_UNITS]) else _fuller(day, node) for day in columns]


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def map_of(results: StoryResults, tallies: Mapping[str, Tally], policy: str) -> str:
    """Return the map of a policy, of the same part of the world as those of the others: parcels a replication."""
    if not results.story.nodes:
        return ""
    found = {name: _arcs(results, tally) for name, tally in tallies.items()}
    of_nodes = [parcels / tally.replications for tally in tallies.values() for parcels in tally.nodes.values()]
    most = max(of_nodes, default=1.0)
    discs = [
        Disc(
            node_id=node.node_id,
            kind=node.kind,
            latitude=node.latitude,
            longitude=node.longitude,
            parcels=tallies[policy].nodes.get(number, 0) / tallies[policy].replications,
        )
        for number, node in enumerate(results.story.nodes)
    ]
    everywhere = [arc for arcs in found.values() for arc in arcs]
    told = f"Parcels from nodes to customers under {policy}"
    return network_map(discs, found[policy], everywhere, tallies[policy].cell_degrees, most, told)


def _arcs(results: StoryResults, tally: Tally) -> list[Arc]:
    arcs = []
    for flow, parcels in sorted(tally.flows.items()):
        node, latitude, longitude = tally.flow_of(flow)
        told, parcels_each = results.story.node_ids[node], parcels / tally.replications
        arcs.append(Arc(node_id=told, latitude=latitude, longitude=longitude, parcels=parcels_each))
    return arcs


def mixes(results: StoryResults, tallies: Mapping[str, Tally]) -> list[tuple[str, list[tuple[str, str]], str]]:
    """Return (title, names of the parts with their colours, chart) of what parcels are made of."""
    story = results.story
    found = []
    for title, names, counted, ordered in (
        ("Zones", story.zones, "zones", True),
        ("Distance", BANDS, "bands", True),
        ("Carrier services", story.services, "services", False),
    ):
        amounts: dict[str, dict[int, int]] = {policy: getattr(tally, counted) for policy, tally in tallies.items()}
        used = [place for place in range(len(names)) if any(each.get(place) for each in amounts.values())]
        if used:
            rows = [(policy, [each.get(place, 0) for place in used]) for policy, each in amounts.items()]
            shown = [names[place] for place in used]
            step = 7 / max(len(shown), 7) if len(shown) > 3 else 2
            kinds = [f"q{min(int(place * step), 6)}" if ordered else f"m{place % 8}" for place in range(len(shown))]
            found.append((title, list(zip(shown, kinds, strict=True)), share_bars(rows, shown, kinds, title)))
    return found


def _mean(results: StoryResults, policy: str, kpi: str) -> float | None:
    found = results.mean(policy, kpi)
    return None if found is None else found.mean
