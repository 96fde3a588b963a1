"""What a kept promise still is worth when a reservation names one of its options.

Here: whether it is still valid, whether its days can still be kept, what it holds. Not here: stock, which the hold
itself checks; keeping (store.py); a fresh promise in its place (service.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from msgspec import UNSET

from engine.availability.reference import View
from engine.catalog.model import Catalog
from engine.delivery.pickup import PICKUP, pickup_at
from engine.delivery.promised import PromisedParcel, PromisedTerms, text_of
from engine.errors import Fault, InvalidInput, NotFound, PromiseExpired, PromiseStale
from engine.faults import nearest
from engine.inventory.model import HoldLine
from engine.network.days import NEVER
from engine.promising.consolidating import first_day, held
from engine.promising.making import working_day
from engine.promising.model import KeptPromise, Option, Peg, PromisedHold, PromiseLine, Shipment
from engine.promising.pegging import Pegs

_INSTANT = timedelta(microseconds=1)
_Leaving = tuple[str, str, str, date, int | None]
"""A node, what it does, and how, on which day as promised, and the first on which it could now; None: it is gone."""


def still_valid(kept: KeptPromise | None, promise_id: str, now: datetime) -> KeptPromise:
    """Return the promise; raises PromiseExpired, or NotFound if there never was one, as far as its id tells."""
    if kept is None:
        if _has_expired(promise_id, now):
            raise PromiseExpired(f"The promise {promise_id} has expired. Ask for a new one.")
        raise NotFound(f"There is no promise {promise_id}. Ask for a new one.")
    if now >= kept.promise.expires_at:
        raise PromiseExpired(f"The promise {promise_id} expired at {kept.promise.expires_at}. Ask for a new one.")
    return kept


def option_of(kept: KeptPromise, option_id: str) -> Option:
    """Return an option of the promise; raises InvalidInput that names the nearest."""
    by_id = {option.option_id: option for option in kept.promise.options}
    if option_id not in by_id:
        message = f"the promise has no option {option_id!r}; {nearest(option_id, by_id)}"
        raise InvalidInput(Fault(path="$.option_id", message=message))
    return by_id[option_id]


def check_days(option: Option, view: View, now: datetime) -> None:
    """Raise PromiseStale if a parcel of the option, or what is sent to its hub, can no longer leave on its day."""
    for shipment in option.shipments:
        for node_id, verb, how, promised, earliest in _leaving(shipment, view, now):
            if earliest is None or earliest >= NEVER:
                raise PromiseStale(f"{node_id} does not {verb} {how} any more. Take one of the fresh options.")
            if earliest > promised.toordinal():
                raise PromiseStale(
                    f"{node_id} {verb}s {how} on {date.fromordinal(earliest)} at the earliest; "
                    f"promised was {promised}. Take one of the fresh options."
                )


def with_validity(options: Sequence[Option], view: View, now: datetime, expires_at: datetime) -> tuple[Option, ...]:
    """Return options with the instant from which their days cannot be kept, if they are not reserved by then.

    That is when `check_days` first refuses them: a cut-off, a pick-up or a closing time; or `expires_at`.
    """
    has_hubs = view.network.hubs is not None and _use_hubs(options)
    has_times = has_hubs or any(option.ready_at is not UNSET for option in options)
    if not has_times and view.days.is_steady(now, expires_at - _INSTANT):
        return tuple([msgspec.structs.replace(option, valid_until=expires_at) for option in options])
    known, end = view.days.noted(now), expires_at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    found = []
    for option in options:
        until = expires_at
        for shipment in option.shipments:
            if shipment.service == PICKUP or shipment.consolidates is not UNSET or view.catalog.making_days:
                until = min(until, _kept_until(shipment, view, now, expires_at))
                continue
            key = shipment.node_id, shipment.service, shipment.ship_on, end
            if key not in known:
                known[key] = _kept_until(shipment, view, now, end)
            until = min(until, known[key])
        found.append(msgspec.structs.replace(option, valid_until=until))
    return tuple(found)


def _use_hubs(options: Sequence[Option]) -> bool:
    """Say whether a hub packs any parcel; its transfers have cut-offs of their own."""
    return any(shipment.consolidates is not UNSET for option in options for shipment in option.shipments)


def _kept_until(shipment: Shipment, view: View, now: datetime, expires_at: datetime) -> datetime:
    """Return the first instant at which a parcel that can be handed over on its day now cannot be any more.

    Days of hand-over never come closer as time goes by, so it is found by halving: in minutes, as cut-offs are, or in
    microseconds for a basket, which takes so many minutes from whenever it is ordered.
    """
    if _is_kept(shipment, view, expires_at - _INSTANT):
        return expires_at
    unit = _INSTANT if shipment.service == PICKUP else timedelta(minutes=1)
    start = now.astimezone(UTC) if unit is _INSTANT else now.astimezone(UTC).replace(second=0, microsecond=0)
    first, end = 0, -((start - expires_at) // unit)
    while end - first > 1:
        middle = (first + end) // 2
        if _is_kept(shipment, view, start + middle * unit):
            first = middle
        else:
            end = middle
    return start + end * unit


def _is_kept(shipment: Shipment, view: View, at: datetime) -> bool:
    return all(
        earliest is not None and earliest <= promised.toordinal()
        for _, _, _, promised, earliest in _leaving(shipment, view, at)
    )


def hold_of(kept: KeptPromise, option: Option, catalog: Catalog, pegs: Pegs | None = None) -> PromisedHold:
    """Return what a reservation of an option has to hold, kits as their products, its date, channel and terms.

    With `pegs`, units that wait for a supply are pegged to it, as things stand now.
    """
    lines: list[HoldLine] = []
    for shipment in option.shipments:
        for line, node_id, ship_on in held(shipment):
            for sku, each in kept.kits.get(line.sku, ((line.sku, 1),)):
                units = each * line.quantity
                waiting = [] if pegs is None else pegs.take(sku, node_id, ship_on, units)
                lines += _lines(sku, units, node_id, ship_on, waiting)
    return PromisedHold(
        lines=tuple(lines),
        promised_on=option.promised_on,
        channel=kept.promise.channel,
        promised=text_of(_terms(kept, option, catalog)),
    )


def _terms(kept: KeptPromise, option: Option, catalog: Catalog) -> PromisedTerms:
    """Return what an order needs to know of an option, beside its lines."""
    request = kept.request
    levels = None if request is None else request.service_levels
    to = None if request is None else request.destination
    return PromisedTerms(
        service_level=option.service_level,
        p50=option.delivery.p50,
        p90=option.delivery.p90,
        parcels=tuple(
            PromisedParcel(
                node_id=shipment.node_id,
                service=shipment.service,
                ship_on=shipment.ship_on,
                weight_g=sum(
                    line.quantity * catalog.content[line.sku].weight_g
                    for line in shipment.lines
                    if line.sku in catalog.content
                ),
            )
            for shipment in option.shipments
        ),
        pickup_node_id=None if request is None else request.pickup_node_id,
        wanted_level=levels[0] if levels is not None and len(levels) == 1 else None,
        time_zone=None if to is None else to.time_zone,
        residential=to is not None and to.residential,
        is_po_box=to is not None and to.is_po_box,
    )


def _lines(sku: str, units: int, node_id: str, ship_on: date, pegs: Sequence[Peg]) -> list[HoldLine]:
    """Return units that leave a node as lines to hold: those that are there, and those of each supply."""
    there = units - sum(peg.quantity for peg in pegs)
    lines = [HoldLine(sku=sku, quantity=there, node_id=node_id, ship_on=ship_on)] if there else []
    for peg in pegs:
        line = HoldLine(sku=sku, quantity=peg.quantity, node_id=node_id, ship_on=ship_on, supply_id=peg.supply_id)
        lines.append(line)
    return lines


def _leaving(shipment: Shipment, view: View, now: datetime) -> Iterator[_Leaving]:
    """Yield what is sent to the hub of a parcel, then the parcel, and when each could leave if it were ordered now."""
    for transfer in shipment.consolidates or ():
        earliest = first_day(transfer, shipment.node_id, view, now)
        if earliest is not None:
            earliest = _after_making(earliest, view.network.index[transfer.node_id], transfer.lines, view, now)
        yield transfer.node_id, "send", f"to {shipment.node_id}", transfer.ship_on, earliest
    yield shipment.node_id, "ship", f"by {shipment.service}", shipment.ship_on, _earliest(shipment, view, now)


def _earliest(shipment: Shipment, view: View, now: datetime) -> int | None:
    """Return the first day of hand-over of an order that came now, None if the node or the service is gone.

    What is sent to a hub is another matter; a hub that has nothing of the parcel itself could hand it over at any time.
    """
    network, today = view.network, view.days.at(now)
    node = network.index.get(shipment.node_id)
    if node is None:
        return None
    if shipment.service == PICKUP and shipment.carrier is None:
        ready = pickup_at(network, today, node, now).ready_day
    elif shipment.service in network.services and network.serves[network.services.index(shipment.service), node]:
        ready = int(today.ready[network.services.index(shipment.service), node])
    else:
        return None
    if shipment.consolidates is UNSET:
        return _after_making(ready, node, shipment.lines, view, now)
    own = [line for line, node_id, _ in held(shipment) if node_id == shipment.node_id]
    return _after_making(ready, node, own, view, now) if own else 0


def _after_making(ready: int, node: int, lines: Sequence[PromiseLine], view: View, now: datetime) -> int:
    """Return a first day of hand-over, or the later one on which the node has made what is made to order."""
    catalog = view.catalog
    if not catalog.making_days:
        return ready
    contents = (catalog.content[line.sku] for line in lines if line.sku in catalog.content)
    days = max((catalog.making_days.get(sku, 0) for content in contents for sku, _ in content.components), default=0)
    today = view.days.at(now)
    return max(ready, working_day(view.network, today, node, int(today.ready[-1, node]), days)) if days else ready


def _has_expired(promise_id: str, now: datetime) -> bool:
    """Say whether an id was given to a promise that is past its time; the id begins with that time."""
    try:
        expires_at = datetime.fromtimestamp(int(promise_id.removeprefix("prm_")[:8], 16), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return expires_at <= now
