"""Parcels that a hub packs, in the words of the answer, and what a reservation of one holds and still can keep.

Not here: which plans there are (hubs.py, solvers/promise_hubs.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import msgspec
import numpy as np
from msgspec import UNSET

from engine.availability.reference import View
from engine.network.hubs import transfer_ready
from engine.network.model import Network
from engine.promising.gathering import OWN
from engine.promising.hubs import PIECES
from engine.promising.model import PromiseLine, Shipment, Transfer
from engine.promising.programme import Plans
from engine.promising.request import Asked


def consolidated(shipment: Shipment, row: tuple[int, ...], asked: Asked, network: Network, plans: Plans) -> Shipment:
    """Return a parcel with what is sent to its hub, and what that costs; as it is if its node has all of it."""
    if row[PIECES] < 0:
        return shipment
    pieces = plans.pieces[row[PIECES]]
    sent = [
        Transfer(
            node_id=network.node_ids[piece.node],
            ship_on=date.fromordinal(piece.ship_day),
            available_on=date.fromordinal(piece.taken_on),
            lines=tuple([asked.lines[i] for i in lines]),
            transfer_cents=piece.transfer_cents,
        )
        for piece, lines in pieces
        if piece.transfer != OWN
    ]
    cost = msgspec.structs.replace(
        shipment.cost,
        units_cents=sum(piece.units_cents for piece, _ in pieces),
        transfer_cents=sum(piece.transfer_cents for piece, _ in pieces),
    )
    sent.sort(key=lambda transfer: (transfer.ship_on, transfer.node_id))
    return msgspec.structs.replace(shipment, cost=cost, consolidates=tuple(sent))


def senders(rows: tuple[tuple[int, ...], ...], plans: Plans) -> Iterator[int]:
    """Yield the nodes that send something to a hub in a plan."""
    for row in rows:
        if row[PIECES] >= 0:
            yield from (piece.node for piece, _ in plans.pieces[row[PIECES]] if piece.transfer != OWN)


def held(shipment: Shipment) -> Iterator[tuple[PromiseLine, str, date]]:
    """Yield the lines of a parcel, each with the node that has its units, and the day on which they leave that."""
    sent = () if shipment.consolidates is UNSET else shipment.consolidates
    elsewhere = set[PromiseLine]()
    for transfer in sent:
        for line in transfer.lines:
            elsewhere.add(line)
            yield line, transfer.node_id, transfer.ship_on
    for line in shipment.lines:
        if line not in elsewhere:
            yield line, shipment.node_id, shipment.ship_on


def first_day(transfer: Transfer, hub_id: str, view: View, now: datetime) -> int | None:
    """Return the first day on which an order that came now could leave for the hub, None if nothing goes there."""
    network = view.network
    source, hub = network.index.get(transfer.node_id), network.index.get(hub_id)
    number = None if network.hubs is None or source is None or hub is None else network.hubs.transfer_of(source, hub)
    return None if number is None else int(transfer_ready(view.days, now, np.array([number]))[0])
