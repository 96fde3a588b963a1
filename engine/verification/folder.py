"""The files of a problem folder: which there are, their columns, their bytes, and the hash that names them.

Not here: what the cells mean (reading.py).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Fault, InvalidInput
from engine.verification.settings import FILE
from engine.verification.table import Faults, Table, digest, find_file, read_bytes, read_table

COLUMNS: dict[str, tuple[str, ...]] = {
    "nodes": (
        *("node_id", "kind", "latitude", "longitude", "parcel_cost_cents", "unit_cost_cents"),
        *("capacity_units", "capacity_parcels"),
    ),
    "products": ("sku", "weight_g"),
    "stock": ("node_id", "sku", "available"),
    "orders": ("order_id", "latitude", "longitude"),
    "order_lines": ("order_id", "sku", "quantity"),
    "zones": ("zone", "max_km"),
    "rates": ("service", "zone", "max_weight_g", "cost_cents", "transit_days"),
    "lanes": ("node_id", "order_id", "service", "cost_cents", "transit_days"),
    "pins": ("order_id", "sku", "node_id"),
    "current_plan": ("order_id", "sku", "node_id"),
}
"""The columns that each table must have."""
OPTIONAL_COLUMNS: dict[str, tuple[str, ...]] = {
    "nodes": ("priority",),
    "orders": ("due_days", "max_nodes"),
    "current_plan": ("quantity", "service"),
}
OPTIONAL = ("lanes", "pins", "current_plan")
"""Tables that no folder needs."""
COORDINATES = ("latitude", "longitude")
NOT_WITH_LANES = ("products", "zones", "rates")
"""What lanes.csv makes unnecessary: these tables may then be missing or blank, and so may all coordinates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFiles:
    """A problem folder as text: `settings` is problem.json, `tables` what was found (the optional may be absent)."""

    settings: bytes
    tables: dict[str, Table]
    has_lanes: bool
    sha256: str


def read_files(folder: Path, faults: Faults) -> FolderFiles:
    """Read every file that a problem folder may hold; raise InvalidInput if one is missing, double or unreadable."""
    if not folder.is_dir():
        raise InvalidInput(Fault(path=str(folder), message="is not a folder; give the path of a problem folder"))
    paths = {name: find_file(folder, name, faults) for name in COLUMNS}
    has_lanes = paths["lanes"] is not None
    if not (folder / FILE).is_file():
        faults.add(FILE, f"is missing in {folder}; a problem folder must hold it")
    for name, path in paths.items():
        if path is None and name not in OPTIONAL and not (has_lanes and name in NOT_WITH_LANES):
            faults.add(f"{name}.csv", f"is missing in {folder}; add it (or {name}.csv.gz)")
    faults.stop_if_any()
    settings = read_bytes(folder / FILE)
    bodies = {name: read_bytes(path) for name, path in paths.items() if path is not None}
    tables: dict[str, Table] = {}
    for name, body in bodies.items():
        if has_lanes and name in NOT_WITH_LANES and not body.strip():
            continue
        file = paths[name].name  # type: ignore[union-attr]
        may_lack = COORDINATES if has_lanes else ()
        needed = tuple(column for column in COLUMNS[name] if column not in may_lack)
        optional = tuple(column for column in COLUMNS[name] if column in may_lack)
        tables[name] = read_table(file, body, needed, (*optional, *OPTIONAL_COLUMNS.get(name, ())), faults)
    hashed = {FILE: settings, **{f"{name}.csv": body for name, body in bodies.items()}}
    return FolderFiles(settings=settings, tables=tables, has_lanes=has_lanes, sha256=_sha256(hashed))


def _sha256(bodies: dict[str, bytes]) -> str:
    """Hash the sorted lines `file name, NUL, sha256 of its uncompressed bytes`; `.gz` is no part of the name."""
    lines = sorted(f"{name}\0{digest(body)}\n" for name, body in bodies.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()
