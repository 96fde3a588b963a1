"""From plans as arrays to the options of the answer: ranked, without duplicates, in the words of the contract.

Not here: which plans are best. Without history both quantiles of a delivery are the rate card's transit days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import attrgetter

import msgspec
from msgspec import UNSET

from engine.delivery.pickup import PICKUP
from engine.network.model import Network
from engine.promising.consolidating import consolidated, senders
from engine.promising.model import (
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
from solvers.promise_options import (
    ARRIVAL_DAY,
    COST,
    FUEL,
    MASK,
    MEDIAN_DAY,
    NINETIETH_DAY,
    NODE,
    OVERSIZE,
    PACKAGING,
    RATE,
    REMOTE,
    RESIDENTIAL,
    SERVICE,
    SHIP_DAY,
)

LABELS: tuple[Label, ...] = ("cheapest", "fastest", "balanced", "fewest_shipments")
"""In the order in which a quote tells them."""
Worth = tuple[int, int, int]
"""(cents by which it is ranked, day of the last arrival, parcels) of a plan."""
_SHIPPED_FIRST = attrgetter("ship_on", "node_id")
_SLOWEST_FIRST = ("ship_to_store", "standard", "expedited", "next_day", "same_day", PICKUP)


def options_of(plans: Plans, asked: Asked, network: Network) -> tuple[Option, ...]:
    """Return the options, which no other beats in cost, day and parcels, the cheapest first, with their labels.

    What units are worth to later demand counts in that cost, and in no other.
    """
    split_cents = network.policy.split_cost_cents
    worths = [
        (
            sum([row[COST] for row in rows]) + split_cents * (len(rows) - 1),
            max([row[ARRIVAL_DAY] for row in rows]),
            len(rows),
        )
        for rows in plans.rows
    ]
    if plans.values:
        worths = [(cents + value, day, n) for (cents, day, n), value in zip(worths, plans.values, strict=True)]
    ranked = sorted(range(len(worths)), key=worths.__getitem__)
    labels = _labels([worths[place] for place in ranked])
    options = [
        _option(f"opt_{number + 1}", labels[number], plans.rows[place], plans.lines[place], asked, network, plans)
        for number, place in enumerate(ranked)
    ]
    if plans.values:
        options = [
            msgspec.structs.replace(option, stock_value_cents=plans.values[place] or UNSET)
            for option, place in zip(options, ranked, strict=True)
        ]
    return tuple(options)


def quoted(options: tuple[Option, ...], quote: int | None) -> tuple[Option, ...]:
    """Return so many options: by label, in the order of `LABELS`, then the cheapest of the others; ranked as before."""
    if quote is None or len(options) <= quote:
        return options
    first = {label: place for place, option in enumerate(options) for label in option.labels}
    wanted = [*(first[label] for label in LABELS if label in first), *range(len(options))]
    kept = list(dict.fromkeys(wanted))[:quote]
    return tuple(options[place] for place in sorted(kept))


def ranked_again(options: Sequence[Option]) -> tuple[Option, ...]:
    """Return options whose days have moved without those that others beat now, the cheapest first, labelled anew."""
    worth = {o.option_id: (ranked_cents(o), o.promised_on.toordinal(), len(o.shipments)) for o in options}
    ranked = sorted(options, key=lambda option: worth[option.option_id])
    kept: list[Option] = []
    for option in ranked:
        mine = worth[option.option_id]
        if not any(all(a <= b for a, b in zip(worth[o.option_id], mine, strict=True)) for o in kept):
            kept.append(option)
    labels = _labels([worth[option.option_id] for option in kept])
    return tuple(msgspec.structs.replace(o, labels=each) for o, each in zip(kept, labels, strict=True))


def ranked_cents(option: Option) -> int:
    """Return what an option is ranked by: its cost, and what its units are worth to later demand."""
    value = option.stock_value_cents
    return option.total_cost_cents + (value if isinstance(value, int) else 0)


def _labels(worths: Sequence[Worth]) -> list[tuple[Label, ...]]:
    """Return the labels of options of these worths, the cheapest first.

    Balanced is, of those that are best in nothing, the one that is the least share of the way from the best to the
    worst in cost, day and parcels, added up.
    """
    if len(worths) < 2:
        return [("cheapest", "fastest", "fewest_shipments")] * len(worths)
    costs, days, parcels = zip(*worths, strict=True)
    found: list[list[Label]] = [[] for _ in worths]
    found[0].append("cheapest")
    found[days.index(min(days))].append("fastest")  # the first of them, which is the cheapest
    found[parcels.index(min(parcels))].append("fewest_shipments")
    between = [place for place, labels in enumerate(found) if not labels]
    if between:
        scales = [(column, min(column), max(max(column) - min(column), 1)) for column in (costs, days, parcels)]
        shares = [sum([(column[i] - low) / wide for column, low, wide in scales]) for i in between]
        found[between[shares.index(min(shares))]].append("balanced")
    return [tuple(labels) for labels in found]


def _shipment(row: tuple[int, ...], part: tuple[int, ...], asked: Asked, network: Network, plans: Plans) -> Shipment:
    node, service = row[NODE], row[SERVICE]
    is_pickup = asked.place is None or service == len(network.services)
    is_transfer = asked.pickup_node >= 0 and not is_pickup
    units = plans.units[part[0]] if len(part) == 1 else sum([plans.units[i] for i in part])
    return Shipment(
        node_id=network.node_ids[node],
        service=PICKUP if is_pickup else network.services[service],
        carrier=None if is_pickup else network.carriers[service],
        service_level=PICKUP if is_pickup else network.service_levels[service],
        ship_on=date.fromordinal(row[SHIP_DAY]),
        delivery=Delivery(p50=date.fromordinal(row[MEDIAN_DAY]), p90=date.fromordinal(row[NINETIETH_DAY])),
        dates_from="history" if plans.from_history[service] else "rate_card",
        lines=(asked.lines[part[0]],) if len(part) == 1 else tuple([asked.lines[i] for i in part]),
        cost=ShipmentCost(
            shipping_cents=row[RATE],
            handling_cents=0 if is_pickup else network.parcel_cost_cents.item(node),
            units_cents=network.unit_cost_cents.item(node) * units,
            packaging_cents=row[PACKAGING],
            residential_cents=row[RESIDENTIAL],
            remote_area_cents=row[REMOTE],
            oversize_cents=row[OVERSIZE],
            fuel_cents=row[FUEL],
        ),
        to_node_id=network.node_ids[asked.pickup_node] if is_transfer else UNSET,
        cartons=_cartons(row[MASK], network, plans.goods) if network.freight.box_ids and not is_pickup else UNSET,
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
    rows: tuple[tuple[int, ...], ...],
    lines: tuple[tuple[int, ...], ...],
    asked: Asked,
    network: Network,
    plans: Plans,
) -> Option:
    """Return the option of one plan."""
    shipments = [_shipment(row, part, asked, network, plans) for row, part in zip(rows, lines, strict=True)]
    if plans.pieces:
        shipments = [consolidated(one, row, asked, network, plans) for one, row in zip(shipments, rows, strict=True)]
    split_cents = network.policy.split_cost_cents * (len(shipments) - 1)
    days = list(zip(*rows, strict=True))
    first = shipments[0]
    service_level, dates_from, delivery = first.service_level, first.dates_from, first.delivery
    if len(shipments) > 1:
        shipments.sort(key=_SHIPPED_FIRST)
        service_level = min([shipment.service_level for shipment in shipments], key=_SLOWEST_FIRST.index)
        dates_from = "rate_card" if "rate_card" in [shipment.dates_from for shipment in shipments] else "history"
        delivery = Delivery(p50=date.fromordinal(max(days[MEDIAN_DAY])), p90=date.fromordinal(max(days[NINETIETH_DAY])))
    return Option(
        option_id=option_id,
        labels=labels,
        service_level=service_level,
        promised_on=date.fromordinal(max(days[ARRIVAL_DAY])),
        confidence=network.policy.promise_quantile if network.acceptance is None else _confidence(rows, network, plans),
        dates_from=dates_from,
        delivery=delivery,
        total_cost_cents=sum(days[COST]) + split_cents,
        cost=_summed([shipment.cost for shipment in shipments], split_cents),
        shipments=tuple(shipments),
    )


def _confidence(rows: tuple[tuple[int, ...], ...], network: Network, plans: Plans) -> float:
    """Return the share of parcels that arrive in time, times that of orders that the vendors among the nodes take."""
    confidence = network.policy.promise_quantile
    nodes = [row[NODE] for row in rows]
    if plans.pieces:
        nodes += senders(rows, plans)
    for node in nodes:
        confidence *= 1.0 if network.acceptance is None else network.acceptance[node]
    return round(confidence, 6)


def _summed(parts: Sequence[ShipmentCost], split_cents: int) -> OptionCost:
    """Return the components of an option's cost."""
    if len(parts) == 1:
        only = parts[0]
        return OptionCost(
            shipping_cents=only.shipping_cents,
            handling_cents=only.handling_cents,
            units_cents=only.units_cents,
            split_cents=split_cents,
            packaging_cents=only.packaging_cents,
            residential_cents=only.residential_cents,
            remote_area_cents=only.remote_area_cents,
            oversize_cents=only.oversize_cents,
            fuel_cents=only.fuel_cents,
            transfer_cents=only.transfer_cents,
        )
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
        transfer_cents=sum([part.transfer_cents for part in parts]),
    )
