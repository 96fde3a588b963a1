"""A problem folder is read as it was written, in whatever form it was written down."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from tiny_problems import TinyProblem, tiny_problem, with_earlier

from engine.routing.folder import read_problem
from engine.verification.reading import read_problem as read_for_checker
from solvers.problem import NO_DUE_DATE, UNLIMITED, RoutingProblem

NewFolder = Callable[[], Path]


def values(record: Any) -> dict[str, Any]:
    """Return everything in a problem, arrays as lists (a NaN as None), part by part."""
    found: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            value = [None if isinstance(entry, float) and math.isnan(entry) else entry for entry in value.tolist()]
        elif hasattr(value, "__dataclass_fields__"):
            value = values(value)
        found[field.name] = value
    return found


def drawn(seed: int) -> TinyProblem:
    """Return the problem of a seed, every other one with pins and an earlier plan."""
    return with_earlier(tiny_problem(seed), seed) if seed % 2 else tiny_problem(seed)


def known(limit: int) -> int | None:
    return None if limit >= UNLIMITED else limit


def as_facts(problem: RoutingProblem) -> dict[str, Any]:
    """Return orders, lines, stock and nodes by id, in the form of `checker_facts`."""
    nodes, orders, stock = problem.nodes, problem.orders, problem.stock
    skus = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start))
    owner = problem.line_order.tolist()
    demand = zip(owner, orders.line_sku.tolist(), orders.line_quantity.tolist(), strict=True)
    keys = [(orders.order_ids[o], problem.skus[k]) for o, k in zip(owner, orders.line_sku.tolist(), strict=True)]

    def named(column: Any) -> dict[tuple[str, str], str]:
        at = [] if column is None else column.tolist()
        return {key: nodes.node_ids[n] for key, n in zip(keys, at, strict=column is not None) if n >= 0}

    return {
        "pinned": named(orders.line_pinned_node),
        "current": named(orders.line_current_node),
        "plan": (orders.line_current_node is not None, problem.terms.move_cost_cents),
        "nodes": {
            node_id: (
                int(nodes.parcel_cost_cents[n]),
                int(nodes.unit_cost_cents[n]),
                known(int(nodes.capacity_units[n])),
                known(int(nodes.capacity_parcels[n])),
            )
            for n, node_id in enumerate(nodes.node_ids)
        },
        "orders": {
            order_id: (
                None if orders.due_days[o] == NO_DUE_DATE else int(orders.due_days[o]),
                known(int(orders.max_parcels[o])),
            )
            for o, order_id in enumerate(orders.order_ids)
        },
        "lines": {(orders.order_ids[o], problem.skus[k]): quantity for o, k, quantity in demand},
        "stock": {
            (nodes.node_ids[n], problem.skus[k]): units
            for n, k, units in zip(stock.node.tolist(), skus.tolist(), stock.available.tolist(), strict=True)
        },
    }


def checker_facts(folder: Path) -> dict[str, Any]:
    """Return the same, as the checker reads it."""
    problem = read_for_checker(folder)
    lines = [(order.order_id, line) for order in problem.orders.values() for line in order.lines]
    return {
        "pinned": {(o, line.sku): line.pinned_node_id for o, line in lines if line.pinned_node_id},
        "current": {(o, line.sku): line.current_node_id for o, line in lines if line.current_node_id},
        "plan": (problem.has_current_plan, problem.terms.move_cost_cents),
        "nodes": {
            n.node_id: (n.parcel_cost_cents, n.unit_cost_cents, n.capacity_units, n.capacity_parcels)
            for n in problem.nodes.values()
        },
        "orders": {order.order_id: (order.due_days, order.max_nodes) for order in problem.orders.values()},
        "lines": {(o.order_id, line.sku): line.quantity for o in problem.orders.values() for line in o.lines},
        "stock": {
            (node_id, sku): units
            for sku, by_node in problem.available.items()
            for node_id, units in by_node.items()
            if units
        },
    }


def test_every_fact_is_read_as_the_checker_reads_it(folder: NewFolder) -> None:
    for seed in range(100):
        path = drawn(seed).write(folder())
        assert as_facts(read_problem(path).problem) == checker_facts(path), seed


def test_the_same_facts_in_any_order_are_the_same_problem(folder: NewFolder) -> None:
    for seed in range(100):
        problem = drawn(seed)
        one, other = problem.write(folder()), problem.write(folder(), shuffle=Random(seed))
        assert values(read_problem(one).problem) == values(read_problem(other).problem), seed


def test_the_same_bytes_compressed_are_the_same_problem_to_the_hash(folder: NewFolder) -> None:
    plain = tiny_problem(1).write(folder())
    packed = tiny_problem(1).write(folder())
    for path in packed.glob("*.csv"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    one, other = read_problem(plain), read_problem(packed)
    assert one.sha256 == other.sha256 == read_for_checker(packed).sha256
    assert values(one.problem) == values(other.problem)


def test_line_ends_quotes_and_a_byte_order_mark_do_not_matter(folder: NewFolder) -> None:
    plain, other = (tiny_problem(2).write(folder()) for _ in range(2))
    for path in other.glob("*.csv"):
        rows = [",".join(f'"{cell}"' for cell in line.split(",")) for line in path.read_text().splitlines()]
        path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*rows, "", ""]).encode())
    assert values(read_problem(plain).problem) == values(read_problem(other).problem)


def test_ids_are_opaque_and_sorted_by_code_point(folder: NewFolder) -> None:
    """Upper case before lower case, 10 before 9, and nothing is trimmed or folded."""
    problem = tiny_problem(3)
    ids = ["9", "10", "a", "B", "é", " 9"]
    nodes = [{**problem.tables["nodes"][0], "node_id": node_id} for node_id in ids]
    problem.tables.update(nodes=nodes, stock=[], lanes=[])
    problem.columns["lanes"] = ["node_id", "order_id", "service", "cost_cents", "transit_days"]
    assert read_problem(problem.write(folder())).problem.nodes.node_ids == (" 9", "10", "9", "B", "a", "é")
