"""The demo day that travels with the package: `scenarios/real/us-omnichannel`, read and checked.

Here: finding and parsing it. Not here: how it was made (its README and build.py), putting it into a store.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

from engine.catalog.checks import parse_catalog
from engine.catalog.document import CatalogDocument
from engine.errors import NotFound
from engine.inventory.model import PositionCount
from engine.network.checks import parse_network
from engine.network.document import NetworkDocument
from engine.orders.model import NewOrder
from engine.routing.csv_table import read_bytes

DEMO = "us-omnichannel"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDay:
    """One network, its catalog, its stock, and one day's orders, as the services take them."""

    network: NetworkDocument
    catalog: CatalogDocument
    positions: tuple[PositionCount, ...]
    orders: tuple[NewOrder, ...]


@dataclass(frozen=True, slots=True)
class _Positions:
    positions: tuple[PositionCount, ...]


@dataclass(frozen=True, slots=True)
class _Orders:
    orders: tuple[NewOrder, ...]


def load_demo_day() -> DemoDay:
    """Read the packaged demo day; raises NotFound if the installation lacks it."""
    return DemoDay(
        network=parse_network(_body("network.json"), "network.json"),
        catalog=parse_catalog(_body("catalog.json"), "catalog.json"),
        positions=msgspec.json.decode(_body("positions.json"), type=_Positions).positions,
        orders=msgspec.json.decode(_body("orders.json"), type=_Orders).orders,
    )


def demo_problem_folder() -> Path:
    """Return the same day as a problem folder, for `allot route`."""
    return demo_folder() / "problem"


def demo_folder() -> Path:
    """Return where the demo day lies; raises NotFound if the installation lacks it."""
    folder = Path(str(files("scenarios"))) / "real" / DEMO
    if not folder.is_dir():
        raise NotFound(f"{folder} is missing; install allot again, scenarios/ belongs to it")
    return folder


def _body(name: str) -> bytes:
    folder = demo_folder()
    plain, packed = folder / name, folder / f"{name}.gz"
    return read_bytes(plain if plain.exists() else packed)
