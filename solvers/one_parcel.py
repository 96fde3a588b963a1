"""Exact pricing where a node would ship two parcels of one order, which it must not.

The programme of `patterns.py` lets a node ship any number; this one holds chosen nodes to one parcel each. Slower, and
only asked where the other's answer uses a node twice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.kernels import inner
from solvers.offers import BIG, Choice, Duals, Residual, offer
from solvers.problem import FloatArray
from solvers.tables import Tables


@inner
def by_node(t: Tables, o: int, duals: Duals, residual: Residual, live: bool, out: Choice) -> float:
    """Return the exact optimum over patterns in which every candidate ships at most one parcel, and write it.

    Candidates that an optimum uses twice are held to one parcel, and the order is priced again, until none is.
    """
    single = np.zeros(t.cand_start[o + 1] - t.cand_start[o], np.bool_)
    while True:
        value = _with_singles(t, o, duals, residual, live, single, out)
        before = np.count_nonzero(single)
        for i in range(out.size[0]):
            for j in range(i):
                if out.cand[i] == out.cand[j]:
                    single[out.cand[i]] = True
        if np.count_nonzero(single) == before:
            return value


@inner
def _with_singles(
    t: Tables, o: int, duals: Duals, residual: Residual, live: bool, single: NDArray[np.bool_], out: Choice
) -> float:
    """Return the optimum in which `single` candidates ship at most one parcel each, others any number, and write it.

    `best[k, mask]` is the least cost of k parcels that ship exactly the lines of mask; without a limit on parcels
    there is one row for any number. Layer 0 holds the other candidates, each further layer one single candidate.
    """
    size, split = 1 << t.grouped[o], t.split_cents * duals.unit
    limited = t.max_parcels[o] < t.grouped[o]
    best = np.full((t.max_parcels[o] + 1 if limited else 1, size), BIG)
    best[0, 0] = 0
    alone = np.flatnonzero(single)
    taken = np.zeros((len(alone) + 1, len(best), size), np.int16)
    parcel = np.full(size, BIG)
    for i in range(len(single)):
        if not single[i]:
            offer(t, o, i, i + 1, duals, residual, live, out, parcel)
    cand = out.parcel_cand[:size].copy()
    _add_parcels(parcel, split, limited, best, taken[0])
    for layer in range(1, len(alone) + 1):
        parcel[:] = BIG
        offer(t, o, alone[layer - 1], alone[layer - 1] + 1, duals, residual, live, out, parcel)
        _add_parcel(parcel, split, limited, best, taken[layer])
    least, row, mask = BIG, 0, 0
    for k in range(len(best)):
        for shipped in range(size):
            value = best[k, shipped] + _backordered(t, o, size - 1 - shipped) * duals.unit
            if value < least:
                least, row, mask = value, k, shipped
    out.size[0] = 0
    for layer in range(len(alone), -1, -1):
        while taken[layer, row, mask]:
            part = taken[layer, row, mask]
            out.mask[out.size[0]], out.cand[out.size[0]] = part, alone[layer - 1] if layer else cand[part]
            out.size[0] += 1
            row, mask = row - limited, mask ^ part
            if layer:
                break
    return least


@inner
def _add_parcels(parcel: FloatArray, split: float, limited: bool, best: FloatArray, taken: NDArray[np.int16]) -> None:
    """Fill `best` with parcels that cost `parcel`, any number of them; each is the one of its mask's lowest line."""
    for row in range(int(limited), len(best)):
        for mask in range(1, len(parcel)):
            low = mask & -mask
            part = others = mask ^ low
            while True:
                rest = others ^ part
                value = parcel[part | low] + best[row - limited, rest] + (split if rest else 0.0)
                if value < best[row, mask]:
                    best[row, mask], taken[row, mask] = value, part | low
                if part == 0:
                    break
                part = (part - 1) & others


@inner
def _add_parcel(parcel: FloatArray, split: float, limited: bool, best: FloatArray, taken: NDArray[np.int16]) -> None:
    """Lower `best` by one more parcel that costs `parcel`, or none; large masks first, so that it is used once."""
    for row in range(len(best) - 1, int(limited) - 1, -1):
        for mask in range(len(parcel) - 1, 0, -1):
            part = mask
            while part:
                if parcel[part] < BIG:
                    rest = mask ^ part
                    value = parcel[part] + best[row - limited, rest] + (split if rest else 0.0)
                    if value < best[row, mask]:
                        best[row, mask], taken[row, mask] = value, part
                part = (part - 1) & mask


@inner
def _backordered(t: Tables, o: int, mask: int) -> int:
    cents = 0
    for p in range(t.grouped[o]):
        if mask >> p & 1:
            cents += t.short_cents[t.line_start[o] + p]
    return cents
