"""The demo day that travels with the package: `scenarios/real/us-omnichannel`, read and checked.

Here: finding it. Not here: reading documents (documents_folder.py), how it was made (its README and build.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from engine.catalog.document import CatalogDocument
from engine.errors import NotFound
from engine.integrations.documents_folder import Documents, read_documents
from engine.network.document import NetworkDocument
from engine.orders.model import NewOrder

DEMO = "us-omnichannel"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDay(Documents):
    """One network, its catalog, its stock, and one day's orders, as the services take them."""

    network: NetworkDocument
    catalog: CatalogDocument


def load_demo_day() -> DemoDay:
    """Read the packaged demo day; raises NotFound if the installation lacks it."""
    found = read_documents(demo_folder())
    if found.network is None or found.catalog is None:
        raise NotFound(f"{demo_folder()} is not complete; install allot again")
    return DemoDay(network=found.network, catalog=found.catalog, positions=found.positions, orders=found.orders)


def demo_problem_folder() -> Path:
    """Return the same day as a problem folder, for `allot route`."""
    return demo_folder() / "problem"


def demo_folder() -> Path:
    """Return where the demo day lies; raises NotFound if the installation lacks it."""
    folder = Path(str(files("scenarios"))) / "real" / DEMO
    if not folder.is_dir():
        raise NotFound(f"{folder} is missing; install allot again, scenarios/ belongs to it")
    return folder


def carts(orders: Sequence[NewOrder], count: int) -> list[NewOrder]:
    """Return so many orders of three lines, spread over the day, to be promised and reserved first."""
    of_three = [order for order in orders if len(order.lines) == 3]
    return of_three[:: max(1, len(of_three) // count)][:count]
