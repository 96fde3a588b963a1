"""`GET /v1/orders/{id}/explanation` and `allot explain ORDER_ID`, after a restart and over partitions."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx2
import pytest

from api.app import create_app
from api.cli.main import BAD_INPUT, DONE, main
from engine.bidding.document import BidPricesDocument
from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import Settings
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest

ORDER = {"channel": "web", "destination": {"latitude": 40.73, "longitude": -73.99}}


async def capture(http, order_id, **units):
    lines = [{"sku": sku.replace("_", "/"), "quantity": quantity} for sku, quantity in units.items()]
    answer = await http.post("/v1/orders", json={**ORDER, "order_id": order_id, "lines": lines})
    assert answer.status_code == 201, answer.text


async def route(http, **body):
    run_id = (await http.post("/v1/routing-runs", json={"all_open": True, **body})).json()["run_id"]
    for _ in range(400):
        run = (await http.get(f"/v1/routing-runs/{run_id}")).json()
        if run["status"] not in {"queued", "running"}:
            assert run["failure"] is None
            return run
        await asyncio.sleep(0.02)
    raise AssertionError(run)


async def test_a_routed_order_is_explained_line_by_line(shop):
    """Six mugs: east has 20, for 700 + 100 + 60, west only 4. The pot is safety stock of west: nobody has one."""
    await capture(shop, "o-1", mug=6, pot_large=1)
    run = await route(shop)
    told = (await shop.get("/v1/orders/o-1/explanation")).json()
    assert (told["order_id"], told["state"], told["run_id"]) == ("o-1", "backordered", run["run_id"])
    assert told["is_in_force"]
    assert told["cost_cents"] == run["summary"]["total_cost_cents"] == sum(told["costs"].values())
    assert [(parcel["node_id"], parcel["shipping_cents"]) for parcel in told["shipments"]] == [("east", 700)]
    mug, pot = told["lines"]
    assert [(node["node_id"], node["standing"], node["why"]) for node in mug["nodes"]] == [
        ("east", "chosen", "ships it"),
        ("west", "no_stock", "has 4 of 6 units"),
    ]
    assert (pot["backordered"], pot["backorder_reason"]) == (1, "no_stock")
    assert pot["nodes_without_units"] == ["east", "west"]
    [gain, *_] = pot["changes"]
    assert (gain["kind"], gain["node_id"], gain["units"], gain["saves_cents"]) == ("stock", "east", 1, 6000 - 10)


async def test_what_was_not_routed_and_what_there_is_not_are_told_apart(shop):
    await capture(shop, "o-1", mug=1)
    unrouted = await shop.get("/v1/orders/o-1/explanation")
    assert (unrouted.status_code, unrouted.json()["code"]) == (409, "not_routed")
    unknown = await shop.get("/v1/orders/o-2/explanation")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    dry = await route(shop, dry_run=True)
    told = await shop.get(f"/v1/orders/o-1/explanation?run_id={dry['run_id']}")
    assert (told.status_code, told.json()["is_in_force"], told.json()["state"]) == (200, False, "captured")
    other = await shop.get("/v1/orders/o-1/explanation?run_id=run_other")
    assert (other.status_code, other.json()["code"]) == (404, "explanation_not_kept")
    for name in (f"{dry['run_id']}:0", f"{dry['run_id']}:0:0", "left:o-1"):  # as parts of what is kept could be named
        part = await shop.get("/v1/orders/o-1/explanation", params={"run_id": name})
        assert (part.status_code, part.json()["code"]) == (404, "explanation_not_kept")
    wrong = await shop.get("/v1/orders/o-1/explanation?runid=run_other")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_input")


@pytest.mark.parametrize("partitions", [1, 4])
async def test_an_explanation_outlives_the_server_whatever_the_partitions(settings, network, catalog, partitions):
    settings = settings.model_copy(update={"partitions": partitions})
    found = []
    for is_first in (True, False):
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", headers={"Idempotency-Key": "k"}
            ) as http:
                if is_first:
                    await http.put("/v1/network", json=network)
                    await http.put("/v1/catalog", json=catalog)
                    stock = [{"node_id": "west", "sku": sku, "on_hand": 9} for sku in ("mug", "tea")]
                    await http.put("/v1/inventory/positions", json={"positions": stock})
                    await capture(http, "o-1", set=1)
                    await route(http)
                answer = await http.get("/v1/orders/o-1/explanation")
                assert answer.status_code == 200, answer.text
                found.append(answer.json())
    assert found[0] == found[1]
    assert {line["line_id"] for line in found[0]["lines"]} == {"1/mug", "1/tea"}
    assert {part["node_id"] for line in found[0]["lines"] for part in line["shipped"]} == {"west"}


@pytest.fixture
def data(tmp_path: Path, network: dict[str, object], catalog: dict[str, object]) -> Path:
    """A store with an order that is routed from east, whose mug is worth 5.00, and one that is not routed."""

    async def fill() -> None:
        async with allot_engine(Settings(data_dir=tmp_path / "data")) as engine:
            await engine.network.put(NetworkDocument.model_validate(network))
            await engine.catalog.put(CatalogDocument.model_validate(catalog))
            await engine.stock.put_positions([PositionCount(sku="mug", node_id="east", on_hand=1)])
            prices = {"prices": [{"sku": "mug", "node_id": "east", "price_cents": 500}]}
            await engine.bid_prices.put(BidPricesDocument.model_validate(prices))
            for order_id in ("o-1", "o-2"):
                new = NewOrder(
                    order_id=order_id,
                    channel="web",
                    destination=Destination(latitude=40.73, longitude=-73.99),
                    lines=(NewLine(sku="mug", quantity=1),),
                )
                await engine.orders.capture(new)
                if order_id == "o-1":
                    await engine.routing_runs.execute(RunRequest())

    asyncio.run(fill())
    return tmp_path / "data"


def test_the_terminal_shows_the_same_as_a_table_and_as_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "o-1", "--data", str(data)]) == DONE
    shown = capsys.readouterr().out
    assert "Order o-1: 8.10 USD, 1 parcel (shipping 7.00, handling 1.00, units 0.10)" in shown
    assert "Its units count for 5.00 beside that, which nobody pays." in shown
    assert "mug × 1: 1 from east by ground" in shown
    assert re.search(r"east +1 +0 .* 5\.00 +ships it", shown)
    assert "1 other node without units" in shown
    assert main(["explain", "o-1", "--data", str(data), "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["order_id"], told["is_in_force"], told["cost_cents"], told["value_cents"]) == ("o-1", True, 810, 500)
    assert told["lines"][0]["nodes"][0]["value_cents"] == 500


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["o-2"], "no routing run has decided"),
        (["o-3"], "o-3"),
        (["o-1", "o-2"], "FOLDER DIR ORDER_ID"),
        (["a", "b", "c", "--run", "run_1"], "--run: is for orders of the store"),
    ],
)
def test_what_cannot_be_explained_says_what_to_do(
    words: list[str], said: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = [] if "--run" in words else ["--data", str(data)]
    assert main(["explain", *words, *place]) == BAD_INPUT
    assert said in capsys.readouterr().err
