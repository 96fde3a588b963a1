"""`python -m solvers` compiles every kernel ahead of time, so that the first real problem does not wait for it.

Methods that are named after it, such as `auto nearest`, are the only ones whose kernels it then compiles.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection

import numpy as np

from solvers.params import Method, Params
from solvers.problem import NO_DUE_DATE, UNLIMITED, Nodes, Orders, RateCards, RoutingProblem, Stock, Terms
from solvers.search import TOGETHER_ROUNDS
from solvers.solve import solve
from solvers.stopping import Stopping


def _integers(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def tiny_problem(*, line_split: bool, quantity: int = 2) -> RoutingProblem:
    """Return two orders of `quantity` units that compete, so that every step of a solve has something to do."""
    return RoutingProblem(
        name="tiny",
        currency="USD",
        terms=Terms(backorder_cost_cents_per_unit=1000, line_split=line_split),
        nodes=Nodes(
            node_ids=("a", "b"),
            latitude=np.zeros(2),
            longitude=np.zeros(2),
            parcel_cost_cents=_integers(1, 2),
            unit_cost_cents=_integers(1, 2),
            capacity_units=_integers(3, 3),
            capacity_parcels=_integers(1, 1),
            priority=_integers(UNLIMITED, UNLIMITED),
        ),
        skus=("x",),
        weight_g=_integers(1),
        stock=Stock(start=_integers(0, 2), node=_integers(0, 1), available=_integers(3, 1)),
        orders=Orders(
            order_ids=("1", "2"),
            latitude=np.zeros(2),
            longitude=np.zeros(2),
            due_days=_integers(NO_DUE_DATE, NO_DUE_DATE),
            max_parcels=_integers(UNLIMITED, UNLIMITED),
            line_start=_integers(0, 1, 2),
            line_sku=_integers(0, 0),
            line_quantity=_integers(quantity, quantity),
        ),
        services=("s",),
        rates=RateCards(
            zones=("z",),
            zone_max_km=np.array([np.inf]),
            start=_integers(0, 1),
            max_weight_g=_integers(10),
            cost_cents=_integers(5),
            transit_days=_integers(1),
        ),
    )


def main(methods: Collection[Method] = tuple(Method)) -> None:
    """Solve a tiny problem by these methods, and by `auto` once by explorers, as large ones are."""
    for method in methods:
        for line_split, quantity in ((False, 2), (True, 2), (False, 1)):
            solve(
                tiny_problem(line_split=line_split, quantity=quantity),
                Params(method=method, dual_steps=2, rounds_per_order=2),
                Stopping(stopwatch=lambda: 0.0),
            )
    if Method.AUTO in methods:
        many = Params(dual_steps=2, whole_rounds_per_order=TOGETHER_ROUNDS, together_orders=1)
        solve(tiny_problem(line_split=False), many, Stopping(stopwatch=lambda: 0.0))


if __name__ == "__main__":
    gc.disable()  # the compiler's objects are many, and this process is short: collecting them took a tenth of its time
    main([Method(name) for name in sys.argv[1:]] or tuple(Method))
