"""From recorded shipments to a learned calibration, and to promised days of other shipments.

Here: ids and what they are to the solver, and which part of the history a shipment may know. Not here: the mathematics
(`solvers/quantiles.py`), the learned file (`document.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.calibration.shipments import Shipments
from engine.errors import Fault, InvalidInput
from solvers.date_model import DateModel
from solvers.lead_times import LANE, UNKNOWN, Edges, History, Ordered, keys_of
from solvers.quantiles import learn

HORIZON_DAYS = 30.0
"""How far ahead a calibration is meant to be used, where nothing says otherwise."""
MOST_LOOKS = 8
"""Shipments ordered during the history are predicted from so many states of what was known."""
LEAST_KNOWN = 60
LEAST_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The ids of the history, sorted; a code is the place of an id."""

    nodes: tuple[str, ...]
    services: tuple[str, ...]
    zones: tuple[str, ...]

    @staticmethod
    def of(shipments: Shipments) -> Vocabulary:
        """Return all ids of some shipments."""
        return Vocabulary(
            nodes=tuple(sorted(set(shipments.node_id))),
            services=tuple(sorted(set(shipments.service))),
            zones=tuple(sorted(set(shipments.zone))),
        )

    def ordered(self, shipments: Shipments) -> Ordered:
        """Return shipments as the solver knows them when they are ordered: nothing of their delivery."""
        return Ordered(
            node=_codes(self.nodes, shipments.node_id),
            service=_codes(self.services, shipments.service),
            zone=_codes(self.zones, shipments.zone),
            ordered_day=shipments.ordered_day,
            has_time=shipments.has_time,
            distance_km=shipments.distance_km,
            weight_g=shipments.weight_g,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was learned, with the ids it is about."""

    vocabulary: Vocabulary
    model: DateModel
    shipments: int
    lanes: int
    first_ordered_day: int
    last_ordered_day: int


def _codes(known: Sequence[str], values: Sequence[str]) -> NDArray[np.int64]:
    place = {value: code for code, value in enumerate(known)}
    return np.fromiter((place.get(value, UNKNOWN) for value in values), np.int64, len(values))


def calibrate(shipments: Shipments, horizon_days: float = HORIZON_DAYS) -> Calibration:
    """Learn from all shipments of a history."""
    vocabulary = Vocabulary.of(shipments)
    history = _history(vocabulary, shipments)
    return Calibration(
        vocabulary=vocabulary,
        model=learn(history, horizon_days),
        shipments=len(history),
        lanes=len(np.unique(keys_of(Edges.of(history.ordered).codes(history.ordered), LANE))),
        first_ordered_day=int(np.floor(shipments.ordered_day.min())),
        last_ordered_day=int(np.floor(shipments.ordered_day.max())),
    )


def _history(vocabulary: Vocabulary, shipments: Shipments) -> History:
    return History(
        ordered=vocabulary.ordered(shipments), days=shipments.days, open=np.zeros(len(shipments), dtype=np.bool_)
    )


def promised_days(
    shipments: Shipments, tests: Shipments, quantile: float, horizon_days: float | None = None
) -> NDArray[np.int64]:
    """Return the days promised to each test shipment, from what the history knew when it was ordered.

    What is learned is for orders up to `horizon_days` after it; unsaid, for the middle one of the test shipments.

    Nothing here reads the delivery of a test shipment, and shipments of the history that are test shipments themselves
    (same id and order time) are not learned from. Those ordered before a tenth of the history had arrived are predicted
    from that tenth. Raises InvalidInput if no other shipment is left to learn from.
    """
    vocabulary = Vocabulary.of(shipments)
    history = _history(vocabulary, shipments).take(_not_tested(shipments, tests))
    ordered = vocabulary.ordered(tests)
    result = np.zeros(len(tests), np.int64)
    for day, rows in _looks(history, np.floor(ordered.ordered_day)):
        known = history if day is None else history.as_of(day)
        since = float(history.ordered.ordered_day.max()) if day is None else day
        middle = float(np.median(ordered.ordered_day[rows])) - since
        horizon = max(1.0, middle) if horizon_days is None else horizon_days
        result[rows] = learn(known, horizon).days(ordered.take(rows), quantile)
    return result


def _not_tested(shipments: Shipments, tests: Shipments) -> NDArray[np.bool_]:
    """Return which shipments of the history are not test shipments themselves."""
    tested = set(zip(tests.shipment_id, tests.ordered_day.tolist(), strict=True))
    recorded = zip(shipments.shipment_id, shipments.ordered_day.tolist(), strict=True)
    kept = np.fromiter((key not in tested for key in recorded), np.bool_, len(shipments))
    if not kept.any():
        message = (
            "every shipment is also in the test file; a test on what was learned says nothing, divide them by time"
        )
        raise InvalidInput(Fault(path=shipments.file, message=message))
    if not kept.all():
        count = len(kept) - int(kept.sum())
        shipments.notes.append(f"{shipments.file}: {count} shipments are in {tests.file} too; not learned from")
    return kept


def _looks(history: History, ordered_on: NDArray[np.float64]) -> Iterator[tuple[int | None, NDArray[np.int64]]]:
    """Yield days, and the test shipments that are predicted from what was known when each began; None is all there is.

    Shipments ordered while the history goes on are divided among a few days, none of which is after their own.
    """
    last = float(np.floor(history.ordered.ordered_day.max()))
    after = np.flatnonzero(ordered_on > last)
    if len(after):
        yield None, after
    during = np.flatnonzero(ordered_on <= last)
    if not len(during):
        return
    arrived = np.sort(np.floor(history.ordered.ordered_day) + history.days)
    least = min(len(arrived), max(LEAST_KNOWN, int(LEAST_SHARE * len(arrived))))
    earliest = int(arrived[least - 1]) + 1
    days = np.unique(np.maximum(ordered_on[during], earliest)).astype(np.int64)
    days = days[:: -(-len(days) // MOST_LOOKS)]
    place = np.maximum(np.searchsorted(days, ordered_on[during], side="right") - 1, 0)
    for look in np.unique(place):
        yield int(days[look]), during[place == look]
