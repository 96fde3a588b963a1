"""The result worked out by hand in conftest.py agrees; every way to spoil it is caught by the check it belongs to."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import InvalidInput


def test_the_result_worked_out_by_hand_agrees_in_every_check(two_towns: Any) -> None:
    verdict = two_towns.verify()
    assert [check.name for check in verdict.checks if check.state != "ok"] == []
    assert verdict.agrees
    assert verdict.proven_bound_cents == 4630


def test_a_gzipped_table_is_the_same_problem(two_towns: Any) -> None:
    path = two_towns.problem / "stock.csv"
    (two_towns.problem / "stock.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert two_towns.verify().agrees


def test_a_bound_at_lower_prices_is_lower_and_still_proven(two_towns: Any) -> None:
    """At 1,000 cents O1 costs 1,750, O2 1,500 and O3 1,710: 4,960 − 1,000 = 3,960."""
    two_towns.edit("prices.csv", "1670000", "1000000")
    two_towns.say(status="feasible", lower_bound_cents=3960, gap=670 / 3960)
    assert two_towns.verify().agrees
    two_towns.say(lower_bound_cents=3961, gap=669 / 3961)
    assert two_towns.failed() == {"bound"}


def test_thousandths_of_a_cent_round_the_bound_up_to_whole_cents(two_towns: Any) -> None:
    """At 999.999 cents the bound is 3,959.999, and no total lies between that and 3,960."""
    two_towns.edit("prices.csv", "1670000", "999999")
    two_towns.say(status="feasible", lower_bound_cents=3960, gap=670 / 3960)
    assert two_towns.verify().agrees


def test_a_bound_found_by_search_is_reported_as_not_re_proved(two_towns: Any) -> None:
    two_towns.edit("prices.csv", "B,book,stock,1670000\n", "")
    two_towns.say(bound_method="search")
    verdict = two_towns.verify()
    assert verdict.agrees
    assert [check.name for check in verdict.checks if check.state == "not re-proved"] == ["bound"]
    assert verdict.proven_bound_cents == 2960  # without prices O1 costs 750, O2 500, O3 1,710


def test_a_baseline_may_state_no_bound_and_leave_the_prices_out(two_towns: Any) -> None:
    (two_towns.result / "prices.csv").unlink()
    two_towns.say(status="feasible", lower_bound_cents=None, bound_method=None, gap=None)
    verdict = two_towns.verify()
    assert verdict.agrees
    assert {check.name for check in verdict.checks if check.state != "ok"} == {"prices_format", "bound"}


def test_no_gap_follows_from_a_bound_of_nothing(two_towns: Any) -> None:
    two_towns.say(status="feasible", lower_bound_cents=0, gap=None)
    assert two_towns.verify().agrees
    two_towns.say(gap=1.0)
    assert two_towns.failed() == {"gap"}


PLAN = "plan.csv"
EDITS: dict[str, tuple[str, str, str, set[str]]] = {
    # how it was spoilt: (file, old, new, the checks that must fail, and no others)
    "another header": (PLAN, "service\n", "carrier\n", {"plan_format", "lines", "costs", "total", "counts"}),
    "rows out of order": (
        PLAN,
        "O1,book,1,,\nO1,pen,2,A,ground\n",
        "O1,pen,2,A,ground\nO1,book,1,,\n",
        {"plan_format"},
    ),
    "a row twice": (
        *(PLAN, "O1,pen,2,A,ground\n", "O1,pen,2,A,ground\nO1,pen,2,A,ground\n"),
        {"plan_format", "lines", "line_split", "stock", "capacity", "costs", "total"},
    ),
    "carriage returns": (PLAN, "\n", "\r\n", {"plan_format"}),
    "needless quotes": (PLAN, "O1,book,", 'O1,"book",', {"plan_format"}),
    "no last line end": (PLAN, "O3,map,1,B,ground\n", "O3,map,1,B,ground", {"plan_format"}),
    "a cell too many": (PLAN, "O1,book,1,,\n", "O1,book,1,,,\n", {"plan_format", "lines", "costs", "total", "counts"}),
    "a number with a plus": (PLAN, "O1,book,1,,", "O1,book,+1,,", {"plan_format", "lines", "costs", "total", "counts"}),
    "a zero in front": (PLAN, "O1,book,1,,", "O1,book,01,,", {"plan_format", "lines", "costs", "total", "counts"}),
    "a node without a service": (PLAN, "O1,pen,2,A,ground", "O1,pen,2,A,", {"plan_format", "eligibility"}),
    "a line left out": (PLAN, "O1,book,1,,\n", "", {"lines", "costs", "total", "counts"}),
    "fewer units": (PLAN, "O2,pen,2", "O2,pen,1", {"lines"}),
    "more units": (PLAN, "O1,book,1,,", "O1,book,2,,", {"lines", "costs", "total", "counts"}),
    "an unknown order": (PLAN, "O3,map", "O4,map", {"lines", "costs", "total", "counts"}),
    "a SKU the order has no line of": (PLAN, "O3,map", "O3,pen", {"lines", "costs", "total", "counts"}),
    "an unknown node": (PLAN, "O3,map,1,B", "O3,map,1,C", {"lines", "costs", "total", "counts"}),
    "a line split over two nodes": (
        *(PLAN, "O1,pen,2,A,ground\n", "O1,pen,1,A,ground\nO1,pen,1,B,ground\n"),
        {"line_split", "capacity", "costs", "total", "counts"},
    ),
    "more than is on stock": (
        *(PLAN, "O1,book,1,,\nO1,pen,2,A,ground\n", "O1,book,1,B,ground\nO1,pen,2,A,ground\n"),
        {"stock", "capacity", "costs", "total", "counts"},
    ),
    "more units than a node can": ("nodes.csv", "100,10,4,", "100,10,2,", {"problem_sha256", "capacity"}),
    "more parcels than a node can": ("nodes.csv", "200,0,,2", "200,0,,1", {"problem_sha256", "capacity"}),
    "more parcels than an order may": (
        *("problem.json", '"max_nodes_per_order": 2', '"max_nodes_per_order": 1'),
        {"problem_sha256", "max_nodes"},
    ),
    "a parcel where none is allowed": (
        *("problem.json", '"max_nodes_per_order": 2', '"max_nodes_per_order": 0'),
        {"problem_sha256", "max_nodes"},
    ),
    "farther than allowed": (
        *("problem.json", '"max_distance_km": 150', '"max_distance_km": 111'),
        {"problem_sha256", "max_distance"},
    ),
    "beyond the last zone": ("zones.csv", "far,\n", "far,111\n", {"problem_sha256", "eligibility"}),
    "too heavy for any service": ("products.csv", "lamp,2000", "lamp,5001", {"problem_sha256", "eligibility"}),
    "a service that comes too late": (
        *("problem.json", '"late_day_cost_cents": 150', '"late_day_cost_cents": null'),
        {"problem_sha256", "eligibility"},
    ),
    "a service that is not the cheapest": (
        *(PLAN, "O2,book,1,B,ground\nO2,pen,2,B,ground", "O2,book,1,B,air\nO2,pen,2,B,air"),
        {"service", "costs", "total"},
    ),
    "two services in one parcel": (PLAN, "O2,pen,2,B,ground", "O2,pen,2,B,air", {"service"}),
    "a service nobody knows": (PLAN, "O1,pen,2,A,ground", "O1,pen,2,A,sea", {"eligibility"}),
    "an order added to the problem": (
        *("orders.csv", "O3,0,0,1\n", "O3,0,0,1\nO4,0,0,\n"),
        {"problem_sha256", "counts"},
    ),
    "prices with another header": ("prices.csv", "price_millicents", "price", {"prices_format"}),
    "a negative price": ("prices.csv", "1670000", "-1670000", {"prices_format"}),
    "a price of nothing": ("prices.csv", "1670000", "0", {"prices_format"}),
    "a price at an unknown node": ("prices.csv", "B,book", "C,book", {"prices_format"}),
    "a price of an unknown SKU": ("prices.csv", "B,book", "B,cook", {"prices_format"}),
    "a price of an unknown resource": ("prices.csv", ",stock,", ",stocks,", {"prices_format"}),
    "a price of unlimited capacity": ("prices.csv", "B,book,stock,", "B,,units,", {"prices_format"}),
    "a capacity price of one SKU": ("prices.csv", "B,book,stock,", "B,book,parcels,", {"prices_format"}),
    "a stock price of no SKU": ("prices.csv", "B,book,stock,", "B,,stock,", {"prices_format"}),
    "a rounded row that divides by nothing": ("prices.csv", ",stock,", ",stock*1/0,", {"prices_format"}),
    "prices out of order": (
        *("prices.csv", "B,book,stock,1670000\n", "B,book,stock,1670000\nA,pen,stock,1\n"),
        {"prices_format"},
    ),
    "a price given twice": ("prices.csv", "B,book,stock,1670000\n", "B,book,stock,1670000\n" * 2, {"prices_format"}),
    "a price that proves too little": ("prices.csv", "1670000", "1669999", set()),  # 4,629.999 is 4,630 in whole cents
    "a price that proves a cent too little": ("prices.csv", "1670000", "1669000", {"bound"}),
    "a price of the wrong cell": ("prices.csv", "B,book", "A,pen", {"bound"}),
    "no prices": ("prices.csv", "B,book,stock,1670000\n", "", {"bound"}),
    "a price that is too high": ("prices.csv", "1670000", "2001000", {"bound"}),
}


@pytest.mark.parametrize("how", EDITS)
def test_a_spoilt_result_is_caught(two_towns: Any, how: str) -> None:
    file, old, new, failing = EDITS[how]
    two_towns.edit(file, old, new)
    assert two_towns.failed() == failing


STATEMENTS: dict[str, tuple[dict[str, object], set[str]]] = {
    "another problem": ({"problem_sha256": "0" * 64}, {"problem_sha256"}),
    "shipping": ({"costs_shipping": 1499}, {"costs"}),
    "handling": ({"costs_handling": 601}, {"costs"}),
    "units": ({"costs_units": 0}, {"costs"}),
    "split": ({"costs_split": None}, {"costs"}),
    "late": ({"costs_late": 449}, {"costs"}),
    "backorder": ({"costs_backorder": 2000.5}, {"costs"}),
    "no costs at all": ({"costs": {}}, {"costs"}),
    "a lower total": ({"total_cost_cents": 4629}, {"total", "gap", "bound_below_total"}),
    "a higher total": ({"total_cost_cents": 4631}, {"total", "gap"}),
    "a total in words": ({"total_cost_cents": "4630"}, {"summary_format", "total", "gap"}),
    "orders": ({"orders": 4}, {"counts"}),
    "parcels": ({"parcels": 3}, {"counts"}),
    "split orders": ({"split_orders": 0}, {"counts"}),
    "backordered units": ({"backordered_units": 0}, {"counts"}),
    "a gap where there is none": ({"gap": 0.001}, {"gap"}),
    "no gap": ({"gap": None}, {"gap"}),
    "feasible, though proven optimal": ({"status": "feasible"}, {"gap"}),
    "optimal, though not proven": ({"lower_bound_cents": 4600, "gap": 30 / 4600}, {"gap"}),
    "a status nobody knows": ({"status": "perfect"}, {"summary_format", "gap"}),
    "a bound above the total": (
        {"lower_bound_cents": 4631, "gap": -1 / 4631, "status": "feasible"},
        {"bound_below_total", "bound"},
    ),
    "a bound method nobody knows": ({"bound_method": "guess"}, {"summary_format"}),
    "another version": ({"version": 2}, {"summary_format"}),
}


@pytest.mark.parametrize("what", STATEMENTS)
def test_a_false_statement_is_caught(two_towns: Any, what: str) -> None:
    statements, failing = STATEMENTS[what]
    two_towns.say(**statements)
    assert two_towns.failed() == failing


def test_the_first_disagreements_are_shown_in_full_and_the_rest_counted(two_towns: Any) -> None:
    two_towns.edit("plan.csv", ",ground", ",sea")
    failed = next(check for check in two_towns.verify().checks if check.state == "failed")
    assert failed.name == "eligibility"
    assert failed.found == 5
    assert str(failed.disagreements[0]) == (
        "plan.csv:3: 'sea' does not carry the parcel of order O1 from A (200 g) within 2 days; ground, air would"
    )


@pytest.mark.parametrize("file", ["plan.csv", "summary.json"])
def test_a_result_without_its_files_is_bad_input(two_towns: Any, file: str) -> None:
    (two_towns.result / file).unlink()
    with pytest.raises(InvalidInput, match=file):
        two_towns.verify()


def test_missing_prices_are_a_disagreement_where_the_bound_rests_on_them(two_towns: Any) -> None:
    (two_towns.result / "prices.csv").unlink()
    assert two_towns.failed() == {"prices_format"}


def test_the_command_exits_0_3_and_2_and_says_why(
    two_towns: Any, run_allot: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = run_allot("verify", two_towns.problem, two_towns.result)
    assert (code, "19 ok" in out) == (0, True)
    two_towns.say(parcels=9)
    code, out, err = run_allot("verify", two_towns.problem, two_towns.result)
    assert (code, "says 9, the plan has 4" in out, "counts" in err) == (3, True, True)
    code, out, _ = run_allot("verify", two_towns.problem, two_towns.result, "--json")
    assert (code, '"agrees": false' in out) == (3, True)
    (two_towns.problem / "stock.csv").unlink()
    code, out, err = run_allot("verify", two_towns.problem, two_towns.result)
    assert (code, out, "stock.csv" in err) == (2, "", True)


PINS, BEFORE = "order_id,sku,node_id\n", "order_id,sku,quantity,node_id,service\n"


def test_a_plan_that_keeps_its_pins_agrees(two_towns: Any) -> None:
    """A backordered line keeps any pin."""
    (two_towns.problem / "pins.csv").write_text(f"{PINS}O1,pen,A\nO2,book,B\nO1,book,A\n")
    two_towns.rehash()
    assert two_towns.failed() == set()


def test_a_pinned_line_that_leaves_another_node_is_found(two_towns: Any) -> None:
    (two_towns.problem / "pins.csv").write_text(f"{PINS}O1,pen,B\n")
    assert two_towns.failed() == {"problem_sha256", "pins"}
    two_towns.rehash()
    [pins] = [check for check in two_towns.verify().checks if check.name == "pins"]
    assert str(pins.disagreements[0]) == "plan.csv:3: order O1, SKU pen leaves A, and is pinned to B"


def test_a_moved_line_costs_what_the_problem_says_and_the_bound_has_it(two_towns: Any) -> None:
    """O1's pens were at B. Without the book O1 costs 2,490 now, so that at a price of 1,740 the bound is 4,700.

    The other lines stay, are new, were backordered, or were divided: they move free.
    """
    before = f"{BEFORE}O1,pen,2,B,air\nO2,book,1,B,ground\nO2,pen,2,,\nO3,lamp,1,B,air\nO3,lamp,1,,\n"
    (two_towns.problem / "current_plan.csv").write_text(before)
    two_towns.edit("problem.json", '"version": 1,', '"version": 1, "move_cost_cents": 70,')
    two_towns.rehash()
    assert two_towns.failed() == {"costs", "total"}
    two_towns.say(total_cost_cents=4700, costs_moves=70, lower_bound_cents=4700)
    assert two_towns.failed() == {"bound"}
    two_towns.edit("prices.csv", "1670000", "1740000")
    assert two_towns.failed() == set()
    two_towns.say(costs_moves=0)
    assert two_towns.failed() == {"costs"}


def test_the_move_of_a_backordered_line_is_paid_too(two_towns: Any) -> None:
    (two_towns.problem / "current_plan.csv").write_text("sku,node_id,order_id\nbook,B,O1\n")
    two_towns.edit("problem.json", '"version": 1,', '"version": 1, "move_cost_cents": 70,')
    two_towns.rehash()
    two_towns.say(total_cost_cents=4700, costs_moves=70, status="feasible", gap=70 / 4630)
    assert two_towns.failed() == set()


def test_a_cost_of_moves_is_stated_with_a_current_plan_and_not_without(two_towns: Any) -> None:
    two_towns.say(costs_moves=0)
    assert two_towns.failed() == {"costs"}
    (two_towns.problem / "current_plan.csv").write_text(BEFORE)
    two_towns.rehash()
    assert two_towns.failed() == set()
