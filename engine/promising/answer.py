"""From plans as arrays to the options of the answer: ranked, without duplicates, in the words of the contract.

Not here: which plans are best. With no history yet both quantiles of a delivery are the rate card's transit days.
"""

from __future__ import annotations

from datetime import date

from engine.network.model import Network
from engine.promising.model import (
    PICKUP,
    Delivery,
    Label,
    Option,
    OptionCost,
    Shipment,
    ShipmentCost,
)
from engine.promising.programme import Plans
from engine.promising.request import Asked

CONFIDENCE = 0.9
_LABELS: tuple[Label, ...] = ("cheapest", "fastest", "fewest_shipments")
_SLOWEST_FIRST = ("ship_to_store", "standard", "expedited", "next_day", "same_day", PICKUP)


def options_of(plans: Plans, asked: Asked, network: Network) -> tuple[Option, ...]:
    """Return one option for each different plan, the cheapest first, with every label it earns."""
    labels: dict[tuple[tuple[int, ...], ...], list[Label]] = {}
    shipments: dict[tuple[tuple[int, ...], ...], tuple[Shipment, ...]] = {}
    for label, rows, lines in zip(_LABELS, plans.rows, plans.lines, strict=True):
        if len(rows) == 0:
            continue
        found = rows.tolist()
        key = tuple(sorted(map(tuple, found)))
        labels.setdefault(key, []).append(label)
        if key not in shipments:
            made = [_shipment(row, part, asked, network) for row, part in zip(found, lines, strict=True)]
            shipments[key] = tuple(sorted(made, key=lambda shipment: (shipment.ship_on, shipment.node_id)))
    split_cost = network.policy.split_cost_cents
    return tuple(
        _option(f"opt_{place}", tuple(labels[key]), parcels, split_cost)
        for place, (key, parcels) in enumerate(shipments.items(), start=1)
    )


def _shipment(row: list[int], part: tuple[int, ...], asked: Asked, network: Network) -> Shipment:
    node, service, _, ship_day, arrival_day, cost, shipping = row
    arrives = date.fromordinal(arrival_day)
    units = sum(asked.lines[i].quantity * sum(each for _, each in asked.contents[i].components) for i in part)
    units_cents = int(network.unit_cost_cents[node]) * units
    is_pickup = asked.place is None
    return Shipment(
        node_id=network.node_ids[node],
        service=PICKUP if is_pickup else network.services[service],
        carrier=None if is_pickup else network.carriers[service],
        service_level=PICKUP if is_pickup else network.service_levels[service],
        ship_on=date.fromordinal(ship_day),
        delivery=Delivery(p50=arrives, p90=arrives),
        lines=tuple(asked.lines[i] for i in part),
        cost=ShipmentCost(
            shipping_cents=shipping, handling_cents=cost - shipping - units_cents, units_cents=units_cents
        ),
    )


def _option(option_id: str, labels: tuple[Label, ...], shipments: tuple[Shipment, ...], split_cost: int) -> Option:
    latest = max(shipment.delivery.p90 for shipment in shipments)
    cost = OptionCost(
        shipping_cents=sum(shipment.cost.shipping_cents for shipment in shipments),
        handling_cents=sum(shipment.cost.handling_cents for shipment in shipments),
        units_cents=sum(shipment.cost.units_cents for shipment in shipments),
        split_cents=split_cost * (len(shipments) - 1),
    )
    return Option(
        option_id=option_id,
        labels=labels,
        service_level=min((shipment.service_level for shipment in shipments), key=_SLOWEST_FIRST.index),
        promised_on=latest,
        confidence=CONFIDENCE,
        delivery=Delivery(p50=latest, p90=latest),
        total_cost_cents=cost.shipping_cents + cost.handling_cents + cost.units_cents + cost.split_cents,
        cost=cost,
        shipments=shipments,
    )
