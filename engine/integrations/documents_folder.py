"""A business as files: network.json, catalog.json, positions.json, supplies.json and orders.json, each plain or `.gz`.

The files hold what `PUT /v1/network`, `/v1/catalog`, `/v1/inventory/positions`, `/v1/inventory/supplies` and
`POST /v1/orders` take (`{"orders": [...]}`); each may be missing. Not here: putting them into a store (load.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from engine.catalog.checks import parse_catalog
from engine.catalog.document import CatalogDocument
from engine.errors import Fault, InvalidInput
from engine.faults import read_document
from engine.inventory.model import PositionCount, Supply
from engine.network.checks import parse_network
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.csv_table import read_bytes

NAMES = ("network", "catalog", "positions", "supplies", "orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What a folder of documents holds; None or empty for files that are not there."""

    network: NetworkDocument | None = None
    catalog: CatalogDocument | None = None
    positions: tuple[PositionCount, ...] = ()
    supplies: tuple[Supply, ...] = ()
    orders: tuple[NewOrder, ...] = ()


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Position(_Entry):
    node_id: str
    sku: str
    on_hand: int | None = None
    safety_stock: int = 0
    expected_version: int | None = None
    unlimited: bool = False


class _Supply(_Entry):
    supply_id: str
    node_id: str
    sku: str
    quantity: int
    expected_on: date


class _Destination(_Entry):
    latitude: float | None = None
    longitude: float | None = None
    postal_code: str | None = None
    country: str | None = None
    time_zone: str | None = None
    residential: bool = False
    is_po_box: bool = False


class _Line(_Entry):
    sku: str
    quantity: int
    line_id: str | None = None


class _Order(_Entry):
    channel: str
    lines: tuple[_Line, ...]
    destination: _Destination = _Destination()
    order_id: str | None = None
    reservation_id: str | None = None
    service_level: str | None = None
    need_by: date | None = None
    pickup_node_id: str | None = None
    customer: dict[str, Any] | None = None
    payment: dict[str, Any] | None = None

    def as_asked(self) -> NewOrder:
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        fields["destination"] = Destination(**self.destination.model_dump())
        fields["lines"] = tuple(NewLine(**line.model_dump()) for line in self.lines)
        return NewOrder(**fields)


Entry = TypeVar("Entry", bound=_Entry)


class _Positions(_Entry):
    positions: tuple[_Position, ...]


class _Supplies(_Entry):
    supplies: tuple[_Supply, ...]


class _Orders(_Entry):
    orders: tuple[_Order, ...]


def read_documents(folder: Path, names: Collection[str] = NAMES) -> Documents:
    """Read every document of a folder, or those named; raises InvalidInput naming file, place, value and remedy."""
    if not folder.is_dir():
        raise InvalidInput(Fault(path=str(folder), message="is not a folder; give one with network.json"))
    bodies = {name: found for name in NAMES if name in names and (found := _body(folder, name)) is not None}
    if not bodies:
        names = ", ".join(f"{name}.json" for name in NAMES)
        raise InvalidInput(Fault(path=str(folder), message=f"holds none of {names} (or .json.gz); add at least one"))
    network, catalog = bodies.get("network"), bodies.get("catalog")
    positions = _read(_Positions, bodies, "positions")
    supplies = _read(_Supplies, bodies, "supplies")
    orders = _read(_Orders, bodies, "orders")
    return Documents(
        network=None if network is None else parse_network(network, "network.json"),
        catalog=None if catalog is None else parse_catalog(catalog, "catalog.json"),
        positions=() if positions is None else _counts(positions),
        supplies=() if supplies is None else _supplies(supplies),
        orders=tuple(entry.as_asked() for entry in (orders.orders if orders else ())),
    )


def parse_positions(body: bytes, source: str) -> tuple[PositionCount, ...]:
    """Read counts as `PUT /v1/inventory/positions` takes them; raises InvalidInput."""
    return _counts(read_document(_Positions, body, source))


def parse_supplies(body: bytes, source: str) -> tuple[Supply, ...]:
    """Read supplies as `PUT /v1/inventory/supplies` takes them; raises InvalidInput."""
    return _supplies(read_document(_Supplies, body, source))


def _counts(document: _Positions) -> tuple[PositionCount, ...]:
    return tuple(PositionCount(**entry.model_dump()) for entry in document.positions)


def _supplies(document: _Supplies) -> tuple[Supply, ...]:
    return tuple(Supply(**entry.model_dump()) for entry in document.supplies)


def _read(model: type[Entry], bodies: dict[str, bytes], name: str) -> Entry | None:
    return read_document(model, bodies[name], f"{name}.json") if name in bodies else None


def _body(folder: Path, name: str) -> bytes | None:
    plain, packed = folder / f"{name}.json", folder / f"{name}.json.gz"
    if plain.exists() and packed.exists():
        raise InvalidInput(Fault(path=str(folder), message=f"has both {plain.name} and {packed.name}; remove one"))
    if plain.exists():
        return read_bytes(plain)
    return read_bytes(packed) if packed.exists() else None
