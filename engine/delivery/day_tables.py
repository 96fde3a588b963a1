"""The day tables of a minute, as kernels read them: calendars and hand-over, pick-ups, and what history says.

They are made once a minute and place, and the same for promises and routing runs. Not here: calendars
(engine/network/days.py), what was learned as arrays (learned.py), how a day comes out of them
(solvers/promise_dates.py).
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.calibration.lead_times import LeadTimes
from engine.delivery.learned import Known, nothing_learned
from engine.delivery.pickup import Pickup, store_days
from engine.network.days import Calendars, Today
from engine.network.deliveries import DeliveryDays, delivery_days
from engine.network.delivery_areas import NO_AREA
from engine.network.model import Network
from solvers.promise_dates import Days, Learned, Load


class DayTables:
    """The tables of one network, made when they are asked for and kept until their minute has passed."""

    def __init__(self) -> None:
        self._days: tuple[Today, LeadTimes | None, Days] | None = None
        self._store_days: tuple[Days, int, Days] | None = None
        self._area_days: tuple[Days, dict[int, Days]] | None = None
        self._deliveries: tuple[Calendars, dict[int, DeliveryDays]] | None = None
        self._known: Known | None = None
        self._known_of: tuple[LeadTimes, Network] | None = None

    def days(self, view: View, now: datetime) -> Days:
        """Return the day tables of a minute."""
        network, today, kept = view.network, view.days.at(now), self._days
        if kept is None or kept[0] is not today or kept[1] is not view.lead_times:
            tables, load = today.calendars, no_load(len(network.node_ids))
            learned = self._learned(view, today, view.days.ordinary(now))
            calendar = network.calendar_of_service.copy()
            days = _days(tables, today.ready, tables.pair, calendar, learned, load)
            kept = self._days = today, view.lead_times, days
        return kept[2]

    def area_days(self, view: View, now: datetime, area: int) -> Days:
        """Return the day tables of deliveries in an area, whose days off move them; kept for their minute."""
        days = self.days(view, now)
        if area == NO_AREA:
            return days
        kept = self._area_days
        if kept is None or kept[0] is not days:
            kept = self._area_days = days, {}
        if area not in kept[1]:
            kept[1][area] = self._in_area(view, now, days, area)
        return kept[1][area]

    def store_days(self, view: View, now: datetime, pickup: Pickup) -> Days:
        """Return the day tables of parcels to a store; those of the last store are kept for their minute."""
        days, kept = self.days(view, now), self._store_days
        if kept is None or kept[0] is not days or kept[1] != pickup.node:
            kept = self._store_days = days, pickup.node, store_days(days, pickup, pickup.today.calendars.pair)
        return kept[2]

    def pickup_days(self, view: View, pickup: Pickup) -> Days:
        """Return the day tables of a pick-up of what a node has itself: those of its own calendar."""
        network, tables = view.network, pickup.today.calendars
        calendar = network.calendar_of_node[pickup.node : pickup.node + 1].copy()
        nodes = len(network.node_ids)
        nothing = nothing_learned(1, nodes, 1, len(network.calendars))
        ready = pickup.today.ready[-1:].copy()
        ready[0, pickup.node] = pickup.ready_day
        return _days(tables, ready, tables.pair[-1:].copy(), calendar, nothing, no_load(nodes))

    def _in_area(self, view: View, now: datetime, days: Days, area: int) -> Days:
        tables, kept = view.days.at(now).calendars, self._deliveries
        if kept is None or kept[0] is not tables:
            kept = self._deliveries = tables, {}
        if area not in kept[1]:
            kept[1][area] = delivery_days(view.network, tables, area)
        found = kept[1][area]
        learned = days.learned._replace(lost=days.learned.lost[found.source])
        return days._replace(calendar=found.calendar, before=found.before, nth=found.nth, learned=learned)

    def _learned(self, view: View, today: Today, ordinary: Calendars) -> Learned:
        """Return what is known of lead times; nothing if the policy wants the rate card."""
        network = view.network
        if view.lead_times is None or network.policy.dates_from == "rate_card":
            return nothing_learned(
                len(network.services), len(network.node_ids), len(network.zones), len(network.calendars)
            )
        if self._known is None or self._known_of != (view.lead_times, network):
            self._known = Known(network, view.lead_times, ordinary)
            self._known_of = (view.lead_times, network)
        return self._known.at(today, ordinary)


def no_load(nodes: int) -> Load:
    """Return that no node has a capacity."""
    none = np.zeros(0, dtype=np.int64)
    return Load(np.full(nodes, -1, dtype=np.int64), none, none, none.reshape(0, 0), none.reshape(0, 0))


def _days(
    tables: Calendars,
    ready: NDArray[np.int64],
    pair: NDArray[np.int64],
    calendar: NDArray[np.int64],
    learned: Learned,
    load: Load,
) -> Days:
    return Days(tables.first_day, ready, pair, tables.common, calendar, tables.before, tables.nth, learned, load)
