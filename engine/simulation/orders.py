"""Orders and parcels while they are under way in a simulation, and the rows of facts that they become.

Not here: what happens to them (checkout.py, releasing.py, floor.py), columns (facts.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.inventory.model import HoldLine
from engine.simulation.carriage import Bill, Place
from engine.simulation.facts import Ending


@dataclass(slots=True, kw_only=True, eq=False)
class Parcel:
    """What one node ships of an order at once; `lines` are what its reservation keeps for it."""

    order: SimOrder
    node_id: str
    node: int
    """Its node as facts number it; `service` likewise."""
    service: int
    carried_by: str
    """Its service, by name."""
    ship_on: int
    """An ordinal, as the day of the node."""
    lines: Sequence[HoldLine]
    units: int
    weight_g: int
    bill: Bill
    routed_s: int
    promised_day: int
    gone: bool = False
    """It was taken back before it left: nobody picks it any more."""
    shipped_s: int = -1
    delivered_s: int = -1
    delivered_day: int = -1

    def row(self, order_row: int) -> Mapping[str, int]:
        """Return its row of `ParcelFacts`, but for `due_day`, which counts from the story's first day."""
        bill = self.bill
        return {
            "order": order_row,
            "node": self.node,
            "service": self.service,
            "zone": bill.zone,
            "distance_m": bill.distance_m,
            "units": self.units,
            "weight_g": self.weight_g,
            "routed_s": self.routed_s,
            "shipped_s": self.shipped_s,
            "promised_day": self.promised_day,
            "delivered_s": self.delivered_s,
            "delivered_day": self.delivered_day,
            "shipping_cents": bill.shipping_cents,
            "handling_cents": bill.handling_cents,
            "units_cents": bill.units_cents,
            "packaging_cents": 0,
        }


@dataclass(slots=True, kw_only=True, eq=False)
class SimOrder:
    """An order from the moment its customer asks for it; money is cents, days count from the story's first."""

    key: int
    order_id: str
    placed_s: int
    latitude: float
    longitude: float
    channel: int
    place: Place
    lines: Sequence[tuple[str, int]]
    prices: Sequence[int]
    """Of a unit of each line."""
    requested_day: int = -1
    promised_day: int = -1
    expected_day: int = -1
    promised_parcels: int = -1
    promised_cost_cents: int = -1
    charged_cents: int = 0
    ending: Ending = Ending.OPEN
    parcels: list[Parcel] = field(default_factory=list)
    decisions: int = 0
    attempts: int = 0
    """How often nodes have been asked for it."""
    rejections: int = 0
    units_backordered: int = 0
    routed_s: int = -1
    run_id: str | None = None
    units_returned: int = 0
    returns_due: int = 0
    refund_cents: int = 0
    gives_up_s: int = -1
    """When its customer has waited for stock too long."""
    is_kept: bool = False
    """Whether the engine knows it."""

    @property
    def units(self) -> int:
        """All units that were asked for."""
        return sum(quantity for _, quantity in self.lines)

    @property
    def value_cents(self) -> int:
        """The price of all of it."""
        return sum(quantity * price for (_, quantity), price in zip(self.lines, self.prices, strict=True))

    @property
    def has_left(self) -> bool:
        """Whether a parcel has left its node."""
        return any(parcel.shipped_s >= 0 for parcel in self.parcels)

    @property
    def is_shipped(self) -> bool:
        """Whether all of its parcels have."""
        return bool(self.parcels) and all(parcel.shipped_s >= 0 for parcel in self.parcels)

    def row(self) -> Mapping[str, float]:
        """Return its row of `OrderFacts`."""
        left = [parcel for parcel in self.parcels if parcel.shipped_s >= 0]
        all_left = self.is_shipped
        arrived = all_left and all(parcel.delivered_s >= 0 for parcel in left)
        is_lost = self.ending in {Ending.NO_OFFER, Ending.TOO_LATE, Ending.TOO_DEAR}
        shipped = self.units if all_left else 0
        if left and not all_left:
            shipped = self._units_in(left)
        revenue = self.value_cents if all_left else self._value_in(left)
        over = is_lost or self.ending is Ending.CANCELLED
        return {
            "key": self.key,
            "placed_s": self.placed_s,
            "latitude": self.latitude,
            "longitude": self.longitude,
            "channel": self.channel,
            "ending": int(self.ending),
            "lines": len(self.lines),
            "units": self.units,
            "lines_shipped": len(self.lines) if all_left else self._whole_lines_in(left),
            "units_shipped": shipped,
            "units_cancelled": self.units - shipped if self.ending is Ending.CANCELLED else 0,
            "units_backordered": self.units_backordered,
            "units_returned": self.units_returned,
            "revenue_cents": revenue,
            "lost_cents": self.value_cents - revenue if over else 0,
            "charged_cents": self.charged_cents if left else 0,
            "refund_cents": self.refund_cents,
            "promised_day": self.promised_day,
            "expected_day": self.expected_day,
            "requested_day": self.requested_day,
            "promised_parcels": self.promised_parcels,
            "promised_cost_cents": self.promised_cost_cents,
            "parcels": len(left),
            "rejections": self.rejections,
            "reroutes": max(0, self.decisions - 1),
            "routed_s": self.routed_s,
            "shipped_s": max(parcel.shipped_s for parcel in left) if all_left else -1,
            "delivered_s": max(parcel.delivered_s for parcel in left) if arrived else -1,
            "delivered_day": max(parcel.delivered_day for parcel in left) if arrived else -1,
            "cost_cents": sum(
                parcel.bill.shipping_cents + parcel.bill.handling_cents + parcel.bill.units_cents for parcel in left
            ),
        }

    def _counted(self, parcels: Sequence[Parcel]) -> dict[str, int]:
        found: dict[str, int] = {}
        for parcel in parcels:
            for line in parcel.lines:
                found[line.sku] = found.get(line.sku, 0) + line.quantity
        return found

    def _units_in(self, parcels: Sequence[Parcel]) -> int:
        found = self._counted(parcels)
        return sum(min(quantity, found.get(sku, 0)) for sku, quantity in self.lines)

    def _whole_lines_in(self, parcels: Sequence[Parcel]) -> int:
        found = self._counted(parcels)
        return sum(found.get(sku, 0) >= quantity for sku, quantity in self.lines)

    def _value_in(self, parcels: Sequence[Parcel]) -> int:
        found = self._counted(parcels)
        return sum(
            min(quantity, found.get(sku, 0)) * price
            for (sku, quantity), price in zip(self.lines, self.prices, strict=True)
        )
