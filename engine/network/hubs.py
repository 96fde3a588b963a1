"""Hubs: nodes that pack what other nodes send them, and their own, into one parcel; and the transfers that bring it.

Here: the compiled form, and when what leaves a node on a day is there to be packed. Not here: the document
(document.py), which plans use a hub (solvers/promise_hubs.py).

The rules: a transfer leaves on days on which its node and its own calendar work, at its `cut_off`, and takes so many
operating days of its calendar. At the hub it counts from the day it arrives; from the next if it arrives at the hub's
cut-off or later. From the first day on which the hub works, after `processing_days` more of these, it may be handed
over; on the day of its arrival to services that pick up later than it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from engine.network.days import NEVER, Calendars, NetworkDays, has_passed, next_set
from engine.network.model import Network
from engine.network.transfers import Hubs

SLOTS = 24 * 60 + 1
"""Moments are day × SLOTS + 1 + the minute of that day; without the 1 and the minute, before the day begins."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransferDays:
    """The transfers of a network over the days of its calendars, from `first_day` on.

    `common[pair[t], d]` is the first day from d on on which transfer t leaves, `NEVER` if none; `taken[kind[t], d]` the
    moment from which it may be handed over at the hub if it left on day d (a date at the hub), `NEVER * SLOTS` if none.
    """

    pair: NDArray[np.int64]
    common: NDArray[np.int64]
    kind: NDArray[np.int64]
    taken: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransferMinute:
    """What a minute means to transfers and hubs.

    `ready` (transfers,) is the first day on which an order of now could leave, `shift` (transfers,) by how many days
    the hub's date differs from the node's. From the moment `own_from` (hubs,) on, hubs hand over what they have.
    """

    days: TransferDays
    ready: NDArray[np.int64]
    shift: NDArray[np.int64]
    own_from: NDArray[np.int64]


def transfer_days(network: Network, calendars: Calendars) -> TransferDays:
    """Tabulate the transfers of a network with hubs."""
    hubs, first = _hubs(network), calendars.first_day
    leaves = np.stack([hubs.calendar, network.calendar_of_node[hubs.source]], axis=1)
    pairs, pair = np.unique(leaves, axis=0, return_inverse=True)
    works = calendars.works
    common = np.stack([next_set(works[one] & works[other], first) for one, other in pairs.tolist()])
    node = hubs.node[hubs.hub]
    columns = [hubs.calendar, hubs.transit_days, hubs.arrives_minutes, network.calendar_of_node[node]]
    columns += [network.cut_off_minutes[node], hubs.processing_days[hubs.hub]]
    kinds, kind = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    taken = np.stack([_taken(calendars, *row) for row in kinds.tolist()])
    return TransferDays(pair=pair.reshape(-1), common=common, kind=kind.reshape(-1), taken=taken)


def transfer_minute(days: NetworkDays, now: datetime, tables: TransferDays) -> TransferMinute:
    """Return what the minute of an instant means to the transfers and hubs of a network that has some."""
    network, today, hubs = days.network, days.at(now), _hubs(days.network)
    ready = transfer_ready(days, now, np.arange(len(hubs.source)))
    shift = np.zeros_like(ready)
    for row, node in enumerate(hubs.node.tolist()):
        zone = network.time_zones[network.time_zone_of_node[node]]
        legs = hubs.hub == row
        shift[legs] = days.shift_to(zone, now)[hubs.source[legs]]
    ready_node = today.ready[-1]
    gone = today.ready[: len(network.services), hubs.node] > ready_node[hubs.node]
    minutes = network.pick_up_minutes[:, hubs.node]
    slot = np.where(gone, minutes + 1, 0).max(axis=0, initial=0)
    return TransferMinute(days=tables, ready=ready, shift=shift, own_from=ready_node[hubs.node] * SLOTS + slot)


def transfer_ready(days: NetworkDays, now: datetime, which: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first day on which an order of now could leave by some transfers, given by number."""
    network, today, hubs = days.network, days.at(now), _hubs(days.network)
    ready_node, source = today.ready[-1], hubs.source[which]
    leaves_today = (ready_node == today.local_day) & (network.processing_days == 0)
    waits = leaves_today[source] & (hubs.cut_off_minutes[which] >= 0)
    ready: NDArray[np.int64] = ready_node[source].copy()
    if waits.any():
        zones, minutes = network.time_zone_of_node[source[waits]], hubs.cut_off_minutes[which[waits]]
        ready[waits] += has_passed(network, now, zones, minutes)
    return ready


def first_days(moment: NDArray[np.int64], picks_up: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first day on which services take on what is there from some moments on, (moments, services).

    `picks_up` (moments, services) are the minutes at which they come, negative: whenever they are asked. A service that
    has been there already at the minute of a moment takes it the next day.
    """
    day, slot = moment[:, None] // SLOTS, moment[:, None] % SLOTS
    return day + ((slot > 0) & (picks_up >= 0) & (slot - 1 >= picks_up))


def _hubs(network: Network) -> Hubs:
    if network.hubs is None:
        raise AssertionError("the network has no hubs")
    return network.hubs


def _taken(
    calendars: Calendars, calendar: int, transit_days: int, arrives: int, at_hub: int, cut_off: int, processing: int
) -> NDArray[np.int64]:
    """Return, by the day on which a transfer leaves, the moment from which it may be handed over."""
    first, horizon = calendars.first_day, calendars.nth.shape[1]
    before, nth, works = calendars.before, calendars.nth, calendars.works
    day = np.arange(horizon)
    index = before[calendar, day + (transit_days > 0)] + max(transit_days, 1) - 1
    arrival = np.where(index < horizon, nth[calendar, np.minimum(index, horizon - 1)], NEVER)
    is_late = arrives >= cut_off
    start = _at(next_set(works[at_hub], first), arrival + is_late, first)
    slot = np.where(start == arrival, arrives + 1, 0)
    if processing > 0:
        inside = start < NEVER
        index = before[at_hub, np.where(inside, start - first, 0)] + processing
        start = np.where(inside & (index < horizon), nth[at_hub, np.minimum(index, horizon - 1)], NEVER)
        slot = np.zeros_like(slot)
    return np.where(start < NEVER, start * SLOTS + slot, NEVER * SLOTS)


def _at(table: NDArray[np.int64], day: NDArray[np.int64], first_day: int) -> NDArray[np.int64]:
    """Return the entries of a table by day, `NEVER` for days beyond it."""
    inside = day - first_day < len(table)
    return np.where(inside, table[np.where(inside, day - first_day, 0)], NEVER)
