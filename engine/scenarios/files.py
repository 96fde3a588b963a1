"""The files that a scenario names in place of a part of its world: a folder as for `allot load`, or single documents.

Documents are JSON or YAML, plain or `.gz`; each that is read is hashed. Not here: recorded orders (recorded_files.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import TypeVar

from engine.catalog.checks import parse_catalog
from engine.catalog.document import CatalogDocument
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.integrations.documents_folder import NAMES, parse_positions, parse_supplies
from engine.inventory.model import PositionCount, Supply
from engine.network.checks import parse_network
from engine.network.document import NetworkDocument
from engine.routing.csv_table import read_bytes
from engine.scenarios.extending import shown_path
from engine.scenarios.story import PlannedSupply
from engine.scenarios.validating import Findings
from engine.scenarios.yaml_tree import Noted, plain, read_tree

ENDINGS = (".json", ".json.gz", ".yaml", ".yml")
ARRIVES = time(6)
"""When supplies of files come, which have a day only."""

Read = TypeVar("Read")


@dataclass(slots=True, kw_only=True)
class NamedFiles:
    """Reads the files that a scenario names, and keeps what is wrong with them and their hashes."""

    findings: Findings
    inputs: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path | None:
        """The folder of the scenario; None for one that came without."""
        return self.findings.written.folder

    def path(self, key: str, name: str) -> Path | None:
        """Return the path of what a key names, or None with a fault noted if it is not there."""
        folder = self.folder
        if folder is None:
            self.findings.note((key,), f"{name!r} is a file, which cannot be named here; write it out")
            return None
        path = folder / name
        if not path.exists():
            others = sorted(other.name for other in path.parent.iterdir()) if path.parent.is_dir() else []
            self.findings.note((key,), f"there is no file {name!r}; {nearest(path.name, others)}")
            return None
        return path

    def read(self, key: str, path: Path, parse: Callable[[bytes, str], Read]) -> Read | None:
        """Return what a document says, or None with its faults noted where the scenario names it."""
        source = shown_path(path, self.folder or path.parent)
        try:
            body = read_bytes(path)
            self.inputs[source] = hashlib.sha256(body).hexdigest()
            return parse(_as_json(body, source), source)
        except InvalidInput as error:
            for fault in error.faults:
                self.findings.note((key,), str(fault))
            return None


def _as_json(body: bytes, source: str) -> bytes:
    if not source.endswith((".yaml", ".yml")):
        return body
    noted: Noted = []
    tree = read_tree(body.decode("utf-8-sig", errors="replace"), source, noted)
    if noted:
        raise InvalidInput([Fault(path=str(mark), message=message) for mark, message in noted])
    return json.dumps(plain(tree)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWorld:
    """What the files of a world hold; None for what none of them does."""

    network: NetworkDocument | None = None
    catalog: CatalogDocument | None = None
    positions: tuple[PositionCount, ...] | None = None
    supplies: tuple[Supply, ...] | None = None
    orders_file: str | None = None


def read_named_world(
    network: str | None, catalog: str | None, stock: str | None, supplies: str | None, files: NamedFiles
) -> NamedWorld:
    """Read the documents that are named; a folder has those that are not named one by one."""
    paths: dict[str, tuple[str, Path]] = {}
    named = {"network": network, "products": catalog, "stock": stock, "supplies": supplies}
    for key, name in named.items():
        path = None if name is None else files.path(key, name)
        if path is not None and key == "network" and path.is_dir():
            paths |= {document: ("network", found) for document in NAMES if (found := _in_folder(path, document))}
            if "network" not in paths:
                files.findings.note(("network",), f"{name!r} holds no network.json; add it, or name another folder")
        elif path is not None and not path.is_dir():
            paths[{"products": "catalog", "stock": "positions"}.get(key, key)] = (key, path)
        elif path is not None:
            files.findings.note((key,), f"{name!r} is a folder; name a file in it")
    orders = paths.get("orders")
    return NamedWorld(
        network=_read(paths, "network", parse_network, files),
        catalog=_read(paths, "catalog", parse_catalog, files),
        positions=_read(paths, "positions", parse_positions, files),
        supplies=_read(paths, "supplies", parse_supplies, files),
        orders_file=None if orders is None else (Path(network or "") / orders[1].name).as_posix(),
    )


def _in_folder(folder: Path, document: str) -> Path | None:
    return next((path for end in ENDINGS if (path := folder / f"{document}{end}").exists()), None)


def _read(
    paths: dict[str, tuple[str, Path]], document: str, parse: Callable[[bytes, str], Read], files: NamedFiles
) -> Read | None:
    if document not in paths:
        return None
    key, path = paths[document]
    return files.read(key, path, parse)


def planned_of(supplies: Sequence[Supply], first: date) -> list[PlannedSupply]:
    """Return supplies of a file by the second; those that were expected before the story are overdue, and left out."""
    midnight = datetime.combine(first, time())
    return [
        PlannedSupply(
            supply_id=supply.supply_id,
            node_id=supply.node_id,
            sku=supply.sku,
            quantity=supply.quantity,
            expected_s=int((datetime.combine(supply.expected_on, ARRIVES) - midnight).total_seconds()),
        )
        for supply in supplies
        if supply.expected_on >= first and supply.quantity
    ]
