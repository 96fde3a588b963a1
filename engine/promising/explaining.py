"""Why each node was chosen for a promise or not, and what choosing it would have cost.

The first that stands in a node's way is told: the policy (it is not among the nodes asked for), distance, quota (other
channels' units), no stock, handling classes, service (none carries it there), capacity, calendar (it would arrive after
the deadline). What the same kernels say without one of these decides between them. Where units are worth something to
later demand, plans are compared twice: by what they cost, and by what ranks them. Not here: why a line is missing
(reasons.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.delivery.day_tables import no_load
from engine.promising.answer import ranked_cents
from engine.promising.explaining_hubs import Differences, explain_hubs, packed_costs
from engine.promising.explanation import Binding, Explanation, HubExplanation, NodeExplanation, Standing
from engine.promising.model import Option
from engine.promising.programme import Programme, grouped
from engine.promising.request import Asked
from engine.promising.valuing import NO_VALUES, value_of
from solvers.promise_dates import NEVER
from solvers.promise_parcels import INFINITE, Ask, Parcels, days_alone, days_covered, price_parcels

MOST_NODES = 1_000
MOST_MASK_LINES = 5
"""Lines of an order up to which plans are compared; above, only what each node could ship is told."""


def explain(asked: Asked, view: View, programme: Programme, table: AtpTable, options: Sequence[Option]) -> Explanation:
    """Return why each node was chosen or not; `table` is the ATP that the programme was made of."""
    return _Explainer(asked, view, programme, table, options).explained()


class _Explainer:
    """One order, with every parcel that each node within reach could ship of it."""

    def __init__(
        self, asked: Asked, view: View, programme: Programme, table: AtpTable, options: Sequence[Option]
    ) -> None:
        self._asked, self._view, self._programme, self._table = asked, view, programme, table
        self._options = options
        lines = range(len(asked.lines))
        self._is_small = len(lines) <= MOST_MASK_LINES
        self._masks = [(line,) for line in lines]
        self._row = {node: row for row, node in enumerate(programme.ask.nodes.tolist())}
        self._asked_nodes = frozenset(asked.nodes.tolist())
        self._singles = [self._single(line) for line in lines]
        self._hubs_more, self._more = Differences({}, {}), Differences({}, {})
        self._has_values = bool(programme.ask.values.size)
        if self._is_small and options:
            self._compare()

    def explained(self) -> Explanation:
        """Return every node, the chosen ones first, then by what they would cost more."""
        network = self._view.network
        nodes = [self._node(node) for node in range(len(network.node_ids))]
        nodes.sort(key=_rank)
        hubs: tuple[HubExplanation, ...] | UnsetType = UNSET
        if network.hubs is not None and self._programme.pickup is None:
            more = self._hubs_more if self._more.ranked or self._hubs_more.ranked else None
            hubs = explain_hubs(self._asked, self._view, self._programme, self._options, more)
        return Explanation(nodes=tuple(nodes[:MOST_NODES]), has_more=len(nodes) > MOST_NODES, hubs=hubs)

    def _single(self, line: int) -> tuple[Ask, NDArray[np.int64], Parcels]:
        """Return the order of one line by itself, when each node within reach covers it, and its parcels."""
        programme = self._programme
        ask, demand = grouped(programme, [(line,)])
        alone = days_alone(demand, ask.nodes, programme.local_day, programme.atp)
        covered = days_covered(alone, demand, ask.nodes, programme.local_day, programme.atp)
        return ask, covered, self._priced(ask, covered, ask.need_by)

    def _priced(self, ask: Ask, covered: NDArray[np.int64], deadline: int, *, is_free: bool = False) -> Parcels:
        programme = self._programme
        days = programme.days
        if is_free:
            days = days._replace(load=no_load(len(self._view.network.node_ids)))
        return price_parcels(True, deadline, covered, ask.nodes, ask, programme.cards, days)

    def _node(self, node: int) -> NodeExplanation:
        node_id = self._view.network.node_ids[node]
        shipping = tuple(o.option_id for o in self._options if any(s.node_id == node_id for s in o.shipments))
        sending = tuple(o.option_id for o in self._options if _sends(node_id, o))
        row = self._row.get(node)
        able = [] if row is None else [i for i, (_, _, p) in enumerate(self._singles) if p.cost[row, 1] < INFINITE]
        standing: Standing
        binding: Binding | None
        if shipping or sending:
            standing, binding = "chosen", None
            why = f"it ships in {', '.join(shipping)}" if shipping else f"it sends to a hub in {', '.join(sending)}"
        elif able:
            standing, (binding, why) = "eligible", self._beaten(node, able)
        else:
            standing, binding, why = self._obstacle(node)
        arrivals = [int(self._singles[i][2].arrival[row, 1]) for i in able]
        return NodeExplanation(
            node_id=node_id,
            standing=standing,
            option_ids=tuple(o.option_id for o in self._options if o.option_id in shipping + sending),
            line_ids=tuple(dict.fromkeys(self._asked.lines[i].line_id for i in able)),
            cost_difference_cents=self._more.cents.get(node),
            arrives_on=date.fromordinal(min(arrivals)) if arrivals else None,
            binding=binding,
            why=why,
            ranked_difference_cents=self._more.ranked.get(node, UNSET) if self._has_values else UNSET,
            stock_value_cents=self._worth(node, able) if self._has_values else UNSET,
        )

    def _worth(self, node: int, lines: Sequence[int]) -> int:
        """Return what the units of some lines are worth at a node to later demand."""
        return value_of(node, sum(1 << line for line in lines), self._programme.ask.values)

    def _beaten(self, node: int, able: Sequence[int]) -> tuple[Binding, str]:
        """Return why a node that could ship something was not chosen."""
        if self._more.ranked:
            return self._more.beaten(node, "it ships")
        names = ", ".join(self._asked.lines[i].line_id for i in able)
        return "cost", f"it could ship {names}, but the options without it are better"

    def _obstacle(self, node: int) -> tuple[Standing, Binding, str]:
        """Return the first thing that stands in the way of a node that can ship no line."""
        if node not in self._asked_nodes:
            return "policy", "group", "it is not among the nodes that this promise may use"
        row = self._row.get(node)
        if row is None:
            limit = self._view.network.policy.max_distance_km
            words = "beyond the last zone" if limit is None else f"beyond the last zone or {limit:g} km"
            return "distance", "reach", f"the place is {words} from it"
        covering = [single for single in self._singles if single[1][row, 1] < NEVER]
        if not covering:
            return self._without_stock(node)
        if not any(self._is_served(ask, covered, row, NEVER - 1, is_free=True) for ask, covered, _ in covering):
            if any(self._is_served(_tame(ask), covered, row, NEVER - 1) for ask, covered, _ in covering):
                return "handling", "handling", "it, or its services, do not take the handling classes of what it has"
            if any(self._is_served_without_slots(ask, covered, row) for ask, covered, _ in covering):
                return "slot", "slot", "no window of its services that can be booked has a place left"
            return "service", "service", "no service that picks up there carries what it has to the place"
        if any(self._is_served(ask, covered, row, ask.need_by, is_free=True) for ask, covered, _ in covering):
            return "capacity", "capacity", "its capacity is taken until it would be too late"
        return self._late(covering, row)

    def _is_served(
        self, ask: Ask, covered: NDArray[np.int64], row: int, deadline: int, *, is_free: bool = False
    ) -> bool:
        one = ask._replace(nodes=ask.nodes[row : row + 1])
        return bool(self._priced(one, covered[row : row + 1], deadline, is_free=is_free).cost[0, 1] < INFINITE)

    def _is_served_without_slots(self, ask: Ask, covered: NDArray[np.int64], row: int) -> bool:
        """Say whether a node could ship a line if none of its services had slots."""
        free = self._programme.without_slots
        if free is None:
            return False
        one = ask._replace(nodes=ask.nodes[row : row + 1], services=free.ask.services)
        days = free.days._replace(load=no_load(len(self._view.network.node_ids)))
        parcels = price_parcels(True, NEVER - 1, covered[row : row + 1], one.nodes, one, free.cards, days)
        return bool(parcels.cost[0, 1] < INFINITE)

    def _late(
        self, covering: Sequence[tuple[Ask, NDArray[np.int64], Parcels]], row: int
    ) -> tuple[Standing, Binding, str]:
        """Return when a node that is too late could deliver."""
        arrivals = [int(self._priced(ask, covered, NEVER - 1).arrival[row, 1]) for ask, covered, _ in covering]
        day = min((arrival for arrival in arrivals if arrival < NEVER), default=None)
        if day is None:
            return "capacity", "capacity", "its capacity is taken on every day that is planned"
        from_day = min(int(covered[row, 1]) for _, covered, _ in covering)
        if from_day > int(self._table.local_day[self._programme.ask.nodes[row]]):
            words = f"it has units from {date.fromordinal(from_day)} on, which would arrive on {date.fromordinal(day)}"
            return "no_stock", "stock", f"{words} at the earliest, after the deadline"
        words = f"what it has would arrive on {date.fromordinal(day)} at the earliest, after the deadline"
        return "calendar", "need_by", words

    def _without_stock(self, node: int) -> tuple[Standing, Binding, str]:
        """Return what a node lacks, or who it is kept for."""
        table, kept = self._table, list[str]()
        short: list[str] = []
        for line, content in zip(self._asked.lines, self._asked.contents, strict=True):
            for sku, each in content.components:
                cell, needed = (table.rows[sku], node), each * line.quantity
                available = max(0, int(table.today[cell]))
                if available >= needed:
                    continue
                quotas = table.quotas.get(cell)
                if quotas is not None and quotas.available >= needed:
                    kept.append(f"{needed} of {sku} asked, {quotas.available} there, {available} not kept for others")
                short.append(f"{needed} of {sku} asked, {available} available")
        if kept:
            return "quota", "quota", "; ".join(kept)
        return "no_stock", "stock", "; ".join(short) or "what it has is not enough for any line"

    def _compare(self) -> None:
        """Find by node and hub what the cheapest plan with a parcel of it costs more than the cheapest option."""
        if any(line.substitute_for for s in self._options[0].shipments for line in s.lines):
            return
        ask, demand = grouped(self._programme, self._masks)
        nodes, hubs = self._differences(ask, demand, ranked_cents(self._options[0]))
        ranked, hubs_ranked = ({at: max(0, more) for at, more in found.items()} for found in (nodes, hubs))
        cents, hubs_cents = ranked, hubs_ranked
        if self._has_values:
            money = ask._replace(values=NO_VALUES)
            cents, hubs_cents = self._differences(money, demand, self._options[0].total_cost_cents)
        self._more, self._hubs_more = Differences(cents, ranked), Differences(hubs_cents, hubs_ranked)

    def _differences(self, ask: Ask, demand: NDArray[np.int64], base: int) -> tuple[dict[int, int], dict[int, int]]:
        """Return by node, and by hub, what the cheapest plan with a parcel of it costs more than `base`."""
        programme = self._programme
        alone = days_alone(demand, ask.nodes, programme.local_day, programme.atp)
        covered = days_covered(alone, demand, ask.nodes, programme.local_day, programme.atp)
        cost = price_parcels(False, ask.need_by, covered, ask.nodes, ask, programme.cards, programme.days).cost
        packed = packed_costs(programme, ask, demand)
        cost = np.concatenate([cost, *(by_mask[None] for by_mask in packed.values())])
        shipped = {line.line_id for shipment in self._options[0].shipments for line in shipment.lines}
        served = sum(1 << i for i, line in enumerate(self._asked.lines) if line.line_id in shipped)
        nodes, hubs = dict[int, int](), dict[int, int]()
        for row, node in enumerate([*ask.nodes.tolist(), *packed]):
            least = _least_with(cost, row, served, min(ask.most_parcels, len(self._masks)), ask.split_cost)
            if least < INFINITE:
                (nodes if row < len(ask.nodes) else hubs)[node] = least - base
        return nodes, hubs


def _sends(node_id: str, option: Option) -> bool:
    """Say whether a node sends something to a hub in an option."""
    return any(transfer.node_id == node_id for s in option.shipments for transfer in s.consolidates or ())


def _least_with(cost: NDArray[np.int64], row: int, served: int, most: int, split_cost: int) -> int:
    """Return the cost of the cheapest plan for a mask of lines in which one node ships a parcel.

    The other parcels are each the cheapest of all other nodes; where two of them are of one node, a bound from below.
    """
    others = np.delete(cost, row, axis=0).min(axis=0, initial=INFINITE).tolist()
    own = cost[row].tolist()
    rest = _cheapest_covers(others, served, most - 1, split_cost)
    least = INFINITE
    part = served
    while part > 0:
        if own[part] < INFINITE and rest[served ^ part] < INFINITE:
            least = min(least, own[part] + rest[served ^ part])
        part = (part - 1) & served
    return least


def _cheapest_covers(parcel: Sequence[int], served: int, most: int, split_cost: int) -> list[int]:
    """Return, by mask, the least cost of covering it with at most so many parcels, a split for each of them."""
    total = [INFINITE] * len(parcel)
    total[0] = 0
    for _ in range(most):
        longer = list(total)
        for mask in range(1, len(parcel)):
            if mask & ~served:
                continue
            part = mask
            while part > 0:
                if parcel[part] < INFINITE and total[mask ^ part] < INFINITE:
                    longer[mask] = min(longer[mask], parcel[part] + split_cost + total[mask ^ part])
                part = (part - 1) & mask
        total = longer
    return total


def _tame(ask: Ask) -> Ask:
    """Return the order as if nobody minded handling classes."""
    return ask._replace(goods=ask.goods._replace(handling=ask.goods.handling[:0]))


_ORDER = {"chosen": 0, "eligible": 1}


def _rank(node: NodeExplanation) -> tuple[int, int, str]:
    more = node.cost_difference_cents if node.ranked_difference_cents is UNSET else node.ranked_difference_cents
    return _ORDER.get(node.standing, 2), INFINITE if more is None else more, node.node_id
