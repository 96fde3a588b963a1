"""One small valid problem folder, and the two readers of problem folders, which must judge every folder alike.

`read` is parametrised: every test that asks for it runs once with the router's reader and once with the checker's.
Both are called as read(folder) and return the problem's sha256.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Files = dict[str, str | bytes]
Reader = Callable[[Path], str]


def read_by_router(folder: Path) -> str:
    from engine.routing.folder import read_problem

    return read_problem(folder).sha256


def read_by_checker(folder: Path) -> str:
    from engine.verification.reading import read_problem

    return read_problem(folder).sha256


@pytest.fixture(params=[read_by_router, read_by_checker], ids=["router", "checker"])
def read(request: pytest.FixtureRequest) -> Reader:
    reader: Reader = request.param
    return reader


@pytest.fixture
def files() -> Files:
    """A folder as text by file name: two nodes, two orders, two zones; everything in it is right."""
    return {
        "problem.json": '{\n  "version": 1,\n  "backorder_cost_cents_per_unit": 2000,\n  "line_split": "never"\n}\n',
        "nodes.csv": "node_id,kind,latitude,longitude,"
        "parcel_cost_cents,unit_cost_cents,capacity_units,capacity_parcels\n"
        "A,dc,0,0,100,10,4,\nB,store,0,1.5,200,0,,2\n",
        "products.csv": "sku,weight_g\npen,100\nbook,800\n",
        "stock.csv": "node_id,sku,available\nA,pen,3\nB,pen,5\nB,book,1\n",
        "orders.csv": "order_id,latitude,longitude,due_days,max_nodes\nO1,0,0,2,\nO2,0,-1e-3,,1\n",
        "order_lines.csv": "order_id,sku,quantity\nO1,pen,2\nO1,book,1\nO2,pen,1\n",
        "zones.csv": "zone,max_km\nnear,50.5\nfar,\n",
        "rates.csv": "service,zone,max_weight_g,cost_cents,transit_days\n"
        "ground,near,1000,300,1\nground,near,5000,500,2\nair,far,1000,900,1\n",
    }


@pytest.fixture
def lane_files(files: Files) -> Files:
    """The same with explicit lanes, and so without weights, zones, rates and coordinates."""
    for name in ("products.csv", "zones.csv", "rates.csv"):
        del files[name]
    files["nodes.csv"] = (
        "node_id,kind,parcel_cost_cents,unit_cost_cents,capacity_units,capacity_parcels\nA,dc,0,0,,\nB,dc,0,0,,\n"
    )
    files["orders.csv"] = "order_id\nO1\nO2\n"
    files["lanes.csv"] = "node_id,order_id,service,cost_cents,transit_days\nA,O1,air,100,1\nA,O2,air,100,1\n"
    return files


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    """Write a folder to disk and return its path."""

    def put(files: Files) -> Path:
        folder = tmp_path / "problem"
        folder.mkdir(exist_ok=True)
        for name, body in files.items():
            (folder / name).write_bytes(body.encode() if isinstance(body, str) else body)
        return folder

    return put
