"""A day small enough to work out by hand what each rule of routing makes of it; test_baselines.py describes it."""

from __future__ import annotations

from typing import Any

from tiny_problems import TinyProblem, by_hand, rows

from solvers.plan import BACKORDER, RoutingResult
from solvers.problem import RoutingProblem


def the_day(**change: dict[str, Any]) -> TinyProblem:
    """Return the day, with changes to nodes by id."""
    nodes = [
        {"node_id": "A", "longitude": 0, "parcel_cost_cents": 10},
        {"node_id": "B", "longitude": 1, "parcel_cost_cents": 20, "priority": 2},
        {"node_id": "C", "longitude": 2, "parcel_cost_cents": 40, "priority": 1},
    ]
    return by_hand(
        {"backorder_cost_cents_per_unit": 1000, "split_cost_cents": 5},
        nodes=[{"latitude": 0, **node, **change.get(str(node["node_id"]), {})} for node in nodes],
        products=rows(sku=list("stu"), weight_g=[1]),
        stock=rows(
            node_id=["A", "B", "B", "C", "C", "C"], sku=["s", "t", "u", "s", "t", "u"], available=[5, 1, 1, 4, 1, 1]
        ),
        orders=rows(order_id=["o", "p"], latitude=[0], longitude=[0.1]),
        order_lines=rows(order_id=list("oooppp"), sku=list("stu"), quantity=[2, 1, 1]),
        zones=[{"zone": "all"}],
        rates=rows(service=["van"], zone=["all"], max_weight_g=[100], cost_cents=[100]),
    )


def nodes_of(problem: RoutingProblem, result: RoutingResult) -> str:
    """Return the node of every line, in the order of orders and SKUs; - is a backorder."""
    return "".join("-" if n == BACKORDER else problem.nodes.node_ids[n] for n in result.plan.node)
