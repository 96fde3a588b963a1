"""From a forecast, live stock and a network to the fluid problems of its SKUs: what is still to come, where and when.

Here: which part of a row is still to come, periods, kits, what stock there is by then. Not here: solving
(bid_prices.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.availability.atp import atp_on
from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.forecasting.document import Row
from engine.forecasting.parcel_costs import ParcelCosts
from solvers.bidprices import FluidProblem
from solvers.problem import FloatArray, IntArray

MOST_PERIODS, LEAST_DAYS = 8, 7
"""The horizon has at most so many periods, each of so many days at least."""
LINES_AT_ONCE = 2_000
MOST_FAULTS = 100

Place = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """What is still to come: by line its SKU, place, period and units; `ends` are the last days of the periods."""

    skus: tuple[str, ...]
    places: tuple[Place, ...]
    ends: tuple[int, ...]
    sku: IntArray
    place: IntArray
    period: IntArray
    units: FloatArray


def demanded_skus(rows: Sequence[Row], view: View) -> list[str]:
    """Return the SKUs with stock of their own that the rows come down to, sorted; those unknown are left out."""
    content = view.catalog.content
    return sorted({part for row in rows if row.sku in content for part, _ in content[row.sku].components})


def understand(rows: Sequence[Row], view: View) -> None:
    """Raise InvalidInput if rows name SKUs that the catalog, or postal codes that the network does not have."""
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        if row.sku not in view.catalog.content:
            hint = nearest(row.sku, view.catalog.content)
            faults.append(Fault(path=f"$.rows[{number}].sku", message=f"{row.sku!r} is not in the catalog; {hint}"))
        if place_of(row, view) is None:
            message = f"{row.country} {row.postal_code!r} is not in the network; give latitude and longitude"
            faults.append(Fault(path=f"$.rows[{number}].postal_code", message=message))
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise InvalidInput(faults)


def place_of(row: Row, view: View) -> Place | None:
    """Return where the units of a row go, None if the network does not know the postal code."""
    if row.latitude is not None and row.longitude is not None:
        return row.latitude, row.longitude
    assert row.country is not None
    assert row.postal_code is not None
    found = view.network.place_of(row.country, row.postal_code)
    return None if found is None else (found.latitude, found.longitude)


def still_to_come(rows: Sequence[Row], view: View, today: date) -> Expected:
    """Return what the rows expect from today on; kits count as their products, rows that are not known as nothing."""
    skus = demanded_skus(rows, view)
    index, places = {sku: k for k, sku in enumerate(skus)}, dict[Place, int]()
    first = today.toordinal()
    last = max((row.last_on.toordinal() for row in rows), default=first)
    length = max(LEAST_DAYS, -(-(last - first + 1) // MOST_PERIODS))
    ends = tuple(range(first + length - 1, max(last, first) + length, length))
    lines: list[tuple[int, int, int, float]] = []
    for row in rows:
        found = place_of(row, view)
        content = view.catalog.content.get(row.sku)
        if content is None or found is None:
            continue
        place = places.setdefault(found, len(places))
        for period, units in _by_period(row, first, ends, length):
            lines += [(index[part], place, period, units * each) for part, each in content.components]
    sku, place_, period_, units_ = zip(*lines, strict=True) if lines else ((), (), (), ())
    return Expected(
        skus=tuple(skus),
        places=tuple(places),
        ends=ends,
        sku=np.array(sku, np.int64),
        place=np.array(place_, np.int64),
        period=np.array(period_, np.int64),
        units=np.array(units_, np.float64),
    )


def _by_period(row: Row, first: int, ends: Sequence[int], length: int) -> Iterator[tuple[int, float]]:
    """Yield the units of a row in each period that it reaches, spread evenly over its days."""
    begin, end = row.first_on.toordinal(), row.last_on.toordinal()
    daily = row.quantity / (end - begin + 1)
    for period, last in enumerate(ends):
        days = min(end, last) - max(begin, first, last - length + 1) + 1
        if days > 0:
            yield period, daily * days


def fluid_problems(expected: Expected, view: View, table: AtpTable) -> Iterator[tuple[IntArray, FluidProblem]]:
    """Yield problems of some SKUs each, with the index of each SKU; they share nothing, so that each stands alone.

    A unit is an order of its own: baskets are not in a forecast by SKU. What no node may bring costs a backorder.
    """
    costs = ParcelCosts(view, expected.skus)
    nodes, refused = len(view.network.node_ids), float(view.network.policy.backorder_cost_cents_per_unit)
    available = stock_by(expected, table)
    order = np.argsort(expected.sku, kind="stable")
    count = np.bincount(expected.sku, minlength=len(expected.skus))
    edges = np.concatenate([[0], np.cumsum(count)])
    begin = 0
    while begin < len(expected.skus):
        end = begin + max(1, int(np.searchsorted(edges[begin:], edges[begin] + LINES_AT_ONCE, side="right")) - 1)
        lines = order[edges[begin] : edges[end]]
        line_cost = np.full((len(lines), nodes + 1), refused)
        for place in np.unique(expected.place[lines]).tolist():
            at = np.flatnonzero(expected.place[lines] == place)
            line_cost[at, :-1] = costs.at(expected.places[place], expected.sku[lines[at]])
        yield (
            np.arange(begin, end),
            FluidProblem(
                expected=expected.units[lines],
                period=expected.period[lines],
                line_start=np.arange(len(lines) + 1),
                line_sku=expected.sku[lines] - begin,
                quantity=np.ones(len(lines)),
                parcel_cost=np.zeros((len(lines), nodes + 1)),
                line_cost=line_cost,
                available=available[:, begin:end],
            ),
        )
        begin = end


def stock_by(expected: Expected, table: AtpTable) -> FloatArray:
    """Return ATP at the end of each period, (periods, skus, nodes), at least 0: supplies count with their period."""
    rows = [table.rows[sku] for sku in expected.skus]
    today = np.maximum(table.today[rows], 0).astype(np.float64)
    available = np.repeat(today[None], len(expected.ends), axis=0)
    number = {row: k for k, row in enumerate(rows)}
    for (row, node), steps in table.later.items():
        if row in number:
            for period, last in enumerate(expected.ends):
                available[period, number[row], node] = max(atp_on(steps, last), 0)
    return available
