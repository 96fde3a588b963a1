"""What one order could have at hubs: what its nodes could send there, and the parcels that could go on.

Here: the arrays that the kernels of hubs read. Not here: the search (solvers/promise_hubs.py), plans in words
(hubs.py), days and costs of transfers in the document (engine/network).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.network.hubs import SLOTS, TransferMinute, first_days
from engine.network.model import Network
from engine.network.transfers import Hubs
from engine.promising.valuing import NO_VALUES
from solvers.problem import IntArray
from solvers.promise_dates import NEVER, Days
from solvers.promise_freight import BARS, Cards, mask_unions
from solvers.promise_hubs import Offered, Parts
from solvers.promise_parcels import INFINITE, Ask, Offers, days_alone, days_covered, make_offers, mask_sums
from solvers.promise_transfers import NO_MOMENT, Transfers, send_parts

if TYPE_CHECKING:
    from engine.promising.programme import Programme

OWN = -1
"""In place of a transfer: what the hub has itself."""
MOST_MOMENTS = 64
"""Moments of a hub that are told apart for one order; later ones count as the last."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Consolidation:
    """The transfers that one order may use, by number, at a minute; none of them from or to a node it may not use."""

    network: Network
    hubs: Hubs
    minute: TransferMinute
    usable: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """What an order could have at hubs: the parts, and the parcels that could go on from there.

    Part p is what node `part_node[p]` sends by `transfer[p]`, or has at the hub (`OWN`); `leaves` (parts, masks) its
    day. `hub_node` (hubs,) are node numbers; hub h has the moments `first[h]:first[h + 1]` of `onward`. `shipper`
    (shippers + hubs,) are who ships, as places in `node`, which has their numbers in the network.
    """

    part_node: IntArray
    transfer: IntArray
    leaves: IntArray
    taken: IntArray
    parts: Parts
    hub_node: IntArray
    first: IntArray
    onward: Offered
    direct: Offered
    shipper: IntArray
    node: IntArray
    network: Network | None


def gathered(programme: Programme, ask: Ask, demand: IntArray) -> Gathered | None:
    """Return what an order could have at hubs; None if no node could send anything to one."""
    found = programme.consolidation
    if found is None:
        return None
    node = np.unique(np.concatenate([ask.nodes, found.hubs.source[found.usable]]))
    alone = days_alone(demand, node, programme.local_day, programme.atp)
    has = (alone < NEVER).any(axis=1)
    node, alone = node[has], alone[has]
    sent = found.usable[np.isin(found.hubs.source[found.usable], node)]
    if not len(sent):
        return None
    covered = days_covered(alone, demand, node, programme.local_day, programme.atp)
    return _gathered(programme, ask, found, node, covered, sent)


def _gathered(
    programme: Programme,
    ask: Ask,
    found: Consolidation,
    node: IntArray,
    covered: IntArray,
    sent: IntArray,
) -> Gathered | None:
    days, hubs, network = programme.days, found.hubs, found.network
    handling = mask_unions(ask.goods.handling, covered.shape[1])
    cost, leaves, moment = send_parts(
        covered, ask, handling, _transfers(found, node, sent, days), days.load, days.first_day
    )
    cost = _worth(cost, hubs.source[sent], ask)
    rows = np.unique(hubs.hub[sent])
    part_node, transfer, hub = hubs.source[sent], sent, np.searchsorted(rows, hubs.hub[sent])
    own = np.flatnonzero(np.isin(hubs.node[rows], node))
    if len(own):
        own_node = hubs.node[rows[own]]
        own_cost, own_moment = _own_parts(found, rows[own], covered[np.searchsorted(node, own_node)], ask)
        own_cost[:, 0], barred = INFINITE, (handling[None, :] & network.freight.node_bars[own_node][:, None]) != 0
        own_cost[barred] = INFINITE
        own_cost = _worth(own_cost, own_node, ask)
        part_node, transfer = np.append(part_node, own_node), np.append(transfer, np.full(len(own), OWN))
        hub, cost = np.append(hub, own), np.concatenate([cost, own_cost])
        leaves, moment = np.concatenate([leaves, np.full_like(own_moment, NEVER)]), np.concatenate([moment, own_moment])
    if not (cost < INFINITE).any():
        return None
    first, moments, rank = _ranked(cost, moment, hub, len(rows))
    hub_node = hubs.node[rows]
    everybody = np.union1d(node, hub_node)
    reached = ask.nodes[np.isin(ask.nodes, node)]
    return Gathered(
        part_node=part_node,
        transfer=transfer,
        leaves=leaves,
        taken=moment // SLOTS,
        parts=Parts(np.searchsorted(everybody, part_node), hub, cost, rank),
        hub_node=hub_node,
        first=first,
        onward=_onward(programme, network, ask, hub_node, first, moments, covered.shape[1]),
        direct=_direct(programme, ask, reached, covered[np.searchsorted(node, reached)]),
        shipper=np.searchsorted(everybody, np.append(reached, hub_node)),
        node=everybody,
        network=network,
    )


def _transfers(found: Consolidation, node: IntArray, sent: IntArray, days: Days) -> Transfers:
    network, hubs, minute = found.network, found.hubs, found.minute
    source = hubs.source[sent]
    return Transfers(
        np.searchsorted(node, source),
        minute.ready[sent],
        minute.shift[sent],
        minute.days.pair[sent],
        minute.days.kind[sent],
        hubs.cost_cents[sent],
        network.unit_cost_cents[source] + hubs.unit_cost_cents[hubs.hub[sent]],
        network.freight.node_bars[source],
        days.load.row[source],
        minute.days.common,
        minute.days.taken,
    )


def _worth(cost: IntArray, nodes: IntArray, ask: Ask) -> IntArray:
    """Return the cost of parts of nodes, (parts, masks), with what their units are worth to later demand."""
    if not ask.values.size:
        return cost
    values = np.stack([mask_sums(ask.values[node]) for node in nodes.tolist()])
    return np.where(cost < INFINITE, cost + values, cost)


def _own_parts(found: Consolidation, rows: IntArray, covered: IntArray, ask: Ask) -> tuple[IntArray, IntArray]:
    """Return cost and moment of what hubs have themselves, (hubs, masks)."""
    units, own_from = mask_sums(ask.units), found.minute.own_from[rows][:, None]
    each = found.network.unit_cost_cents[found.hubs.node[rows]][:, None]
    is_there = covered < NEVER
    moment = np.maximum(np.where(is_there, covered, 0) * SLOTS, own_from)
    return np.where(is_there, units[None, :] * each, INFINITE), np.where(is_there, moment, NO_MOMENT)


def _ranked(cost: IntArray, moment: IntArray, hub: IntArray, hubs: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return where the moments of each hub begin, the moments, and the place of each (part, mask) among its hub's."""
    first, moments, rank = [0], [], np.full(cost.shape, -1, dtype=np.int64)
    for row in range(hubs):
        of_hub = np.flatnonzero(hub == row)
        values = moment[of_hub]
        is_there = (cost[of_hub] < INFINITE) & (values < NO_MOMENT)
        known = np.unique(values[is_there])
        if len(known) > MOST_MOMENTS:
            known = np.append(known[: MOST_MOMENTS - 1], known[-1])
        place = np.searchsorted(known, values)
        rank[of_hub] = np.where(is_there, place, -1)
        moments.append(known)
        first.append(first[-1] + len(known))
    return np.array(first, dtype=np.int64), np.concatenate(moments), rank


def _onward(
    programme: Programme,
    network: Network,
    ask: Ask,
    hub_node: IntArray,
    first: IntArray,
    moments: IntArray,
    masks: int,
) -> Offered:
    """Return the parcels that could go on from hubs at each moment; units are paid, and valued, with their parts."""
    node = np.repeat(hub_node, np.diff(first))
    services = np.array(programme.origin)[ask.services] if programme.origin else ask.services
    ready = first_days(moments, network.pick_up_minutes[np.ix_(services, node)].T)
    wanted = np.stack([np.broadcast_to(node[:, None], ready.shape), ready], axis=2)
    rows, row = np.unique(wanted.reshape(-1, 2), axis=0, return_inverse=True)
    covered = np.repeat(rows[:, 1:], masks, axis=1)
    days, cards = programme.days, programme.cards
    offers = _offers(
        ask._replace(values=NO_VALUES),
        rows[:, 0].copy(),
        covered,
        cards._replace(unit_cost=np.zeros_like(cards.unit_cost)),
        days._replace(ready=np.full_like(days.ready, days.first_day)),
    )
    return Offered(row.reshape(ready.shape).astype(np.int64), offers.cost, offers.arrival, offers.ship_day)


def _direct(programme: Programme, ask: Ask, nodes: IntArray, covered: IntArray) -> Offered:
    offers = _offers(ask, nodes, np.ascontiguousarray(covered), programme.cards, programme.days)
    row = np.repeat(np.arange(len(nodes), dtype=np.int64)[:, None], len(ask.services), axis=1)
    return Offered(row, offers.cost, offers.arrival, offers.ship_day)


def _offers(ask: Ask, nodes: IntArray, covered: IntArray, cards: Cards, days: Days) -> Offers:
    """Return all offers at once."""
    shape = (*covered.shape, len(ask.services))
    offers = Offers(np.full(1, -1), *(np.empty(shape, dtype=np.int64) for _ in range(3)))
    make_offers(offers, 0, covered, nodes, ask, cards, days)
    return offers


def only_direct(programme: Programme, ask: Ask, demand: IntArray) -> Gathered:
    """Return the parcels of nodes of an order for which no hub is of use."""
    alone = days_alone(demand, ask.nodes, programme.local_day, programme.atp)
    has = (alone < NEVER).any(axis=1)
    node, alone = ask.nodes[has], alone[has]
    covered = days_covered(alone, demand, node, programme.local_day, programme.atp)
    nothing, table = np.zeros(0, dtype=np.int64), np.zeros((0, covered.shape[1]), dtype=np.int64)
    room = np.zeros((0, covered.shape[1], len(ask.services)), dtype=np.int64)
    return Gathered(
        part_node=nothing,
        transfer=nothing,
        leaves=table,
        taken=table,
        parts=Parts(nothing, nothing, table, table),
        hub_node=nothing,
        first=np.zeros(1, dtype=np.int64),
        onward=Offered(np.zeros((0, len(ask.services)), dtype=np.int64), room, room, room),
        direct=_direct(programme, ask, node, covered),
        shipper=np.arange(len(node), dtype=np.int64),
        node=node,
        network=None,
    )


def apart_at(programme: Programme, ask: Ask, demand: IntArray) -> IntArray:
    """Return the nodes at which no service takes the classes of all lines together: they ship a parcel by each service.

    None of them for lines that share a product, since each parcel counts on all of the stock. It is for the order and
    the network to say, not for stock: more of that never takes a way of shipping away.
    """
    handling, none = ask.goods.handling, np.zeros(0, dtype=np.int64)
    if handling.shape[0] < 2 or programme.pickup is not None or ((demand > 0).sum(axis=0) > 1).any():
        return none
    takes_all = programme.cards.rules.service[ask.services, BARS] & np.bitwise_or.reduce(handling) == 0
    together = (programme.cards.serves[np.ix_(ask.services, ask.nodes)] & takes_all[:, None]).any(axis=0)
    found: IntArray = ask.nodes[~together]
    return found


def by_service(found: Gathered, apart: IntArray) -> Gathered:
    """Return the same with a shipper for each service of the nodes of `apart`; nodes still send once to hubs."""
    services, hubs, rows = found.direct.row.shape[1], len(found.hub_node), len(found.direct.row)
    is_apart = np.isin(found.node[found.shipper], apart)
    direct = _divided(np.arange(rows), is_apart[:rows], services)
    hub = _divided(np.arange(hubs), is_apart[rows:], services)
    moments = [(m, k) for h, k in hub for m in range(int(found.first[h]), int(found.first[h + 1]))]
    counts = [int(found.first[h + 1] - found.first[h]) for h, _ in hub]
    parts = [(p, place) for place, (h, _) in enumerate(hub) for p in np.flatnonzero(found.parts.hub == h).tolist()]
    of_part = np.array([p for p, _ in parts], dtype=np.int64)
    shippers = [(int(found.shipper[e]), k) for e, k in direct] + [(int(found.shipper[rows + h]), k) for h, k in hub]
    return replace(
        found,
        part_node=found.part_node[of_part],
        transfer=found.transfer[of_part],
        leaves=found.leaves[of_part],
        taken=found.taken[of_part],
        parts=Parts(
            found.parts.node[of_part],
            np.array([place for _, place in parts], dtype=np.int64),
            found.parts.cost[of_part],
            found.parts.rank[of_part],
        ),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        onward=found.onward._replace(row=_only(found.onward.row, moments)),
        direct=found.direct._replace(row=_only(found.direct.row, direct)),
        shipper=np.array([u if k < 0 else len(found.node) + u * services + k for u, k in shippers], dtype=np.int64),
        node=np.concatenate([found.node, np.repeat(found.node, services)]),
    )


def _divided(rows: IntArray, is_apart: NDArray[np.bool_], services: int) -> list[tuple[int, int]]:
    """Return rows with the service of each, by its place; -1 for all of them."""
    each = zip(rows.tolist(), is_apart.tolist(), strict=True)
    return [(row, k) for row, divided in each for k in (range(services) if divided else (-1,))]


def _only(table: IntArray, rows: Sequence[tuple[int, int]]) -> IntArray:
    """Return rows of a table by service, with the entry of one service only unless all are wanted."""
    found = np.full((len(rows), table.shape[1]), -1, dtype=np.int64)
    for place, (row, k) in enumerate(rows):
        wanted = slice(None) if k < 0 else slice(k, k + 1)
        found[place, wanted] = table[row, wanted]
    return found


def sent_alone(programme: Programme, ask: Ask, has_from: IntArray) -> tuple[IntArray, IntArray]:
    """Return cost and arrival of an order of one line that comes by one transfer and a hub, (transfers, services).

    `has_from` (usable transfers,) is the day from which the node of each has the line; `INFINITE` and `NEVER` if none.
    """
    found, days = programme.consolidation, programme.days
    if found is None:
        raise AssertionError("the order may use no hub")
    source = found.hubs.source[found.usable]
    covered = np.repeat(has_from[:, None], 2, axis=1)
    transfers = _transfers(found, source, found.usable, days)._replace(source=np.arange(len(source)))
    cost, _, moment = send_parts(covered, ask, mask_unions(ask.goods.handling, 2), transfers, days.load, days.first_day)
    hub_node, each = found.hubs.node[found.hubs.hub[found.usable]], np.arange(len(source) + 1)
    onward = _onward(programme, found.network, ask, hub_node, each, moment[:, 1].copy(), 2)
    place = np.arange(len(ask.services))[None, :]
    arrival = onward.arrival[onward.row, 1, place]
    is_there = (arrival < NEVER) & (cost[:, 1:] < INFINITE)
    cents = np.where(is_there, onward.cost[onward.row, 1, place], 0) + np.where(is_there, cost[:, 1:], 0)
    return np.where(is_there, cents, INFINITE), np.where(is_there, arrival, NEVER)


def alone_by_hub(programme: Programme, ask: Ask, demand: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the nodes that could send an order of one line to a hub, and cost and arrival, (transfers, services)."""
    found = programme.consolidation
    if found is None:
        nothing = np.zeros((0, len(ask.services)), dtype=np.int64)
        return np.zeros(0, dtype=np.int64), nothing, nothing
    source = found.hubs.source[found.usable]
    has_from = days_alone(demand, source, programme.local_day, programme.atp)[:, 0]
    return source, *sent_alone(programme, ask, has_from)
