"""From a request and live ATP to the plans of the subset programme: the arrays handed to the kernels, and back.

Here: tables per network, the order as arrays, merging of long orders. Not here: the programme itself
(solvers/promise_options.py), words of the answer (answer.py), why a line is missing (reasons.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.delivery.day_tables import DayTables
from engine.delivery.pickup import Pickup, pickup_at
from engine.network.hubs import TransferMinute
from engine.network.model import Network
from engine.promising.gathering import Consolidation
from engine.promising.goods import Pack, copied_pack, packer_of, plain
from engine.promising.hubs import PIECES, HubTables, Piece, plans_with_hubs, usable_transfers
from engine.promising.making import after_making
from engine.promising.pickup import store_cards
from engine.promising.request import Asked
from engine.promising.valuing import NO_VALUES, UnitValues, value_of, values_of
from solvers.problem import DISTANCE_TOLERANCE_KM
from solvers.promise_dates import Days, Load
from solvers.promise_freight import Cards, Goods, Rules, plain_rules
from solvers.promise_options import MASK, MASK_LINES, NODE, SERVICE, promise_order
from solvers.promise_parcels import Ask, Atp, within_reach

_Rows = tuple[tuple[tuple[int, ...], ...], ...]
_ANY_WEIGHT_G = 2**62
_HEAVIEST_G = 10**15
"""Above every weight step, and small enough that sums stay in 64 bits."""
_MOST_CELLS = 2**20
"""Nodes × masks that one programme may take; with more nodes, fewer lines are kept apart."""


class Programme(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One order as the kernels see it, before any line is merged.

    `pack` turns its lines, in groups, into goods, which are not yet packed in `ask`; `rows` are the columns of products
    in `demand`; `anywhere` are the cards as if services delivered however far. Where services have slots,
    `without_slots` is the order as if they had none, and `origin` the service that each is, or is a copy of.
    `unit_values` (products, all nodes) is what a unit is worth to later demand, `NO_VALUES` if nothing is.
    """

    demand: NDArray[np.int64]
    ask: Ask
    cards: Cards
    days: Days
    atp: Atp
    local_day: NDArray[np.int64]
    pack: Pack
    rows: Mapping[str, int]
    anywhere: Cards
    pickup: Pickup | None
    consolidation: Consolidation | None
    without_slots: Programme | None = None
    origin: tuple[int, ...] = ()
    unit_values: NDArray[np.int64] = msgspec.field(default_factory=lambda: NO_VALUES)


class Plans(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The plans, each as rows of NODE … NINETIETH_DAY, their lines as numbers, and the lines they all serve.

    `from_history` says, by service, whether its days of arrival are learned, or those of the rate card; `units` has the
    units of every line of the order; `goods` have the cartons of every mask in the rows. Where hubs may be used, rows
    have a column PIECES, a place in `pieces`, -1 for none: what is sent to a hub for a parcel, with its lines. `values`
    is what the units of each plan are worth to later demand, which no cost in the rows has; empty if nothing is.
    """

    rows: tuple[tuple[tuple[int, ...], ...], ...]
    units: tuple[int, ...]
    from_history: Sequence[bool]
    lines: tuple[tuple[tuple[int, ...], ...], ...]
    served: frozenset[int]
    goods: Goods
    pieces: tuple[tuple[tuple[Piece, tuple[int, ...]], ...], ...] = ()
    values: tuple[int, ...] = ()


class Tables:
    """The arrays of one network for the kernels, made once; in `days` those of one minute, until it has passed."""

    def __init__(self) -> None:
        self._network: Network | None = None
        self._cards: Cards | None = None
        self._pickup_cards: Cards | None = None
        self._store_cards: dict[int, Cards] = {}
        self.days = DayTables()
        self._hubs = HubTables()
        self._values = UnitValues()

    def consolidation(
        self, view: View, now: datetime, nodes: NDArray[np.int64], near: NDArray[np.int64]
    ) -> Consolidation | None:
        """Return the transfers from some nodes to hubs among those near a destination; None without any."""
        minute = self.transfers(view, now)
        return None if minute is None else usable_transfers(view.network, minute, nodes, near)

    def transfers(self, view: View, now: datetime) -> TransferMinute | None:
        """Return what a minute means to transfers; None if the network has none."""
        return None if view.network.hubs is None else self._hubs.at(view, now)

    def valued(self, programme: Programme, asked: Asked, view: View) -> Programme:
        """Return the programme with its plans ranked by bid prices too; as it is if none are published."""
        if view.bid_prices is None:
            return programme
        unit_values = self._values.of(asked.skus, programme.rows, view.network, view.bid_prices)
        return with_values(programme, unit_values) if unit_values.size else programme

    def cards(self, network: Network, *, is_pickup: bool) -> Cards:
        """Return the costs of a network; at a pick-up only the node's units cost."""
        if self._network is not network or self._cards is None or self._pickup_cards is None:
            self._cards, self._pickup_cards = _cards(network), _pickup_cards(network)
            self._network, self._store_cards = network, {}
        return self._pickup_cards if is_pickup else self._cards

    def store_cards(self, network: Network, node: int) -> Cards:
        """Return the costs of parcels to a store, and of what it has itself."""
        cards = self.cards(network, is_pickup=False)
        if node not in self._store_cards:
            self._store_cards[node] = store_cards(cards, network, node)
        return self._store_cards[node]


def build(asked: Asked, view: View, table: AtpTable, now: datetime, tables: Tables, load: Load) -> Programme:
    """Put an order, the network and live ATP into arrays."""
    network, days = view.network, view.days
    today = days.at(now)
    pickup = None if asked.pickup_node < 0 else pickup_at(network, today, asked.pickup_node, now)
    if asked.place is None:
        nodes, services = asked.nodes, np.zeros(1, dtype=np.int64)
        zone = np.zeros(len(network.node_ids), dtype=np.int64)
        shift, distance_km = zone, zone.astype(np.float64)
    else:
        limit = network.policy.max_distance_km
        nodes, zone, distance_km = within_reach(
            asked.nodes,
            network.latitude_rad,
            network.longitude_rad,
            asked.place.latitude_rad,
            asked.place.longitude_rad,
            network.zone_max_km,
            np.inf if limit is None else limit,
        )
        services = asked.services
        shift = days.shift_to(asked.place.time_zone, now)
    demand, units, weight_g = _demand(asked, table.rows)
    goods, pack = packer_of(asked, view)
    if view.catalog.making_days:
        table = after_making(table, view.catalog.making_days, network, today)
    ask = Ask(
        units=units,
        weight_g=weight_g,
        nodes=nodes,
        services=services,
        zone=zone,
        distance_km=distance_km,
        shift=shift,
        need_by=asked.need_by,
        most_parcels=asked.most_parcels,
        split_cost=network.policy.split_cost_cents,
        complete=asked.is_complete,
        goods=goods,
        values=NO_VALUES,
    )
    if pickup is not None and asked.place is not None:
        anywhere = tables.store_cards(network, pickup.node)
        day_tables = tables.days.store_days(view, now, pickup)
    elif pickup is not None:
        anywhere, day_tables = tables.cards(network, is_pickup=True), tables.days.pickup_days(view, pickup)
    else:
        anywhere = tables.cards(network, is_pickup=False)
        day_tables = tables.days.area_days(view, now, asked.delivery_area)
    cards = anywhere
    if asked.place is not None and network.service_max_km is not None:
        is_near = np.ones_like(cards.serves)
        is_near[: len(network.services)] = distance_km <= network.service_max_km[:, None] + DISTANCE_TOLERANCE_KM
        cards = cards._replace(serves=cards.serves & is_near)
    return Programme(
        demand=demand,
        ask=ask,
        cards=cards,
        days=day_tables._replace(load=load),
        atp=table.for_kernels(),
        local_day=today.local_day,
        pack=pack,
        rows=table.rows,
        anywhere=anywhere,
        pickup=pickup,
        consolidation=None if pickup is not None else tables.consolidation(view, now, asked.nodes, nodes),
    )


def with_values(programme: Programme, unit_values: NDArray[np.int64]) -> Programme:
    """Return the programme with other values of units, `NO_VALUES` for none."""
    ask = programme.ask._replace(values=values_of(programme.demand, unit_values))
    return structs.replace(programme, ask=ask, unit_values=unit_values)


def exchanged(programme: Programme, asked: Asked, view: View) -> Programme:
    """Return the programme of the same order with other SKUs in its lines, whose stock was read with it."""
    demand, units, weight_g = _demand(asked, programme.rows)
    goods, pack = packer_of(asked, view)
    if programme.origin:
        pack = copied_pack(pack, programme.origin)
    ask = programme.ask._replace(
        units=units,
        weight_g=weight_g,
        goods=goods,
        complete=asked.is_complete,
        values=values_of(demand, programme.unit_values),
    )
    return structs.replace(programme, demand=demand, ask=ask, pack=pack)


def _demand(asked: Asked, rows: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return units by line and product, shape (lines, products), and units and grams by line."""
    demand = np.zeros((len(asked.lines), len(asked.skus)), dtype=np.int64)
    units = np.empty(len(asked.lines), dtype=np.int64)
    weight_g = np.empty(len(asked.lines), dtype=np.int64)
    for index, (line, content) in enumerate(zip(asked.lines, asked.contents, strict=True)):
        units[index] = 0
        for sku, each in content.components:
            demand[index, rows[sku]] = each * line.quantity
            units[index] += each * line.quantity
        weight_g[index] = min(content.weight_g * line.quantity, _HEAVIEST_G)
    return demand, units, weight_g


def most_masks(nodes: int) -> int:
    """Return how many lines the programme keeps apart at this number of nodes."""
    return max(1, min(MASK_LINES, (_MOST_CELLS // max(1, nodes)).bit_length() - 1))


def solve(programme: Programme, groups: Sequence[tuple[int, ...]]) -> Plans:
    """Solve the programme with the lines of each group travelling together; exact if every group is one line."""
    ask, demand = programme.ask, programme.demand
    if len(groups) != demand.shape[0] or any(len(group) > 1 for group in groups):
        ask, demand = grouped(programme, groups)
    elif programme.pack is not plain:
        ask = ask._replace(goods=programme.pack(groups))
    is_plain = programme.consolidation is None and len(ask.goods.handling) < 2
    found = None if is_plain else plans_with_hubs(programme, ask, demand)
    pieces: tuple[tuple[Piece, ...], ...] = ()
    if found is None:
        plans, counts, served = promise_order(
            demand, programme.local_day, programme.atp, ask, programme.cards, programme.days
        )
    else:
        plans, counts, served, pieces = found
    rows = tuple([tuple(map(tuple, plan[:count])) for plan, count in zip(plans.tolist(), counts.tolist(), strict=True)])
    if programme.origin:
        rows = _of_services(rows, programme.origin)
    lines_of = _lines_by_mask(tuple(groups))
    return Plans(
        rows=rows,
        units=tuple(programme.ask.units.tolist()),
        from_history=programme.days.learned.knows.tolist(),
        lines=tuple([tuple([lines_of[row[MASK]] for row in plan]) for plan in rows]),
        served=frozenset(lines_of[served]),
        goods=ask.goods,
        pieces=tuple([tuple([(one, lines_of[one.mask]) for one in parcel]) for parcel in pieces]),
        values=tuple([_value_of(plan, pieces, ask.values) for plan in rows]) if ask.values.size else (),
    )


def _value_of(
    plan: tuple[tuple[int, ...], ...], pieces: tuple[tuple[Piece, ...], ...], values: NDArray[np.int64]
) -> int:
    """Return what the units of a plan are worth at the nodes that they leave."""
    uses = list[tuple[int, int]]()
    for row in plan:
        is_packed = pieces and row[PIECES] >= 0
        uses += [(one.node, one.mask) for one in pieces[row[PIECES]]] if is_packed else [(row[NODE], row[MASK])]
    return sum(value_of(node, mask, values) for node, mask in uses)


def grouped(programme: Programme, groups: Sequence[tuple[int, ...]]) -> tuple[Ask, NDArray[np.int64]]:
    """Return the order with one line for each group."""
    ask, demand = programme.ask, programme.demand
    together = np.zeros((len(groups), demand.shape[1]), dtype=np.int64)
    units, weight_g = np.zeros(len(groups), dtype=np.int64), np.zeros(len(groups), dtype=np.int64)
    for place, group in enumerate(groups):
        together[place] = demand[list(group)].sum(axis=0)
        units[place] = ask.units[list(group)].sum()
        weight_g[place] = ask.weight_g[list(group)].sum()
    ask = ask._replace(
        units=units, weight_g=weight_g, goods=programme.pack(groups), values=values_of(together, programme.unit_values)
    )
    return ask, together


def _of_services(rows: _Rows, origin: Sequence[int]) -> _Rows:
    """Return the parcels of plans with the services that copies are of."""
    return tuple(
        [tuple([(*row[:SERVICE], origin[row[SERVICE]], *row[SERVICE + 1 :]) for row in plan]) for plan in rows]
    )


@lru_cache(maxsize=64)
def _lines_by_mask(groups: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(sorted(line for place, group in enumerate(groups) if mask >> place & 1 for line in group))
        for mask in range(1 << len(groups))
    )


def _cards(network: Network) -> Cards:
    rates = network.rates
    return Cards(
        network.parcel_cost_cents.copy(),
        network.unit_cost_cents.copy(),
        network.serves.copy(),
        rates.offsets.copy(),
        rates.max_weight_g.copy(),
        rates.cost_cents.copy(),
        rates.transit_days.copy(),
        len(network.zones),
        Rules(network.freight.node_bars, network.freight.service, network.freight.is_plain),
    )


def _pickup_cards(network: Network) -> Cards:
    nodes = len(network.node_ids)
    nothing = np.zeros(1, dtype=np.int64)
    return Cards(
        np.zeros(nodes, dtype=np.int64),
        network.unit_cost_cents.copy(),
        np.ones((1, nodes), dtype=np.bool_),
        np.array([0, 1], dtype=np.int64),
        np.array([_ANY_WEIGHT_G], dtype=np.int64),
        nothing,
        nothing.copy(),
        1,
        plain_rules(nodes, 1)._replace(node_bars=network.freight.node_bars),
    )
