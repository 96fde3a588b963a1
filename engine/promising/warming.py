"""Get the kernels ready before the first order comes: seconds on a fresh machine, milliseconds after that.

Compiled code is kept on disk beside its source, so only the first process after an installation compiles.
"""

from __future__ import annotations

import gc
from datetime import UTC, datetime

import numpy as np

from engine.availability.reference import View
from engine.availability.stock import StockReader
from engine.catalog.document import CatalogDocument
from engine.catalog.model import compile_catalog
from engine.delivery.day_tables import no_load
from engine.inventory.model import KINDS, ON_HAND, StockView
from engine.network.days import NetworkDays
from engine.network.document import NetworkDocument
from engine.network.model import compile_network
from engine.promising.explaining_hubs import packed_costs
from engine.promising.model import Destination, PromiseRequest, WantedLine
from engine.promising.programme import Tables, build, solve
from engine.promising.reasons import unavailable
from engine.promising.request import understand

_NODE = {"node_id": "n", "kind": "dc", "latitude": 0, "longitude": 0, "time_zone": "UTC", "calendar": "daily"}
_RATE = {"zone": "all", "max_weight_g": 1, "cost_cents": 0, "transit_days": 0}
_SERVICE = {"service": "s", "carrier": "c", "service_level": "standard", "calendar": "daily", "rates": [_RATE]}
_NETWORK = {
    "nodes": [_NODE],
    "calendars": [{"calendar": "daily", "working_days": ["mon"]}],
    "zones": [{"zone": "all", "max_km": None}],
    "services": [_SERVICE | {"dim_divisor": 1}],
}
_CARTON = {"carton": "b", "length_mm": 9, "width_mm": 9, "height_mm": 9, "max_weight_g": 9}
_HUB = _NODE | {"node_id": "h", "hub": {}}
_TRANSFER = {"from_node_id": "n", "to_node_id": "h", "calendar": "daily", "transit_days": 1}
_PRODUCT = {"sku": "x", "weight_g": 1, "length_mm": 1, "width_mm": 1, "height_mm": 1}


def warm_up() -> None:
    """Run every kernel once on the smallest orders there are; takes no store and changes nothing."""
    catalog = compile_catalog(CatalogDocument.model_validate({"products": [_PRODUCT]}), 0)
    with_hub = {"nodes": [_NODE, _HUB], "transfers": [_TRANSFER]}
    for document in (_NETWORK, _NETWORK | {"cartons": [_CARTON]}, _NETWORK | with_hub):
        network = compile_network(NetworkDocument.model_validate(document), 0)
        _warm_up(View(epoch=0, days=NetworkDays(network), catalog=catalog))


def _warm_up(view: View) -> None:
    place = Destination(latitude=0.0, longitude=0.0)
    now = datetime(2026, 1, 5, tzinfo=UTC)
    asked = understand(PromiseRequest(lines=(WantedLine(sku="x", quantity=1),), destination=place), view, now)
    cells = np.zeros((1, 1, KINDS), dtype=np.uint32)
    cells[0, 0, ON_HAND] = 1
    cells.flags.writeable = False  # as it is when it was read: another type to the kernels
    stock = StockView(epoch=0, node_ids=("n",), skus=("x",), cells=cells, schedule={}, supplies={})
    table = StockReader().read(stock, view, view.days.at(now).local_day, now=now)
    programme = build(asked, view, table, now, Tables(), no_load(len(view.network.node_ids)))
    solve(programme, [(0,)])
    unavailable(asked, programme, [0])
    packed_costs(programme, programme.ask, programme.demand)


if __name__ == "__main__":
    gc.disable()  # as in solvers/__main__.py
    warm_up()
