"""A customer is erased after a whole life: nothing personal is left in the store, the data directory or the archive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pyarrow.parquet as pq
import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx2 import AsyncClient

from api.app import create_app
from engine.archive.book import ArchiveBook
from engine.archive.files import ArchiveFolder
from engine.archive.service import Archive
from engine.bootstrap import Engine
from engine.clock import SettableClock, SystemClock
from engine.config import Settings
from engine.storage.client import StoreClient
from engine.storage.leases import MemoryLeases
from tests.api.conftest import CATALOG, NETWORK, STOCK, Client
from tests.api.test_customers import stored
from tests.api.test_orders import routed

TOLD = {"name": "Ann Zebrowski", "email": "ann.z@example.com", "phone": "+1 212 555 0142", "street": "4 Quince Street"}
BODY = {
    "channel": "web",
    "customer_id": "cus-1",
    "customer": TOLD,
    "destination": {"latitude": 40.73061, "longitude": -73.98718, "postal_code": "10003-4711", "country": "US"},
    "lines": [{"sku": "mug", "quantity": 1, "unit_price_cents": 1000}],
    "payment": {"holder": "A. Zebrowski-Holder", "last4": "4242"},
    "tenders": [{"kind": "card", "token": "pm_1NirD82eZvKYlo2C"}],
}
PERSONAL = [
    "Zebrowski",
    "ann.z@example.com",
    "555 0142",
    "2125550142",
    "Quince",
    "40.73061",
    "-73.98718",
    "10003-4711",
    "pm_1NirD82eZvKYlo2C",
    "signed: the neighbour",
    "left behind the shed",
    "Elm Grove depot",
    "too small for my left foot",
]
"""What no dump may show. A postal code's first three characters, and some ten kilometres, stay."""


@pytest_asyncio.fixture(params=[1, 3])
async def app(
    request: pytest.FixtureRequest, store_address: str, tenant: str, tmp_path: Path
) -> AsyncIterator[FastAPI]:
    settings = Settings(
        redis_url=store_address, tenant=tenant, durability="memory", data_dir=tmp_path, partitions=request.param
    )
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest_asyncio.fixture
async def http(app: FastAPI) -> AsyncIterator[AsyncClient]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with Client(transport=transport, base_url="http://127.0.0.1") as client:
        for path, document in (
            ("/v1/network", NETWORK),
            ("/v1/catalog", CATALOG),
            ("/v1/inventory/positions", {"positions": STOCK}),
        ):
            assert (await client.put(path, json=document)).status_code == 200
        yield client


async def lived(http: AsyncClient, order_id: str) -> None:
    """An order from its capture to its return, with all that people and carriers say on the way."""
    captured = await http.post("/v1/orders", json={**BODY, "order_id": order_id})
    assert (captured.status_code, captured.json()["payment"]) == (201, BODY["payment"]), captured.text
    await routed(http, order_ids=[order_id])
    path = f"/v1/shipments/shp_{order_id}-1"
    for word, url, body in (
        ("release", f"/v1/orders/{order_id}/release", None),
        ("pack", f"{path}/pack", None),
        ("ship", f"{path}/ship", None),
    ):
        answer = await http.post(url, json=body)
        assert answer.status_code == 200, (word, answer.text)
    shipment = (await http.get(path)).json()
    event = {"tracking_number": shipment["tracking_number"], "at": shipment["shipped_at"]}
    events = [
        {**event, "event": "in_transit", "place": "Elm Grove depot"},
        {**event, "event": "delivered", "detail": "left behind the shed", "proof": "signed: the neighbour"},
    ]
    assert (await http.post("/v1/carrier-events", json={"events": events})).status_code == 200
    slip = await http.get(f"{path}/packing-slip")
    assert slip.status_code == 200, slip.text
    line = {"line_id": "1", "quantity": 1, "reason": "unwanted", "comment": "too small for my left foot"}
    made = await http.post(f"/v1/orders/{order_id}/returns", json={"lines": [line]})
    assert made.status_code == 201, made.text
    name = f"/v1/returns/{made.json()['return_id']}"
    await http.post(f"{name}/receipts", json={"lines": [{"sku": "mug", "quantity": 1}]})
    found = {"lines": [{"sku": "mug", "quantity": 1, "disposition": "restock"}]}
    assert (await http.post(f"{name}/inspections", json=found)).status_code == 200
    closed = await http.post(f"{name}/close")
    assert closed.status_code == 200, closed.text


def archive_of(engine: Engine, folder: Path, *order_ids: str) -> Archive:
    """An archive to which orders have been over for long."""

    async def over(_: object, most: int) -> list[str]:
        return list(order_ids)[:most]

    assert engine.client is not None
    book = ArchiveBook(engine.client, engine.tenant, engine.partitions)
    clock = SettableClock(SystemClock().now() + timedelta(days=40))
    return Archive(book, ArchiveFolder(folder), over, MemoryLeases(lambda: 0.0), clock)


def files_of(folder: Path) -> bytes:
    """All files, and the rows of the archive's, which are packed."""
    found = b""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found += path.read_bytes()
        if path.suffix == ".parquet":
            found += repr(pq.read_table(path).to_pylist()).encode()
    return found


async def everything(client: StoreClient, tenant: str, folder: Path) -> bytes:
    """All of the store, and of every file."""
    return await stored(client, tenant) + files_of(folder)


async def test_nothing_personal_is_left_once_a_customer_was_erased(app, http, client, tenant, tmp_path):
    """Catches a file of the archive left as it was, answers of idempotency keys left as they were, and any one field.

    Each was left out once, and the strings that it keeps were found.
    """
    engine: Engine = app.state.engine
    for order_id in ("o-1", "o-2"):
        await lived(http, order_id)
    archived = archive_of(engine, tmp_path / "archive" / tenant, "o-1")
    assert await archived.step(30) == 1
    await engine.desk.index.catch_up()
    before = await everything(client, tenant, tmp_path)
    assert b"40.73061" in before
    assert b"signed: the neighbour" in before
    assert (await http.get("/v1/inventory-events", params={"sku": "mug", "node_id": "east"})).status_code == 200
    journal = (await http.get("/v1/inventory-events", params={"sku": "mug", "node_id": "east"})).content
    erased = await http.post("/v1/customers/cus-1/erase")
    assert (erased.status_code, erased.json()["orders"]) == (200, 2), erased.text
    await engine.desk.index.catch_up()
    after = await everything(client, tenant, tmp_path)
    assert [each for each in PERSONAL if each.encode() in after] == []
    assert (await http.get("/v1/inventory-events", params={"sku": "mug", "node_id": "east"})).content == journal
    for order_id in ("o-1", "o-2"):
        order = (await http.get(f"/v1/orders/{order_id}")).json()
        assert (order["customer"], order["payment"], order["state"]) == (None, None, "returned")
        to = order["destination"]
        assert (to["postal_code"], to["latitude"], to["longitude"]) == ("100", 40.7, -74.0)
        assert order["prices"]["total_cents"] == 1000
        steps = (await http.get(f"/v1/orders/{order_id}/history")).json()["data"]
        assert steps[-1]["event"] == "personal_data_cleared"
    assert (await http.get("/v1/payments/report")).json()["agrees"]
