"""Measuring all policies on one drawn world: mean cost over sequences, against both bounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.ma2023.policies import Cadence, Scheme, cost_by_prices, cost_by_scheme
from benchmarks.ma2023.world import Setting, World, draw_world
from solvers.bidprices import solve_fluid
from solvers.bidsweeps import Sweeps, SweptPrices, sweep_prices
from solvers.problem import FloatArray, IntArray

OURS = "bid prices, made ten times"
HINDSIGHT = "hindsight (bound)"
FIRST = (Sweeps(count=150, first_step=2, last_step=0.01), Sweeps(count=250, first_step=0.1, last_step=0.001))
AGAIN = {"small": 100}
SWEEPS_AGAIN = 30
SIMPLEX_LINES = 5_000
"""Up to so many lines the fluid programme of the paper is solved to a vertex, above by a first-order method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One world: what each method cost on average over its sequences, and what no policy can expect to stay below.

    paper_bound   the fluid programme of Jasin & Sinha, which Ma divides by: lines and parcels apart
    proven_bound  the fluid programme over whole orders, which is higher; proven by exact pricing at our prices
    """

    seed: int
    paper_bound: float
    proven_bound: float
    cost: dict[str, float]
    seconds: dict[str, float]


def measure(setting: Setting, seed: int, sequences: int, say: Callable[[str], None]) -> Outcome:
    """Draw the world of a seed, solve its fluid programmes, and serve the same sequences by every method."""
    world = draw_world(setting, seed)
    say(f"{setting.name}, seed {seed}: the fluid programme of {len(world.fluid.line_sku):,} lines")
    exact = len(world.fluid.line_sku) <= SIMPLEX_LINES
    solved = solve_fluid(world.fluid, exact=exact)
    if solved is None:
        raise RuntimeError(f"the fluid programme of seed {seed} was not solved")
    share = np.maximum(solved.share, 0.0)
    share /= share.sum(axis=1, keepdims=True)
    nothing = np.zeros(world.fluid.available.shape)
    began = time.perf_counter()
    prices = _first_prices(world, nothing)
    first_seconds = time.perf_counter() - began
    cost: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {}
    for sequence in range(sequences):
        say(f"{setting.name}, seed {seed}: sequence {sequence + 1}")
        arrivals = world.arrivals(np.random.default_rng((seed, sequence)))
        for method, run in _methods(world, arrivals, share, prices, sequence).items():
            began = time.perf_counter()
            cost.setdefault(method, []).append(run())
            extra = first_seconds if method.startswith("bid prices") else 0.0
            seconds.setdefault(method, []).append(time.perf_counter() - began + extra)
    return Outcome(
        seed=seed,
        paper_bound=solved.cost,
        proven_bound=prices.bound,
        cost={method: float(np.mean(values)) for method, values in cost.items()},
        seconds={method: float(np.mean(values)) for method, values in seconds.items()},
    )


def _first_prices(world: World, nothing: FloatArray) -> SweptPrices:
    found = sweep_prices(world.fluid, nothing, FIRST[0])
    return sweep_prices(world.fluid, found.steps, FIRST[1])


def _methods(
    world: World, arrivals: IntArray, share: FloatArray, prices: SweptPrices, seed: int
) -> dict[str, Callable[[], float]]:
    """Return every method by name, in the order of the table."""
    again = AGAIN.get(world.setting.name, SWEEPS_AGAIN)
    nothing = np.zeros(prices.steps.shape)

    def drawn(scheme: Scheme) -> Callable[[], float]:
        return lambda: cost_by_scheme(world, arrivals, scheme, share, seed)

    def priced(first: FloatArray, times: int) -> Callable[[], float]:
        return lambda: cost_by_prices(world, arrivals, first, Cadence(times=times, sweeps=again if times > 1 else 0))

    methods: dict[str, Callable[[], float]] = {
        "closest node": drawn(Scheme.CLOSEST),
        "Jasin-Sinha rounding": drawn(Scheme.JASIN_SINHA),
        "Ma's rounding, dilated": drawn(Scheme.DILATED),
        "Ma's rounding, force-open": drawn(Scheme.FORCE_OPEN),
        "exact one by one": priced(nothing, 1),
        "bid prices, made once": priced(prices.steps, 1),
        OURS: priced(prices.steps, 10),
    }
    if world.setting.name == "small":
        methods["bid prices, made fifty times"] = priced(prices.steps, 50)
    methods[HINDSIGHT] = lambda: _hindsight(world, arrivals, prices)
    return methods


def _hindsight(world: World, arrivals: IntArray, prices: SweptPrices) -> float:
    """Return a bound on what these very arrivals cost anybody, even who knows them all before."""
    come = np.bincount(arrivals[arrivals >= 0], minlength=len(world.chance)).astype(np.float64)
    known = replace(world.fluid, expected=come)
    return sweep_prices(known, prices.steps, Sweeps(count=150, first_step=0.3, last_step=0.003)).bound
