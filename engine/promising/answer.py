"""From plans as arrays to the options of the answer: ranked, without duplicates, in the words of the contract.

Not here: which plans are best. Without history both quantiles of a delivery are the rate card's transit days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
from msgspec import UNSET

from engine.network.document import PolicyDocument
from engine.network.model import Network
from engine.promising.model import (
    PICKUP,
    Carton,
    Delivery,
    Label,
    Option,
    OptionCost,
    Shipment,
    ShipmentCost,
)
from engine.promising.programme import Plans
from engine.promising.request import Asked
from solvers.promise_freight import BOX, COUNT, WEIGHT_G, Goods
from solvers.promise_options import ARRIVAL_DAY, COST

_LABELS: tuple[Label, ...] = ("cheapest", "fastest", "fewest_shipments")
_SLOWEST_FIRST = ("ship_to_store", "standard", "expedited", "next_day", "same_day", PICKUP)


def options_of(plans: Plans, asked: Asked, network: Network) -> tuple[Option, ...]:
    """Return one option for each different plan, the cheapest first, with every label it earns."""
    labels: dict[tuple[tuple[int, ...], ...], list[Label]] = {}
    shipments: dict[tuple[tuple[int, ...], ...], tuple[Shipment, ...]] = {}
    for label, rows, lines in zip(_LABELS, plans.rows, plans.lines, strict=True):
        if not rows:
            continue
        key = tuple(sorted(rows))
        labels.setdefault(key, []).append(label)
        if key not in shipments:
            made = [_shipment(row, part, asked, network, plans) for row, part in zip(rows, lines, strict=True)]
            shipments[key] = tuple(sorted(made, key=lambda shipment: (shipment.ship_on, shipment.node_id)))
    return tuple(
        _option(f"opt_{place}", tuple(labels[key]), parcels, key, network.policy)
        for place, (key, parcels) in enumerate(shipments.items(), start=1)
    )


def _shipment(row: tuple[int, ...], part: tuple[int, ...], asked: Asked, network: Network, plans: Plans) -> Shipment:
    node, service, mask, ship_day, _, _, rate, *added = row
    residential, remote, oversize, fuel, packaging, median_day, ninetieth_day = added
    units_cents = int(network.unit_cost_cents[node]) * sum([plans.units[i] for i in part])
    is_pickup = asked.place is None
    return Shipment(
        node_id=network.node_ids[node],
        service=PICKUP if is_pickup else network.services[service],
        carrier=None if is_pickup else network.carriers[service],
        service_level=PICKUP if is_pickup else network.service_levels[service],
        ship_on=date.fromordinal(ship_day),
        delivery=Delivery(p50=date.fromordinal(median_day), p90=date.fromordinal(ninetieth_day)),
        dates_from="history" if plans.from_history[service] else "rate_card",
        lines=tuple([asked.lines[i] for i in part]),
        cost=ShipmentCost(
            shipping_cents=rate,
            handling_cents=int(network.parcel_cost_cents[node]) if not is_pickup else 0,
            units_cents=units_cents,
            packaging_cents=packaging,
            residential_cents=residential,
            remote_area_cents=remote,
            oversize_cents=oversize,
            fuel_cents=fuel,
        ),
        cartons=_cartons(mask, network, plans.goods) if network.freight.box_ids and not is_pickup else UNSET,
    )


def _cartons(mask: int, network: Network, goods: Goods) -> tuple[Carton, ...]:
    """Return the cartons of a parcel, those of a kind and weight together."""
    ids, found = network.freight.box_ids, dict[tuple[str | None, int], int]()
    for row in goods.cartons[goods.carton_start[mask] : goods.carton_start[mask + 1]].tolist():
        key = (None if row[BOX] < 0 else ids[row[BOX]], row[WEIGHT_G])
        found[key] = found.get(key, 0) + row[COUNT]
    return tuple(Carton(carton=kind, quantity=count, weight_g=grams) for (kind, grams), count in found.items())


def _option(
    option_id: str,
    labels: tuple[Label, ...],
    shipments: tuple[Shipment, ...],
    rows: tuple[tuple[int, ...], ...],
    policy: PolicyDocument,
) -> Option:
    split_cents = policy.split_cost_cents * (len(shipments) - 1)
    return Option(
        option_id=option_id,
        labels=labels,
        service_level=min((shipment.service_level for shipment in shipments), key=_SLOWEST_FIRST.index),
        promised_on=date.fromordinal(max(row[ARRIVAL_DAY] for row in rows)),
        confidence=policy.promise_quantile,
        dates_from="rate_card" if any(shipment.dates_from == "rate_card" for shipment in shipments) else "history",
        delivery=Delivery(
            p50=max(shipment.delivery.p50 for shipment in shipments),
            p90=max(shipment.delivery.p90 for shipment in shipments),
        ),
        total_cost_cents=sum(row[COST] for row in rows) + split_cents,
        cost=_summed([shipment.cost for shipment in shipments], split_cents),
        shipments=shipments,
    )


def _summed(parts: Sequence[ShipmentCost], split_cents: int) -> OptionCost:
    """Return the components of an option's cost."""
    if len(parts) == 1:
        return OptionCost(split_cents=split_cents, **msgspec.structs.asdict(parts[0]))
    return OptionCost(
        shipping_cents=sum([part.shipping_cents for part in parts]),
        handling_cents=sum([part.handling_cents for part in parts]),
        units_cents=sum([part.units_cents for part in parts]),
        split_cents=split_cents,
        packaging_cents=sum([part.packaging_cents for part in parts]),
        residential_cents=sum([part.residential_cents for part in parts]),
        remote_area_cents=sum([part.remote_area_cents for part in parts]),
        oversize_cents=sum([part.oversize_cents for part in parts]),
        fuel_cents=sum([part.fuel_cents for part in parts]),
    )
