"""Writes and names the result of a routing: plan.csv, prices.csv, summary.json and timing.json (contract, section 1).

Everything but timing.json is the same to the byte for the same problem, seed and counted work.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import Fault, InvalidInput
from engine.routing.csv_text import Named, Written, csv_blocks
from engine.routing.ids import sort_rows
from solvers.plan import BACKORDER, ROUNDINGS, Costs, RoutingPlan, RoutingResult
from solvers.problem import IntArray, RoutingProblem


def stock_row(p: int, q: int) -> str:
    """Return the name of a stock row rounded by p/q in prices.csv."""
    return "stock" if q == 1 else f"stock*{p}/{q}"


RESOURCES = tuple(sorted({"units", "parcels", *(stock_row(*rounding) for rounding in ROUNDINGS)}))
"""What prices.csv has prices of, by code point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long the parts of a routing took, in seconds."""

    load: float
    write: float = 0.0


def summary(problem: RoutingProblem, result: RoutingResult, *, seed: int, problem_sha256: str) -> dict[str, Any]:
    """Return the document of summary.json."""
    plan = result.plan
    return {
        "version": 1,
        "status": str(result.status),
        "total_cost_cents": result.total_cost_cents,
        "lower_bound_cents": result.lower_bound_cents,
        "bound_method": str(result.bound_method),
        "gap": result.gap,
        "costs": costs_document(plan.costs, moves=problem.orders.line_current_node is not None),
        "orders": problem.order_count,
        "parcels": plan.parcels,
        "split_orders": plan.split_orders,
        "backordered_units": plan.backordered_units,
        "method": str(result.method),
        "stop_reason": result.stop_reason,
        "seed": seed,
        "problem_sha256": problem_sha256,
    }


def costs_document(costs: Costs, *, moves: bool = False) -> dict[str, int]:
    """Return the costs by name; `moves` only if asked for, or where some line has moved, `transfer` where there is one.

    Never what only ranks.
    """
    named = asdict(costs)
    del named["value"]
    seldom = {"transfer"} if moves else {"transfer", "moves"}
    return {name: cents for name, cents in named.items() if cents or name not in seldom}


def moved_lines(problem: RoutingProblem, plan: RoutingPlan) -> tuple[int, int] | None:
    """Return how many lines of an earlier plan do not ship wholly from where it has them, and of how many.

    None without an earlier plan.
    """
    current = problem.orders.line_current_node
    if current is None:
        return None
    placed = current[plan.line]
    moved = np.unique(plan.line[(placed >= 0) & (placed != plan.node)])
    return len(moved), int(np.count_nonzero(current >= 0))


def plan_csv(problem: RoutingProblem, result: RoutingResult) -> Iterator[bytes]:
    """Yield plan.csv: rows by order, SKU and node, a blank node and service for what is backordered.

    Ids are sorted in the problem, so indices sort as they do.
    """
    plan, orders = result.plan, problem.orders
    order, sku = problem.line_order[plan.line], orders.line_sku[plan.line]
    rank, _ = sort_rows((order, sku, plan.node - BACKORDER))
    columns: dict[str, Written] = {
        "order_id": Named(names=orders.order_ids, index=order[rank]),
        "sku": Named(names=problem.skus, index=sku[rank]),
        "quantity": plan.quantity[rank],
        "node_id": Named(names=("", *problem.nodes.node_ids), index=plan.node[rank] - BACKORDER),
        "service": Named(names=("", *problem.services), index=plan.service[rank] - BACKORDER),
    }
    return csv_blocks(columns, len(rank))


def prices_csv(problem: RoutingProblem, result: RoutingResult) -> Iterator[bytes]:
    """Yield prices.csv, the certificate: every price above 0, in thousandths of a cent, by node, SKU and resource."""
    if result.prices is None:
        parts = []
    else:
        parts = [_stock_prices(problem, result.prices.stock)]
        parts += [_node_prices("units", result.prices.units), _node_prices("parcels", result.prices.parcels)]
    none = np.zeros((4, 0), np.int64)
    node, sku, resource, price = np.concatenate([none, *parts], axis=1)
    rank, _ = sort_rows((node, sku, resource))
    columns: dict[str, Written] = {
        "node_id": Named(names=problem.nodes.node_ids, index=node[rank]),
        "sku": Named(names=("", *problem.skus), index=sku[rank]),
        "resource": Named(names=RESOURCES, index=resource[rank]),
        "price_millicents": price[rank],
    }
    return csv_blocks(columns, len(rank))


def _stock_prices(problem: RoutingProblem, prices: IntArray) -> IntArray:
    """Return (node, 1 + SKU, resource, price) of every price of a stock row, shape (4, prices above 0)."""
    stock = problem.stock
    names = np.array([RESOURCES.index(stock_row(*rounding)) for rounding in ROUNDINGS])
    sku = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start))
    entry, rounding = np.nonzero(prices)
    return np.array([stock.node[entry], 1 + sku[entry], names[rounding], prices[entry, rounding]], np.int64)


def _node_prices(resource: str, prices: IntArray) -> IntArray:
    """Return the same of a resource of nodes, where the SKU is blank."""
    node = np.flatnonzero(prices)
    return np.array([node, 0 * node, np.full_like(node, RESOURCES.index(resource)), prices[node]], np.int64)


def line_values_csv(problem: RoutingProblem, values: IntArray) -> Iterator[bytes]:
    """Yield line_values.csv, the certificate's part for long orders: every value above 0, by order and SKU."""
    line = np.flatnonzero(values)
    order, sku = problem.line_order[line], problem.orders.line_sku[line]
    rank, _ = sort_rows((order, sku))
    columns: dict[str, Written] = {
        "order_id": Named(names=problem.orders.order_ids, index=order[rank]),
        "sku": Named(names=problem.skus, index=sku[rank]),
        "value_millicents": values[line][rank],
    }
    return csv_blocks(columns, len(rank))


def _json(document: dict[str, Any]) -> str:
    """Return a document with one member a line, and one entry of a trace a line."""
    lines = [f"  {json.dumps(key)}: {_value(value)}" for key, value in document.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ",".join(f"\n    {json.dumps(entry)}" for entry in value) + "\n  ]"
    return json.dumps(value, ensure_ascii=False)


def write_result(
    folder: Path, problem: RoutingProblem, result: RoutingResult, document: dict[str, Any], timing: Timing
) -> Timing:
    """Write the result folder, each file appearing whole and summary.json last; return the timing with that of writing.

    A folder that holds an earlier result is overwritten; raises InvalidInput if `folder` is a file or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot be used for the result: {error.strerror or error}; name another folder"
        raise InvalidInput(Fault(path=str(folder), message=message)) from None
    began = time.perf_counter()
    (folder / "summary.json").unlink(missing_ok=True)
    _replace(folder / "plan.csv", plan_csv(problem, result))
    _replace(folder / "prices.csv", prices_csv(problem, result))
    if result.prices is not None and result.prices.line.any():
        _replace(folder / "line_values.csv", line_values_csv(problem, result.prices.line))
    else:
        (folder / "line_values.csv").unlink(missing_ok=True)
    timing = replace(timing, write=time.perf_counter() - began)
    _replace(folder / "timing.json", [_json(timing_document(result, timing)).encode()])
    _replace(folder / "summary.json", [_json(document).encode()])
    return timing


def timing_document(result: RoutingResult, timing: Timing) -> dict[str, Any]:
    """Return the document of timing.json: seconds by part, and how bound and plan came closer."""
    return {
        "wall_seconds": {
            "load": round(timing.load, 4),
            "compile": round(result.compile_seconds, 4),
            "solve": round(result.solve_seconds, 4),
            "write": round(timing.write, 4),
        },
        "trace": [[round(point.seconds, 4), point.bound_cents, point.best_cents] for point in result.trace],
    }


def _replace(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file under another name and move it into place, so that it is there whole or not at all."""
    staging = path.with_name(f".{path.name}.partial")
    with staging.open("wb") as file:
        file.writelines(blocks)
    os.replace(staging, path)
