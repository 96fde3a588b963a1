"""A routing problem compiled for pricing: candidates, parcel costs per subset of lines, and what is contested.

Done once per problem. An order's lines get positions 0, 1, …; a subset of them is a bit mask. For every order and
every node that could ship at least one of its lines there is a candidate, with the cost of every subset that it could
ship as one parcel.
Stock cells and node capacities that all candidates together cannot exhaust need no price and no row.

Where lines may be divided, the lines of the tables are pieces of the problem's (`pieces.py`). An order of more than
`EXACT_LINES` lines or pieces has no table of parcels: it is priced by a relaxation (`relaxation.py`), over the tariffs
of its candidates, and plans for it are made by `long_orders.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.candidates import NO_CELL, by_line, count_candidates, fill_candidates, supply_of
from solvers.cost import INFEASIBLE, Freight, best_service, freight
from solvers.pieces import table_lines
from solvers.problem import ANY_LEVEL, UNLIMITED, IntArray, RoutingProblem
from solvers.tariffs import Tariffs, tariffs_of

EXACT_LINES = 10
"""Orders of up to so many lines are priced exactly."""
NO_STOCK = -2
"""In `Tables.row`: the node cannot ship the line."""
FREE = -1
"""In `Tables.row`: the node can ship the line, and its stock can never run short."""


class Tables(NamedTuple):
    """The compiled problem; `o` is an order, `c` a candidate, `l` a line position in its order."""

    line_start: IntArray
    """Lines of o: `line_start[o]:line_start[o + 1]`."""
    line: IntArray
    """Index in the problem of each line; several are pieces of one."""
    quantity: IntArray
    weight_g: IntArray
    """Grams of the whole line."""
    grouped: IntArray
    """How many of o's lines its cost table covers: all, or none of a long order."""
    max_parcels: IntArray
    due_days: IntArray
    service_level: IntArray
    cand_start: IntArray
    cand_node: IntArray
    cand_place: IntArray
    """Zone, or first lane, of each candidate."""
    cand_place_end: IntArray
    row_start: IntArray
    """`row[row_start[o] + c * lines + l]` is the contested cell of line l at candidate c, `FREE` or `NO_STOCK`."""
    row: NDArray[np.int32]
    cand_able: NDArray[np.int32]
    """The grouped lines that each candidate can ship, as a mask."""
    cand_table: IntArray
    """`parcel_cents[cand_table[c] + k]` is the cost of the k-th subset of `cand_able[c]`, in ascending order, as a
    parcel."""
    parcel_cents: IntArray
    tariffs: Tariffs
    """Of the candidates of orders priced by a relaxation."""
    divisible: bool
    """Whether lines may be divided; a line is then one or several table lines, its pieces."""
    row_stock: IntArray
    freight: Freight
    node_parcel_cents: IntArray
    node_unit_cents: IntArray
    split_cents: int
    short_cents: IntArray
    """What backordering each whole line costs, its move included."""
    current_node: IntArray
    """Where an earlier plan has each line, or -1."""
    moved_cents: IntArray
    """What each line costs if it does not ship from there; where lines may be divided, a multiple of its quantity."""
    value_row: IntArray
    """Row of each line in `value_cents`."""
    value_cents: IntArray
    """What a unit of the lines of a row counts more at each node, for ranking only; without rows if none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A problem with its tables, and the limits that matter."""

    problem: RoutingProblem
    tables: Tables
    entry: IntArray
    """Stock entry of the problem behind each contested row."""
    row_stock: IntArray
    node_units: IntArray
    """Unit capacity per node; `UNLIMITED` where all candidates together cannot exhaust it."""
    node_parcels: IntArray
    coupled: NDArray[np.bool_]
    """Orders that touch a contested cell or node; the others are optimal on their own."""


def compile_tables(problem: RoutingProblem, *, whole_lines: bool = False) -> Compiled:
    """Return the compiled form of a problem, whose arrays become read-only.

    With `whole_lines` the lines of the tables are those of the problem, even where they may be divided.
    """
    problem.freeze()
    orders, nodes, stock = problem.orders, problem.nodes, problem.stock
    line_start, line, quantity = table_lines(problem, EXACT_LINES, whole=whole_lines)
    sku = orders.line_sku[line]
    lengths, terms = np.diff(line_start), freight(problem)
    service_level = _or_all(orders.service_level, len(orders.order_ids), ANY_LEVEL)
    current_node = by_line(orders.line_current_node, line, -1)
    moved_cents = _moved_cents(problem, line, quantity, current_node)
    backorder_cents = by_line(orders.line_backorder_cents, line, problem.terms.backorder_cost_cents_per_unit)
    short_cents = quantity * backorder_cents + moved_cents
    supply = supply_of(problem, line_start, line, quantity)
    counts = count_candidates(supply)
    cand_start, row_start = _starts(counts), _starts(counts * lengths)
    cand_node, place, place_end, cell = fill_candidates(supply, cand_start, row_start)
    grouped = _grouped(problem.terms.line_split, lengths, _starts(quantity)[line_start])
    cand_able, subsets = _able(cand_start, row_start, line_start, grouped, cell)
    cand_table = _starts(subsets)
    weight_g = problem.weight_g[sku] * quantity
    parcel_cents = _cost_table(
        (cand_start, cand_able, cand_table, grouped),
        (line_start, quantity, weight_g),
        (cand_node, place, place_end),
        (orders.due_days, service_level),
        terms,
        nodes.parcel_cost_cents,
        nodes.unit_cost_cents,
    )
    # A copy, since what cannot be written is another type, for which every kernel would be compiled once more.
    value_cents = np.array(np.zeros((0, 0), np.int64) if problem.unit_value_cents is None else problem.unit_value_cents)
    value_row = (orders.line_sku if orders.line_value_row is None else orders.line_value_row)[line]
    if moved_cents.any() or len(value_cents):
        _add_charges(
            (cand_start, cand_able, cand_table, grouped),
            line_start,
            cand_node,
            (current_node, moved_cents, value_row, quantity, value_cents),
            parcel_cents,
        )
    shape = (cand_start, row_start)
    entry = np.flatnonzero(_potential(shape, quantity, line_start, cell, len(stock.available)) > stock.available)
    units, parcels = _node_potential(shape, quantity, line_start, cand_node, cell, len(nodes.node_ids))
    node_units = np.where(units > nodes.capacity_units, nodes.capacity_units, UNLIMITED)
    node_parcels = np.where(parcels > nodes.capacity_parcels, nodes.capacity_parcels, UNLIMITED)
    row = _rows(entry, cell, len(stock.available))
    if problem.terms.line_split:
        _forbid_too_many(
            (cand_start, row_start, cand_able, cand_table), line_start, line, row, stock.available[entry], parcel_cents
        )
    limited = (node_units < UNLIMITED) | (node_parcels < UNLIMITED)
    owner = np.repeat(np.arange(len(counts)), counts)
    tables = Tables(
        line_start=line_start,
        line=line,
        quantity=quantity,
        weight_g=weight_g,
        grouped=grouped,
        max_parcels=orders.max_parcels,
        due_days=orders.due_days,
        service_level=service_level,
        cand_start=cand_start,
        cand_node=cand_node,
        cand_place=place,
        cand_place_end=place_end,
        row_start=row_start,
        row=row,
        cand_able=cand_able,
        cand_table=cand_table,
        parcel_cents=parcel_cents,
        tariffs=tariffs_of(
            (grouped < lengths)[owner],
            owner,
            cand_node,
            (place, place_end),
            (orders.due_days, service_level),
            terms,
        ),
        divisible=problem.terms.line_split,
        row_stock=stock.available[entry],
        freight=terms,
        node_parcel_cents=nodes.parcel_cost_cents,
        node_unit_cents=nodes.unit_cost_cents,
        split_cents=problem.terms.split_cost_cents,
        short_cents=short_cents,
        current_node=current_node,
        moved_cents=moved_cents,
        value_row=value_row,
        value_cents=value_cents,
    )
    return Compiled(
        problem=problem,
        tables=tables,
        entry=entry,
        row_stock=stock.available[entry],
        node_units=node_units,
        node_parcels=node_parcels,
        coupled=_coupled(shape, cand_node, row, limited),
    )


def _rows(entry: IntArray, cell: NDArray[np.int32], entries: int) -> NDArray[np.int32]:
    """Translate stock entries into contested rows; the last two places stand for `OWN` and `NO_CELL`."""
    row_of = np.full(entries + 2, FREE, np.int32)
    row_of[entry] = np.arange(len(entry), dtype=np.int32)
    row_of[NO_CELL] = NO_STOCK
    return row_of[cell]


def _grouped(divisible: bool, lengths: IntArray, units_before: IntArray) -> IntArray:
    """Return how many lines the cost table of each order covers; where lines may be divided, all must be units."""
    size = np.diff(units_before) if divisible else lengths
    return np.where((size > EXACT_LINES) | (divisible & (size > lengths)), 0, lengths)


def _moved_cents(problem: RoutingProblem, line: IntArray, quantity: IntArray, current_node: IntArray) -> IntArray:
    """Return what each line of the tables costs if it moves; where lines may be split, unit by unit."""
    cents = problem.terms.move_cost_cents
    if problem.terms.line_split:
        return np.where(current_node >= 0, quantity * -(-cents // problem.orders.line_quantity[line]), 0)
    return np.where(current_node >= 0, cents, 0)


def _or_all(values: IntArray | None, size: int, default: int) -> IntArray:
    return np.full(size, default, np.int64) if values is None else values.copy()


def _starts(counts: IntArray) -> IntArray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


@njit(cache=True, nogil=True)
def _able(
    cand_start: IntArray, row_start: IntArray, line_start: IntArray, grouped: IntArray, cell: NDArray[np.int32]
) -> tuple[NDArray[np.int32], IntArray]:
    """Return which grouped lines every candidate can ship, as a mask, and how many subsets these have."""
    able, subsets = np.zeros(cand_start[-1], np.int32), np.ones(cand_start[-1], np.int64)
    for o in range(len(cand_start) - 1):
        count = line_start[o + 1] - line_start[o]
        for c in range(cand_start[o], cand_start[o + 1]):
            for p in range(grouped[o]):
                if cell[row_start[o] + (c - cand_start[o]) * count + p] != NO_CELL:
                    able[c] |= 1 << p
                    subsets[c] *= 2
    return able, subsets


@njit(cache=True, nogil=True)
def _cost_table(
    shape: tuple[IntArray, NDArray[np.int32], IntArray, IntArray],
    lines: tuple[IntArray, IntArray, IntArray],
    candidates: tuple[IntArray, IntArray, IntArray],
    terms: tuple[IntArray, IntArray],
    freight: Freight,
    node_parcel_cents: IntArray,
    node_unit_cents: IntArray,
) -> IntArray:
    """Return the cost in cents of every (candidate, subset it can ship) as one parcel, without split cost."""
    cand_start, cand_able, cand_table, grouped = shape
    line_start, quantity, weight_g = lines
    node, place, place_end = candidates
    parcel_cents = np.full(cand_table[-1], INFEASIBLE, np.int64)
    grams, units = np.zeros(1 << EXACT_LINES, np.int64), np.zeros(1 << EXACT_LINES, np.int64)
    for o in range(len(cand_start) - 1):
        first, bits = line_start[o], grouped[o]
        for mask in range(1, 1 << bits):
            rest, low = mask & (mask - 1), _lowest(mask)
            grams[mask], units[mask] = grams[rest] + weight_g[first + low], units[rest] + quantity[first + low]
        own = (terms[0][o], terms[1][o])
        for c in range(cand_start[o], cand_start[o + 1]):
            mask = 0
            for at in range(cand_table[c], cand_table[c + 1]):
                if mask:
                    cost = best_service(freight, node[c], place[c], place_end[c], grams[mask], own, False)[0]
                    if cost < INFEASIBLE:
                        fixed = node_parcel_cents[node[c]] + node_unit_cents[node[c]] * units[mask]
                        parcel_cents[at] = cost + fixed
                mask = (mask - cand_able[c]) & cand_able[c]
    return parcel_cents


@njit(cache=True, nogil=True)
def _add_charges(
    shape: tuple[IntArray, NDArray[np.int32], IntArray, IntArray],
    line_start: IntArray,
    cand_node: IntArray,
    charges: tuple[IntArray, IntArray, IntArray, IntArray, IntArray],
    parcel_cents: IntArray,
) -> None:
    """Add to the cost of every parcel what its lines cost by the node that ships them; see `_charge`."""
    cand_start, cand_able, cand_table, grouped = shape
    for o in range(len(cand_start) - 1):
        first = line_start[o]
        for c in range(cand_start[o], cand_start[o + 1]):
            mask = 0
            for at in range(cand_table[c], cand_table[c + 1]):
                for p in range(grouped[o]):
                    if mask >> p & 1 and parcel_cents[at] < INFEASIBLE:
                        parcel_cents[at] += _charge(charges, first + p, cand_node[c])
                mask = (mask - cand_able[c]) & cand_able[c]


@njit(cache=True, nogil=True, inline="always")
def _charge(charges: tuple[IntArray, IntArray, IntArray, IntArray, IntArray], p: int, node: int) -> int:
    """Return what shipping table line p from a node costs beside freight and the node's own costs.

    That is, because an earlier plan has it elsewhere, and because its units count more there.
    """
    current_node, moved_cents, value_row, quantity, value_cents = charges
    cents = 0 if current_node[p] == node else moved_cents[p]
    if value_cents.shape[0] > 0:
        cents += value_cents[value_row[p], node] * quantity[p]
    return cents


@njit(cache=True, nogil=True, inline="always")
def move_cents(t: Tables, p: int, node: int) -> int:
    """Return what shipping table line p from a node costs beside freight and the node's own costs; see `_charge`."""
    return _charge((t.current_node, t.moved_cents, t.value_row, t.quantity, t.value_cents), p, node)


@njit(cache=True, nogil=True)
def _forbid_too_many(
    shape: tuple[IntArray, IntArray, NDArray[np.int32], IntArray],
    line_start: IntArray,
    line: IntArray,
    row: NDArray[np.int32],
    row_stock: IntArray,
    parcel_cents: IntArray,
) -> None:
    """Make parcels `INFEASIBLE` that hold more units of a line, each a piece of it, than their node has."""
    cand_start, row_start, cand_able, cand_table = shape
    for o in range(len(cand_start) - 1):
        first, count = line_start[o], line_start[o + 1] - line_start[o]
        for c in range(cand_start[o], cand_start[o + 1]):
            mask = 0
            for at in range(cand_table[c], cand_table[c + 1]):
                units = 0
                for p in range(count if mask else 0):
                    if p and line[first + p] != line[first + p - 1]:
                        units = 0
                    cell = row[row_start[o] + (c - cand_start[o]) * count + p]
                    if mask >> p & 1 and cell >= 0:
                        units += 1
                        if units > row_stock[cell]:
                            parcel_cents[at] = INFEASIBLE
                mask = (mask - cand_able[c]) & cand_able[c]


@njit(cache=True, nogil=True, inline="always")
def _lowest(mask: int) -> int:
    """Return the position of the lowest set bit."""
    position = 0
    while not mask >> position & 1:
        position += 1
    return position


@njit(cache=True, nogil=True)
def _potential(
    shape: tuple[IntArray, IntArray], quantity: IntArray, line_start: IntArray, cell: NDArray[np.int32], entries: int
) -> IntArray:
    """Return the units that all candidates together could take from every stock entry."""
    cand_start, row_start = shape
    potential = np.zeros(entries, np.int64)
    for o in range(len(cand_start) - 1):
        count = line_start[o + 1] - line_start[o]
        for i in range(cand_start[o + 1] - cand_start[o]):
            for p in range(count):
                e = cell[row_start[o] + i * count + p]
                if e >= 0:
                    potential[e] += quantity[line_start[o] + p]
    return potential


@njit(cache=True, nogil=True)
def _node_potential(
    shape: tuple[IntArray, IntArray],
    quantity: IntArray,
    line_start: IntArray,
    node: IntArray,
    cell: NDArray[np.int32],
    nodes: int,
) -> tuple[IntArray, IntArray]:
    """Return the units and the parcels that all candidates together could ask of every node."""
    cand_start, row_start = shape
    units, parcels = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    for o in range(len(cand_start) - 1):
        count = line_start[o + 1] - line_start[o]
        for i in range(cand_start[o + 1] - cand_start[o]):
            n = node[cand_start[o] + i]
            parcels[n] += 1
            for p in range(count):
                if cell[row_start[o] + i * count + p] != NO_CELL:
                    units[n] += quantity[line_start[o] + p]
    return units, parcels


@njit(cache=True, nogil=True)
def _coupled(
    shape: tuple[IntArray, IntArray],
    node: IntArray,
    row: NDArray[np.int32],
    limited: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return which orders touch a contested cell or a contested node."""
    cand_start, row_start = shape
    coupled = np.zeros(len(cand_start) - 1, np.bool_)
    for o in range(len(coupled)):
        for c in range(cand_start[o], cand_start[o + 1]):
            coupled[o] |= limited[node[c]]
        for at in range(row_start[o], row_start[o + 1]):
            coupled[o] |= row[at] >= 0
    return coupled
