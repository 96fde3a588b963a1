"""The windows that suit an option of a promise: told with it, and checked when one of them is reserved.

An order has one window. So of an option with several parcels, it has to suit each that comes by a service with slots.
Here: an option and its windows. Not here: which day the programme takes (slotted.py), places (engine/inventory).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from msgspec import UNSET

from engine.availability.reference import View
from engine.delivery.pickup import PICKUP, Pickup
from engine.errors import Fault, InvalidInput, SlotClosed
from engine.faults import nearest
from engine.inventory.slots import BookedSlot, WantedSlot
from engine.network.delivery_areas import NO_AREA
from engine.network.slots import Slots, Window
from engine.promising.answer import ranked_again
from engine.promising.model import Option, OptionSlot, PromiseRequest
from engine.promising.windows import Address, FreeWindow, Rules, is_held, rules_for

MOST_SLOTS = 50
"""So many windows are told with one option."""
DEFAULT_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offer:
    """The windows of an order by slot, and the pick-up if it is one; `free` has those with a place left only."""

    view: View
    address: Address
    pickup: Pickup | None
    free: Mapping[int, Sequence[FreeWindow]]

    def told(self, options: Sequence[Option], days: int) -> tuple[Option, ...]:
        """Return the options with their windows, of so many days from the first; without those that share none."""
        found = [self._told(option, days) for option in options]
        kept = tuple(option for option in found if option is not None)
        is_as_before = [o.promised_on for o in kept] == [o.promised_on for o in options]
        return kept if is_as_before else ranked_again(kept)

    def valid(self, options: Sequence[Option]) -> tuple[Option, ...]:
        """Return options that are valid until the last window of their day closes, if that is before."""
        return tuple(self._valid(option) for option in options)

    def _valid(self, option: Option) -> Option:
        if not option.slots or not isinstance(option.valid_until, datetime):
            return option
        named = {slot.slot_id for slot in option.slots if slot.day == option.promised_on}
        closes = max(e.window.closes for entries in self.free.values() for e in entries if e.window.slot_id in named)
        return msgspec.structs.replace(option, valid_until=min(option.valid_until, closes))

    def _told(self, option: Option, days: int) -> Option | None:
        """Return an option with its windows, on the day of the first; None if it needs one and there is none."""
        rules = rules_of(option, self.view, self.address, self.pickup)
        if rules is None:
            return option
        ready_at = _ready_at(option)
        first_day = option.promised_on.toordinal()
        fitting = [
            entry.window
            for rule in rules
            for entry in self.free[rule]
            if entry.window.day >= first_day and (ready_at is None or entry.window.begins >= ready_at)
        ]
        if not fitting:
            return None
        fitting.sort(key=lambda window: (window.begins, window.ends, window.slot))
        first = fitting[0]
        told = [shown(window) for window in fitting if window.day < first.day + days]
        changed = msgspec.structs.replace(
            option, promised_on=date.fromordinal(first.day), slots=tuple(told[:MOST_SLOTS])
        )
        return _ready_by(changed, first)


def shown(window: Window) -> OptionSlot:
    """Return a window as it goes over the wire, its times in its own time zone."""
    return OptionSlot(
        slot_id=window.slot_id,
        day=date.fromordinal(window.day),
        begins=window.begins.astimezone(window.time_zone),
        ends=window.ends.astimezone(window.time_zone),
        fee_cents=window.fee_cents,
    )


def rules_of(option: Option, view: View, address: Address, pickup: Pickup | None) -> Rules | None:
    """Return the slots that suit all parcels of an option; None if it has no slots."""
    slots, network = view.network.slots, view.network
    if slots is None:
        return None
    if pickup is not None:
        return slots.of_pickup.get(pickup.node)
    common: set[int] | None = None
    for shipment in option.shipments:
        if shipment.service not in network.services or shipment.node_id not in network.index:
            continue
        service, node = network.services.index(shipment.service), network.index[shipment.node_id]
        rules = rules_for(slots, service, node, address)
        if rules:
            common = set(rules) if common is None else common & set(rules)
    return None if common is None else tuple(sorted(common))


def slot_of_option(option: Option, request: PromiseRequest, view: View, slot_id: str, now: datetime) -> WantedSlot:
    """Return the window that a reservation of an option asks for; raises InvalidInput, or SlotClosed."""
    slots, rule, day = _found(view, slot_id)
    network = view.network
    if request.pickup_node_id is not None:
        rules = slots.of_pickup.get(network.index.get(request.pickup_node_id, -1))
        area = NO_AREA
    else:
        address = address_of(request, view)
        rules, area = rules_of(option, view, address, None), address.area
    if rules is None or rule not in rules:
        message = f"{slot_id!r} is not for this option; take one of its slots, or of GET /v1/slots"
        raise InvalidInput(Fault(path="$.slot_id", message=message))
    wanted = _open(view, slots, rule, day, area, now)
    begins = wanted.booked.begins
    is_early = day < option.promised_on.toordinal()
    if is_early or (isinstance(option.ready_at, datetime) and begins < option.ready_at):
        message = f"{slot_id!r} begins before the option is there; take a later one"
        raise InvalidInput(Fault(path="$.slot_id", message=message))
    return wanted


def slot_by_id(view: View, slot_id: str, now: datetime) -> WantedSlot:
    """Return a window that may be booked now; raises InvalidInput, or SlotClosed."""
    slots, rule, day = _found(view, slot_id)
    return _open(view, slots, rule, day, NO_AREA, now)


def address_of(request: PromiseRequest, view: View) -> Address:
    """Return what slots look at in the destination of a request."""
    wanted, areas = request.destination, view.network.delivery_areas
    if wanted is None or request.pickup_node_id is not None:
        return Address()
    area = NO_AREA if areas is None else areas.calendar_at(wanted.country, wanted.postal_code)
    return Address(country=wanted.country, postal_code=wanted.postal_code, area=area)


def _found(view: View, slot_id: str) -> tuple[Slots, int, int]:
    slots = view.network.slots
    found = None if slots is None else slots.find(slot_id)
    if slots is None or found is None:
        known = () if slots is None else tuple(slots.index)
        slot = slot_id.rpartition("@")[0]
        remedy = "it is not there on that day" if slot in known else nearest(slot or slot_id, known)
        raise InvalidInput(Fault(path="$.slot_id", message=f"unknown slot {slot_id!r}; {remedy}"))
    return slots, *found


def _open(view: View, slots: Slots, rule: int, day: int, area: int, now: datetime) -> WantedSlot:
    window = slots.window(rule, day)
    if window is None or not is_held(view, rule, day, now, area) or day not in slots.days(rule, now):
        raise SlotClosed(
            f"The slot {slots.rules[rule].slot} cannot be booked for {date.fromordinal(day)}. Take another."
        )
    if not window.is_open(now):
        closed = window.closes.astimezone(window.time_zone).isoformat()
        raise SlotClosed(f"The slot {window.slot_id} could be booked until {closed}. Take a later one.")
    booked = BookedSlot(
        slot_id=window.slot_id,
        begins=window.begins.astimezone(window.time_zone),
        ends=window.ends.astimezone(window.time_zone),
        fee_cents=window.fee_cents,
    )
    return WantedSlot(booked=booked, slot=window.slot, day=day, capacity=window.capacity)


def _ready_at(option: Option) -> datetime | None:
    """Return from when on an option can be picked up, None if the day is all that is known.

    A parcel of another node is ready when the store opens, or came on an earlier day than it is promised for.
    """
    own = [shipment.ready_at for shipment in option.shipments if shipment.service_level == PICKUP]
    return max((at for at in own if isinstance(at, datetime)), default=None)


def _ready_by(option: Option, window: Window) -> Option:
    """Return an option of a pick-up that says that it is ready when its first window begins, if not before."""
    if option.ready_at is UNSET:
        return option
    begins = window.begins.astimezone(window.time_zone)
    shipments = tuple(
        msgspec.structs.replace(s, ready_at=min(s.ready_at, begins)) if isinstance(s.ready_at, datetime) else s
        for s in option.shipments
    )
    ready_at = min(option.ready_at, begins) if isinstance(option.ready_at, datetime) else option.ready_at
    return msgspec.structs.replace(option, shipments=shipments, ready_at=ready_at)
