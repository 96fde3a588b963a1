"""Exact pricing of one order: the cheapest way to serve it at given prices, by a programme over subsets of its lines.

With f(S) the cheapest parcel of the lines S over all nodes, prices included, the best order is

    F(M) = min( backorder M's lowest line + F(M without it),  min over S ⊆ M with M's lowest line of f(S) + F(M \\ S) )

A node ships one parcel per order. The programme does not forbid using a node twice, so when its answer does, the order
is priced again node by node (`_by_node`), which is exact. The kernels run on floats (sweeps, plans) and on integers
(the certificate); `unit` says how many price units a cent has.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from solvers.cost import INFEASIBLE
from solvers.problem import FloatArray, IntArray
from solvers.tables import EXACT_LINES, NO_STOCK, Tables

BIG = 2.0**60
"""Above every price-inclusive cost of an order."""


class Duals(NamedTuple):
    """What a unit of every contested resource costs, in `unit`s to the cent."""

    unit: float
    row: FloatArray
    """Per contested stock cell."""
    units: FloatArray
    """Per node and unit shipped."""
    parcels: FloatArray
    """Per node and parcel shipped."""


class Residual(NamedTuple):
    """What is left of every limited resource."""

    row: IntArray
    units: IntArray
    parcels: IntArray


class Choice(NamedTuple):
    """Scratch space of one thread, and the pattern found last.

    The pattern is `size[0]` parcels: parcel i ships the lines of `mask[i]` from candidate `cand[i]` (counted from the
    order's first); lines in no mask are backordered. Lines beyond the order's group have their own `extra` candidate.
    """

    size: IntArray
    mask: IntArray
    cand: IntArray
    extra: IntArray
    parcel: FloatArray
    parcel_cand: IntArray
    rest: FloatArray
    """Shape (parcels left, mask)."""
    first: IntArray
    """Shape (parcels left, mask): the parcel of the mask's lowest line; 0: it is backordered."""
    added: FloatArray
    units: IntArray
    line_price: FloatArray


def choice(longest_order: int) -> Choice:
    """Return scratch space for orders of up to `longest_order` lines."""
    size = 1 << EXACT_LINES
    return Choice(
        size=np.zeros(1, np.int64),
        mask=np.zeros(EXACT_LINES, np.int64),
        cand=np.zeros(EXACT_LINES, np.int64),
        extra=np.zeros(max(longest_order, 1), np.int64),
        parcel=np.zeros(size),
        parcel_cand=np.zeros(size, np.int64),
        rest=np.zeros((EXACT_LINES + 1, size)),
        first=np.zeros((EXACT_LINES + 1, size), np.int64),
        added=np.zeros(size),
        units=np.zeros(size, np.int64),
        line_price=np.zeros(EXACT_LINES),
    )


@njit(cache=True, nogil=True)
def price_order(t: Tables, o: int, duals: Duals, residual: Residual, live: bool, out: Choice) -> float:
    """Return the least cost of order o at these prices and write its pattern to `out`.

    With `live`, only what is left in `residual` may be used. Exact for orders whose lines are all grouped; for others
    a lower bound (docs/reference/bounds.md), whose pattern is no plan.
    """
    bits, lines = t.grouped[o], t.line_start[o + 1] - t.line_start[o]
    out.size[0] = 0
    if lines == 0:
        return 0.0
    everything = t.backorder_cents * t.quantity[t.line_start[o] : t.line_start[o + 1]].sum() * duals.unit
    if t.max_parcels[o] == 0:
        out.extra[:lines] = -1
        return everything
    if bits:
        _best_parcels(t, o, duals, residual, live, out)
        group = _best_pattern(t, o, duals.unit, out)
        if _repeats_a_node(out):
            group = _by_node(t, o, duals, residual, live, out)
    else:
        group = _least_parcel(t, o, duals)
    value = group if bits == lines else group + _extra_lines(t, o, duals, out)
    if bits == 0 and value >= everything:
        out.extra[:lines] = -1
        value = everything
    return value


@njit(cache=True, nogil=True)
def _able(t: Tables, o: int, i: int, residual: Residual, live: bool) -> int:
    """Return which grouped lines of order o its candidate i can ship."""
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    if live and residual.parcels[t.cand_node[t.cand_start[o] + i]] < 1:
        return 0
    able = 0
    for p in range(t.grouped[o]):
        row = t.row[t.row_start[o] + i * lines + p]
        if row != NO_STOCK and not (live and row >= 0 and residual.row[row] < t.quantity[first + p]):
            able |= 1 << p
    return able


@njit(cache=True, nogil=True)
def _price_lines(t: Tables, o: int, i: int, duals: Duals, out: Choice) -> None:
    """Write what the stock and unit prices add to every subset of lines at candidate i to `out.added`."""
    first, lines, bits = t.line_start[o], t.line_start[o + 1] - t.line_start[o], t.grouped[o]
    per_unit = duals.units[t.cand_node[t.cand_start[o] + i]]
    for p in range(bits):
        row = t.row[t.row_start[o] + i * lines + p]
        price = per_unit + duals.row[row] if row >= 0 else per_unit
        out.line_price[p] = price * t.quantity[first + p]
    for p in range(bits):
        bit = 1 << p
        for mask in range(bit):
            out.added[bit | mask] = out.added[mask] + out.line_price[p]


@njit(cache=True, nogil=True)
def _count_units(t: Tables, o: int, out: Choice) -> None:
    for p in range(t.grouped[o]):
        bit = 1 << p
        for mask in range(bit):
            out.units[bit | mask] = out.units[mask] + t.quantity[t.line_start[o] + p]


@njit(cache=True, nogil=True)
def _best_parcels(t: Tables, o: int, duals: Duals, residual: Residual, live: bool, out: Choice) -> None:
    """Write the cheapest parcel of every subset and its candidate: f(S)."""
    bits = t.grouped[o]
    size = 1 << bits
    out.parcel[:size] = BIG
    if live:
        _count_units(t, o, out)
    for i in range(t.cand_start[o + 1] - t.cand_start[o]):
        able = _able(t, o, i, residual, live)
        if able == 0:
            continue
        node = t.cand_node[t.cand_start[o] + i]
        _price_lines(t, o, i, duals, out)
        base = t.table_start[o] + (i << bits)
        mask = able
        while mask:
            cents = t.parcel_cents[base + mask]
            if cents < INFEASIBLE and not (live and out.units[mask] > residual.units[node]):
                value = cents * duals.unit + out.added[mask] + duals.parcels[node]
                if value < out.parcel[mask]:
                    out.parcel[mask], out.parcel_cand[mask] = value, i
            mask = (mask - 1) & able


@njit(cache=True, nogil=True)
def _best_pattern(t: Tables, o: int, unit: float, out: Choice) -> float:
    """Return F of the grouped lines and write the pattern; a node may be used twice."""
    bits = t.grouped[o]
    full = (1 << bits) - 1
    first_line, split, short = t.line_start[o], t.split_cents * unit, t.backorder_cents * unit
    limit = t.max_parcels[o]
    layers = 1 if limit >= bits else limit
    out.rest[0, 0] = 0
    for layer in range(layers):
        below = max(layer - 1, 0) if layers > 1 else 0
        bounded = limit < bits and layer == 0
        out.rest[layer, 0] = 0
        for mask in range(1, full + 1):
            low = mask & -mask
            others = mask ^ low
            best = out.rest[layer, others] + short * t.quantity[first_line + _position(low)]
            pick = 0
            if not bounded:
                part = others
                while True:
                    value = out.parcel[part | low] + split + out.rest[below, others ^ part]
                    if value < best:
                        best, pick = value, part | low
                    if part == 0:
                        break
                    part = (part - 1) & others
            out.rest[layer, mask], out.first[layer, mask] = best, pick
    return _first_parcel(t, o, unit, 0 if limit >= bits else limit - 1, limit, out)


@njit(cache=True, nogil=True)
def _first_parcel(t: Tables, o: int, unit: float, top: int, limit: int, out: Choice) -> float:
    """Choose the first parcel, which costs no split, and write the whole pattern.

    The lines before the first parcel's lowest line are backordered.
    """
    full = (1 << t.grouped[o]) - 1
    first_line, short = t.line_start[o], t.backorder_cents * unit
    skipped = 0.0
    best = short * t.quantity[first_line : first_line + t.grouped[o]].sum()
    pick, pick_within = 0, 0
    mask = full if limit > 0 else 0
    while mask:
        low = mask & -mask
        others = mask ^ low
        part = others
        while True:
            value = skipped + out.parcel[part | low] + out.rest[top, others ^ part]
            if value < best:
                best, pick, pick_within = value, part | low, mask
            if part == 0:
                break
            part = (part - 1) & others
        skipped += short * t.quantity[first_line + _position(low)]
        mask = others
    if pick:
        _write_pattern(pick, pick_within ^ pick, top, limit < t.grouped[o], out)
    return best


@njit(cache=True, nogil=True)
def _write_pattern(pick: int, mask: int, layer: int, limited: bool, out: Choice) -> None:
    out.mask[0], out.cand[0] = pick, out.parcel_cand[pick]
    count = 1
    while mask:
        part = out.first[layer, mask]
        if part == 0:
            mask &= mask - 1
            continue
        out.mask[count], out.cand[count] = part, out.parcel_cand[part]
        count += 1
        mask ^= part
        if limited:
            layer -= 1
    out.size[0] = count


@njit(cache=True, nogil=True)
def _repeats_a_node(out: Choice) -> bool:
    for i in range(out.size[0]):
        for j in range(i):
            if out.cand[i] == out.cand[j]:
                return True
    return False


@njit(cache=True, nogil=True)
def _by_node(t: Tables, o: int, duals: Duals, residual: Residual, live: bool, out: Choice) -> float:
    """Return the exact optimum over patterns in which every candidate ships at most one parcel, and write it.

    `best[k, mask]`: the least cost of exactly k parcels that ship exactly the lines of mask, from the
    candidates seen so far. Slow (candidates × parcels × 3^lines); only needed when the fast programme repeats a node.
    """
    bits, cands = t.grouped[o], t.cand_start[o + 1] - t.cand_start[o]
    full = (1 << bits) - 1
    most = min(t.max_parcels[o], bits, cands)
    best = np.full((most + 1, full + 1), BIG)
    best[0, 0] = 0
    taken = np.zeros((cands, most + 1, full + 1), np.int16)
    _count_units(t, o, out)
    for i in range(cands):
        able = _able(t, o, i, residual, live)
        if able == 0:
            continue
        node = t.cand_node[t.cand_start[o] + i]
        _price_lines(t, o, i, duals, out)
        base = t.table_start[o] + (i << bits)
        for k in range(most, 0, -1):
            split = t.split_cents * duals.unit if k > 1 else 0
            for mask in range(full, 0, -1):
                part = mask & able
                while part:
                    cents, before = t.parcel_cents[base + part], best[k - 1, mask ^ part]
                    if cents < INFEASIBLE and before < BIG and not (live and out.units[part] > residual.units[node]):
                        value = before + cents * duals.unit + out.added[part] + duals.parcels[node] + split
                        if value < best[k, mask]:
                            best[k, mask], taken[i, k, mask] = value, part
                    part = (part - 1) & mask & able
    least, at_k, at_mask = BIG, 0, 0
    for k in range(most + 1):
        for mask in range(full + 1):
            if best[k, mask] < BIG:
                value = best[k, mask] + _backordered(t, o, full ^ mask) * duals.unit
                if value < least:
                    least, at_k, at_mask = value, k, mask
    out.size[0] = 0
    for i in range(cands - 1, -1, -1):
        part = taken[i, at_k, at_mask]
        if part:
            out.mask[out.size[0]], out.cand[out.size[0]] = part, i
            out.size[0] += 1
            at_k, at_mask = at_k - 1, at_mask ^ part
    return least


@njit(cache=True, nogil=True)
def _backordered(t: Tables, o: int, mask: int) -> int:
    cents = 0
    for p in range(t.grouped[o]):
        if mask >> p & 1:
            cents += t.backorder_cents * t.quantity[t.line_start[o] + p]
    return cents


@njit(cache=True, nogil=True)
def _least_parcel(t: Tables, o: int, duals: Duals) -> float:
    """Return the least that any parcel of an order with divisible lines costs before its units."""
    least = BIG
    for c in range(t.cand_start[o], t.cand_start[o + 1]):
        cents = t.parcel_cents[t.table_start[o] + c - t.cand_start[o]]
        if cents < INFEASIBLE:
            least = min(least, cents * duals.unit + duals.parcels[t.cand_node[c]])
    return least


@njit(cache=True, nogil=True)
def _extra_lines(t: Tables, o: int, duals: Duals, out: Choice) -> float:
    """Return the least cost of the lines beyond the group, each on its own, and write their candidates."""
    first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
    total = 0.0
    for p in range(t.grouped[o], lines):
        quantity = t.quantity[first + p]
        best, at = t.backorder_cents * quantity * duals.unit, -1
        for i in range(t.cand_start[o + 1] - t.cand_start[o]):
            row = t.row[t.row_start[o] + i * lines + p]
            if row == NO_STOCK:
                continue
            node = t.cand_node[t.cand_start[o] + i]
            price = t.node_unit_cents[node] * duals.unit + duals.units[node]
            if row >= 0:
                price += duals.row[row]
            if price * quantity < best:
                best, at = price * quantity, i
        out.extra[p] = at
        total += best
    return total


@njit(cache=True, nogil=True, inline="always")
def _position(bit: int) -> int:
    """Return which position a single bit is at."""
    position = 0
    while not bit >> position & 1:
        position += 1
    return position
