"""Exact pricing of one order: the cheapest way to serve it at given prices, by a programme over subsets of its lines.

With f(S) the cheapest parcel of the lines S over all nodes, prices included, the best order is

    F(M) = min( backorder M's lowest line + F(M without it),  min over S ⊆ M with M's lowest line of f(S) + F(M \\ S) )

A node ships one parcel per order. The programme does not forbid using a node twice, so when its answer does, the order
is priced again by `one_parcel.by_node`, which does. The kernels run on floats (sweeps, plans) and on integers (the
certificate); `unit` says how many price units a cent has.
"""

from __future__ import annotations

from numba import njit

from solvers.cost import INFEASIBLE
from solvers.offers import BIG, Choice, Duals, Residual, best_parcels
from solvers.one_parcel import by_node
from solvers.tables import NO_STOCK, Tables


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
    everything = t.short_cents[t.line_start[o] : t.line_start[o + 1]].sum() * duals.unit
    if t.max_parcels[o] == 0:
        out.extra[:lines] = -1
        return everything
    if bits:
        best_parcels(t, o, duals, residual, live, out)
        group = _best_pattern(t, o, duals.unit, out)
        if _repeats_a_node(out):
            group = by_node(t, o, duals, residual, live, out)
    else:
        group = _least_parcel(t, o, duals)
    value = group if bits == lines else group + _extra_lines(t, o, duals, out)
    if bits == 0 and value >= everything:
        out.extra[:lines] = -1
        value = everything
    return value


@njit(cache=True, nogil=True)
def _best_pattern(t: Tables, o: int, unit: float, out: Choice) -> float:
    """Return F of the grouped lines and write the pattern; a node may be used twice."""
    bits = t.grouped[o]
    full = (1 << bits) - 1
    first_line, split = t.line_start[o], t.split_cents * unit
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
            best = out.rest[layer, others] + t.short_cents[first_line + _position(low)] * unit
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
    first_line, skipped = t.line_start[o], 0.0
    best = t.short_cents[first_line : first_line + t.grouped[o]].sum() * unit
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
        skipped += t.short_cents[first_line + _position(low)] * unit
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
        best, at = t.short_cents[first + p] * duals.unit, -1
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
