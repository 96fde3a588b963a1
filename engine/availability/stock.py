"""From live stock as read to ATP by (SKU, node of the network), in the form of people and in that of kernels.

Not here: the formula (atp.py), reading (engine/inventory).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.availability.atp import Step, atp_steps, launched_steps
from engine.availability.reference import View
from engine.inventory.model import CONFIRMED, HELD, KINDS, ON_HAND, SAFETY_STOCK, SCHEDULED, VERSION, StockView
from engine.inventory.quotas import Quota, free_to
from engine.network.model import Network
from solvers.promise_parcels import Atp
from solvers.stock_cells import NO_SLOT, weigh_cells

_NOWHERE = -1
_FREE = np.zeros(KINDS, dtype=np.int64)
_FREE[ON_HAND] = 1
_FREE[[SAFETY_STOCK, HELD, CONFIRMED]] = -1
"""Which counts of a cell are available units, and which are taken off."""
NO_LAUNCHES: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellQuotas:
    """The quotas of a cell, units on hand that are not kept back, and those available now, before any quota."""

    quotas: tuple[Quota, ...]
    base: int
    available: int

    def after_return(self, channel: str | None, level: int, returned: int, now: datetime) -> int:
        """Return what a channel may take of a level after it has given units back."""
        quotas = (
            replace(quota, used=max(0, quota.used - returned)) if quota.channel == channel else quota
            for quota in self.quotas
        )
        return free_to(channel, level, quotas=quotas, base=self.base, now=now)

    def steps(self, steps: Sequence[Step], channel: str | None, now: datetime) -> list[Step]:
        """Return the part of ATP steps that a channel may take."""
        found: list[Step] = []
        for day, level in steps:
            free = free_to(channel, level, quotas=self.quotas, base=self.base, now=now)
            if not found or free > found[-1][1]:
                found.append((day, free))
        return found


class AtpTable(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """ATP of the SKUs of one read at every node of a network.

    `today` (skus, nodes) is ATP(today), `later` the steps, today's included, of the cells that have any schedule;
    `known` (skus, nodes) says where a position or a schedule exists; `scheduled` holds what such steps are made of:
    available units, and the (day, delta) of supplies and dated demand. Before the day of `launches`, by row, ATP of a
    product is at most 0. All is what `channel` may take: ATP less what quotas keep for others; `quotas` has the cells
    that have some, with what a share is of.
    """

    rows: Mapping[str, int]
    local_day: NDArray[np.int64]
    today: NDArray[np.int64]
    known: NDArray[np.bool_]
    later: Mapping[tuple[int, int], list[Step]]
    scheduled: Mapping[tuple[int, int], tuple[int, Sequence[Step]]]
    launches: Mapping[int, int]
    channel: str | None
    now: datetime
    quotas: Mapping[tuple[int, int], CellQuotas]

    def steps(self, sku: str, node: int) -> list[Step]:
        """Return the ATP steps of a SKU at a node, the first one today."""
        row = self.rows[sku]
        found = self.later.get((row, node))
        return [(int(self.local_day[node]), int(self.today[row, node]))] if found is None else found

    def after_return(self, sku: str, node: int, returned: Sequence[tuple[int | None, int]]) -> int:
        """Return ATP(today) as it would be if a reservation gave units back.

        `returned` are (ship_on, units): dated demand of that day, or units taken from what is there now (None).
        """
        cell, today = (self.rows[sku], node), int(self.local_day[node])
        if today < self.launches.get(cell[0], 0):
            return min(0, int(self.today[cell]))
        available, schedule = self.scheduled.get(cell, (int(self.today[cell]), ()))
        given_back = [(today if day is None else max(day, today), units) for day, units in returned]
        quotas = self.quotas.get(cell)
        if quotas is None:
            return atp_steps(available, [*schedule, *given_back], today)[0][1]
        level = atp_steps(quotas.available, [*schedule, *given_back], today)[0][1]
        there = sum(units for day, units in given_back if day <= today)
        return max(
            quotas.after_return(self.channel, level, sum(units for _, units in returned), self.now), min(level, there)
        )

    def for_kernels(self) -> Atp:
        """Return the same in compressed rows; cell = row × nodes + node."""
        cells = self.today.size
        offset = np.zeros(cells + 1, dtype=np.int64)
        steps: list[Step] = []
        nodes = self.today.shape[1]
        for (row, node), found in sorted(self.later.items()):
            steps.extend(found[1:])
            offset[row * nodes + node + 1] = len(found) - 1
        if not steps:
            return Atp(self.today.reshape(-1), offset, offset[:0], offset[:0])
        columns = np.array(steps, dtype=np.int64)
        return Atp(self.today.reshape(-1), offset.cumsum(), columns[:, 0].copy(), columns[:, 1].copy())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _LineUp:
    """Which slot of the store is which node of a network, and the other way round; `NO_SLOT` and `_NOWHERE` if none."""

    slots: tuple[str, ...]
    network: Network
    slot_of: NDArray[np.int64]
    node_of_slot: NDArray[np.int64]


class StockReader:
    """Lines the slots of the store up with the nodes of a network; keeps the last line-up. Threads may share it."""

    def __init__(self) -> None:
        self._last: _LineUp | None = None

    def read(
        self, stock: StockView, view: View, local_day: NDArray[np.int64], *, now: datetime, channel: str | None = None
    ) -> AtpTable:
        """Return what a channel may take at every node of the network, by its rules, and from launches on.

        A node without a slot has no stock, and neither has one that is switched off.
        """
        network, buffers, launches = view.network, view.buffers, view.catalog.launches
        line_up, cells = self._lined_up(stock, network), stock.cells
        today, known = weigh_cells(cells, line_up.slot_of, _FREE, VERSION)
        if buffers is not None and cells.shape[1]:
            safety_stock = cells[:, np.maximum(line_up.slot_of, 0), SAFETY_STOCK].astype(np.int64)
            today -= np.maximum(buffers.of_skus(stock.skus) - safety_stock, 0)
            today[:, line_up.slot_of == NO_SLOT] = 0
        scheduled, later = _scheduled(stock, line_up.node_of_slot, local_day, today, known)
        quotas = _cell_quotas(stock, view, line_up.node_of_slot, today, scheduled)
        for (row, node), found in quotas.items():
            before = later.get((row, node))
            steps = found.steps(before or [(int(local_day[node]), int(today[row, node]))], channel, now)
            today[row, node] = steps[0][1]
            if before is not None:
                later[row, node] = steps
        rows = {sku: row for row, sku in enumerate(stock.skus)}
        by_row = {row: launches[sku] for sku, row in rows.items() if sku in launches} if launches else NO_LAUNCHES
        for row, launch in by_row.items():
            _wait_for_launch(row, launch, local_day, today, later)
        return AtpTable(
            rows=rows,
            local_day=local_day,
            today=today,
            known=known,
            later=later,
            scheduled=scheduled,
            launches=by_row,
            channel=channel,
            now=now,
            quotas=quotas,
        )

    def _lined_up(self, stock: StockView, network: Network) -> _LineUp:
        last = self._last
        if last is not None and last.network is network and last.slots == stock.node_ids:
            return last
        slot_of = {node_id: slot for slot, node_id in enumerate(stock.node_ids)}
        slots = np.array([slot_of.get(node_id, NO_SLOT) for node_id in network.node_ids], dtype=np.int64)
        slots[list(network.closed)] = NO_SLOT
        nodes = [network.index.get(node_id, _NOWHERE) for node_id in stock.node_ids]
        nodes = [_NOWHERE if node in network.closed else node for node in nodes]
        found = self._last = _LineUp(
            slots=stock.node_ids,
            network=network,
            slot_of=slots,
            node_of_slot=np.array(nodes, dtype=np.int64),
        )
        return found


def _scheduled(
    stock: StockView,
    node_of_slot: NDArray[np.int64],
    local_day: NDArray[np.int64],
    today: NDArray[np.int64],
    known: NDArray[np.bool_],
) -> tuple[dict[tuple[int, int], tuple[int, Sequence[Step]]], dict[tuple[int, int], list[Step]]]:
    """Return `scheduled` and `later` of the table, and put ATP(today) of these cells into `today`."""
    scheduled: dict[tuple[int, int], tuple[int, Sequence[Step]]] = {}
    later: dict[tuple[int, int], list[Step]] = {}
    for (row, slot), schedule in stock.schedule.items():
        node = node_of_slot.item(slot)
        if node == _NOWHERE or not stock.cells.item(row, slot, SCHEDULED):
            continue
        cell = row, node
        available = today.item(cell)
        steps = atp_steps(available, schedule, local_day.item(node))
        scheduled[cell], later[cell] = (available, schedule), steps
        today[cell], known[cell] = steps[0][1], True
    return scheduled, later


def _cell_quotas(
    stock: StockView,
    view: View,
    node_of_slot: NDArray[np.int64],
    today: NDArray[np.int64],
    scheduled: Mapping[tuple[int, int], tuple[int, Sequence[Step]]],
) -> Mapping[tuple[int, int], CellQuotas]:
    """Return the quotas by (row, node of the network); `today` is ATP(today) before any quota."""
    found: dict[tuple[int, int], CellQuotas] = {}
    for (row, slot), quotas in stock.quotas.items():
        node, cell = int(node_of_slot[slot]), stock.cells[row, slot]
        if node == _NOWHERE:
            continue
        sku, node_id = stock.skus[row], stock.node_ids[slot]
        kept = max(int(cell[SAFETY_STOCK]), 0 if view.buffers is None else view.buffers.of(sku, node_id))
        available = scheduled[row, node][0] if (row, node) in scheduled else int(today[row, node])
        found[row, node] = CellQuotas(quotas=quotas, base=int(cell[ON_HAND]) - kept, available=available)
    return found


def _wait_for_launch(
    row: int,
    launch: int,
    local_day: NDArray[np.int64],
    today: NDArray[np.int64],
    later: dict[tuple[int, int], list[Step]],
) -> None:
    """Take what is there before the launch of a product off ATP of the days before it, in `today` and `later`."""
    nodes = np.flatnonzero((local_day < launch) & (today[row] > 0)).tolist()
    for node in {*nodes, *(node for of, node in later if of == row)}:
        day = int(local_day[node])
        steps = launched_steps(later.get((row, node), [(day, int(today[row, node]))]), launch)
        today[row, node], later[row, node] = steps[0][1], steps
