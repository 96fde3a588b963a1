"""What is compiled: who may serve whom at what cost, and which stock and capacity can run short at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from brute_force import distance_km
from tiny_problems import Row, TinyProblem, by_hand, rows

from engine.verification.problem import Place
from solvers.cost import INFEASIBLE, best_service, freight
from solvers.plan import BACKORDER, RoutingResult
from solvers.problem import ANY_LEVEL, NO_DUE_DATE, UNLIMITED, RoutingProblem
from solvers.tables import compile_tables

Read = Callable[[TinyProblem], RoutingProblem]
Route = Callable[..., RoutingResult]


def one_lane(quantities: list[int], available: int, **node: int) -> TinyProblem:
    """One node and one SKU; an order of one line for each quantity."""
    ids = [f"o{number}" for number in range(len(quantities))]
    return by_hand(
        {"backorder_cost_cents_per_unit": 1000},
        nodes=[{"node_id": "A", **node}],
        stock=rows(node_id=["A"], sku=["s"], available=[available]),
        orders=rows(order_id=ids),
        order_lines=rows(order_id=ids, sku=["s"], quantity=quantities),
        lanes=rows(node_id=["A"], order_id=ids, service=["van"], cost_cents=[100]),
    )


def test_stock_that_cannot_run_short_needs_no_price(read: Read) -> None:
    enough, short = (compile_tables(read(one_lane([2, 3], available))) for available in (5, 4))
    assert (len(enough.entry), enough.coupled.tolist()) == (0, [False, False])
    assert (short.row_stock.tolist(), short.coupled.tolist()) == ([4], [True, True])


def test_orders_that_want_more_than_there_is_compete_for_nothing(read: Read) -> None:
    """The order of 6 can never be served, so the 4 in stock are enough for the others."""
    compiled = compile_tables(read(one_lane([6, 1, 3], 4)))
    assert len(compiled.entry) == 0
    assert np.diff(compiled.tables.cand_start).tolist() == [0, 1, 1]


@pytest.mark.parametrize(("capacity", "limited"), [(4, True), (5, False)])
def test_a_capacity_that_all_orders_together_cannot_exhaust_is_none(capacity: int, limited: bool, read: Read) -> None:
    by_units = compile_tables(read(one_lane([2, 3], 9, capacity_units=capacity)))
    by_parcels = compile_tables(read(one_lane([1] * 5, 9, capacity_parcels=capacity)))
    assert (by_units.node_units[0] < UNLIMITED) == limited == (by_parcels.node_parcels[0] < UNLIMITED)
    assert by_units.coupled.all() == limited == by_parcels.coupled.all()


def two_rings(near_km: float, settings: dict[str, float] | None = None) -> TinyProblem:
    return by_hand(
        {"backorder_cost_cents_per_unit": 1000, **(settings or {})},
        nodes=[{"node_id": "A", "latitude": 51.5, "longitude": -0.1}],
        products=rows(sku=["s"], weight_g=[1]),
        stock=rows(node_id=["A"], sku=["s"], available=[1]),
        orders=[{"order_id": "o", "latitude": 48.9, "longitude": 2.4}],
        order_lines=rows(order_id=["o"], sku=["s"], quantity=[1]),
        zones=[{"zone": "far", "max_km": 1000}, {"zone": "near", "max_km": repr(near_km)}],
        rates=rows(service=["van"], zone=["near", "far"], max_weight_g=[1], cost_cents=[10, 20]),
    )


KM = distance_km(Place(latitude=51.5, longitude=-0.1), Place(latitude=48.9, longitude=2.4))


@pytest.mark.parametrize(("beyond_km", "cents"), [(0.0, 10), (5e-7, 10), (2e-6, 20), (-5e-7, 10)])
def test_a_zone_reaches_to_its_last_millimetre_and_no_farther(
    beyond_km: float, cents: int, read: Read, route: Route
) -> None:
    assert route(read(two_rings(KM - beyond_km))).total_cost_cents == cents


@pytest.mark.parametrize(("beyond_km", "backordered"), [(0.0, 0), (5e-7, 0), (2e-6, 1)])
def test_the_distance_limit_has_the_same_tolerance(
    beyond_km: float, backordered: int, read: Read, route: Route
) -> None:
    problem = read(two_rings(1.0, {"max_distance_km": KM - beyond_km}))
    assert route(problem).plan.backordered_units == backordered


def test_beyond_the_last_zone_nobody_delivers(read: Read, route: Route) -> None:
    problem = two_rings(1.0)
    problem.tables["zones"][0]["max_km"] = 300
    assert route(read(problem)).plan.backordered_units == 1


def offers(*lanes: Row, **order: int) -> TinyProblem:
    return by_hand(
        {"backorder_cost_cents_per_unit": 1000, "late_day_cost_cents": 7},
        nodes=[{"node_id": "A"}],
        stock=rows(node_id=["A"], sku=["s"], available=[1]),
        orders=[{"order_id": "o", **order}],
        order_lines=rows(order_id=["o"], sku=["s"], quantity=[1]),
        lanes=[{"node_id": "A", "order_id": "o", **lane} for lane in lanes],
    )


def test_of_services_that_cost_the_same_the_faster_carries_then_the_first_by_name(read: Read, route: Route) -> None:
    """Due in 2 days at 7 cents a day late: 93 + 7 for `slow` ties with 100 for the others, and 3 days lose to 1."""
    slow: Row = {"service": "a_slow", "cost_cents": 93, "transit_days": 3}
    fast: list[Row] = [{"service": name, "cost_cents": 100, "transit_days": 1} for name in ("c", "b")]
    problem = read(offers(slow, *fast, due_days=2))
    assert [problem.services[v] for v in route(problem).plan.service] == ["b"]
    cheaper = read(offers(slow | {"cost_cents": 92}, *fast, due_days=2))
    result = route(cheaper)
    assert [cheaper.services[v] for v in result.plan.service] == ["a_slow"]
    assert (result.plan.costs.shipping, result.plan.costs.late) == (92, 7)


def test_weight_steps_have_gaps_and_may_fall(read: Read) -> None:
    """Up to 1 g costs 50; up to 3 g comes too late; up to 9 g costs 20; heavier is not carried."""
    problem = read(
        by_hand(
            {"backorder_cost_cents_per_unit": 1000},
            nodes=[{"node_id": "A", "latitude": 0, "longitude": 0}],
            products=rows(sku=["s"], weight_g=[1]),
            stock=[],
            orders=[],
            order_lines=[],
            zones=[{"zone": "z"}],
            rates=rows(
                service=["v"], zone=["z"], max_weight_g=[1, 3, 9], cost_cents=[50, 5, 20], transit_days=[1, 9, 1]
            ),
        )
    )
    terms = freight(problem.freeze())

    def cents(weight_g: int, *, heavier_too: bool) -> int:
        found: int = best_service(terms, 0, 0, 0, weight_g, (2, ANY_LEVEL), heavier_too)[0]
        return found

    weights = (0, 1, 2, 3, 4, 9, 10)
    own = [50, 50, INFEASIBLE, INFEASIBLE, 20, 20, INFEASIBLE]
    assert [cents(weight_g, heavier_too=False) for weight_g in weights] == own
    assert [cents(weight_g, heavier_too=True) for weight_g in weights] == [20] * 6 + [INFEASIBLE]


def test_an_order_that_wants_a_service_level_gets_no_other(read: Read, route: Route) -> None:
    """Seeded bug this catches: levels kept as 64 bits of services, of which the 65th would share one."""
    services = [f"v{number:03}" for number in range(150)]
    problem = read(offers(*({"service": name, "cost_cents": 100 + at} for at, name in enumerate(services))))
    levels = replace(problem, service_level=np.arange(150) // 10)
    for level, expected in ((0, "v000"), (7, "v070"), (14, "v140"), (15, None)):
        orders = replace(problem.orders, service_level=np.array([level]))
        plan = route(replace(levels, orders=orders)).plan
        assert [problem.services[v] if v != BACKORDER else None for v in plan.service] == [expected]


def test_an_overdue_order_is_late_by_every_day_since(read: Read, route: Route) -> None:
    """Due three days ago, delivered in two: five days at 7 cents; an order without a due date is never late."""
    problem = read(offers({"service": "van", "cost_cents": 100, "transit_days": 2}))
    for due, late in ((-3, 35), (0, 14), (2, 0), (NO_DUE_DATE, 0)):
        overdue = replace(problem, orders=replace(problem.orders, due_days=np.array([due])))
        assert route(overdue).plan.costs.late == late


def test_an_order_keeps_what_its_own_reservation_holds_and_nobody_else_gets_it(read: Read, route: Route) -> None:
    """Both want 2 of s; A has none left, but 2 are held for the dearer order, o1."""
    problem = one_lane([2, 2], 1)
    problem.tables["lanes"][1]["cost_cents"] = 900
    held = read(problem)
    assert route(held).plan.backordered_units == 4
    orders = replace(held.orders, line_own_node=np.array([-1, 0]))
    result = route(replace(held, orders=orders))
    assert result.plan.node.tolist() == [BACKORDER, 0]
    assert (result.total_cost_cents, result.lower_bound_cents) == (2000 + 900, 2000 + 900)


def test_own_units_do_not_use_up_the_stock_of_others(read: Read, route: Route) -> None:
    """One unit in stock and one held for o0: both orders are served, and nobody competes."""
    problem = read(one_lane([1, 1], 1))
    own = replace(problem, orders=replace(problem.orders, line_own_node=np.array([0, -1])))
    assert compile_tables(own).coupled.tolist() == [False, False]
    assert route(own).plan.node.tolist() == [0, 0]


def test_own_units_still_need_the_capacity_of_their_node(read: Read, route: Route) -> None:
    problem = read(one_lane([1, 1], 1, capacity_parcels=1))
    own = replace(problem, orders=replace(problem.orders, line_own_node=np.array([0, -1])))
    assert sorted(route(own).plan.node.tolist()) == [BACKORDER, 0]
