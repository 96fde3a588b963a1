"""What the parcels and parts of one order cost, as the programme of hubs reads it: of all stock, or of what is left.

No parcel has a part of a kit, and where orders ship complete, nothing waits. Not here: the programme
(hub_programme.py).
"""

from __future__ import annotations

import numpy as np

from engine.routing.batch import Batch
from engine.routing.hub_offers import OWN, HubOffers
from engine.routing.hub_programme import Prices
from engine.routing.hub_room import NOW, Room
from engine.routing.hub_tables import NEVER_CENTS, Parcels, bits_of
from solvers.problem import IntArray


def usual_prices(batch: Batch, parcels: Parcels, *, ship_complete: bool) -> Prices:
    """Return costs in cents, as if all stock and capacity were for this order."""
    masks = np.arange(len(parcels.short))
    short = np.where(masks > 0, NEVER_CENTS, 0) if ship_complete else parcels.short
    split = batch.problem.terms.split_cost_cents
    groups = batch.orders[parcels.order].whole
    if not groups:
        return Prices(parcels.direct, parcels.onward, parcels.part, short, split)
    ids, torn = [batch.line_ids[line] for line in parcels.lines], np.zeros(len(masks), np.bool_)
    for group in groups:
        kit = sum(1 << p for p, line_id in enumerate(ids) if line_id in group)
        torn |= (masks & kit > 0) & (masks & kit != kit)
    return Prices(
        np.where(torn, NEVER_CENTS, parcels.direct),
        np.where(torn, NEVER_CENTS, parcels.onward),
        np.where(torn, NEVER_CENTS, parcels.part),
        short,
        split,
    )


def prices_left(usual: Prices, parcels: Parcels, offers: HubOffers, room: Room) -> Prices:
    """Return the same of what stock and capacity are left for; its arrays are its own."""
    bits = bits_of(len(parcels.lines))
    direct, part = usual.direct.copy(), usual.part.copy()
    direct[_missing(room.stock, parcels.has, parcels.quantity) @ bits > 0] = NEVER_CENTS
    part[_missing(room.stock, parcels.part_has, parcels.quantity) @ bits > 0] = NEVER_CENTS
    for row, node in enumerate(parcels.node.tolist()):
        units, count = room.left((node, NOW))
        direct[row, (parcels.units > units) | (count < 1)] = NEVER_CENTS
    for place, leg in enumerate(parcels.leg.tolist()):
        if leg != OWN:
            units, count = room.left(room.day(int(parcels.part_node[place]), int(offers.legs.leaves[leg])))
            part[place, (parcels.units > units) | (count < 1)] = NEVER_CENTS
    return usual._replace(direct=direct, part=part, onward=usual.onward.copy())


def _missing(stock: IntArray, entry: IntArray, quantity: IntArray) -> IntArray:
    """Return where too little is left, 0 or 1."""
    if not len(stock):
        return np.zeros(entry.shape, np.int64)
    return ((entry >= 0) & (stock[np.maximum(entry, 0)] < quantity)).astype(np.int64)
