"""From plans as arrays to the options of the answer: ranked, without duplicates, in the words of the contract.

Not here: which plans are best. Without history both quantiles of a delivery are the rate card's transit days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from engine.delivery.pickup import PICKUP
from engine.network.model import Network
from engine.network.of_network import of_network
from engine.promising.consolidating import consolidated, senders
from engine.promising.hubs import PIECES
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
    MEDIAN_DAY,
    NINETIETH_DAY,
    NODE,
)

LABELS: tuple[Label, ...] = ("cheapest", "fastest", "balanced", "fewest_shipments")
"""In the order in which a quote tells them."""
Worth = tuple[int, int, int]
"""(cents, day of the last arrival, parcels) of a plan."""
_date = lru_cache(maxsize=4096)(date.fromordinal)
_SHIPPED_FIRST = attrgetter("ship_on", "node_id")
_SLOWEST_FIRST = ("ship_to_store", "standard", "expedited", "next_day", "same_day", PICKUP)


def options_of(plans: Plans, asked: Asked, network: Network) -> tuple[Option, ...]:
    """Return the options, which no other beats in cost, day and parcels, the cheapest first, with their labels.

    What units are worth to later demand counts in that cost, and in no other.
    """
    split_cents, said = network.policy.split_cost_cents, _said_of(network)
    told = [
        (rows[0][COST], rows[0][ARRIVAL_DAY], 1) if len(rows) == 1 else _worth(rows, split_cents) for rows in plans.rows
    ]
    worths = told
    if plans.values:
        worths = [(cents + value, day, n) for (cents, day, n), value in zip(told, plans.values, strict=True)]
    ranked = sorted(range(len(worths)), key=worths.__getitem__)
    labels = _labels([worths[place] for place in ranked])
    found = []
    for number, place in enumerate(ranked):
        rows = plans.rows[place]
        shipments = [
            _shipment(row, part, asked, network, plans, said)
            for row, part in zip(rows, plans.lines[place], strict=True)
        ]
        if plans.pieces:
            shipments = [
                consolidated(each, row, asked, network, plans) for each, row in zip(shipments, rows, strict=True)
            ]
        option = _option(number + 1, labels[number], told[place], rows, shipments, network, plans)
        if plans.values and plans.values[place]:
            option = msgspec.structs.replace(option, stock_value_cents=plans.values[place])
        found.append(option)
    return tuple(found)


def _worth(rows: tuple[tuple[int, ...], ...], split_cents: int) -> Worth:
    cents = sum([row[COST] for row in rows]) + split_cents * (len(rows) - 1)
    return cents, max([row[ARRIVAL_DAY] for row in rows]), len(rows)


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


class _Said(NamedTuple):
    """What a network says of nodes and of services (name, carrier, level), as lists; the last service is a pick-up."""

    node_ids: Sequence[str]
    parcel_cents: Sequence[int]
    unit_cents: Sequence[int]
    services: Sequence[tuple[str, str | None, str]]


@of_network
def _said_of(network: Network) -> _Said:
    services = [*zip(network.services, network.carriers, network.service_levels, strict=True), (PICKUP, None, PICKUP)]
    return _Said(network.node_ids, network.parcel_cost_cents.tolist(), network.unit_cost_cents.tolist(), services)


def _shipment(
    row: tuple[int, ...], part: tuple[int, ...], asked: Asked, network: Network, plans: Plans, said: _Said
) -> Shipment:
    node, service, mask, ship_day, _, _, rate, residential, remote, oversize, fuel, packaging, median, ninetieth = row[
        :PIECES
    ]
    name, carrier, level = said.services[service if asked.place is not None else -1]
    is_pickup = level == PICKUP
    units = plans.units[part[0]] if len(part) == 1 else sum([plans.units[i] for i in part])
    return Shipment(
        node_id=said.node_ids[node],
        service=name,
        carrier=carrier,
        service_level=level,
        ship_on=_date(ship_day),
        delivery=_delivery(median, ninetieth),
        dates_from="history" if plans.from_history[service] else "rate_card",
        lines=(asked.lines[part[0]],) if len(part) == 1 else tuple([asked.lines[i] for i in part]),
        cost=ShipmentCost(
            shipping_cents=rate,
            handling_cents=0 if is_pickup else said.parcel_cents[node],
            units_cents=said.unit_cents[node] * units,
            packaging_cents=packaging,
            residential_cents=residential,
            remote_area_cents=remote,
            oversize_cents=oversize,
            fuel_cents=fuel,
        ),
        to_node_id=said.node_ids[asked.pickup_node] if asked.pickup_node >= 0 and not is_pickup else UNSET,
        cartons=_cartons(mask, network, plans.goods) if network.freight.box_ids and not is_pickup else UNSET,
    )


@lru_cache(maxsize=4096)
def _delivery(median_day: int, ninetieth_day: int) -> Delivery:
    return Delivery(p50=_date(median_day), p90=_date(ninetieth_day))


def _cartons(mask: int, network: Network, goods: Goods) -> tuple[Carton, ...]:
    """Return the cartons of a parcel, those of a kind and weight together."""
    ids, found = network.freight.box_ids, dict[tuple[str | None, int], int]()
    for row in goods.cartons[goods.carton_start[mask] : goods.carton_start[mask + 1]].tolist():
        key = (None if row[BOX] < 0 else ids[row[BOX]], row[WEIGHT_G])
        found[key] = found.get(key, 0) + row[COUNT]
    return tuple(Carton(carton=kind, quantity=count, weight_g=grams) for (kind, grams), count in found.items())


def _option(
    number: int,
    labels: tuple[Label, ...],
    worth: Worth,
    rows: tuple[tuple[int, ...], ...],
    shipments: list[Shipment],
    network: Network,
    plans: Plans,
) -> Option:
    """Return the option of one plan; what is of its only parcel is not made again."""
    first = shipments[0]
    service_level, dates_from, delivery = first.service_level, first.dates_from, first.delivery
    total_cents, arrival_day, parcels = worth
    split_cents = network.policy.split_cost_cents * (parcels - 1)
    if parcels > 1:
        shipments.sort(key=_SHIPPED_FIRST)
        service_level = min([shipment.service_level for shipment in shipments], key=_SLOWEST_FIRST.index)
        dates_from = "rate_card" if "rate_card" in [shipment.dates_from for shipment in shipments] else "history"
        median, ninetieth = max([row[MEDIAN_DAY] for row in rows]), max([row[NINETIETH_DAY] for row in rows])
        delivery = _delivery(median, ninetieth)
    return Option(
        option_id=f"opt_{number}",
        labels=labels,
        service_level=service_level,
        promised_on=_date(arrival_day),
        confidence=network.policy.promise_quantile if network.acceptance is None else _confidence(rows, network, plans),
        dates_from=dates_from,
        delivery=delivery,
        total_cost_cents=total_cents,
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
    cents = astuple(parts[0]) if len(parts) == 1 else tuple(map(sum, zip(*map(astuple, parts), strict=True)))
    shipping, handling, units, packaging, residential, remote_area, oversize, fuel, transfer = cents
    return OptionCost(
        shipping_cents=shipping,
        handling_cents=handling,
        units_cents=units,
        split_cents=split_cents,
        packaging_cents=packaging,
        residential_cents=residential,
        remote_area_cents=remote_area,
        oversize_cents=oversize,
        fuel_cents=fuel,
        transfer_cents=transfer,
    )
