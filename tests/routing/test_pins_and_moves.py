"""Pins and an earlier plan in a problem folder: by the brute force, by the checker, and as a planner uses them."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from brute_force import Earlier, earlier_of, optimum_cents
from tiny_problems import TinyProblem, by_hand, rows, tiny_problem, with_earlier

from api.cli.main import main
from engine.integrations.generate import Recipe, generate
from engine.routing.explain import explain_folder
from engine.routing.route_folder import Options, Routed, route_folder
from engine.verification.problem import Order
from engine.verification.reading import read_problem
from engine.verification.verify import verify
from solvers.params import Method

NewFolder = Callable[[], Path]
DEAR = 1_000_000


def plan_of(out: Path) -> list[dict[str, str]]:
    with (out / "plan.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def pattern_of(order: Order, plan: list[dict[str, str]]) -> tuple[Counter[str], ...]:
    """Return what a plan does with an order, as the brute force writes it."""
    units: dict[str, Counter[str]] = {line.sku: Counter() for line in order.lines}
    for row in plan:
        if row["order_id"] == order.order_id:
            units[row["sku"]][row["node_id"]] += int(row["quantity"])
    return tuple(units[line.sku] for line in order.lines)


def check(drawn: TinyProblem, path: Path, out: Path, method: Method = Method.AUTO) -> bool:
    """Route a problem with earlier decisions and check every claim of the result; return whether it is optimal."""
    routed = route_folder(path, out, Options(method=method))
    problem, summary, plan = read_problem(path), routed.summary, plan_of(out)
    earlier, split = earlier_of(drawn.settings, drawn.tables), problem.terms.line_split_allowed
    optimum = optimum_cents(problem, earlier)
    verdict = verify(path, out)
    assert [found for found in verdict.checks if found.state == "failed"] == []
    assert verdict.proven_bound_cents is not None
    assert verdict.proven_bound_cents <= optimum
    assert summary["lower_bound_cents"] <= optimum <= summary["total_cost_cents"]
    patterns = {order.order_id: pattern_of(order, plan) for order in problem.orders.values()}
    assert all(earlier.allows(order, patterns[order.order_id]) for order in problem.orders.values())
    if "current_plan" in drawn.tables:
        moves = (earlier.cents(order, patterns[order.order_id], split=split) for order in problem.orders.values())
        assert summary["costs"]["moves"] == sum(moves)
    else:
        assert "moves" not in summary["costs"]
        assert routed.moved_lines is None
    return bool(summary["status"] == "optimal")


def test_the_optimum_lies_between_bound_and_plan_and_the_checker_agrees_to_the_cent(folder: NewFolder) -> None:
    """Seeded bugs this catches: a pin or a move that the router or the checker reads in another way than the other."""
    proven = 0
    for seed in range(200):
        drawn = with_earlier(tiny_problem(seed), seed)
        proven += check(drawn, drawn.write(folder()), folder())
    assert proven > 120


@pytest.mark.parametrize("method", [method for method in Method if method != Method.AUTO])
def test_every_method_keeps_pins_and_counts_moves(method: Method, folder: NewFolder) -> None:
    for seed in range(200, 240):
        drawn = with_earlier(tiny_problem(seed), seed)
        check(drawn, drawn.write(folder()), folder(), method)


def test_rows_and_columns_of_earlier_decisions_come_in_any_order(folder: NewFolder) -> None:
    for seed in range(30):
        drawn, outs = with_earlier(tiny_problem(seed), seed), (folder(), folder())
        for out, shuffle in zip(outs, (None, Random(seed)), strict=True):
            route_folder(drawn.write(folder(), shuffle=shuffle), out, Options())
        assert plan_of(outs[0]) == plan_of(outs[1]), seed


TWO = by_hand(
    {"backorder_cost_cents_per_unit": 5000, "max_distance_km": 500},
    nodes=rows(node_id=["A", "B", "C", "D"], latitude=[0, 0, 0, 60], longitude=[0], parcel_cost_cents=[0, 30, 60, 0]),
    products=rows(sku=["s", "t", "u"], weight_g=[1]),
    stock=rows(node_id=list("AABBDC"), sku=list("ststsu"), available=[9, 9, 1, 9, 9, 0]),
    orders=rows(order_id=["o", "p"], latitude=[0], longitude=[0]),
    order_lines=rows(order_id=["o", "o", "p"], sku=["s", "t", "s"], quantity=[2, 1, 1]),
    zones=rows(zone=["z"], max_km=[None]),
    rates=rows(service=["road"], zone=["z"], max_weight_g=[100], cost_cents=[100], transit_days=[1]),
)
"""From A an order costs 100, from B 130. B has one s; C has nothing; D, which has s, is too far away."""


def two(folder: Path, *, pins: str = "", current: str | None = None, cents: int = 0, **settings: Any) -> Path:
    """Write the two orders with pins and an earlier plan."""
    path = TinyProblem(
        settings={**TWO.settings, "move_cost_cents": cents, **settings}, tables=TWO.tables, columns=TWO.columns
    ).write(folder)
    if pins:
        (path / "pins.csv").write_text(f"order_id,sku,node_id\n{pins}")
    if current is not None:
        (path / "current_plan.csv").write_text(current)
    return path


def shipped(out: Path) -> dict[tuple[str, str], str]:
    return {(row["order_id"], row["sku"]): row["node_id"] for row in plan_of(out)}


@pytest.mark.parametrize("method", Method)
def test_a_pinned_line_ships_from_its_node_though_another_is_cheaper(method: Method, folder: NewFolder) -> None:
    out = folder()
    routed = route_folder(two(folder(), pins="p,s,B\n"), out, Options(method=method))
    assert shipped(out) == {("o", "s"): "A", ("o", "t"): "A", ("p", "s"): "B"}
    assert routed.summary["total_cost_cents"] == 230


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("o,s,B", "B has one of two units"),
        ("o,s,C", "C never had any"),
        ("o,s,D", "D is too far away"),
    ],
)
@pytest.mark.parametrize("method", Method)
def test_a_line_pinned_to_a_node_that_cannot_ship_it_is_backordered_and_the_reason_says_so(
    pin: str, why: str, method: Method, folder: NewFolder
) -> None:
    path, out = two(folder(), pins=f"{pin}\n"), folder()
    routed = route_folder(path, out, Options(method=method))
    assert shipped(out) == {("o", "s"): "", ("o", "t"): "A", ("p", "s"): "A"}, why
    assert routed.backorder_reasons == {"pinned_node": 1}
    assert routed.summary["costs"]["backorder"] == 10_000
    assert verify(path, out).agrees


def test_where_lines_may_be_split_the_pinned_node_ships_what_it_has(folder: NewFolder) -> None:
    path, out = two(folder(), pins="o,s,B\n", line_split="allowed"), folder()
    route_folder(path, out, Options())
    units = Counter({(row["sku"], row["node_id"]): int(row["quantity"]) for row in plan_of(out) if row["sku"] == "s"})
    assert units["s", "B"] == 1
    assert [row["quantity"] for row in plan_of(out) if not row["node_id"]] == ["1"]
    assert verify(path, out).agrees


@pytest.mark.parametrize(("cents", "node", "total"), [(0, "A", 200), (29, "A", 229), (31, "B", 230)])
def test_a_line_moves_only_if_that_saves_more_than_the_move_costs(
    cents: int, node: str, total: int, folder: NewFolder
) -> None:
    path, out = two(folder(), current="node_id,order_id,sku\nB,p,s\n", cents=cents), folder()
    routed = route_folder(path, out, Options())
    assert shipped(out)["p", "s"] == node
    assert (routed.summary["total_cost_cents"], routed.summary["lower_bound_cents"]) == (total, total)
    assert routed.summary["costs"]["moves"] == cents * (node == "A")
    assert routed.moved_lines == (int(node == "A"), 1)


@pytest.mark.parametrize("row", ["p,s,\n", "p,s,gone\n", "p,s,B\np,s,A\n", "p,s,B\np,s,\n", "q,s,B\n", "p,t,B\n", ""])
def test_a_line_that_the_earlier_plan_has_at_no_one_node_moves_free(row: str, folder: NewFolder) -> None:
    path, out = two(folder(), current=f"order_id,sku,node_id\n{row}", cents=DEAR), folder()
    routed = route_folder(path, out, Options())
    assert (routed.summary["total_cost_cents"], routed.summary["costs"]["moves"]) == (200, 0)
    assert routed.moved_lines == (0, 0)
    assert verify(path, out).agrees


def test_a_line_pinned_away_from_where_it_is_pays_for_its_move(folder: NewFolder) -> None:
    path, out = two(folder(), pins="p,s,B\n", current="order_id,sku,node_id\np,s,A\n", cents=700), folder()
    assert route_folder(path, out, Options()).summary["total_cost_cents"] == 230 + 700
    assert verify(path, out).agrees


def given_back(path: Path, out: Path) -> Path:
    """Put the plan of a result into its problem folder, with dear moves; return the folder."""
    shutil.copy(out / "plan.csv", path / "current_plan.csv")
    settings = json.loads((path / "problem.json").read_text())
    (path / "problem.json").write_text(json.dumps({**settings, "move_cost_cents": DEAR}))
    return path


def test_a_plan_that_is_given_back_costs_no_moves(folder: NewFolder) -> None:
    """A baseline gives the same plan again; the router stays where it is."""
    for seed in range(100):
        path, out, again = tiny_problem(seed).write(folder()), folder(), folder()
        before = route_folder(path, out, Options(method=Method.NEAREST)).summary
        after = route_folder(given_back(path, out), again, Options(method=Method.NEAREST)).summary
        assert plan_of(again) == plan_of(out), seed
        assert (after["costs"]["moves"], after["total_cost_cents"]) == (0, before["total_cost_cents"]), seed
        assert route_folder(path, folder(), Options()).summary["costs"]["moves"] == 0, seed


def test_a_divided_line_that_stays_divided_costs_no_moves(folder: NewFolder) -> None:
    """Seeded bug this catches: a divided line taken to be at the node of its first row."""
    path, out = two(folder(), line_split="allowed"), folder()
    (path / "stock.csv").write_text("node_id,sku,available\nA,s,1\nB,s,1\nA,t,1\n")
    for method in Method:
        before = route_folder(path, out, Options(method=method)).summary
        assert max(Counter((row["order_id"], row["sku"]) for row in plan_of(out)).values()) > 1, method
        after = route_folder(given_back(path, out), folder(), Options(method=method)).summary
        assert (after["costs"]["moves"], after["total_cost_cents"]) == (0, before["total_cost_cents"]), method
        (path / "current_plan.csv").unlink()


def rerouted(path: Path, out: Path, cents: int) -> Routed:
    """Route a folder again at another cost of a move, check the result, and return it."""
    settings = json.loads((path / "problem.json").read_text())
    (path / "problem.json").write_text(json.dumps({**settings, "move_cost_cents": cents}))
    routed = route_folder(path, out, Options())
    assert verify(path, out).agrees
    return routed


def test_a_planner_who_routes_again_after_a_count_moves_fewer_lines_where_a_move_costs(folder: NewFolder) -> None:
    """A count finds a tenth of the cells one unit short. Dear moves are made only where there is no staying."""
    path, morning, noon, calm, still = folder(), folder(), folder(), folder(), folder()
    generate(Recipe(orders=150, nodes=6, skus=40, seed=2), path)
    route_folder(path, morning, Options())
    stock = (path / "stock.csv").read_text().splitlines()
    counted = [
        re.sub(r"\d+$", lambda found: str(max(0, int(found[0]) - 1)), line) if at and at % 10 == 0 else line
        for at, line in enumerate(stock)
    ]
    assert counted != stock
    (path / "stock.csv").write_text("\n".join([*counted, ""]))
    shutil.copy(morning / "plan.csv", path / "current_plan.csv")
    found = [rerouted(path, out, cents).moved_lines for out, cents in ((noon, 0), (calm, 50), (still, DEAR))]
    assert all(entry is not None for entry in found)
    (free, placed), (some, _), (least, _) = [entry or (0, 0) for entry in found]
    assert free > 2 * some > 2 * least
    assert placed > 200


def test_an_explanation_shows_pins_where_lines_are_and_what_leaving_costs(
    folder: NewFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = two(folder(), pins="o,s,A\n", current="order_id,sku,node_id\no,s,B\np,s,A\n", cents=70), folder()
    route_folder(path, out, Options())
    told = {order_id: explain_folder(path, out, order_id) for order_id in ("o", "p")}
    assert (told["o"].cost_cents, told["p"].cost_cents) == (100 + 70, 100)
    line = told["o"].lines[0]
    assert (line.pinned_node_id, line.current_node_id) == ("A", "B")
    assert {node.why for node in line.nodes if node.node_id != "A"} == {"the line is pinned to A"}
    [line] = told["p"].lines
    assert (line.pinned_node_id, line.current_node_id) == (None, "A")
    [elsewhere] = [node for node in line.nodes if node.node_id == "B"]
    assert (elsewhere.cost_difference_cents, elsewhere.why) == (
        30 + 70,
        "costs this order more, moving the line included",
    )
    assert main(["explain", str(path), str(out), "o"]) == 0
    assert "pinned to A; the current plan has it at B" in capsys.readouterr().out


def test_every_explanation_adds_up_to_the_total_with_its_moves(folder: NewFolder) -> None:
    for seed in range(60):
        drawn, out = with_earlier(tiny_problem(seed, split=False), seed), folder()
        path = drawn.write(folder())
        routed = route_folder(path, out, Options())
        told = [explain_folder(path, out, order_id) for order_id in {row["order_id"] for row in plan_of(out)}]
        assert sum(order.cost_cents for order in told) == routed.summary["total_cost_cents"], seed


def test_a_routing_tells_how_many_lines_moved(folder: NewFolder, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = two(folder(), current="order_id,sku,node_id\np,s,B\no,s,A\n"), folder()
    assert main(["route", str(path), "--out", str(out)]) == 0
    assert re.search(r"lines moved +1 +of 2 that the current plan has at one node", capsys.readouterr().out)
    assert main(["route", str(path), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["moved_lines"], told["current_lines"]) == (1, 2)
    assert "moved_lines" not in json.loads((out / "summary.json").read_text())


@pytest.mark.parametrize(("file", "text"), [("pins.csv", "o,s,A"), ("current_plan.csv", "o,s,A")])
def test_earlier_decisions_are_part_of_the_name_of_a_problem(file: str, text: str, folder: NewFolder) -> None:
    path, out = two(folder()), folder()
    route_folder(path, out, Options())
    (path / file).write_text(f"order_id,sku,node_id\n{text}\n")
    failed = {found.name for found in verify(path, out).checks if found.state == "failed"}
    assert "problem_sha256" in failed


def test_the_earlier_plan_of_the_brute_force_is_read_as_the_contract_has_it() -> None:
    read = earlier_of(
        {"move_cost_cents": 5},
        {
            "nodes": rows(node_id=["A", "B"]),
            "pins": rows(order_id=["o"], sku=["s"], node_id=["A"]),
            "current_plan": rows(order_id=["o", "o", "o", "p"], sku=["s", "t", "t", "s"], node_id=["A", "A", "B", "x"]),
        },
    )
    assert read == Earlier(pinned={("o", "s"): "A"}, current={("o", "s"): "A"}, move_cost_cents=5)
