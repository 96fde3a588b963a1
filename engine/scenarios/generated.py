"""Orders drawn from patterns, each by its own key: what one order is does not depend on which others there are.

Here: the draws. Not here: the patterns (patterns.py, compiled_patterns.py), how many orders a day has (demand.py).
"""

from __future__ import annotations

import numpy as np

from engine.integrations.synthetic_demand import sorted_unique
from engine.scenarios.compiled_patterns import Patterns
from engine.scenarios.order_tables import in_time, starts
from engine.scenarios.orders import Floats, Integers, OrderTable
from engine.scenarios.streams import joined, uniforms
from solvers.problem import EARTH_RADIUS_KM

_ROUNDS = 8
"""Times that a line is drawn again whose SKU its order has already; then the order has one line less."""
_HOUR_SECONDS = 3600


class Draws:
    """Draws orders of one replication from patterns."""

    def __init__(self, patterns: Patterns, seed: int, replication: int) -> None:
        self._patterns, self._seed, self._replication = patterns, seed, replication

    def orders(self, keys: Integers, weekday: int) -> OrderTable:
        """Return an order for each key, by instant; `placed_s` counts from the midnight of its day."""
        patterns, places = self._patterns, self._patterns.places
        order, sku = self._baskets(keys)
        place = _drawn(patterns.place_edges, self._uniform("place", keys))
        latitude, longitude = self._around(place, keys)
        hour = _drawn(patterns.hour_edges[weekday], self._uniform("hour", keys))
        second = np.floor(self._uniform("second", keys) * _HOUR_SECONDS).astype(np.int64)
        quantity = _drawn(patterns.quantity_edges, self._uniform("quantity", joined(keys[order], sku)))
        least, step = patterns.least[sku], patterns.step[sku]
        return in_time(
            OrderTable(
                key=keys,
                placed_s=hour * _HOUR_SECONDS + second,
                latitude=latitude,
                longitude=longitude,
                place=places.postal_code[place],
                channel=_drawn(patterns.channel_edges, self._uniform("channel", keys)),
                need_by_days=patterns.need_by_days[_drawn(patterns.need_by_edges, self._uniform("need_by", keys))],
                first_line=starts(np.bincount(order, minlength=len(keys))),
                sku=sku,
                quantity=-(-np.maximum(patterns.quantities[quantity], least) // step) * step,
                skus=patterns.skus,
                channels=patterns.channels,
                postal_codes=places.postal_codes,
            )
        )

    def _baskets(self, keys: Integers) -> tuple[Integers, Integers]:
        """Return the lines of all orders as (row of the order, SKU), sorted, no pair twice."""
        patterns, skus = self._patterns, len(self._patterns.skus)
        wanted = patterns.line_counts[_drawn(patterns.line_edges, self._uniform("lines", keys))]
        wanted = np.minimum(wanted, np.count_nonzero(np.diff(patterns.sku_edges)))
        first = _drawn(patterns.sku_edges, self._uniform("sku", keys))
        lines = np.arange(len(keys)) * skus + first  # order and SKU in one number
        for attempt in range(_ROUNDS):
            missing = wanted - np.bincount(lines // skus, minlength=len(keys))
            order = np.repeat(np.arange(len(keys)), missing)
            if not len(order):
                break
            number = np.arange(len(order)) - np.repeat(starts(missing)[:-1], missing)
            further = self._further(keys[order], number + attempt * 2**20, first[order])
            lines = sorted_unique(np.concatenate([lines, order * skus + further]))
        lines.sort()
        return lines // skus, lines % skus

    def _further(self, keys: Integers, number: Integers, first: Integers) -> Integers:
        """Return a SKU for each line beyond the first: of the first one's neighbours, or of all."""
        patterns, edges, of_line = self._patterns, self._patterns.sku_edges, joined(keys, number)
        begin = first // patterns.theme_skus * patterns.theme_skus
        end = np.minimum(begin + patterns.theme_skus, len(patterns.skus))
        is_near = self._uniform("together", of_line) < patterns.together
        low, high = np.where(is_near, edges[begin], 0.0), np.where(is_near, edges[end], 1.0)
        drawn: Integers = _drawn(edges, low + self._uniform("further", of_line) * (high - low))
        return np.where(is_near, np.clip(drawn, begin, end - 1), drawn)

    def _around(self, place: Integers, keys: Integers) -> tuple[Floats, Floats]:
        """Return coordinates around places, normally distributed to the north and to the east."""
        places = self._patterns.places
        latitude, longitude, spread_km = places.latitude[place], places.longitude[place], places.spread_km[place]
        if not spread_km.any():
            return latitude, longitude
        # Box and Muller (1958), "A note on the generation of random normal deviates".
        away = np.degrees(spread_km * np.sqrt(-2 * np.log1p(-self._uniform("away", keys))) / EARTH_RADIUS_KM)
        angle = 2 * np.pi * self._uniform("angle", keys)
        north, east = away * np.sin(angle), away * np.cos(angle)
        shrunk = np.maximum(np.cos(np.radians(latitude)), 0.01)
        return (
            np.round(np.clip(latitude + north, -90, 90), 5),
            np.round((longitude + east / shrunk + 180) % 360 - 180, 5),
        )

    def _uniform(self, cause: str, keys: Integers) -> Floats:
        return uniforms(self._seed, self._replication, f"demand.{cause}", keys)


def _drawn(edges: Floats, uniform: Floats) -> Integers:
    """Return the index whose share a number in [0, 1) falls into; shares of 0 are never drawn."""
    return np.searchsorted(edges[1:-1], uniform, side="right").astype(np.int64)
