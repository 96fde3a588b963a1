"""From a scenario's world, written out, to the network and catalog documents that services take.

Here: defaults that one part takes from another, calendars and zones that need not be written. Not here: stock
(stock.py), worlds of files (files.py) and drawn ones (generating.py), changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.catalog.checks import check_catalog
from engine.catalog.document import CatalogDocument, ProductDocument
from engine.network.checks import check_network
from engine.network.document import (
    CalendarDocument,
    NetworkDocument,
    NodeDocument,
    RateDocument,
    ServiceDocument,
    ZoneDocument,
)
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.validating import Findings, location_of
from engine.scenarios.world_document import (
    EVERY_DAY,
    EVERYWHERE,
    CarrierDocument,
    StoryNodeDocument,
    StoryRateDocument,
    StoryServiceDocument,
)
from engine.scenarios.yaml_tree import Location

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CALENDARS = {
    EVERY_DAY: CalendarDocument(calendar=EVERY_DAY, working_days=WEEK),
    "weekdays": CalendarDocument(calendar="weekdays", working_days=WEEK[:5]),
    "six_days": CalendarDocument(calendar="six_days", working_days=WEEK[:6]),
}


def written_network(scenario: ScenarioDocument, findings: Findings) -> NetworkDocument | None:
    """Return the network of `nodes` and `carriers`, with faults noted; None if there is none."""
    for key in ("nodes", "carriers"):
        if not getattr(scenario, key):
            findings.note((), f"{key!r} is required in a world that is written out; add at least one")
            return None
    named = {calendar.calendar for calendar in scenario.calendars}
    zones = scenario.zones or (ZoneDocument(zone=EVERYWHERE),)
    for at, carrier in enumerate(scenario.carriers):
        for place, service in enumerate(carrier.services):
            _note_prices(service, ("carriers", at, "services", place), findings)
    network = NetworkDocument(
        name=scenario.name,
        currency=scenario.currency,
        nodes=tuple(whole_node(node, scenario.time_zone) for node in scenario.nodes),
        groups=scenario.groups,
        calendars=(*scenario.calendars, *(each for name, each in CALENDARS.items() if name not in named)),
        zones=zones,
        services=tuple(
            _service(service, carrier, zones) for carrier in scenario.carriers for service in carrier.services
        ),
        policy=scenario.policy,
        postal_codes=scenario.postal_codes,
        transfers=scenario.transfers,
    )
    places = [(at, place) for at, carrier in enumerate(scenario.carriers) for place in range(len(carrier.services))]
    for fault in check_network(network):
        findings.note(_as_written(location_of(fault.path), places), findings.in_lines(fault.message))
    return network


def _as_written(location: Location, places: list[tuple[int, int]]) -> Location:
    """Return where a place in the network document stands in the scenario."""
    if len(location) > 1 and location[0] == "services" and isinstance(location[1], int):
        carrier, service = places[location[1]]
        return ("carriers", carrier, "services", service, *location[2:])
    return location


def whole_node(node: StoryNodeDocument, time_zone: str) -> NodeDocument:
    """Return a node of the network; without a time zone it is in the story's."""
    return NodeDocument(**(_fields(node) | {"time_zone": node.time_zone or time_zone}))


def _note_prices(service: StoryServiceDocument, location: Location, findings: Findings) -> None:
    has_price = service.cost_cents is not None and service.transit_days is not None
    has_any = service.cost_cents is not None or service.transit_days is not None
    if service.rates and has_any:
        findings.note(location, "has rates, and a price for all; leave one of them out")
    elif not service.rates and not has_price:
        findings.note(location, "has no price; give cost_cents and transit_days, or rates")


def _service(
    service: StoryServiceDocument, carrier: CarrierDocument, zones: tuple[ZoneDocument, ...]
) -> ServiceDocument:
    rates = service.rates or (
        StoryRateDocument(cost_cents=service.cost_cents or 0, transit_days=service.transit_days or 0),
    )
    whole = _fields(service) | {
        "carrier": service.carrier or carrier.carrier,
        "calendar": service.calendar or carrier.calendar,
        "rates": tuple(each for rate in rates for each in _rates(rate, zones)),
    }
    return ServiceDocument(**{name: value for name, value in whole.items() if name in ServiceDocument.model_fields})


def _rates(rate: StoryRateDocument, zones: tuple[ZoneDocument, ...]) -> Iterator[RateDocument]:
    for zone in [rate.zone] if rate.zone else [each.zone for each in zones]:
        yield RateDocument(**(_fields(rate) | {"zone": zone}))


def _fields(document: Any) -> dict[str, Any]:
    return {name: getattr(document, name) for name in type(document).model_fields}


def written_catalog(scenario: ScenarioDocument, findings: Findings) -> CatalogDocument | None:
    """Return the catalog of `products`, `kits` and `substitutes`, with faults noted; None if there are no products."""
    if not scenario.products or isinstance(scenario.products, str):
        return None
    catalog = CatalogDocument(
        products=tuple(ProductDocument(**_by_alias(product)) for product in scenario.products),
        kits=scenario.kits,
        substitutes=scenario.substitutes,
    )
    findings.note_all(check_catalog(catalog))
    return catalog


def _by_alias(document: Any) -> dict[str, Any]:
    return {field.alias or name: getattr(document, name) for name, field in type(document).model_fields.items()}
