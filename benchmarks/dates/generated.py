"""A generated history with known truth: many thin lanes, weekday effects, and a peak that drifts from node to node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc

from solvers.lead_times import History, Ordered
from solvers.pooling import Floats, Integers

NODES, SERVICES, ZONES = 8, 3, 6
LANES = NODES * SERVICES * ZONES
FIRST_DAY, DAYS = 20_000, 420
PEAK_DAY, PEAK_WIDTH_DAYS, PEAK_DAYS = 350, 25.0, 2.5
SHAPE = 2.0
OWN_DAYS = 0.5
"""Standard deviation of the days that a lane has of its own."""
DRIFT_DAYS = 3.0
"""The peak reaches each node so much later than the one before."""
WEEKDAY_DAYS = np.array([0.0, 0.2, 0.4, 1.2, 1.6, 1.0, 0.4])


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A history, the lane of each shipment, and the distribution that its days were drawn from.

    Days are least + width × a gamma of shape 2, rounded up.
    """

    history: History
    lane: Integers
    least_days: Floats
    width_days: Floats
    own_days: Floats
    """The part of `least_days` that is the lane's own."""

    def chance(self, rows: Integers, promised_days: Floats) -> Floats:
        """Return how likely some shipments were to arrive within the days promised to each."""
        beyond = (promised_days - self.least_days[rows]) / self.width_days[rows]
        return np.asarray(gammainc(SHAPE, np.maximum(beyond, 0)))


def generate(shipments: int, seed: int) -> Generated:
    """Return a history of shipments sorted by order day; lanes have volumes by Zipf's law, the last ones a few each."""
    random = np.random.default_rng(seed)
    share = 1 / np.arange(1, LANES + 1)
    lane = random.permutation(LANES)[random.choice(LANES, shipments, p=share / share.sum())]
    node, service, zone = lane // (SERVICES * ZONES), lane // ZONES % SERVICES, lane % ZONES
    day = np.sort(random.integers(0, DAYS, shipments))
    base = 1 + random.gamma(2, 0.4, NODES)[node] + np.array([0.0, 1.0, 3.0])[service] + zone * (0.4 + 0.1 * service)
    own = random.normal(0, OWN_DAYS, LANES)[lane]
    location = base + own + WEEKDAY_DAYS[(FIRST_DAY + day) % 7] + peak_days(day, node)
    width = 0.6 + 0.1 * base
    noise = width * random.gamma(SHAPE, 1.0, shipments)
    return Generated(
        least_days=location,
        width_days=width,
        own_days=own,
        history=History(
            ordered=Ordered(
                node=node,
                service=service,
                zone=zone,
                ordered_day=(FIRST_DAY + day).astype(float),
                has_time=np.zeros(shipments, dtype=np.bool_),
                distance_km=np.full(shipments, np.nan),
                weight_g=np.full(shipments, np.nan),
            ),
            days=np.ceil(np.maximum(location + noise, 0)),
            open=np.zeros(shipments, dtype=np.bool_),
        ),
        lane=lane,
    )


def peak_days(day: Integers, node: Integers) -> Floats:
    """Return how many days the peak adds at a node: it comes, and goes, over weeks."""
    return np.asarray(PEAK_DAYS * np.exp(-0.5 * ((day - PEAK_DAY - DRIFT_DAYS * node) / PEAK_WIDTH_DAYS) ** 2))
