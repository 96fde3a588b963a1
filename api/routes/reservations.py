"""Reservations over HTTP: hold by lines or by a promise, then confirm, cancel, extend or consume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.errors import Located, kind_of, problem
from api.fresh import refused_with_promise
from api.idempotency import request_id
from api.schemas import reservations as wire
from api.schemas.fields import Nothing
from engine.bootstrap import Engine
from engine.errors import (
    AllotError,
    Fault,
    IllegalState,
    InsufficientStock,
    InvalidInput,
    NotFound,
    PromiseExpired,
    PromiseStale,
    SlotClosed,
    SlotFull,
    SupplyUnavailable,
    TooManyHolds,
)
from engine.inventory.model import HoldLine, Outcome, Reservation
from engine.inventory.slots import BookedSlot
from engine.promising.model import PromisedHold
from engine.promising.service import with_slot

RESERVATION = {"reservation_id": "res_1"}
PATH = "/v1/reservations/{reservation_id}"
_BINDING = {"held", "confirmed"}


async def reserve(call: Call[wire.ReservationBody, NoQuery]) -> Answer:
    """Holds all lines or none, for ttl_seconds (900 unless given): a binding claim on stock that others cannot take.

    Name a promise_id and one of its option_ids, or say lines with their nodes; without a channel, that of the promise
    counts. If stock is short, the answer is 409 with every short line and what is available of it. If an option has
    become stale, because its stock or its day is gone or it has expired, that answer has a fresh `promise` to choose
    from. With a slot_id, a place of that window is booked as long as the reservation lasts; if it is full or closed,
    the answer is 409 with a fresh `promise` too. A line with a supply_id comes from that supply (backorder,
    preorder): it ships on the day the supply is expected, and follows when that day moves.
    """
    _check_form(call.body)
    try:
        held = await _held(call)
    except (InsufficientStock, SupplyUnavailable) as error:
        if isinstance(error, SupplyUnavailable) and call.body.lines is not None:
            raise
        refusal = Located(error, _places(error, call.body.lines))
        if call.body.promise_id is not None and call.replay is not None:
            refused = await refused_with_promise(call.engine, call.replay, refusal, call.body.promise_id)
            refused.replayed = error.replayed
            raise refused from None
        raise refusal from None
    except SlotFull as error:
        refusal = Located(error, [Fault(path="$.slot_id", message=f"{error.slot_id!r} is full; take another")])
        if call.replay is None:
            raise refusal from None
        promise_id, is_recorded = call.body.promise_id, error.is_recorded
        raise await refused_with_promise(
            call.engine, call.replay, refusal, promise_id, is_recorded=is_recorded
        ) from None
    return Answer(value=await _with_slot(call.engine, held), status=201, is_replayed=held.replayed)


def _check_form(body: wire.ReservationBody) -> None:
    """Raise InvalidInput unless the body has lines, or a promise and its option, and not both."""
    if body.lines is not None:
        for name in ("promise_id", "option_id"):
            if getattr(body, name) is not None:
                message = "lines and promise_id exclude each other; say what to hold in one of the two ways"
                raise InvalidInput(Fault(path="$.lines", message=message))
        return
    if body.promise_id is None and body.option_id is None:
        message = "nothing to hold; give lines, or promise_id and option_id"
        raise InvalidInput(Fault(path="$", message=message))
    for name, value in (("promise_id", body.promise_id), ("option_id", body.option_id)):
        if value is None:
            raise InvalidInput(Fault(path=f"$.{name}", message=f"{name!r} is required with the other; add it"))


async def _held(call: Call[wire.ReservationBody, NoQuery]) -> Outcome[Reservation]:
    try:
        promised = await _wanted(call)
    except (InvalidInput, NotFound, PromiseExpired, PromiseStale, SlotClosed) as error:
        return await _earlier(call, error)
    body = call.body
    return await call.engine.inventory.hold(
        promised.lines,
        ttl_seconds=body.ttl_seconds,
        channel=promised.channel if body.channel is None else body.channel,
        reference=body.reference,
        promised_on=promised.promised_on,
        promised=promised.promised,
        slot=promised.slot,
        replay=call.replay,
    )


async def _wanted(call: Call[wire.ReservationBody, NoQuery]) -> PromisedHold:
    """Return the lines to hold, with the date and the channel of the promise behind them if there is one."""
    body = call.body
    if body.lines is not None:
        hold = PromisedHold(lines=hold_lines(body.lines))
        return hold if body.slot_id is None else with_slot(hold, await call.engine.promising.slot(body.slot_id))
    if body.promise_id is None or body.option_id is None:  # _check_form has seen to that
        raise AssertionError(body)
    return await call.engine.promising.promised_hold(body.promise_id, body.option_id, body.slot_id)


async def _earlier(call: Call[wire.ReservationBody, NoQuery], error: AllotError) -> Outcome[Reservation]:
    """Return what this key was answered before its promise went away; else keep the refusal for it, and raise it."""
    if call.replay is None:
        raise error
    before = await call.engine.stock.recall(call.replay)
    if before is not None and call.body.slot_id is not None and isinstance(before.value, Reservation):
        return await call.engine.slots.settled(Outcome(value=before.value, replayed=True), call.body.slot_id)
    if (
        before is None
        and isinstance(error, PromiseExpired | PromiseStale | SlotClosed)
        and call.body.promise_id is not None
    ):
        raise await refused_with_promise(call.engine, call.replay, error, call.body.promise_id, is_recorded=False)
    if before is None and not isinstance(error, InvalidInput):
        refusal = msgspec.json.encode(problem(error, request_id(call.replay)))
        before = await call.engine.stock.remember(call.replay, kind_of(error).status, refusal)
    if before is None or not isinstance(before.value, Reservation):
        raise error
    return Outcome(value=before.value, replayed=True)


def _places(error: InsufficientStock | SupplyUnavailable, lines: Sequence[wire.HoldLineBody] | None) -> list[Fault]:
    """Return the places in the request that are short: its lines, or the option it named."""
    if isinstance(error, SupplyUnavailable):
        return [Fault(path="$.option_id", message=fault.message) for fault in error.faults]
    places: list[Fault] = []
    for short in error.lines:
        message = (
            f"{short.quantity} of {short.sku} asked at {short.node_id}, {short.available} available; "
            "take fewer, another node, or a new promise"
        )
        if lines is None:
            places.append(Fault(path="$.option_id", message=message))
        else:
            places += [
                Fault(path=f"$.lines[{index}]", message=message)
                for index, line in enumerate(lines)
                if (line.sku, line.node_id) == (short.sku, short.node_id)
            ]
    return places


async def get_reservation(call: Call[None, NoQuery]) -> Answer:
    """The reservation as it is now; `expired` from its deadline on, and unknown a day after it was over."""
    reservation = await call.engine.inventory.get(call.path["reservation_id"])
    return Answer(value=shown(reservation, await call.engine.slots.slot_of(reservation, is_now=True)))


async def confirm_reservation(call: Call[Nothing, NoQuery]) -> Answer:
    """Makes the hold permanent. Confirming again answers the same; confirming after expiry is refused with 409."""
    return await _answer(call, await call.engine.inventory.confirm(call.path["reservation_id"], replay=call.replay))


async def cancel_reservation(call: Call[wire.PartBody, NoQuery]) -> Answer:
    """Gives the units of all lines, or of those named, back. Cancelling again answers the same."""
    lines = None if call.body.lines is None else hold_lines(call.body.lines)
    reservation_id = call.path["reservation_id"]
    return await _answer(call, await call.engine.inventory.cancel(reservation_id, lines=lines, replay=call.replay))


async def extend_reservation(call: Call[wire.ExtendBody, NoQuery]) -> Answer:
    """Moves the deadline of the hold to now and ttl_seconds."""
    reservation_id = call.path["reservation_id"]
    seconds = call.body.ttl_seconds
    extended = await call.engine.inventory.extend(reservation_id, ttl_seconds=seconds, replay=call.replay)
    return await _answer(call, extended)


async def consume_reservation(call: Call[wire.PartBody, NoQuery]) -> Answer:
    """Takes the units of all lines, or of those named, off on_hand: they have left the node. Confirm first."""
    lines = None if call.body.lines is None else hold_lines(call.body.lines)
    reservation_id = call.path["reservation_id"]
    return await _answer(call, await call.engine.inventory.consume(reservation_id, lines=lines, replay=call.replay))


def hold_lines(lines: Sequence[wire.HoldLineBody]) -> tuple[HoldLine, ...]:
    """Return the lines of a request."""
    return tuple(
        HoldLine(
            sku=line.sku,
            quantity=line.quantity,
            node_id=line.node_id,
            ship_on=line.ship_on,
            supply_id=line.supply_id,
        )
        for line in lines
    )


async def _answer(call: Call[Any, NoQuery], outcome: Outcome[Reservation]) -> Answer:
    return Answer(value=await _with_slot(call.engine, outcome), is_replayed=outcome.replayed)


async def _with_slot(engine: Engine, outcome: Outcome[Reservation]) -> wire.Reservation:
    return shown(outcome.value, await engine.slots.slot_of(outcome.value))


def shown(reservation: Reservation, slot: BookedSlot | None = None) -> wire.Reservation:
    """Return a reservation as it goes over the wire, with the window that is booked with it."""
    return wire.Reservation(
        reservation_id=reservation.reservation_id,
        state=reservation.state.value,
        binding=reservation.state.value in _BINDING,
        expires_at=reservation.expires_at,
        lines=[
            wire.ReservationLine(
                sku=line.sku,
                quantity=line.quantity,
                node_id=line.node_id,
                ship_on=line.ship_on,
                supply_id=line.supply_id,
            )
            for line in reservation.lines
        ],
        channel=reservation.channel,
        reference=reservation.reference,
        promised_on=reservation.promised_on,
        slot=UNSET if slot is None else slot,
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/reservations",
        summary="Hold stock",
        handler=reserve,
        body=wire.ReservationBody,
        reply=wire.Reservation,
        scope="reservations:write",
        status=201,
        refusals=(
            InsufficientStock,
            SupplyUnavailable,
            TooManyHolds,
            NotFound,
            PromiseExpired,
            PromiseStale,
            SlotFull,
            SlotClosed,
        ),
        is_keyed=True,
        example={"lines": [{"sku": "MUG-RED", "quantity": 2, "node_id": "chicago-dc"}], "ttl_seconds": 900},
    ),
    Endpoint(
        method="GET",
        path=PATH,
        summary="Get a reservation",
        handler=get_reservation,
        reply=wire.Reservation,
        scope="reservations:read",
        refusals=(NotFound,),
        path_examples=RESERVATION,
    ),
    Endpoint(
        method="POST",
        path=f"{PATH}/confirm",
        summary="Confirm a reservation",
        handler=confirm_reservation,
        body=Nothing,
        is_body_optional=True,
        reply=wire.Reservation,
        scope="reservations:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=RESERVATION,
    ),
    Endpoint(
        method="POST",
        path=f"{PATH}/cancel",
        summary="Cancel a reservation or some of its lines",
        handler=cancel_reservation,
        body=wire.PartBody,
        is_body_optional=True,
        reply=wire.Reservation,
        scope="reservations:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=RESERVATION,
    ),
    Endpoint(
        method="POST",
        path=f"{PATH}/extend",
        summary="Extend a reservation",
        handler=extend_reservation,
        body=wire.ExtendBody,
        is_body_optional=True,
        reply=wire.Reservation,
        scope="reservations:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        example={"ttl_seconds": 900},
        path_examples=RESERVATION,
    ),
    Endpoint(
        method="POST",
        path=f"{PATH}/consume",
        summary="Consume a reservation or some of its lines",
        handler=consume_reservation,
        body=wire.PartBody,
        is_body_optional=True,
        reply=wire.Reservation,
        scope="reservations:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=RESERVATION,
    ),
)
