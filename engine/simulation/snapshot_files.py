"""A snapshot as files: a scenario that can be run as it is or extended, and beside it a folder with the documents.

The network is written so that promoting can tell whether the live one is still that one: `network_body`. Not here: what
is in a snapshot (snapshot.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import structs

from engine.errors import Fault, InvalidInput
from engine.network.document import NetworkDocument
from engine.simulation.snapshot import Snapshot

DAYS = 7
"""Of the base, without recorded orders."""
ENDINGS = (".yaml", ".yml")


def network_body(network: NetworkDocument) -> bytes:
    """Return a network document as a snapshot keeps it: the same bytes for the same network."""
    return json.dumps(network.model_dump(mode="json", by_alias=True), indent=1, sort_keys=True).encode()


def check_place(out: Path, *, replace: bool) -> Path:
    """Return the folder beside a base that is to be written; raises InvalidInput for a place that will not do."""
    folder = out.with_suffix("")
    if out.suffix not in ENDINGS:
        raise InvalidInput(Fault(path="--out", message=f"{out.name!r} is no name of a scenario; end it in .yaml"))
    if not out.parent.is_dir():
        raise InvalidInput(Fault(path="--out", message=f"{out} is in a folder that does not exist; make it first"))
    for place in (out, folder):
        if place.exists() and not replace:
            raise InvalidInput(Fault(path="--out", message=f"{place} exists; name another, or give --replace"))
    return folder


def write_snapshot(snapshot: Snapshot, out: Path, *, replace: bool = False) -> None:
    """Write a snapshot to `out` and the folder of its name; raises InvalidInput if they are there already."""
    folder = check_place(out, replace=replace)
    folder.mkdir(exist_ok=True)
    (folder / "network.json").write_bytes(network_body(snapshot.network))
    catalog = snapshot.catalog.model_dump(mode="json", by_alias=True, exclude_unset=True)
    _write(folder / "catalog.json", catalog)
    counts = [_count(structs.asdict(each)) for each in snapshot.positions]
    _write(folder / "positions.json", {"positions": counts})
    supplies = [
        {
            "supply_id": each.supply_id,
            "node_id": each.node_id,
            "sku": each.sku,
            "quantity": each.quantity,
            "expected_on": each.expected_on.isoformat(),
        }
        for each in snapshot.supplies
    ]
    _write(folder / "supplies.json", {"supplies": supplies})
    _write(folder / "orders.json", {"orders": list(snapshot.orders)})
    out.write_text(base_text(snapshot, folder.name), encoding="utf-8")


def base_text(snapshot: Snapshot, folder: str) -> str:
    """Return the scenario of a snapshot whose documents are in `folder`."""
    told = (
        f"Version {snapshot.network_version} of the network, {len(snapshot.positions)} positions, "
        f"{len(snapshot.supplies)} supplies and {snapshot.open_orders} open orders"
    )
    again = f", and the orders of {snapshot.orders_days} days once more" if snapshot.orders_days else ""
    lines = [
        "# A snapshot of the live engine, by `allot snapshot`: run it, or let another scenario extend it.",
        "version: 1",
        f'name: "snapshot of {snapshot.start}"',
        "about: " + json.dumps(f"{told}{again}, at {snapshot.taken_at.isoformat(timespec='seconds')}."),
        f"start: {snapshot.start.isoformat()}",
        f"days: {max(snapshot.orders_days, DAYS)}",
        f"time_zone: {snapshot.time_zone}",
        f"network: {json.dumps(folder)}",
        *_changes(snapshot.closed_node_ids),
    ]
    return "\n".join(lines) + "\n"


def _changes(closed: Sequence[str]) -> list[str]:
    """Return nodes that are switched off as changes."""
    if not closed:
        return []
    lines = (f"  - close_node: {{node_id: {json.dumps(node_id)}, reason: switched off}}" for node_id in closed)
    return ["changes:", *lines]


def _count(fields: dict[str, Any]) -> dict[str, Any]:
    kept = {name: fields[name] for name in ("node_id", "sku", "on_hand", "safety_stock", "unlimited")}
    return {name: value for name, value in kept.items() if value not in (None, False)}


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
