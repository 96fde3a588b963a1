"""Exact pricing of one order: the cheapest way to serve it at given prices, by a programme over subsets of its lines.

With f(S) the cheapest parcel of the lines S over all nodes, prices included, the best order is

    F(M) = min( backorder M's lowest line + F(M without it),  min over S ⊆ M with M's lowest line of f(S) + F(M \\ S) )

A node ships one parcel per order. The programme does not forbid using a node twice, so when its answer does, the order
is priced again by `one_parcel.by_node`, which does. The kernels run on floats (sweeps, plans) and on integers (the
certificate); `unit` says how many price units a cent has.
"""

from __future__ import annotations

from numba import njit

from solvers.kernels import inner
from solvers.offers import Choice, Duals, Residual, best_parcels
from solvers.one_parcel import by_node
from solvers.problem import IntArray
from solvers.tables import Tables


@njit(cache=True, nogil=True)
def price_order(t: Tables, o: int, duals: Duals, residual: Residual, live: bool, out: Choice) -> float:
    """Return the least cost of order o at these prices and write its pattern to `out`.

    With `live`, only what is left in `residual` may be used. Only for orders whose lines are all grouped.
    """
    first, last, bits = t.line_start[o], t.line_start[o + 1], t.grouped[o]
    out.size[0] = 0
    everything = 0.0
    for p in range(first, last):
        everything += t.short_cents[p] * duals.unit
    if t.max_parcels[o] == 0 or last == first:
        return everything
    best_parcels(t, o, duals, residual, live, out)
    if last - first == 1:
        if out.parcel[1] < everything:
            out.size[0], out.mask[0], out.cand[0] = 1, 1, out.parcel_cand[1]
        return min(out.parcel[1], everything)
    short = t.short_cents[first : first + bits]
    value = best_pattern(short, t.max_parcels[o], t.split_cents * duals.unit, duals.unit, out)
    if _repeats_a_node(out.size[0], out.cand):
        value = by_node(t, o, duals, residual, live, out)
    return value


@inner
def best_pattern(short: IntArray, limit: int, split: float, unit: float, out: Choice) -> float:
    """Return F of the grouped lines, which cost `short` cents when backordered, and write the pattern.

    A node may be used twice.
    """
    bits = len(short)
    full = (1 << bits) - 1
    layers = 1 if limit >= bits else limit
    out.rest[0, 0] = 0
    for layer in range(layers):
        below = max(layer - 1, 0) if layers > 1 else 0
        bounded = limit < bits and layer == 0
        out.rest[layer, 0] = 0
        for mask in range(1, full + 1):
            low, position = 1, 0
            while not mask & low:
                low, position = low << 1, position + 1
            others = mask ^ low
            best = out.rest[layer, others] + short[position] * unit
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
    return _first_parcel(short, limit, 0 if limit >= bits else limit - 1, unit, out)


@inner
def _first_parcel(short: IntArray, limit: int, top: int, unit: float, out: Choice) -> float:
    """Choose the first parcel, which costs no split, and write the whole pattern.

    The lines before the first parcel's lowest line are backordered.
    """
    bits = len(short)
    skipped, best = 0.0, short.sum() * unit
    pick, pick_within = 0, 0
    mask = (1 << bits) - 1
    for position in range(bits):
        low = 1 << position
        others = mask ^ low
        part = others
        while True:
            value = skipped + out.parcel[part | low] + out.rest[top, others ^ part]
            if value < best:
                best, pick, pick_within = value, part | low, mask
            if part == 0:
                break
            part = (part - 1) & others
        skipped += short[position] * unit
        mask = others
    if pick:
        _write_pattern(pick, pick_within ^ pick, top, limit < bits, out)
    return best


@inner
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


@inner
def _repeats_a_node(size: int, cand: IntArray) -> bool:
    for i in range(size):
        for j in range(i):
            if cand[i] == cand[j]:
                return True
    return False
