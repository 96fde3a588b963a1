"""What the rules of today's systems do, on a day small enough to add up by hand.

Nodes A, B and C lie on the equator at 0°, 1° and 2°, the customers of both orders at 0.1°, so A is closest, then B,
then C; C has priority 1, B 2, A none. A parcel costs 100 to carry, plus 10 at A, 20 at B, 40 at C; a split costs 5.
Each order wants 2 s, 1 t and 1 u. A has 5 s; B has 1 t and 1 u; C has 4 s, 1 t and 1 u.

    nearest         o: s from A (110), t and u from B (120), split 5: 235
                    p: s from A (110), t and u from C, as B has none left (140), split 5: 255        490
    ranked          o: all from C (140)
                    p: nobody has all; s from C, which ranks first (140), t and u from B (120), 5: 265   405
    fewest_splits   o: all from C, which alone has everything (140)
                    p: B covers two lines, A and C one; B (120), then s from A, the closer (110), 5: 235  375
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from day_of_rules import nodes_of, the_day
from tiny_problems import TinyProblem, by_hand, rows

from solvers.params import Method
from solvers.plan import RoutingResult
from solvers.problem import RoutingProblem

Read = Callable[[TinyProblem], RoutingProblem]
Route = Callable[..., RoutingResult]


@pytest.mark.parametrize(
    ("method", "nodes", "cents"),
    [
        (Method.NEAREST, "ABB" + "ACC", 490),
        (Method.RANKED, "CCC" + "CBB", 405),
        (Method.FEWEST_SPLITS, "CCC" + "ABB", 375),
        (Method.ONE_BY_ONE, "CCC" + "ABB", 375),
        (Method.AUTO, "CCC" + "ABB", 375),
    ],
)
def test_every_method_ships_from_where_its_rule_says(
    method: Method, nodes: str, cents: int, read: Read, route: Route
) -> None:
    problem = read(the_day())
    result = route(problem, method)
    assert (nodes_of(problem, result), result.total_cost_cents) == (nodes, cents)


@pytest.mark.parametrize("method", [Method.NEAREST, Method.RANKED, Method.FEWEST_SPLITS])
@pytest.mark.parametrize("capacity", ["capacity_units", "capacity_parcels"])
def test_a_rule_breaks_no_capacity(method: Method, capacity: str, read: Read, route: Route) -> None:
    """Without C only one t and one u can be had, at B; s always comes from A, whose parcels go to both."""
    problem = read(the_day(C={capacity: 0}))
    assert nodes_of(problem, route(problem, method)) == "ABBA--"


def test_ranked_without_priorities_prefers_the_closest(read: Read, route: Route) -> None:
    """Nodes without a priority come last, by distance: p takes s from A once C has no priority."""
    day = the_day()
    for node in day.tables["nodes"]:
        node["priority"] = None
    problem = read(day)
    assert nodes_of(problem, route(problem, Method.RANKED)) == "CCCABB"


def test_without_coordinates_the_lane_of_fewest_days_is_the_nearest(read: Read, route: Route) -> None:
    problem = read(
        by_hand(
            {"backorder_cost_cents_per_unit": 1000},
            nodes=rows(node_id=["A", "B"]),
            stock=rows(node_id=["A", "B"], sku=["s"], available=[1]),
            orders=[{"order_id": "o"}],
            order_lines=rows(order_id=["o"], sku=["s"], quantity=[1]),
            lanes=rows(node_id=["A", "B"], order_id=["o"], service=["van"], cost_cents=[10, 90], transit_days=[4, 1]),
        )
    )
    assert nodes_of(problem, route(problem, Method.NEAREST)) == "B"
    assert nodes_of(problem, route(problem, Method.ONE_BY_ONE)) == "A"
