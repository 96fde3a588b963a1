"""Documents from files: all of them or nothing, and every fault with its file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from engine.bootstrap import allot_engine
from engine.errors import InvalidInput, NotFound
from engine.integrations.documents_folder import read_documents
from engine.integrations.load import check_documents, put_documents

Write = Callable[..., Path]

NETWORK = {
    "nodes": [
        {
            "node_id": "DC",
            "kind": "dc",
            "latitude": 40.0,
            "longitude": -75.0,
            "time_zone": "America/New_York",
            "calendar": "daily",
        }
    ],
    "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
}
CATALOG = {"products": [{"sku": "MUG", "weight_g": 400}]}
POSITIONS = {"positions": [{"node_id": "DC", "sku": "MUG", "on_hand": 5}]}
SUPPLIES = {
    "supplies": [{"supply_id": "PO1", "node_id": "DC", "sku": "MUG", "quantity": 7, "expected_on": "2030-01-02"}]
}
ORDER = {
    "order_id": "o1",
    "channel": "web",
    "destination": {"latitude": 41.0, "longitude": -74.0},
    "lines": [{"sku": "MUG", "quantity": 2}],
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(**changes: Any) -> Path:
        documents = {"network": NETWORK, "catalog": CATALOG, "positions": POSITIONS, "supplies": SUPPLIES}
        documents |= {"orders": {"orders": [ORDER]}, **changes}
        for name, document in documents.items():
            if document is not None:
                (tmp_path / f"{name}.json").write_text(json.dumps(document))
        return tmp_path

    return put


async def load(folder: Path) -> tuple[int, int, int]:
    """Load a folder into a fresh engine in memory and return how much arrived."""
    documents = read_documents(folder)
    async with allot_engine(memory=True) as engine, allot_engine(memory=True) as scratch:
        await check_documents(documents, scratch, engine)
        await put_documents(documents, engine)
        (position,) = await engine.inventory.positions("MUG")
        order = await engine.orders.get("o1")
        return position.on_hand, position.supplies[0].quantity, order.captured.lines[0].quantity


async def test_a_whole_business_is_loaded_from_files(write: Write) -> None:
    assert await load(write()) == (5, 7, 2)


async def test_a_packed_file_is_as_good(write: Write) -> None:
    folder = write(positions=None)
    (folder / "positions.json.gz").write_bytes(gzip.compress(json.dumps(POSITIONS).encode()))
    assert await load(folder) == (5, 7, 2)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"network": {**NETWORK, "nodes": []}}, "network.json:$.nodes"),
        ({"positions": {"positions": [{"node_id": "DC", "sku": "MUG"}]}}, "positions[0].on_hand: it is missing"),
        ({"positions": {"positions": [{"node_id": "D", "sku": "MUG", "on_hand": 1}]}}, "did you mean 'DC'?"),
        ({"positions": {"positions": [{"node_id": "DC", "sku": "MUG", "on_hand": -1}]}}, "on_hand"),
        ({"supplies": {"supplies": [{**SUPPLIES["supplies"][0], "quantity": -1}]}}, "supplies.json"),
        (
            {"orders": {"orders": [{**ORDER, "lines": [{"sku": "CUP", "quantity": 1}]}]}},
            "orders.json:$[0].lines[0].sku",
        ),
        ({"orders": {"orders": [{**ORDER, "colour": "red"}]}}, "orders.json:$.orders[0].colour"),
    ],
)
async def test_a_fault_names_its_file_and_nothing_is_changed(write: Write, changes: Any, told: str) -> None:
    """Seeded bug this catches: putting network and stock before the orders were looked at."""
    folder = write(**changes)
    async with allot_engine(memory=True) as engine, allot_engine(memory=True) as scratch:
        with pytest.raises(InvalidInput) as refused:
            await check_documents(read_documents(folder), scratch, engine)
        assert told in str(refused.value)
        with pytest.raises(NotFound):
            await engine.network.current()


async def test_stock_alone_is_checked_against_the_network_that_is_there(write: Write) -> None:
    documents = read_documents(write())
    async with allot_engine(memory=True) as engine:
        async with allot_engine(memory=True) as scratch:
            with pytest.raises(NotFound, match=r"Add network\.json"):
                await check_documents(replace(documents, network=None), scratch, engine)
        await put_documents(documents, engine)
        async with allot_engine(memory=True) as scratch:
            await check_documents(replace(documents, network=None, catalog=None, orders=()), scratch, engine)


def test_a_folder_without_documents_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", str(tmp_path), "--data", str(tmp_path / "data")]) == 2
    assert "network.json" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_the_command_loads_into_the_store(write: Write, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", str(write()), "--data", str(data_dir), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"positions": 1, "supplies": 1, "orders": 1}
