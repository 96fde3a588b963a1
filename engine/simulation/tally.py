"""A tally of facts: sums, histograms, series by day, flows on a map and the worst orders; it adds up over replications.

Its size does not grow with the days but for the series by day, whose rows are few numbers a node. Orders placed in the
warm-up, their parcels, and days and routing runs of it are left out. All numbers are whole, so that the order in which
facts come or tallies are added changes nothing. Not here: KPIs (kpis.py), files (results.py).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.scenarios.story import DAY_SECONDS, Story
from engine.simulation.counting import count_days, count_orders, count_parcels, count_windows
from engine.simulation.counts import Counts, add_counts, add_lists
from engine.simulation.facts import (
    DayFacts,
    Floats,
    Integers,
    NodeDayFacts,
    OrderFacts,
    ParcelFacts,
    WindowFacts,
    columns,
)
from engine.simulation.worst import WorstOrder, dearness_cents, kept, lateness_days, worst_of

CELLS_ACROSS = 32
NICE_DEGREES = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
COST_COLUMNS = ("shipping_cents", "handling_cents", "units_cents", "packaging_cents")
NODE_COLUMNS = ("capacity_units", "capacity_parcels", "units", "parcels", "backlog_units", "backlog_parcels", "refused")
DAY_COLUMNS = ("positions", "stocked_out", "units_on_hand", "open_orders", "waiting_units")
BAND_KM = (50, 150, 300, 600, 1_000, 2_000)
"""Upper ends of the bands of distance; the last band is beyond."""
_CELL_ROWS = 10_000

Facts = TypeVar("Facts", OrderFacts, ParcelFacts, DayFacts, NodeDayFacts, WindowFacts)
Days = TypeVar("Days", DayFacts, NodeDayFacts)


class Tally(msgspec.Struct, kw_only=True):
    """What is kept of the facts of a replication, or of several added up; it is a FactSink."""

    days: int
    warm_up_days: int
    until_day: int
    """The day on which nothing happens any more: the story's days, and those after them."""
    cell_degrees: float
    """The edge of a cell of the map."""
    replication: int = 0
    replications: int = 1
    """How many are added up."""
    counts: Counts = msgspec.field(default_factory=Counts)
    ship_minutes: dict[int, int] = {}
    """Orders by whole minutes from click to the departure of their last parcel."""
    deliver_minutes: dict[int, int] = {}
    """Delivered orders by whole minutes from click to the arrival of their last parcel."""
    utilisation_percent: dict[int, int] = {}
    """Node days with a limit, by whole percent of it that left."""
    zones: dict[int, int] = {}
    services: dict[int, int] = {}
    nodes: dict[int, int] = {}
    bands: dict[int, int] = {}
    """Parcels by zone, carrier service, node and band of distance."""
    flows: dict[int, int] = {}
    """Parcels by node and cell of the map they go to: see `flow_of`."""
    cost_by_day: dict[int, list[int]] = {}
    """Costs (`COST_COLUMNS`) of orders by the day on which they were placed."""
    shipped_by_day: dict[int, int] = {}
    """Orders with a parcel by the day on which they were placed."""
    node_days: dict[int, list[list[int]]] = {}
    """By day, for each of `NODE_COLUMNS` a number a node."""
    day_rows: dict[int, list[int]] = {}
    """By day, `DAY_COLUMNS`."""
    latest: list[WorstOrder] = []
    dearest: list[WorstOrder] = []

    @classmethod
    def of(cls, story: Story, replication: int) -> Tally:
        """Return an empty tally of one replication of a story."""
        return cls(
            days=story.days,
            warm_up_days=story.warm_up_days,
            until_day=story.days + story.drain_days,
            cell_degrees=_cell_degrees(story),
            replication=replication,
        )

    def orders(self, orders: OrderFacts, parcels: ParcelFacts) -> None:
        """Take orders that have ended, with their parcels."""
        if self.warm_up_days:
            orders, parcels = _after(self.warm_up_days * DAY_SECONDS, orders, parcels)
        count_orders(self.counts, orders, self.until_day)
        count_parcels(self.counts, parcels)
        self._tell_times(orders)
        self._mix(parcels)
        self._spread_costs(orders, parcels)
        late, dear = lateness_days(orders, self.until_day - 1), dearness_cents(orders)
        self.latest = kept(self.latest, worst_of(late, orders, parcels, self.replication, 0))
        self.dearest = kept(self.dearest, worst_of(dear, orders, parcels, self.replication, 0))

    def day(self, day: DayFacts, nodes: NodeDayFacts, windows: WindowFacts) -> None:
        """Take a day that is over."""
        day, nodes = _since(self.warm_up_days, day), _since(self.warm_up_days, nodes)
        windows = _where(windows, windows.at_s >= self.warm_up_days * DAY_SECONDS)
        shares = count_days(self.counts, day, nodes)
        count_windows(self.counts, windows)
        _add_values(self.utilisation_percent, shares // 10_000)
        for row, number in enumerate(day.day.tolist()):
            add_lists(self.day_rows.setdefault(number, []), [int(getattr(day, name)[row]) for name in DAY_COLUMNS])
        for number in np.unique(nodes.day).tolist():
            self._add_nodes(number, _where(nodes, nodes.day == number))

    def add(self, other: Tally) -> None:
        """Add a tally of other replications, or of other facts of the same one, of the same story."""
        self.counts.add(other.counts)
        self.replications += other.replications
        for mine, others in (
            (self.ship_minutes, other.ship_minutes),
            (self.deliver_minutes, other.deliver_minutes),
            (self.utilisation_percent, other.utilisation_percent),
            (self.zones, other.zones),
            (self.services, other.services),
            (self.nodes, other.nodes),
            (self.bands, other.bands),
            (self.flows, other.flows),
            (self.shipped_by_day, other.shipped_by_day),
        ):
            add_counts(mine, others)
        for rows, their_rows in ((self.cost_by_day, other.cost_by_day), (self.day_rows, other.day_rows)):
            for day, numbers in their_rows.items():
                add_lists(rows.setdefault(day, []), numbers)
        for day, columns_of_day in other.node_days.items():
            mine_of_day = self.node_days.setdefault(day, [[] for _ in NODE_COLUMNS])
            for mine_column, column in zip(mine_of_day, columns_of_day, strict=True):
                add_lists(mine_column, column)
        self.latest = kept(self.latest, other.latest)
        self.dearest = kept(self.dearest, other.dearest)

    def _tell_times(self, orders: OrderFacts) -> None:
        whole = (orders.units_shipped > 0) & (orders.units_shipped + orders.units_cancelled >= orders.units)
        took = (orders.shipped_s - orders.placed_s)[whole & (orders.shipped_s >= 0)]
        _add_values(self.ship_minutes, took // 60)
        there = whole & (orders.delivered_s >= 0)
        _add_values(self.deliver_minutes, (orders.delivered_s - orders.placed_s)[there] // 60)

    def _mix(self, parcels: ParcelFacts) -> None:
        _add_values(self.zones, parcels.zone)
        _add_values(self.services, parcels.service)
        _add_values(self.nodes, parcels.node)
        _add_values(self.bands, np.searchsorted(np.array(BAND_KM) * 1000, parcels.distance_m))

    def _spread_costs(self, orders: OrderFacts, parcels: ParcelFacts) -> None:
        placed_day = orders.placed_s // DAY_SECONDS
        _add_values(self.shipped_by_day, placed_day[orders.parcels > 0])
        of_parcel = placed_day[parcels.order]
        for day in np.unique(of_parcel).tolist():
            own = of_parcel == day
            costs = [int(getattr(parcels, name)[own].sum()) for name in COST_COLUMNS]
            add_lists(self.cost_by_day.setdefault(day, []), costs)
        latitude, longitude = orders.latitude[parcels.order], orders.longitude[parcels.order]
        known = np.isfinite(latitude) & np.isfinite(longitude)
        _add_values(self.flows, self._cells(parcels.node[known], latitude[known], longitude[known]))

    def _cells(self, node: Integers, latitude: Floats, longitude: Floats) -> Integers:
        row = np.floor((latitude + 90) / self.cell_degrees).astype(np.int64)
        column = np.floor((longitude + 180) / self.cell_degrees).astype(np.int64)
        return (node * _CELL_ROWS + row) * _CELL_ROWS + column

    def flow_of(self, flow: int) -> tuple[int, float, float]:
        """Return node, latitude and longitude of the middle of the cell that a key of `flows` stands for."""
        rest, column = divmod(flow, _CELL_ROWS)
        node, row = divmod(rest, _CELL_ROWS)
        return node, (row + 0.5) * self.cell_degrees - 90, (column + 0.5) * self.cell_degrees - 180

    def _add_nodes(self, day: int, nodes: NodeDayFacts) -> None:
        count = int(nodes.node.max()) + 1
        into = self.node_days.setdefault(day, [[] for _ in NODE_COLUMNS])
        for column, name in zip(into, NODE_COLUMNS, strict=True):
            by_node = np.zeros(count, np.int64)
            np.add.at(by_node, nodes.node, getattr(nodes, name))
            add_lists(column, by_node.tolist())


def _cell_degrees(story: Story) -> float:
    """Return the edge of a cell such that some `CELLS_ACROSS` of them span the network."""
    nodes = story.world.network.nodes
    spans = [
        max(values) - min(values) for values in ([n.latitude for n in nodes], [n.longitude for n in nodes]) if values
    ]
    wanted = max(spans, default=0.0) / CELLS_ACROSS
    return next((degrees for degrees in NICE_DEGREES if degrees >= wanted), NICE_DEGREES[-1])


def _add_values(into: dict[int, int], values: Integers) -> None:
    found, counts = np.unique(values, return_counts=True)
    add_counts(into, dict(zip(found.tolist(), counts.tolist(), strict=True)))


def _after(start_s: int, orders: OrderFacts, parcels: ParcelFacts) -> tuple[OrderFacts, ParcelFacts]:
    """Return orders placed from an instant on, and their parcels."""
    counted = orders.placed_s >= start_s
    row = np.cumsum(counted) - 1
    own = _where(parcels, counted[parcels.order])
    renumbered = {**columns(own), "order": row[own.order]}
    return _where(orders, counted), ParcelFacts(**renumbered)


def _since(day: int, facts: Days) -> Days:
    return _where(facts, facts.day >= day)


def _where(facts: Facts, rows: NDArray[np.bool_]) -> Facts:
    if rows.all():
        return facts
    return type(facts)(**{name: column[rows] for name, column in columns(facts).items()})
