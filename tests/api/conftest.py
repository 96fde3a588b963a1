"""A real application on the run's real store, reached as a client would.

`settings`  per test: a key space of its own in the shared store
`app`       per test: the application with its lifespan running
`http`      per test: a client of it; a POST gets a new Idempotency-Key unless one is given
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from api.app import create_app
from engine.config import Settings

_numbers = itertools.count(1)


class Client(httpx2.AsyncClient):
    """Sends JSON; a POST has a new idempotency key unless the test gives one."""

    async def post(self, url, **arguments):  # type: ignore[no-untyped-def,override]
        headers = {"Idempotency-Key": f"key-{next(_numbers)}", **(arguments.pop("headers", None) or {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        return await super().post(url, headers=headers, **arguments)


@pytest.fixture(scope="package", autouse=True)
def data_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let what is kept in files, such as simulations, go to a folder of the tests unless they name another one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALLOT_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture
def settings(store_address: str, tenant: str) -> Settings:
    return Settings(redis_url=store_address, tenant=tenant, durability="memory")


@pytest_asyncio.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest_asyncio.fixture
async def http(app: FastAPI) -> AsyncIterator[Client]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with Client(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


NETWORK = {
    "currency": "USD",
    "calendars": [{"calendar": "always", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
    "nodes": [
        {
            "node_id": node_id,
            "kind": "dc",
            "latitude": latitude,
            "longitude": longitude,
            "time_zone": "UTC",
            "calendar": "always",
            "cut_off": "23:59",
            "parcel_cost_cents": 100,
            "unit_cost_cents": 10,
        }
        for node_id, latitude, longitude in (("east", 40.7, -74.0), ("west", 34.0, -118.2))
    ],
    "zones": [{"zone": "near", "max_km": 1000}, {"zone": "far", "max_km": None}],
    "services": [
        {
            "service": "ground",
            "carrier": "acme",
            "service_level": "standard",
            "calendar": "always",
            "rates": [
                {"zone": "near", "max_weight_g": 30000, "cost_cents": 700, "transit_days": 2},
                {"zone": "far", "max_weight_g": 30000, "cost_cents": 1300, "transit_days": 5},
            ],
        }
    ],
    "policy": {"backorder_cost_cents_per_unit": 6000},
}
CATALOG = {
    "products": [{"sku": sku, "weight_g": 500} for sku in ("mug", "tea", "pot/large")],
    "kits": [{"sku": "set", "components": [{"sku": "mug", "quantity": 2}, {"sku": "tea", "quantity": 1}]}],
}
STOCK = [
    {"node_id": "east", "sku": "mug", "on_hand": 20},
    {"node_id": "east", "sku": "tea", "on_hand": 5},
    {"node_id": "west", "sku": "mug", "on_hand": 4},
    {"node_id": "west", "sku": "pot/large", "on_hand": 1, "safety_stock": 1},
]
NEW_YORK = {"latitude": 40.73, "longitude": -73.99}


@pytest_asyncio.fixture
async def shop(http: Client) -> Client:
    """Two nodes, three products and a kit, with stock."""
    for path, document in (
        ("/v1/network", NETWORK),
        ("/v1/catalog", CATALOG),
        ("/v1/inventory/positions", {"positions": STOCK}),
    ):
        answer = await http.put(path, json=document)
        assert answer.status_code == 200, answer.text
    return http


@pytest.fixture
def network() -> dict[str, object]:
    """The network of `shop`."""
    return NETWORK


@pytest.fixture
def catalog() -> dict[str, object]:
    """The catalog of `shop`."""
    return CATALOG
