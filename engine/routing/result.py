"""Writes and names the result of a routing: plan.csv, prices.csv, summary.json and timing.json (contract, section 1).

Everything but timing.json is the same to the byte for the same problem, seed and counted work.
"""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import Fault, InvalidInput
from solvers.plan import ROUNDINGS, RoutingResult
from solvers.problem import RoutingProblem


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
        "bound_method": "prices",
        "gap": result.gap,
        "costs": asdict(plan.costs),
        "orders": problem.order_count,
        "parcels": plan.parcels,
        "split_orders": plan.split_orders,
        "backordered_units": plan.backordered_units,
        "method": str(result.method),
        "stop_reason": result.stop_reason,
        "seed": seed,
        "problem_sha256": problem_sha256,
    }


def plan_csv(problem: RoutingProblem, result: RoutingResult) -> str:
    """Return plan.csv: rows by order, SKU and node, a blank node and service for what is backordered."""
    plan, orders = result.plan, problem.orders
    nodes, services = ("", *problem.nodes.node_ids), ("", *problem.services)
    order = problem.line_order[plan.line]
    rows = sorted(
        zip(
            (orders.order_ids[o] for o in order),
            (problem.skus[k] for k in orders.line_sku[plan.line]),
            plan.quantity.tolist(),
            (nodes[n + 1] for n in plan.node),
            (services[v + 1] for v in plan.service),
            strict=True,
        ),
        key=lambda row: (row[0], row[1], row[3]),
    )
    return _csv(("order_id", "sku", "quantity", "node_id", "service"), rows)


def prices_csv(problem: RoutingProblem, result: RoutingResult) -> str:
    """Return prices.csv, the certificate: every price above 0, in thousandths of a cent."""
    rows: list[tuple[str, str, str, int]] = []
    if result.prices is not None:
        prices, stock, node_ids = result.prices, problem.stock, problem.nodes.node_ids
        sku = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start))
        names = ["stock" if q == 1 else f"stock*{p}/{q}" for p, q in ROUNDINGS]
        for entry, k in np.argwhere(prices.stock):
            price = int(prices.stock[entry, k])
            rows.append((node_ids[stock.node[entry]], problem.skus[sku[entry]], names[k], price))
        for resource, values in (("units", prices.units), ("parcels", prices.parcels)):
            rows += [(node_ids[n], "", resource, int(values[n])) for n in np.flatnonzero(values)]
    return _csv(("node_id", "sku", "resource", "price_millicents"), sorted(rows))


def _csv(header: tuple[str, ...], rows: list[Any]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


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
) -> None:
    """Write the result folder; each file appears whole, and summary.json last.

    A folder that holds an earlier result is overwritten; raises InvalidInput if `folder` is a file or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot be used for the result: {error.strerror or error}; name another folder"
        raise InvalidInput(Fault(path=str(folder), message=message)) from None
    (folder / "summary.json").unlink(missing_ok=True)
    _replace(folder / "plan.csv", plan_csv(problem, result))
    _replace(folder / "prices.csv", prices_csv(problem, result))
    _replace(folder / "timing.json", _json(timing_document(result, timing)))
    _replace(folder / "summary.json", _json(document))


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


def _replace(path: Path, text: str) -> None:
    """Write a file under another name and move it into place, so that it is there whole or not at all."""
    staging = path.with_name(f".{path.name}.partial")
    staging.write_bytes(text.encode())
    os.replace(staging, path)
