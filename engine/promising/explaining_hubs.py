"""Why each hub packs a parcel of a promise or not, and what it would have cost if it did.

Not here: nodes as such (explaining.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from msgspec import UNSET

from engine.availability.reference import View
from engine.promising.explanation import Binding, HubExplanation, Standing
from engine.promising.gathering import OWN, Gathered, alone_by_hub, gathered
from engine.promising.model import Option
from engine.promising.programme import Programme, grouped
from engine.promising.request import Asked
from solvers.problem import IntArray
from solvers.promise_dates import NEVER
from solvers.promise_hubs import gather, in_time
from solvers.promise_parcels import INFINITE, Ask


class Differences(NamedTuple):
    """What the cheapest plan with a parcel of each node costs more than the first option: in money, and as ranked.

    Ranked is with what units are worth to later demand; the same where they are worth nothing.
    """

    cents: dict[int, int]
    ranked: dict[int, int]

    def beaten(self, node: int, does: str) -> tuple[Binding, str]:
        """Return why options without a node are better; `does` says what it would do in a plan."""
        more, ranked = self.cents.get(node), self.ranked.get(node)
        if more is None or ranked is None:
            return "parcels", "with it the order would take more parcels than are allowed, or lines would be missing"
        if ranked and more <= 0:
            less = f"{-more} cents less than" if more else "as much as"
            words = (
                f"a plan in which {does} costs {less} the first option, but its units are worth more to later demand"
            )
            return "value", words
        if ranked:
            return "cost", f"a plan in which {does} costs {more} cents more than the cheapest option, or above"
        return "date", f"a plan in which {does} costs as much as the cheapest option, and arrives no earlier"


def packed_costs(programme: Programme, ask: Ask, demand: IntArray) -> dict[int, IntArray]:
    """Return, by hub node, the least cost of a parcel with something that another node sends, by mask, in time."""
    found = gathered(programme, ask, demand)
    if found is None:
        return {}
    return {node: _packed(found, row, ask.need_by) for row, node in enumerate(found.hub_node.tolist())}


def _packed(found: Gathered, hub: int, need_by: int) -> IntArray:
    onwards, parts = in_time(found.onward, need_by), found.parts
    begin, end, masks = int(found.first[hub]), int(found.first[hub + 1]), parts.cost.shape[1]
    is_own = found.transfer == OWN
    sent = parts._replace(cost=np.where(is_own[:, None], INFINITE, parts.cost))
    nothing = np.zeros(len(found.node), dtype=np.int64)
    total, part_of, lines_of = (np.empty((end - begin, masks), dtype=np.int64) for _ in range(3))
    gather(sent, hub, nothing, nothing, total, part_of, lines_of)
    own = np.flatnonzero(is_own & (parts.hub == hub))
    cost = np.full(masks, INFINITE, dtype=np.int64)
    for moment in range(end - begin):
        has = [0] + [INFINITE] * (masks - 1)
        if len(own):
            there = (parts.rank[own[0]] >= 0) & (parts.rank[own[0]] <= moment)
            has[1:] = np.where(there, parts.cost[own[0]], INFINITE).tolist()[1:]
        for mask in range(1, masks):
            onward = int(onwards.cost[begin + moment, mask])
            part = mask if onward < INFINITE else 0
            while part > 0:
                if total[moment, part] < INFINITE and has[mask ^ part] < INFINITE:
                    cost[mask] = min(cost[mask], onward + int(total[moment, part]) + has[mask ^ part])
                part = (part - 1) & mask
    return cost


def explain_hubs(
    asked: Asked, view: View, programme: Programme, options: Sequence[Option], more: Differences | None
) -> tuple[HubExplanation, ...]:
    """Return every hub, those that pack in an option first, then by what they would cost more.

    `more` is that, by node number, of hubs that a plan could use; None if plans were not compared.
    """
    hubs = view.network.hubs
    if hubs is None:
        return ()
    arrivals = _arrivals(asked, programme)
    told = [_hub(node, asked, view, programme, options, more, arrivals) for node in hubs.node.tolist()]
    return tuple(sorted(told, key=_rank))


def _arrivals(asked: Asked, programme: Programme) -> dict[int, list[int]]:
    """Return, by hub node, when each line, if only it is sent there, could arrive; `NEVER` if not at all."""
    found = programme.consolidation
    if found is None:
        return {}
    at = found.hubs.node[found.hubs.hub[found.usable]]
    arrivals: dict[int, list[int]] = {}
    for line in range(len(asked.lines)):
        ask, demand = grouped(programme, [(line,)])
        _, _, arrival = alone_by_hub(programme, ask, demand)
        for node in np.unique(at).tolist():
            arrivals.setdefault(node, []).append(int(arrival[at == node].min(initial=NEVER)))
    return arrivals


def _hub(
    node: int,
    asked: Asked,
    view: View,
    programme: Programme,
    options: Sequence[Option],
    differences: Differences | None,
    arrivals: dict[int, list[int]],
) -> HubExplanation:
    node_id = view.network.node_ids[node]
    packing = tuple(o.option_id for o in options if any(s.node_id == node_id and s.consolidates for s in o.shipments))
    standing: Standing
    binding: Binding | None
    if packing:
        standing, binding, why = "chosen", None, f"it packs what others send in {', '.join(packing)}"
    elif any(day <= asked.need_by for day in arrivals.get(node, ())):
        standing = "eligible"
        binding, why = "cost", "the options without it are better"
        if differences is not None:
            binding, why = differences.beaten(node, "it packs a parcel")
    else:
        standing, binding, why = _obstacle(node, asked, programme, arrivals.get(node, ()))
    return HubExplanation(
        node_id=node_id,
        standing=standing,
        option_ids=packing,
        cost_difference_cents=None if differences is None else differences.cents.get(node),
        binding=binding,
        why=why,
        ranked_difference_cents=differences.ranked.get(node, UNSET)
        if differences is not None and programme.ask.values.size
        else UNSET,
    )


def _obstacle(
    node: int, asked: Asked, programme: Programme, arrivals: Sequence[int]
) -> tuple[Standing, Binding | None, str]:
    if node not in asked.nodes:
        return "policy", "group", "it is not among the nodes that this promise may use"
    if node not in programme.ask.nodes:
        return "distance", "reach", "the place is beyond its reach"
    day = min(arrivals, default=NEVER)
    if day < NEVER:
        words = f"what is sent to it would arrive on {date.fromordinal(day)} at the earliest, after the deadline"
        return "calendar", "need_by", words
    found = programme.consolidation
    if found is None or node not in found.hubs.node[found.hubs.hub[found.usable]]:
        return "policy", "group", "none of the nodes that this promise may use sends to it"
    return (
        "no_stock",
        "stock",
        "no node that sends to it has enough of any line that a service takes on from there",
    )


def _rank(hub: HubExplanation) -> tuple[int, int, str]:
    order = {"chosen": 0, "eligible": 1}.get(hub.standing, 2)
    more = hub.cost_difference_cents if hub.ranked_difference_cents is UNSET else hub.ranked_difference_cents
    return order, INFINITE if more is None else more, hub.node_id
