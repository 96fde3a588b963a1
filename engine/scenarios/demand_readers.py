"""What changes of demand come to: the rules by which orders are scaled and added (demand_changes.py).

Not here: other changes (changes.py).
"""

from __future__ import annotations

from engine.scenarios.change_document import AddOrdersDocument, NearDocument, ScaleDemandDocument
from engine.scenarios.changing import Changing
from engine.scenarios.demand_changes import AddOrders, DemandChange, Region, ScaleDemand
from engine.scenarios.moments import seconds_of
from engine.scenarios.yaml_tree import Location


def scale_demand(change: ScaleDemandDocument, location: Location, changing: Changing) -> None:
    """Read `scale_demand`."""
    from_s = changing.second(change.from_day, "00:00", (*location, "from_day"))
    _demand(
        ScaleDemand(
            factor=change.factor,
            from_s=from_s,
            to_s=changing.end_of(from_s, change.days),
            skus=_set(change.skus),
            channels=_set(change.channels),
            region=_region(change.near, change.country, change.postal_prefixes),
        ),
        location,
        changing,
    )
    if change.postal_prefixes is not None and change.country is None:
        changing.findings.note((*location, "postal_prefixes"), "are of no country; add `country`")


def add_orders(change: AddOrdersDocument, location: Location, changing: Changing) -> None:
    """Read `add_orders`."""
    day = changing.day(change.day, (*location, "day"))
    if change.to <= change.from_:
        changing.findings.note((*location, "to"), f"{change.to} is not after {change.from_}; give a later time")
    _demand(
        AddOrders(
            orders=change.orders,
            from_s=seconds_of(day, change.from_),
            to_s=seconds_of(day, change.to),
            skus=_set(change.skus),
            channels=_set(change.channels),
            region=_region(change.near, change.country, change.postal_prefixes),
        ),
        location,
        changing,
    )


def _demand(change: DemandChange, location: Location, changing: Changing) -> None:
    changing.demand.append(change)
    changing.demand_places.append(location)


def _region(near: NearDocument | None, country: str | None, prefixes: tuple[str, ...] | None) -> Region | None:
    if near is None and country is None:
        return None
    return Region(
        country=country,
        postal_prefixes=prefixes or ("",),
        latitude=None if near is None else near.latitude,
        longitude=None if near is None else near.longitude,
        radius_km=0.0 if near is None else near.radius_km,
    )


def _set(names: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
