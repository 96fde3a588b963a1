"""What was learned of lead times, as the arrays that the kernels look dates up in.

Here: by service, node and zone of a network once for a learned file, and what a minute changes. Not here: the learned
file (engine/calibration), how a date comes out of the arrays (solvers/promise_dates.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp

import numpy as np
from numpy.typing import NDArray

from engine.calibration.lead_times import Groups, LeadTimes
from engine.network.days import Calendars, Today
from engine.network.model import Network
from solvers.promise_dates import FACTOR, STEADY, VARIANCE, Learned

Floats = NDArray[np.float64]
_HOURS, _WEEKDAYS = 24, 7
_QUANTILES = (0.5, 0.9)


class Known:
    """A learned file lined up with a network; `at` adds what a minute is."""

    def __init__(self, network: Network, lead_times: LeadTimes, ordinary: Calendars) -> None:
        bins = lead_times.bins
        self._of_calendars: tuple[Calendars, Learned] | None = None
        self._index = {
            "service": {name: s for s, name in enumerate(network.services)},
            "node": network.index,
            "zone": {name: z for z, name in enumerate(network.zones)},
        }
        services, nodes, zones = len(network.services), len(network.node_ids), len(network.zones)
        weights, distances, levels = (len(bins[name]) + 2 for name in ("weight_g", "distance_km", "location_days"))
        self._sizes = {"weekday": _WEEKDAYS, "hour": _HOURS, "weight": weights, "distance": distances, "level": levels}
        self._sizes |= {"service": services, "node": nodes, "zone": zones}
        terms = [(term, False) for term in lead_times.location] + [(term, True) for term in lead_times.scales]

        def sums(axes: tuple[str, ...], *fields: tuple[str, ...]) -> Floats:
            return self._sums(axes, [entry for entry in terms if entry[0].fields in fields])

        at_nodes = sums(("service", "node"), (), ("service",), ("node",), ("node", "service"))
        at_nodes[..., STEADY] += lead_times.center_days
        lane_key, lanes, lane_shape = self._lanes(lead_times, terms)
        start_row, started = _started(network, ordinary)
        self._learned = Learned(
            knows=np.array([lead_times.knows(name) for name in network.services], dtype=np.bool_),
            nodes=at_nodes,
            zones=sums(("service", "zone"), ("zone",), ("service", "zone")),
            lane_key=lane_key,
            lanes=lanes,
            shape=self._shapes(lead_times),
            lane_shape=lane_shape,
            weekdays=sums(("service", "weekday"), ("weekday",), ("service", "weekday")),
            hours=sums(("hour",), ("hour",)),
            distances=sums(("distance",), ("distance",)),
            weights=sums(("weight",), ("weight",)),
            levels=sums(("level",), ("level",))[:, FACTOR].copy(),
            distance_ends=np.array(bins["distance_km"], dtype=np.float64),
            weight_ends=np.array(bins["weight_g"], dtype=np.float64),
            level_ends=np.array(bins["location_days"], dtype=np.float64),
            z=_quantiles(lead_times, (network.policy.promise_quantile, *_QUANTILES)),
            scale=float(lead_times.scale_days),
            ratio=float(lead_times.spread_ratio),
            today=np.zeros(nodes, dtype=np.int64),
            hour=np.zeros(nodes, dtype=np.int64),
            ordinary=np.zeros((services, nodes), dtype=np.int64),
            start_row=start_row,
            started=started,
            lost=np.zeros((1, 1), dtype=np.int64),
        )

    def at(self, today: Today, ordinary: Calendars) -> Learned:
        """Return the arrays for a minute, `ordinary` being its calendars without holidays and closures."""
        made = self._of_calendars
        if made is None or made[0] is not today.calendars:
            learned = self._learned._replace(lost=lost_days(today.calendars, ordinary))
            made = self._of_calendars = today.calendars, learned  # at once, since threads share it
        return made[1]._replace(today=today.local_day, hour=today.local_hour, ordinary=today.ordinary[:-1].copy())

    def _sums(self, axes: tuple[str, ...], terms: Iterable[tuple[Groups, bool]]) -> Floats:
        """Return STEADY … FACTOR added up over terms, by the values of `axes`."""
        total = np.zeros((*(self._sizes[axis] for axis in axes), 4))
        total[..., FACTOR] = 1.0
        for term, is_scale in terms:
            own = np.zeros((*(self._sizes[axis] for axis in term.fields), 4))
            own[..., FACTOR] = 1.0
            own[..., VARIANCE] = term.unseen_variance
            for key, figures in term.effects.items():
                place = self._place(term.fields, key)
                if place is not None:
                    own[place] = _figures(term, figures, is_scale)
            order = [term.fields.index(axis) for axis in axes if axis in term.fields]
            shape = [self._sizes[axis] if axis in term.fields else 1 for axis in axes]
            spread = own.transpose(*order, len(term.fields)).reshape(*shape, 4)
            total[..., :FACTOR] += spread[..., :FACTOR]
            total[..., FACTOR] *= spread[..., FACTOR]
        return total

    def _place(self, fields: Sequence[str], key: Sequence[str | int]) -> tuple[int, ...] | None:
        """Return where a group stands, None if the network does not have it."""
        place = []
        for name, value in zip(fields, key, strict=True):
            known: Mapping[str, int] | None = self._index.get(name)
            at = int(value) if known is None else known.get(str(value), -1)
            if not 0 <= at < self._sizes[name]:
                return None
            place.append(at)
        return tuple(place)

    def _lanes(
        self, lead_times: LeadTimes, terms: Iterable[tuple[Groups, bool]]
    ) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
        """Return the keys of lanes with a history, their figures and those of the others, and their rows of shapes."""
        fields = ("node", "service", "zone")
        of_lanes = [(term, is_scale) for term, is_scale in terms if term.fields == fields]
        shapes = [term for term in lead_times.shape_of if term.fields == fields]
        keys: dict[tuple[str | int, ...], int] = {}
        for term in (*(term for term, _ in of_lanes), *shapes):
            for key in term.effects:
                place = self._place(fields, key)
                if place is not None:
                    node, service, zone = place
                    keys[key] = (service * self._sizes["node"] + node) * self._sizes["zone"] + zone
        ordered = sorted(keys, key=keys.__getitem__)
        figures = np.zeros((len(ordered) + 1, 4))
        figures[:, FACTOR] = 1.0
        shape = np.full(len(ordered) + 1, -1, dtype=np.int64)
        for term, is_scale in of_lanes:
            for row, found in enumerate((*map(term.effects.get, ordered), None)):
                own = (0.0, 0.0, term.unseen_variance, 1.0) if found is None else _figures(term, found, is_scale)
                figures[row, :FACTOR] += own[:FACTOR]
                figures[row, FACTOR] *= own[FACTOR]
        for term in shapes:
            for row, key in enumerate(ordered):
                shape[row] = int(term.effects[key][0]) if key in term.effects else -1
        return np.array([keys[key] for key in ordered], dtype=np.int64), figures, shape

    def _shapes(self, lead_times: LeadTimes) -> NDArray[np.int64]:
        """Return the row of shapes of each (service, node), where no lane has its own."""
        rows = np.zeros((self._sizes["service"], self._sizes["node"]), dtype=np.int64)
        for term in lead_times.shape_of:
            for key, (row, *_) in term.effects.items():
                place = self._place(term.fields, key)
                if place is not None and term.fields == ("service",):
                    rows[place[0], :] = int(row)
                elif place is not None and term.fields == ("node", "service"):
                    rows[place[1], place[0]] = int(row)
        return rows


def _figures(term: Groups, figures: Sequence[float], is_scale: bool) -> tuple[float, float, float, float]:
    """Return STEADY … FACTOR of a group."""
    if is_scale:
        return 0.0, 0.0, 0.0, exp(figures[0])
    days, variance = figures
    return (0.0, days, variance, 1.0) if term.drifts else (days, 0.0, variance, 1.0)


def _quantiles(lead_times: LeadTimes, wanted: Sequence[float]) -> Floats:
    """Return z of every shape at some probabilities, shape (probabilities, shapes); linear between levels."""
    levels = np.array(lead_times.levels)
    return np.array([[float(np.interp(level, levels, shape)) for shape in lead_times.shapes] for level in wanted])


def lost_days(calendars: Calendars, ordinary: Calendars) -> NDArray[np.int64]:
    """Return how many holidays and closures each calendar has before each day, shape (calendars, days + 1)."""
    lost = np.zeros(calendars.before.shape, dtype=np.int64)
    lost[:, 1:] = np.cumsum(ordinary.works & ~calendars.works, axis=1)
    return lost


def _started(network: Network, ordinary: Calendars) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how long before its hand-over the first order was made that an ordinary week hands over on that day.

    The row of each (service, node), and by row and ordinal modulo 7 of the day of hand-over, the days.
    """
    calendar, processing = network.calendar_of_node, network.processing_days
    pair = ordinary.pair[: len(network.services)]
    keys = np.stack([pair, np.broadcast_to(calendar, pair.shape), np.broadcast_to(processing, pair.shape)], axis=2)
    kinds, row = np.unique(keys.reshape(-1, 3), axis=0, return_inverse=True)
    started = np.zeros((len(kinds), _WEEKDAYS), dtype=np.int64)
    horizon = ordinary.nth.shape[1]
    for kind, (one, of_node, days) in enumerate(kinds.tolist()):
        index = ordinary.before[of_node, :horizon] + days
        ready = ordinary.nth[of_node, np.minimum(index, horizon - 1)]
        inside = (index < horizon) & (ready - ordinary.first_day < horizon)
        ready = ready[inside]
        ships = ordinary.common[one, ready - ordinary.first_day]
        if not len(ships):
            continue
        for ship_day in range(int(ships[0]) + 1, int(ships[0]) + 1 + _WEEKDAYS):
            order_day = ordinary.first_day + int(np.searchsorted(ships, ship_day))
            started[kind, ship_day % _WEEKDAYS] = max(0, ship_day - order_day)
    return row.reshape(pair.shape).astype(np.int64), started


def nothing_learned(services: int, nodes: int, zones: int, calendars: int) -> Learned:
    """Return arrays that know no service, of the shapes that the kernels read."""
    whole, real = np.zeros(1, dtype=np.int64), np.zeros((1, 4))
    return Learned(
        knows=np.zeros(services, dtype=np.bool_),
        nodes=np.zeros((services, nodes, 4)),
        zones=np.zeros((services, zones, 4)),
        lane_key=whole[:0],
        lanes=real,
        shape=np.zeros((services, nodes), dtype=np.int64),
        lane_shape=whole,
        weekdays=np.zeros((services, _WEEKDAYS, 4)),
        hours=np.zeros((_HOURS, 4)),
        distances=real,
        weights=real,
        levels=np.ones(1),
        distance_ends=np.zeros(0),
        weight_ends=np.zeros(0),
        level_ends=np.zeros(0),
        z=np.zeros((3, 1)),
        scale=0.0,
        ratio=0.0,
        today=np.zeros(nodes, dtype=np.int64),
        hour=np.zeros(nodes, dtype=np.int64),
        ordinary=np.zeros((services, nodes), dtype=np.int64),
        start_row=np.zeros((services, nodes), dtype=np.int64),
        started=np.zeros((1, _WEEKDAYS), dtype=np.int64),
        lost=np.zeros((calendars, 1), dtype=np.int64),
    )
