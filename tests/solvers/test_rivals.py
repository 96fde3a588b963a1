"""What the rules `cascade` and `weighted` do, on days small enough to work out by hand.

The day of test_baselines.py: A, B and C on the equator at 0°, 1° and 2°, both customers at 0.1°, so 11.1, 100.1 and
211.3 km away. A parcel costs 100 to carry, plus 10 at A, 20 at B, 40 at C; a split costs 5. Each order wants 2 s, 1 t
and 1 u. A has 5 s; B has 1 t and 1 u; C has 4 s, 1 t and 1 u. In cascades, B and C rank first, as
distribution centres, and A is a store.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import pytest
from day_of_rules import nodes_of, the_day
from tiny_problems import TinyProblem, by_hand, rows

from solvers.params import Method, Params
from solvers.problem import RoutingProblem
from solvers.rival_options import Cascade, Weights
from solvers.solve import solve
from solvers.stopping import Stopping

Read = Callable[[TinyProblem], RoutingProblem]
DCS_FIRST = {"rank": np.array([2, 1, 1])}
BY_COST, BY_DISTANCE, BY_SPLIT, BY_STOCK, BY_LOAD = (
    {"cost": 0.0, "distance": 0.0, "split": 0.0, "stock": 0.0, "load": 0.0} | {goal: 1.0}
    for goal in ("cost", "distance", "split", "stock", "load")
)


def routed(problem: RoutingProblem, method: Method, options: Cascade | Weights) -> tuple[str, int]:
    """Return the node of every line, and the cost."""
    chosen = {"cascade": options} if isinstance(options, Cascade) else {"weights": options}
    result = solve(problem, Params(method=method, **chosen), Stopping(stopwatch=perf_counter))
    return nodes_of(problem, result), result.total_cost_cents


@pytest.mark.parametrize(
    ("options", "nodes", "cents"),
    [
        # o: all from C, the only one to have all (140). p: nobody has all; B covers two lines (120), then s from C,
        # which ranks before A as a distribution centre (140), and a split (5).
        (DCS_FIRST, "CCC" + "CBB", 405),
        # A ranks first: s of p from there (110).
        ({"rank": np.array([1, 2, 2])}, "CCC" + "ABB", 375),
        # C has its order with o: s of p from A.
        (DCS_FIRST | {"daily_orders": 1}, "CCC" + "ABB", 375),
        # C had its order before: o from B (120), s from A (110), split 5. Then all three have theirs, and the last rule
        # gives p to the one that has most lines, C.
        (DCS_FIRST | {"daily_orders": 1, "orders_before": np.array([0, 0, 1])}, "ABB" + "CCC", 375),
        # Nobody may have an order, so that the last rule does it all: as without a limit.
        (DCS_FIRST | {"daily_orders": 0}, "CCC" + "CBB", 405),
    ],
)
def test_the_cascade_goes_from_rule_to_rule(options: dict[str, object], nodes: str, cents: int, read: Read) -> None:
    assert routed(read(the_day()), Method.CASCADE, Cascade(**options)) == (nodes, cents)  # type: ignore[arg-type]


@pytest.mark.parametrize(("near_km", "node"), [(50.0, "store"), (11.0, "dc"), (300.0, "dc")])
def test_near_nodes_come_before_those_that_rank_first(near_km: float, node: str, read: Read) -> None:
    """The store is 11.12 km away, the distribution centre 211.3."""
    problem = read(
        by_hand(
            {"backorder_cost_cents_per_unit": 1000},
            nodes=rows(node_id=["dc", "store"], latitude=[0], longitude=[2, 0]),
            products=rows(sku=["s"], weight_g=[1]),
            stock=rows(node_id=["dc", "store"], sku=["s"], available=[1]),
            orders=[{"order_id": "o", "latitude": 0, "longitude": 0.1}],
            order_lines=rows(order_id=["o"], sku=["s"], quantity=[1]),
            zones=[{"zone": "all"}],
            rates=rows(service=["van"], zone=["all"], max_weight_g=[100], cost_cents=[100]),
        )
    )
    assert routed(problem, Method.CASCADE, Cascade(near_km=near_km, rank=np.array([1, 2])))[0] == node


@pytest.mark.parametrize(
    ("weights", "nodes", "cents"),
    [
        # Cents a unit for o: A 110 / 2 = 55, B 120 / 2 = 60, C 140 / 4 = 35. For p, C has only s: 70; so A, then B.
        (BY_COST, "CCC" + "ABB", 375),
        # As `nearest`.
        (BY_DISTANCE, "ABB" + "ACC", 490),
        # For o, C leaves nothing. For p each leaves half of the units; A is the closest.
        (BY_SPLIT, "CCC" + "ABB", 375),
        # Cost: A 0.8, B 1, C 0 for o; distance: A 0, B 0.44, C 1. So A 0.88, B 1.54, C 1: A, then B for t and u.
        # For p: A 1.1 × 1, C 1 × 1, and B has nothing left.
        (BY_DISTANCE | {"cost": 1.1}, "ABB" + "CCC", 375),
        # A 1.6, B 2.44, C 1 for o.
        (BY_DISTANCE | {"cost": 2.0}, "CCC" + "ABB", 375),
        (BY_DISTANCE | {"cost": 20.0, "distance": 10.0}, "CCC" + "ABB", 375),
    ],
)
def test_weights_choose_between_goals(weights: dict[str, float], nodes: str, cents: int, read: Read) -> None:
    assert routed(read(the_day()), Method.WEIGHTED, Weights(**weights)) == (nodes, cents)


def test_the_fullest_shelf_is_taken_from_first(read: Read) -> None:
    """With 10 s at C, A has half of that: B, full of t and u, then C for s; p finds all of it full at C."""
    day = the_day()
    day.tables["stock"][3]["available"] = 10
    assert routed(read(day), Method.WEIGHTED, Weights(**BY_STOCK)) == ("CBB" + "CCC", 405)


def test_the_least_loaded_node_is_taken_first(read: Read) -> None:
    """Nobody has any load when o comes: the closest do. Then A has used a quarter of its parcels, and C nothing."""
    day = the_day(A={"capacity_parcels": 4})
    assert routed(read(day), Method.WEIGHTED, Weights(**BY_LOAD)) == ("ABB" + "CCC", 375)
    assert routed(read(the_day()), Method.WEIGHTED, Weights(**BY_LOAD)) == ("ABB" + "ACC", 490)


@pytest.mark.parametrize("method", [Method.CASCADE, Method.WEIGHTED])
@pytest.mark.parametrize("capacity", ["capacity_units", "capacity_parcels"])
def test_a_rule_breaks_no_capacity(method: Method, capacity: str, read: Read, route: Callable[..., object]) -> None:
    """Without C only one t and one u can be had, at B; s always comes from A, whose parcels go to both."""
    problem = read(the_day(C={capacity: 0}))
    assert nodes_of(problem, route(problem, method)) == "ABBA--"
