"""Shadow prices of contested stock and capacity, and the bound they prove.

For any prices ≥ 0 the sum over orders of their cheapest pattern at those prices, less the value of all that is there
to sell, is a lower bound on the cost of every plan (Lagrangian duality; Fisher 1981, Management Science 27:1). Sweeps
price every order, compare what they use with what there is, and move each price by an Adam-like step (Kingma & Ba
2015) whose rate falls geometrically. What is stated is recomputed in integers, from prices rounded to thousandths of
a cent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numba import njit

from solvers.cost import INFEASIBLE
from solvers.line_values import improve_values, relax_order
from solvers.offers import Choice, Duals, Residual, add_use, choice
from solvers.patterns import price_order
from solvers.plan import ROUNDINGS, Prices
from solvers.problem import UNLIMITED, FloatArray, IntArray
from solvers.relaxation import Relaxed, relaxed
from solvers.tables import Compiled, Tables

Map = Callable[..., Any]
"""Like the builtin `map`: how parts of the work are spread over workers.

What is spread is `partial(a function of a module, …)`, so that other processes and machines can do it too. What the
partial has by keyword is the same in all calls of a solve, and changes no more; it need be sent only once. What it has
by position, and the parts, may be changed as soon as the results are there."""

MILLICENTS = 1000
MOST_SHARDS, SHARD_ORDERS = 8, 2500
"""A sweep is cut into up to so many parts of at least so many orders; uses are whole numbers, so their sums are exact
however it is cut."""
LONG_ORDERS = 50
"""As `SHARD_ORDERS`, where the values of lines are sought."""
FIRST_RATE, LAST_RATE = 0.5, 0.0005
"""Steps, as a share of a typical order's cost over the units it takes."""
FIRST_VALUE_STEPS, VALUE_STEPS = 60, 200
"""Steps of the search for an order's line values before the sweeps, and at the prices of the certificate."""
LEAST_VALUE_STEPS, MOST_VALUE_STEPS = 10, 600_000
"""At least so many an order, and at most so many in all."""
VALUE_STEP = 0.5
"""Steps of line values, as a share of the first ones, beside those of prices."""
BETA, RHO = 0.9, 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipliers:
    """Numbers per contested row and rounding of it, per node for units and for parcels, and per line of a long order.

    Prices in cents, uses, limits or steps; `row` has shape (rows, `ROUNDINGS`), `line` one entry per table line, the
    others one per node.
    """

    row: FloatArray
    units: FloatArray
    parcels: FloatArray
    line: FloatArray
    """Values of the lines of orders that are priced by a relaxation; as use: how much of a line nobody ships."""

    def duals(self, scale: float = 1.0) -> Duals:
        """Return them as prices for the pricing kernels."""
        return Duals(1.0, self.row * scale, self.units * scale, self.parcels * scale)

    def each(self, rule: Callable[..., FloatArray], *others: Multipliers) -> Multipliers:
        """Apply a rule to rows, units, parcels and lines alike."""
        return Multipliers(
            row=rule(self.row, *(other.row for other in others)),
            units=rule(self.units, *(other.units for other in others)),
            parcels=rule(self.parcels, *(other.parcels for other in others)),
            line=rule(self.line, *(other.line for other in others)),
        )

    def dot(self, other: Multipliers) -> float:
        """Return the sum of products over what is limited, so without the lines."""
        row = self.row.ravel() @ other.row.ravel()
        return float(row + self.units @ other.units + self.parcels @ other.parcels)

    def copy(self) -> Multipliers:
        """Return an independent copy."""
        return self.each(np.copy)


def no_prices(compiled: Compiled) -> Multipliers:
    """Return prices of zero."""
    nodes = len(compiled.node_units)
    row, line = np.zeros((len(compiled.entry), len(ROUNDINGS))), np.zeros(len(compiled.tables.line))
    return Multipliers(row=row, units=np.zeros(nodes), parcels=np.zeros(nodes), line=line)


def limits(compiled: Compiled) -> Multipliers:
    """Return what there is of every priced resource; 0 where a node's capacity cannot run short (its price stays 0)."""
    return Multipliers(
        row=_rounded(compiled.row_stock).astype(np.float64),
        units=np.where(compiled.node_units < UNLIMITED, compiled.node_units, 0).astype(np.float64),
        parcels=np.where(compiled.node_parcels < UNLIMITED, compiled.node_parcels, 0).astype(np.float64),
        line=np.zeros(len(compiled.tables.line)),
    )


def _rounded(units: IntArray) -> IntArray:
    """Return so many units of stock in every rounding: ⌊p·units/q⌋, shape (rows, `ROUNDINGS`)."""
    return np.stack([p * units // q for p, q in ROUNDINGS], axis=1)


def nothing_left(compiled: Compiled) -> Residual:
    """Return a residual for pricing that does not look at it."""
    nodes = len(compiled.node_units)
    return Residual(np.zeros(0, np.int64), np.zeros(nodes, np.int64), np.zeros(nodes, np.int64))


def long_orders(compiled: Compiled) -> IntArray:
    """Return the orders that are priced by a relaxation."""
    t = compiled.tables
    return np.flatnonzero(t.grouped < np.diff(t.line_start))


def relaxed_space(compiled: Compiled) -> Relaxed:
    """Return scratch space for the relaxation of any long order."""
    t, long = compiled.tables, long_orders(compiled)
    candidates, lines = np.diff(t.cand_start)[long], np.diff(t.line_start)[long]
    return relaxed(int(candidates.max(initial=0)), int(lines.max(initial=0)))


@njit(cache=True, nogil=True)
def _price_each(
    t: Tables,
    orders: IntArray,
    duals: Duals,
    worth: FloatArray,
    residual: Residual,
    out: Choice,
    space: Relaxed,
    row: FloatArray,
    units: FloatArray,
    parcels: FloatArray,
    lines: FloatArray,
) -> FloatArray:
    """Return the least cost of each order, or a bound on it, and add what their patterns use to `row` and the rest."""
    value = np.empty(len(orders))
    for k in range(len(orders)):
        o = orders[k]
        first, count, cand = t.line_start[o], t.line_start[o + 1] - t.line_start[o], t.cand_start[o]
        if t.grouped[o] < count:
            value[k] = relax_order(t, o, duals, worth, space, row, units, parcels, lines)
            continue
        value[k] = price_order(t, o, duals, residual, False, out)
        for i in range(out.size[0]):
            node = t.cand_node[cand + out.cand[i]]
            parcels[node] += 1
            for p in range(count):
                if out.mask[i] >> p & 1:
                    at = t.row[t.row_start[o] + out.cand[i] * count + p]
                    units[node] += t.quantity[first + p]
                    add_use(row, at, t.quantity[first + p])
    return value


def _price_shard(duals: Duals, worth: FloatArray, orders: IntArray, *, compiled: Compiled) -> tuple[FloatArray, ...]:
    use = no_prices(compiled)
    arrays = (use.row, use.units, use.parcels, use.line)
    spaces = (nothing_left(compiled), choice(), relaxed_space(compiled))
    return (_price_each(compiled.tables, orders, duals, worth, *spaces, *arrays), *arrays)


def price_orders(
    compiled: Compiled, orders: IntArray, duals: Duals, spread: Map = map, *, worth: FloatArray | None = None
) -> tuple[FloatArray, Multipliers]:
    """Return the cost of each order's cheapest pattern at these prices, and what the patterns use together.

    For long orders it is a bound, from the values `worth` of their lines (None: no line has a value).
    """
    values = np.zeros(len(compiled.tables.line)) if worth is None else worth
    shards = np.array_split(orders, min(max(len(orders) // SHARD_ORDERS, 1), MOST_SHARDS))
    parts = list(spread(partial(_price_shard, duals, values, compiled=compiled), shards))
    row, units, parcels, line = (np.sum([part[k] for part in parts], axis=0) for k in (1, 2, 3, 4))
    return np.concatenate([part[0] for part in parts]), Multipliers(row=row, units=units, parcels=parcels, line=line)


def _value_shard(
    duals: Duals, worth: FloatArray, steps: int, whole_numbers: bool, orders: IntArray, *, compiled: Compiled
) -> FloatArray:
    values = worth.copy()
    improve_values(compiled.tables, orders, duals, values, relaxed_space(compiled), steps, whole_numbers)
    return values


def value_lines(
    compiled: Compiled,
    orders: IntArray,
    duals: Duals,
    worth: FloatArray,
    spread: Map = map,
    *,
    steps: int,
    whole_numbers: bool = False,
) -> FloatArray:
    """Return better values of the lines of these long orders at these prices, and those of all others as they are.

    Each order gets up to so many steps; fewer where there are very many orders.
    """
    steps = max(LEAST_VALUE_STEPS, min(steps, MOST_VALUE_STEPS // max(len(orders), 1)))
    t, values = compiled.tables, worth.copy()
    shards = np.array_split(orders, min(max(len(orders) // LONG_ORDERS, 1), MOST_SHARDS))
    parts = list(spread(partial(_value_shard, duals, worth, steps, whole_numbers, compiled=compiled), shards))
    for shard, part in zip(shards, parts, strict=True):
        for o in shard:
            values[t.line_start[o] : t.line_start[o + 1]] = part[t.line_start[o] : t.line_start[o + 1]]
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the search for prices: the bound (cents, as a float) that `prices` give, and what was used."""

    prices: Multipliers
    bound: float
    use: Multipliers


Pace = Callable[[int], float]
"""Says how much of the search for prices is over after so many steps: from 0 to 1, where it ends."""


def counted(steps: int) -> Pace:
    """Return the pace of a search of so many steps."""
    return lambda step: step / steps if step < steps else 1.0


def dual_steps(compiled: Compiled, start: Multipliers, pace: Pace, spread: Map = map) -> Iterator[Step]:
    """Yield improving sets of prices with their bounds, by steps that shrink with the pace.

    Bounds are those of the coupled orders plus the constant cost of the others, in cents; not rounded, and so no
    certificate: see `certify`.
    """
    coupled, limit = np.flatnonzero(compiled.coupled), limits(compiled)
    alone = np.flatnonzero(~compiled.coupled)
    free, long = no_prices(compiled).duals(), long_orders(compiled)
    worth = value_lines(compiled, long, start.duals(), start.line, spread, steps=FIRST_VALUE_STEPS)
    base = float(price_orders(compiled, alone, free, spread, worth=worth)[0].sum())
    scale = _scales(compiled, coupled, worth)
    prices, mean, square = replace(start, line=worth), no_prices(compiled), no_prices(compiled)
    step = 0
    while (over := pace(step)) < 1.0:
        value, use = price_orders(compiled, coupled, prices.duals(), spread, worth=prices.line)
        yield Step(prices=prices, bound=base + float(value.sum()) - prices.dot(limit), use=use)
        rate, step = FIRST_RATE * (LAST_RATE / FIRST_RATE) ** over, step + 1
        prices = prices.copy()
        prices.each(partial(_move, rate, step), scale, use, limit, mean, square)
        np.minimum(prices.line, compiled.tables.short_cents, out=prices.line)


def _move(rate: float, step: int, *arrays: FloatArray) -> FloatArray:
    """Move prices, the first of what `_adam` takes, by one step in place, and return them."""
    _adam(rate, step, *(array.reshape(-1) for array in arrays))
    return arrays[0]


@njit(cache=True, nogil=True)
def _adam(
    rate: float,
    step: int,
    price: FloatArray,
    scale: FloatArray,
    use: FloatArray,
    limit: FloatArray,
    mean: FloatArray,
    square: FloatArray,
) -> None:
    """Move each price along its smoothed excess demand; where a price of zero is right it gets no push."""
    of_mean, of_square = 1.0 / (1.0 - BETA**step), 1.0 / (1.0 - RHO**step)
    for k in range(len(price)):
        if scale[k] == 0.0:
            continue
        excess = use[k] - limit[k]
        if price[k] <= 0.0 and excess < 0.0:
            excess = 0.0
        mean[k] = BETA * mean[k] + (1.0 - BETA) * excess
        square[k] = RHO * square[k] + (1.0 - RHO) * excess * excess
        direction = mean[k] * of_mean / (np.sqrt(square[k] * of_square) + 1e-9)
        price[k] = max(0.0, price[k] + rate * scale[k] * direction)


def _scales(compiled: Compiled, coupled: IntArray, worth: FloatArray) -> Multipliers:
    """Return the size of a full step per resource: a typical order's cost over the units an order takes of it.

    Capacities that cannot run short have a step of 0, and so do roundings that say no more than the stock itself:
    where ⌊p·stock/q⌋ is p·stock/q, where no line is large enough to be rounded to more than 0, and where lines may be
    split.
    """
    t = compiled.tables
    cost = float(price_orders(compiled, coupled, no_prices(compiled).duals(), worth=worth)[0].sum())
    cost /= max(len(coupled), 1)
    units = float(t.quantity.sum()) / max(len(t.line_start) - 1, 1)
    mean, largest = _line_quantities(t, len(compiled.entry))
    row = np.zeros((len(compiled.entry), len(ROUNDINGS)))
    for k, (p, q) in enumerate(ROUNDINGS):
        tells = (p * compiled.row_stock % q != 0) & (p * largest >= q) & (not compiled.problem.terms.line_split)
        row[:, k] = np.where(tells | (q == 1), cost * q / (p * np.maximum(mean, 1.0)), 0.0)
    return Multipliers(
        row=row,
        units=np.where(compiled.node_units < UNLIMITED, cost / max(units, 1.0), 0.0),
        parcels=np.where(compiled.node_parcels < UNLIMITED, cost, 0.0),
        line=VALUE_STEP * worth,
    )


@njit(cache=True, nogil=True)
def _line_quantities(t: Tables, rows: int) -> tuple[FloatArray, IntArray]:
    """Return the mean and the largest quantity of the lines that could use each contested row."""
    total, count, largest = np.zeros(rows), np.zeros(rows), np.zeros(rows, np.int64)
    for o in range(len(t.line_start) - 1):
        first, lines = t.line_start[o], t.line_start[o + 1] - t.line_start[o]
        for at in range(t.row_start[o + 1] - t.row_start[o]):
            row = t.row[t.row_start[o] + at]
            if row >= 0:
                quantity = t.quantity[first + at % lines]
                total[row] += quantity
                count[row] += 1
                largest[row] = max(largest[row], quantity)
    return total / np.maximum(count, 1.0), largest


def certify(compiled: Compiled, multipliers: Multipliers, spread: Map = map) -> tuple[int, Prices]:
    """Return the proven lower bound in whole cents, and the integer prices that prove it.

    Prices are rounded to thousandths of a cent, or to whole cents where an order may cost so much that thousandths
    would not be exact. The bound is the integer sum at the rounded prices, rounded up.
    """
    unit, dearest = _exact_unit(compiled), _dearest_order(compiled.tables)
    row, units, parcels = (
        np.rint(np.clip(values, 0.0, dearest) * unit).astype(np.int64)
        for values in (multipliers.row, multipliers.units, multipliers.parcels)
    )
    everyone, long = np.arange(len(compiled.coupled)), long_orders(compiled)
    duals = Duals(float(unit), row.astype(np.float64), units.astype(np.float64), parcels.astype(np.float64))
    line = value_lines(compiled, long, duals, multipliers.line * unit, spread, steps=VALUE_STEPS, whole_numbers=True)
    value = sum(math.floor(least) for least in price_orders(compiled, everyone, duals, spread, worth=line)[0].tolist())
    there_is = (_rounded(compiled.row_stock), compiled.node_units, compiled.node_parcels)
    for price, limit in zip((row, units, parcels), there_is, strict=True):
        value -= sum(int(p) * int(q) for p, q in zip(price[price > 0], limit[price > 0], strict=True))
    stock = np.zeros((len(compiled.problem.stock.available), len(ROUNDINGS)), np.int64)
    stock[compiled.entry] = row * (MILLICENTS // unit)
    scale = MILLICENTS // unit
    return max(0, -(-value // unit)), Prices(
        stock=stock, units=units * scale, parcels=parcels * scale, line=_by_line(compiled, line) * scale
    )


def _by_line(compiled: Compiled, worth: FloatArray) -> IntArray:
    """Return whole values per line of the problem, from those told at the first piece of each."""
    values = np.zeros(len(compiled.problem.orders.line_sku), np.int64)
    np.maximum.at(values, compiled.tables.line, np.rint(worth).astype(np.int64))
    return values


def _dearest_order(t: Tables) -> int:
    """Return the most that backordering a whole order costs, in cents; at a price above it nothing is ever used."""
    return _most_of_an_order(t, t.short_cents)


def _most_of_an_order(t: Tables, per_line: IntArray) -> int:
    """Return the largest sum over the lines of an order."""
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(per_line)])[t.line_start]
    return int(np.diff(sums).max(initial=0))


def _exact_unit(compiled: Compiled) -> int:
    """Return how finely prices may be told so that every sum over one order is a whole number below 2^53."""
    t = compiled.tables
    dearest = int(np.where(t.parcel_cents < INFEASIBLE, t.parcel_cents, 0).max(initial=0))
    lines, candidates = np.diff(t.line_start), np.diff(t.cand_start)
    parcels = int(np.where(t.grouped < lines, np.minimum(lines, candidates), lines).max(initial=0))
    if len(long_orders(compiled)):
        carried = t.tariffs.cents[t.tariffs.cents < INFEASIBLE]
        fixed = int(carried.max(initial=0)) + int(t.node_parcel_cents.max(initial=0))
        units = _most_of_an_order(t, t.quantity) * int(t.node_unit_cents.max(initial=0))
        worth = _most_of_an_order(t, t.quantity) * int(t.value_cents.max(initial=0))
        dearest = max(dearest, fixed + units + worth + _most_of_an_order(t, t.moved_cents))
    worst = (dearest + t.split_cents) * parcels + _dearest_order(t)
    return MILLICENTS if worst * MILLICENTS * 4 < 2**53 else 1
