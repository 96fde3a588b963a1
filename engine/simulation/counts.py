"""The sums that a tally keeps of the orders, parcels, days and routing runs of a replication: whole numbers only.

"Asked" are all orders that customers wanted to place; "accepted" those that they did place. Money is whole cents. Not
here: how facts become sums (tally.py), what is made of them (kpis.py).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec


class Counts(msgspec.Struct, kw_only=True):
    """Sums; two of them add up field by field."""

    asked: int = 0
    lost_no_offer: int = 0
    lost_too_late: int = 0
    lost_too_dear: int = 0
    delivered: int = 0
    cancelled: int = 0
    open: int = 0
    """Orders by how they ended; `open` when the story was over first."""
    shipped_orders: int = 0
    """With at least one parcel."""
    split_orders: int = 0
    over: int = 0
    """All that were asked for and are not open."""
    over_lines: int = 0
    over_units: int = 0
    filled_orders: int = 0
    """Over, and all of it was shipped."""
    filled_lines: int = 0
    filled_units: int = 0
    accepted_units: int = 0
    shipped_units: int = 0
    backordered_orders: int = 0
    backordered_units: int = 0
    cancelled_units: int = 0
    returned_units: int = 0
    routed_orders: int = 0
    rerouted_orders: int = 0
    rejections: int = 0
    revenue_cents: int = 0
    lost_cents: int = 0
    """Price of lost orders and of cancelled units."""
    lost_for_stock_cents: int = 0
    """Of it: no offer, too late, and units cancelled of accepted orders."""
    charged_cents: int = 0
    refund_cents: int = 0
    due: int = 0
    """Orders neither lost nor cancelled that were promised for a day before all is over."""
    due_on_time: int = 0
    wanted: int = 0
    """Orders neither lost nor cancelled that the customer wanted by a day before all is over."""
    wanted_on_time: int = 0
    arrived: int = 0
    """Due, and delivered; of which the next ones are."""
    arrived_accurate: int = 0
    """On the promised day or the day before it."""
    arrived_error_days: int = 0
    """Days between arrival and the expected day, whichever is first."""
    promised_orders: int = 0
    promised_days: int = 0
    """Days from the order to the promised day."""
    priced_orders: int = 0
    """Delivered, with a promised cost."""
    priced_cost_cents: int = 0
    priced_promised_cents: int = 0
    parcels: int = 0
    parcel_units: int = 0
    shipping_cents: int = 0
    handling_cents: int = 0
    units_cents: int = 0
    packaging_cents: int = 0
    distance_m: int = 0
    unit_distance_m: int = 0
    late_parcels: int = 0
    """That left after the day on which they were to leave."""
    node_days: int = 0
    """With a limit of units or of parcels that is not 0."""
    utilisation_ppm: int = 0
    """Of each node day the larger share of its limits that left, in millionths, added up."""
    days: int = 0
    backlog_units: int = 0
    backlog_parcels: int = 0
    position_days: int = 0
    stocked_out_days: int = 0
    windows: int = 0
    window_orders: int = 0
    bounded_cost_cents: int = 0
    """Of routing runs that proved a bound."""
    bound_cents: int = 0

    @property
    def lost(self) -> int:
        """Orders that customers did not place after all."""
        return self.lost_no_offer + self.lost_too_late + self.lost_too_dear

    @property
    def accepted(self) -> int:
        """Orders that customers placed."""
        return self.asked - self.lost

    @property
    def cost_cents(self) -> int:
        """All costs of parcels."""
        return self.shipping_cents + self.handling_cents + self.units_cents + self.packaging_cents

    def add(self, other: Counts) -> None:
        """Add other sums."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


Key = TypeVar("Key", int, str)


def add_counts(into: dict[Key, int], other: dict[Key, int]) -> None:
    """Add counts by key."""
    for key, count in other.items():
        into[key] = into.get(key, 0) + count


def add_lists(into: list[int], other: list[int]) -> None:
    """Add numbers place by place; the shorter list counts as ending in zeros."""
    into.extend([0] * (len(other) - len(into)))
    for place, number in enumerate(other):
        into[place] += number


def quantile(histogram: dict[int, int], share: float) -> int | None:
    """Return the least value that at least `share` of those counted do not exceed; None if none were counted."""
    total = sum(histogram.values())
    if not total:
        return None
    needed, so_far = share * total, 0
    for value in sorted(histogram):
        so_far += histogram[value]
        if so_far >= needed - 1e-9 * total:
            return value
    return max(histogram)
