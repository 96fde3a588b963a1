"""Plans with hubs: the transfers that an order may use, and what each node sends, put into the words of plans.

An order whose nodes send to no hub is solved without any of this. Not here: what could be sent (gathering.py), the
search (solvers/promise_hubs.py), the words of the answer (consolidating.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.network.days import Calendars, Today
from engine.network.hubs import TransferDays, TransferMinute, transfer_days, transfer_minute
from engine.network.model import Network
from engine.promising.gathering import OWN, Consolidation, Gathered, apart_at, by_service, gathered, only_direct
from engine.promising.valuing import value_of
from solvers.problem import IntArray
from solvers.promise_hubs import hub_plans
from solvers.promise_options import COST, MASK, NINETIETH_DAY, NODE, SERVICE, spread
from solvers.promise_parcels import Ask, mask_sums
from solvers.promise_transfers import bill_parcels

if TYPE_CHECKING:
    from engine.promising.programme import Programme

PIECES = NINETIETH_DAY + 1
"""A column of plans, behind those of parcels without hubs."""


class Piece(NamedTuple):
    """What one node sends to a hub for a parcel: its lines as a mask, when and by which transfer, and what that costs.

    From `taken_on` on the hub may hand it over; `units_cents` is what its units cost, there and at the hub.
    """

    node: int
    mask: int
    transfer: int
    ship_day: int
    taken_on: int
    transfer_cents: int
    units_cents: int


class HubTables:
    """The day tables of transfers of one network, kept for their fortnight and their minute."""

    def __init__(self) -> None:
        self._days: tuple[Calendars, TransferDays] | None = None
        self._minute: tuple[Today, TransferMinute] | None = None

    def at(self, view: View, now: datetime) -> TransferMinute:
        """Return what a minute means to transfers."""
        today, kept = view.days.at(now), self._minute
        if kept is None or kept[0] is not today:
            days = self._days
            if days is None or days[0] is not today.calendars:
                days = self._days = today.calendars, transfer_days(view.network, today.calendars)
            kept = self._minute = today, transfer_minute(view.days, now, days[1])
        return kept[1]


def usable_transfers(network: Network, minute: TransferMinute, nodes: IntArray, near: IntArray) -> Consolidation | None:
    """Return the transfers of an order from `nodes` to hubs among those `near` the destination; None without any."""
    hubs = network.hubs
    if hubs is None:
        return None
    sends, packs = np.zeros(len(network.node_ids), dtype=np.bool_), np.zeros(len(network.node_ids), dtype=np.bool_)
    sends[nodes], packs[near] = True, True
    usable = np.flatnonzero(sends[hubs.source] & packs[hubs.node[hubs.hub]])
    return Consolidation(network=network, hubs=hubs, minute=minute, usable=usable) if len(usable) else None


Found = tuple[NDArray[np.int64], NDArray[np.int64], int, tuple[tuple[Piece, ...], ...]]


def plans_with_hubs(programme: Programme, ask: Ask, demand: IntArray) -> Found | None:
    """Return plans, counts and served lines as `promise_order` does, and pieces of parcels.

    None if each node ships one parcel, of what it has itself. Plans have one column more, PIECES: the place in the
    pieces, -1 for a parcel of what its node has itself.
    """
    found, apart = gathered(programme, ask, demand), apart_at(programme, ask, demand)
    if len(apart):
        found = by_service(found or only_direct(programme, ask, demand), apart)
    return None if found is None else _planned(programme, ask, found)


def _planned(programme: Programme, ask: Ask, found: Gathered) -> Found:
    plans, counts, pieces, served = hub_plans(
        found.direct, found.onward, found.shipper, found.first, found.parts, len(found.node), ask
    )
    plans[:, :, NODE] = found.node[plans[:, :, NODE]]
    plans[:, :, SERVICE] = ask.services[plans[:, :, SERVICE]]
    bill_parcels(plans, counts, ask, programme.cards)
    spread(plans, counts, ask, programme.days)
    units, told = mask_sums(ask.units), list[tuple[Piece, ...]]()
    place = np.full((*plans.shape[:2], 1), -1, dtype=np.int64)
    for number, count in enumerate(counts.tolist()):
        for row, of_parcel in enumerate(pieces[number, :count].tolist()):
            sent = _pieces(found, of_parcel, units, ask.values)
            if ask.values.size:
                parcel = plans[number, row]
                parts = [(int(found.part_node[part]), mask) for part, mask in of_parcel if mask]
                valued = parts or [(int(parcel[NODE]), int(parcel[MASK]))]
                parcel[COST] -= sum(value_of(node, mask, ask.values) for node, mask in valued)
            if sent:
                place[number, row] = len(told)
                told.append(sent)
    return np.concatenate([plans, place], axis=2), counts, int(served), tuple(told)


def _pieces(found: Gathered, of_parcel: list[list[int]], units: IntArray, values: IntArray) -> tuple[Piece, ...]:
    """Return what is sent for a parcel; nothing if its node ships what it has itself."""
    pieces = [_piece(found, part, mask, int(units[mask]), values) for part, mask in of_parcel if mask]
    return tuple(pieces) if any(piece.transfer != OWN for piece in pieces) else ()


def _piece(found: Gathered, part: int, mask: int, units: int, values: IntArray) -> Piece:
    network, node, transfer = found.network, int(found.part_node[part]), int(found.transfer[part])
    if network is None:
        raise AssertionError("what is sent to a hub is sent in a network with hubs")
    hubs = network.hubs
    each = network.unit_cost_cents.item(node)
    if transfer != OWN and hubs is not None:
        each += hubs.unit_cost_cents.item(int(hubs.hub[transfer]))
    return Piece(
        node=node,
        mask=mask,
        transfer=transfer,
        ship_day=int(found.leaves[part, mask]),
        taken_on=int(found.taken[part, mask]),
        transfer_cents=int(found.parts.cost[part, mask]) - value_of(node, mask, values) - each * units,
        units_cents=each * units,
    )
