"""Reads a problem folder (docs/reference/problem-folder.md) into a `RoutingProblem`.

Here: which files and columns there are, and the hash that names a problem. Not here: CSV and numbers (`csv_table.py`),
how tables refer to each other (`assembly.py`), writing (`folder_writer.py`), solving.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import Fault, InvalidInput
from engine.routing.assembly import Assembly
from engine.routing.csv_table import Column, CsvTable, find_table, read_bytes, read_table
from engine.routing.settings import read_settings
from solvers.problem import NO_DUE_DATE, UNLIMITED, RoutingProblem

MOST_UNITS = 10**6
"""Units of one order line."""

_NAN, _INFINITY = float("nan"), float("inf")
_COORDINATES = (
    Column(name="latitude", kind=float, least=-90, most=90, blank=_NAN),
    Column(name="longitude", kind=float, least=-180, most=180, blank=_NAN),
)
TABLES: dict[str, tuple[Column, ...]] = {
    "nodes": (
        Column(name="node_id"),
        Column(name="kind", blank=0),
        *_COORDINATES,
        Column(name="parcel_cost_cents", kind=int),
        Column(name="unit_cost_cents", kind=int),
        Column(name="capacity_units", kind=int, blank=UNLIMITED),
        Column(name="capacity_parcels", kind=int, blank=UNLIMITED),
        Column(name="priority", kind=int, least=1 - 2**53, blank=UNLIMITED, optional=True),
    ),
    "products": (Column(name="sku"), Column(name="weight_g", kind=int, most=2**31)),
    "stock": (Column(name="node_id"), Column(name="sku"), Column(name="available", kind=int, most=2**40)),
    "orders": (
        Column(name="order_id"),
        *_COORDINATES,
        Column(name="due_days", kind=int, most=2**31, blank=NO_DUE_DATE, optional=True),
        Column(name="max_nodes", kind=int, blank=-1, optional=True),
    ),
    "order_lines": (
        Column(name="order_id"),
        Column(name="sku"),
        Column(name="quantity", kind=int, least=1, most=MOST_UNITS),
    ),
    "zones": (Column(name="zone"), Column(name="max_km", kind=float, most=1e9, blank=_INFINITY)),
    "rates": (
        Column(name="service"),
        Column(name="zone"),
        Column(name="max_weight_g", kind=int),
        Column(name="cost_cents", kind=int),
        Column(name="transit_days", kind=int, most=3650),
    ),
    "lanes": (
        Column(name="node_id"),
        Column(name="order_id"),
        Column(name="service"),
        Column(name="cost_cents", kind=int),
        Column(name="transit_days", kind=int, most=3650),
    ),
    "pins": (Column(name="order_id"), Column(name="sku"), Column(name="node_id")),
    "current_plan": (
        Column(name="order_id"),
        Column(name="sku"),
        Column(name="node_id", blank=0),
        Column(name="quantity", kind=int, least=1, most=MOST_UNITS, blank=0, optional=True),
        Column(name="service", blank=0, optional=True),
    ),
}
ALWAYS = ("nodes", "stock", "orders", "order_lines")
_WITHOUT_LANES = ("products", "zones", "rates")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFolder:
    """A problem as it was read, with the hash that names it."""

    problem: RoutingProblem
    sha256: str
    kinds: tuple[str, ...] = ()
    """What each node of the problem is, such as `dc`; blank: it does not say."""


def read_problem(folder: Path) -> ProblemFolder:
    """Read and check a problem folder.

    Raises InvalidInput naming file, line, column, value and remedy; the same facts in any order of rows and columns
    give the same problem.
    """
    if not folder.is_dir():
        raise InvalidInput(Fault(path=str(folder), message="is not a folder; give the path of a problem folder"))
    if not (folder / "problem.json").is_file():
        message = "has no problem.json; a problem folder holds problem.json, nodes.csv, stock.csv, orders.csv, …"
        raise InvalidInput(Fault(path=str(folder), message=message))
    body = read_bytes(folder / "problem.json")
    settings = read_settings(body)
    tables = _read_tables(folder)
    digests = {table.file.removesuffix(".gz"): table.sha256 for table in tables.values()}
    digests["problem.json"] = hashlib.sha256(body).hexdigest()
    problem = Assembly(settings, tables).problem()
    kind_of = dict(zip(tables["nodes"].text["node_id"], tables["nodes"].text["kind"], strict=True))
    kinds = tuple(kind_of[node_id] for node_id in problem.nodes.node_ids)
    return ProblemFolder(problem=problem, sha256=problem_sha256(digests), kinds=kinds)


def problem_sha256(digests: dict[str, str]) -> str:
    """Return the hash that names a problem: over the sorted lines `file name, NUL, sha256 of its bytes`."""
    lines = sorted(f"{name}\0{digest}" for name, digest in digests.items())
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _read_tables(folder: Path) -> dict[str, CsvTable]:
    """Read every table; beside lanes those that they replace are only checked for their columns, and may be empty."""
    found = {name: find_table(folder, name) for name in TABLES}
    explicit = found["lanes"] is not None
    needed = ALWAYS if explicit else (*ALWAYS, *_WITHOUT_LANES)
    missing = [name for name in needed if found[name] is None]
    if missing:
        raise InvalidInput(
            [Fault(path=str(folder), message=f"has no {name}.csv (or {name}.csv.gz); add it") for name in missing]
        )
    return {
        name: read_table(path, _columns(name, explicit), may_be_empty=explicit and name in _WITHOUT_LANES)
        for name, path in found.items()
        if path is not None
    }


def _columns(table: str, explicit_lanes: bool) -> tuple[Column, ...]:
    """Return what a table may hold; lanes make coordinates optional, and replace weights, zones and rates."""
    columns = TABLES[table]
    if not explicit_lanes:
        return columns
    if table in _WITHOUT_LANES:
        return tuple(Column(name=column.name, blank=0, optional=True) for column in columns)
    return tuple(replace(column, optional=True) if column in _COORDINATES else column for column in columns)
