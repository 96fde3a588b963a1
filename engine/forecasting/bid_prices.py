"""Bid prices of a forecast: the fluid programmes of its SKUs, solved where stock runs short at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.bidding.document import BidPriceDocument
from engine.forecasting.expected import Expected, fluid_problems
from solvers.bidprices import FluidProblem, solve_fluid
from solvers.problem import FloatArray, IntArray

LITTLE = 1e-6


def bid_prices(expected: Expected, view: View, table: AtpTable) -> tuple[BidPriceDocument, ...]:
    """Return the prices above 0, in whole cents rounded down, by SKU and node."""
    found: list[BidPriceDocument] = []
    for skus, problem in fluid_problems(expected, view, table):
        short = scarce(problem)
        if not len(short):
            continue
        prices = _prices(problem, short)
        for k, node in zip(*np.nonzero(prices >= 1 - LITTLE), strict=True):
            cents = int(np.floor(prices[k, node] + LITTLE))
            sku = expected.skus[skus[short[k]]]
            found.append(BidPriceDocument(node_id=view.network.node_ids[node], sku=sku, price_cents=cents))
    return tuple(found)


def scarce(problem: FluidProblem) -> IntArray:
    """Return the SKUs of which some node has not what is asked for where every unit ships from its cheapest place.

    All others have prices of 0: nobody is kept from what suits it best.
    """
    place = problem.line_cost.argmin(axis=1)
    served = np.flatnonzero(place < problem.available.shape[2])
    use = np.zeros(problem.available.shape)
    np.add.at(use, (problem.period[served], problem.line_sku[served], place[served]), problem.expected[served])
    over = np.cumsum(use, axis=0) > problem.available + LITTLE
    return np.flatnonzero(over.any(axis=(0, 2)))


def _prices(problem: FluidProblem, skus: IntArray) -> FloatArray:
    """Return the bid prices of some SKUs, (skus, nodes); theirs do not depend on the others."""
    number = np.full(problem.available.shape[1], -1)
    number[skus] = np.arange(len(skus))
    lines = np.flatnonzero(number[problem.line_sku] >= 0)
    part = replace(
        problem,
        expected=problem.expected[lines],
        period=problem.period[lines],
        line_start=np.arange(len(lines) + 1),
        line_sku=number[problem.line_sku[lines]],
        quantity=problem.quantity[lines],
        parcel_cost=problem.parcel_cost[lines],
        line_cost=problem.line_cost[lines],
        available=problem.available[:, skus],
    )
    solved = solve_fluid(part)
    if solved is None:
        raise RuntimeError(f"the fluid programme of {len(lines)} lines was not solved")
    found: FloatArray = solved.prices[0]
    return found
