"""The rate cards of a batch: what each way takes in each band of distance by weight, and what its days depend on.

Bands are the zones of the network, divided where a service ends and where history tells distances apart. Steps are
those of the rate cards, divided where history tells weights apart. So within a step all parcels have one price, and
from one node one day of arrival. Not here: which ways there are (ways.py), the days (arrivals.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.network.model import Network
from engine.network.of_network import of_network
from engine.routing.contents import Boxing
from engine.routing.ways import Pricing, Ways
from solvers.problem import IntArray
from solvers.promise_dates import Learned
from solvers.promise_freight import FUEL, HEAVIEST_G, NO_LIMIT, OVERSIZE_CENTS

BY_RATE_CARD = -1
ANY_WEIGHT_G = 2**60
_EACH_BOXES = 20
_NO_STEPS: IntArray = np.zeros((0, 3), np.int64)
_MOST_KNOWN = 10_000
_ParcelsOf = tuple[int, int, Pricing, bool, int]
"""Service, zone, what prices depend on, whether it has no heaviest step, and the heaviest order if that counts."""


@of_network
def _parcels_of(_: Network) -> dict[_ParcelsOf, IntArray]:
    """Return what was worked out of a network's rates so far: runs of a few orders ask for little else."""
    return {}


class Days(NamedTuple):
    """What the day of arrival depends on beside node and dating: transit days, or a band and a bin of weight."""

    transit_days: int
    band: int = BY_RATE_CARD
    kind: int = BY_RATE_CARD


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bands:
    """Bands of distance: their names, ends in km, and the zone of each in the network."""

    names: tuple[str, ...]
    max_km: NDArray[np.float64]
    zone: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cards:
    """Steps of all (way, band), as `solvers.problem.RateCards` has them; `days_of` numbers what days depend on."""

    start: IntArray
    max_weight_g: IntArray
    cost_cents: IntArray
    days: IntArray
    days_of: tuple[Days, ...]


def bands_of(network: Network, learned: Learned) -> Bands:
    """Return the zones divided where a service ends, and where history tells distances apart."""
    ends = network.zone_max_km
    cuts = [] if network.service_max_km is None else network.service_max_km.tolist()
    if learned.knows.any():
        cuts += learned.distance_ends.tolist()
    last = ends.max(initial=0)
    max_km = np.union1d(ends, np.array([cut for cut in cuts if 0 <= cut <= last], np.float64))
    zone = np.searchsorted(ends, max_km)
    names = tuple(
        network.zones[z] if end == ends[z] else f"{network.zones[z]} to {end:g} km"
        for z, end in zip(zone.tolist(), max_km.tolist(), strict=True)
    )
    return Bands(names=names, max_km=max_km, zone=zone)


def cards_of(
    network: Network, ways: Ways, bands: Bands, learned: Learned, heaviest_g: int, light: Collection[int] = ()
) -> Cards:
    """Return the rate cards of every way, for parcels of up to `heaviest_g` where they may be in several boxes.

    The services `light` have no heaviest step: weights count for more here than they do for them.
    """
    made = _Steps(network, bands, learned, heaviest_g, light)
    found = [
        made.of(v, band, ways.pricings[pricing])
        for v, pricing in zip(ways.service.tolist(), ways.pricing.tolist(), strict=True)
        for band in range(len(bands.zone))
    ]
    steps = np.concatenate([_NO_STEPS, *found])
    days_of = tuple(sorted(made.days))
    rank = {days: k for k, days in enumerate(days_of)}
    number = np.array([rank[days] for days in made.days], np.int64)
    return Cards(
        start=np.concatenate([[0], np.cumsum([len(cell) for cell in found])]).astype(np.int64),
        max_weight_g=steps[:, 0].copy(),
        cost_cents=steps[:, 1].copy(),
        days=number[steps[:, 2]],
        days_of=days_of,
    )


class _Steps:
    """The steps of services in bands, each made once for a pricing.

    They are rows of (most grams, cents, number in `days`): products that ship alone, each by its own weight, may make
    a batch have hundreds of thousands.
    """

    def __init__(
        self, network: Network, bands: Bands, learned: Learned, heaviest_g: int, light: Collection[int]
    ) -> None:
        self._network, self._bands, self._heaviest_g, self._light = network, bands, heaviest_g, light
        self._knows = learned.knows.tolist()
        self._weight_ends = [int(end) for end in learned.weight_ends.tolist()]
        self._rules = network.freight.service.tolist()
        self._known: dict[tuple[int, int, Pricing], IntArray] = {}
        self._parcels_known = _parcels_of(network)
        self.days: dict[Days, int] = {}

    def of(self, v: int, band: int, pricing: Pricing) -> IntArray:
        """Return the steps of a service in a band; what a store hands over itself costs no freight."""
        network = self._network
        if v == len(network.services):
            return np.array([(ANY_WEIGHT_G, 0, self._number(Days(transit_days=0)))], np.int64)
        if network.service_max_km is not None and self._bands.max_km[band] > network.service_max_km[v]:
            return _NO_STEPS
        key = (v, band, pricing)
        if key not in self._known:
            parcels = self._parcels(v, int(self._bands.zone[band]), pricing)
            self._known[key] = self._by_history(band, parcels) if self._knows[v] else self._by_rate_card(parcels)
        return self._known[key]

    def _number(self, days: Days) -> int:
        return self.days.setdefault(days, len(self.days))

    def _by_rate_card(self, parcels: IntArray) -> IntArray:
        """Return the steps of a service whose days are those of its rates."""
        transit_days, place = np.unique(parcels[:, 2], return_inverse=True)
        number = np.array([self._number(Days(days)) for days in transit_days.tolist()], np.int64)
        return np.column_stack([parcels[:, :2], number[place]])

    def _by_history(self, band: int, parcels: IntArray) -> IntArray:
        """Return the steps of a service whose days are learned, divided where history tells weights apart."""
        before, steps = 0, list[tuple[int, int, int]]()
        for most, billed, transit_days in parcels.tolist():
            for end in [*(end for end in self._weight_ends if before < end < most), most]:
                kind = sum(other < end for other in self._weight_ends)
                steps.append((end, billed, self._number(Days(transit_days, band, kind))))
            before = most
        return np.array(steps, np.int64).reshape(-1, 3)

    def _parcels(self, v: int, zone: int, pricing: Pricing) -> IntArray:
        """Return (most grams, cents with fuel, transit days) of parcels; they stay the same as long as the network."""
        heaviest_g = self._heaviest_g if pricing.boxing.box_g else 0
        key = (v, zone, pricing, v in self._light, heaviest_g)
        found = self._parcels_known.get(key)
        if found is None:
            fuel = self._rules[v][FUEL]
            boxes = self._boxes(list(self._box(v, zone, pricing)), pricing.boxing)
            rows = [(most, with_fuel(cents, fuel), days) for most, cents, days in boxes]
            found = np.array(rows, np.int64).reshape(-1, 3)
            if len(self._parcels_known) >= _MOST_KNOWN:
                self._parcels_known.clear()
            self._parcels_known[key] = found
        return found

    def _box(self, v: int, zone: int, pricing: Pricing) -> Iterator[tuple[int, int, int]]:
        """Yield (most grams, cents, transit days) of one box: its rate, surcharges of the place, and of its size."""
        table, cell = self._network.rates, v * len(self._network.zones) + zone
        heavy, over = self._rules[v][HEAVIEST_G], self._rules[v][OVERSIZE_CENTS]
        extra = pricing.area_cents[v] if pricing.area_cents else 0
        if v in pricing.boxing.oversize:
            extra += over
        if v in pricing.boxing.oversize or pricing.boxing.is_own:
            heavy = NO_LIMIT
        before, last = 0, (0, 0)
        for step in range(int(table.offsets[cell]), int(table.offsets[cell + 1])):
            most, cents, days = (int(c[step]) for c in (table.max_weight_g, table.cost_cents, table.transit_days))
            if before < heavy < most:
                yield heavy, cents + extra, days
            before, last = most, (cents + extra + (over if most > heavy else 0), days)
            yield most, *last
        if before and v in self._light:
            yield ANY_WEIGHT_G, *last

    def _boxes(self, box: list[tuple[int, int, int]], boxing: Boxing) -> Iterator[tuple[int, int, int]]:
        """Yield the same of parcels of several boxes: full ones, and what is left; nothing if one is too heavy.

        From `_EACH_BOXES` on, steps are a tenth of the boxes wide, priced at their end.
        """
        if not boxing.box_g or not box:
            yield from box
            return
        if boxing.is_own and boxing.box_g > box[-1][0]:
            return
        most = min(boxing.box_g, box[-1][0])
        last = next(entry for entry in box if entry[0] >= most)
        one = [*(entry for entry in box if entry[0] < most), (most, last[1], last[2])]
        slowest, full = max(days for _, _, days in one), 0
        while full * most < self._heaviest_g or full == 0:
            if full < _EACH_BOXES:
                yield from (
                    (full * most + grams, full * last[1] + cents, slowest if full else days)
                    for grams, cents, days in one
                )
                full += 1
            else:
                full += max(1, full // 10)
                yield full * most, full * last[1], slowest


def with_fuel(cents: int, basis_points: int) -> int:
    """Return rates and surcharges with fuel on their sum, rounded half up, as solvers/promise_freight.py has it."""
    return cents + (cents * basis_points + 5_000) // 10_000
