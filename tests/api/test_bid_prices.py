"""Bid prices over HTTP and by `allot bid-prices`: a forecast in, versioned prices out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from api.cli.main import BAD_INPUT, DONE, main
from api.routes.catalog import EXAMPLE as CATALOG
from api.routes.network import EXAMPLE as NETWORK
from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import Settings
from engine.network.document import NetworkDocument

ROW = {
    "sku": "MUG-RED",
    "quantity": 140.5,
    "first_on": "2030-12-01",
    "last_on": "2030-12-31",
    "latitude": 40.7,
    "longitude": -74.0,
}


async def test_a_forecast_is_put_and_the_prices_that_follow_are_published_with_a_version(http, app):
    await http.put("/v1/network", json=NETWORK)
    await http.put("/v1/catalog", json=CATALOG)
    assert (await http.get("/v1/demand-forecast")).json()["code"] == "not_found"
    answer = await http.put("/v1/demand-forecast", json={"rows": [ROW]})
    assert (answer.status_code, answer.json()) == (200, {"version": 1, "rows": 1})
    assert (await http.get("/v1/demand-forecast")).json() == {"version": 1, "forecast": {"rows": [ROW]}}
    await app.state.engine.forecast.make_if_due()
    found = (await http.get("/v1/bid-prices")).json()
    assert found["version"] >= 1
    assert found["bid_prices"]["forecast_version"] == 1
    assert {entry["sku"] for entry in found["bid_prices"]["prices"]} == {"MUG-RED"}


async def test_prices_made_elsewhere_are_published_as_they_are_and_a_position_only_once(http):
    assert (await http.get("/v1/bid-prices")).json()["code"] == "not_found"
    entry = {"node_id": "reno", "sku": "MUG", "price_cents": 215}
    assert (await http.put("/v1/bid-prices", json={"prices": [entry]})).json() == {"version": 1, "prices": 1}
    assert (await http.get("/v1/bid-prices")).json() == {"version": 1, "bid_prices": {"prices": [entry]}}
    refused = await http.put("/v1/bid-prices", json={"prices": [entry, entry]})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "$.prices[1]")
    refused = await http.put("/v1/bid-prices", json={"prices": [{**entry, "price_cents": -1}]})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "$.prices[0].price_cents")


def test_the_command_puts_a_forecast_file_and_publishes_prices(tmp_path: Path, capsys) -> None:
    async def fill() -> None:
        async with allot_engine(Settings(data_dir=tmp_path / "data")) as engine:
            await engine.network.put(NetworkDocument.model_validate(NETWORK))
            await engine.catalog.put(CatalogDocument.model_validate(CATALOG))

    asyncio.run(fill())
    data = ["--data", str(tmp_path / "data")]
    path = tmp_path / "forecast.csv"
    path.write_text(",".join(ROW) + "\n" + ",".join(map(str, ROW.values())) + "\n")
    assert main(["bid-prices", str(path), "--dry-run", *data]) == DONE
    assert "not published" in capsys.readouterr().out
    assert main(["bid-prices", "--json", *data]) == DONE
    shown = json.loads(capsys.readouterr().out)
    assert shown["version"] == 1
    assert shown["bid_prices"]["prices"]
    path.write_text("sku,quantity\nMUG-RED,1\n")
    assert main(["bid-prices", str(path), *data]) == BAD_INPUT
    assert "forecast.csv:2:first_on" in capsys.readouterr().err


async def test_prices_that_are_published_rank_promises_at_once_and_stand_in_no_total(http):
    """Of two nodes in one town the second packs a parcel for a dollar more, and keeps a mug that is worth ten."""
    first = NETWORK["nodes"][0]
    twin = {**first, "node_id": "twin", "parcel_cost_cents": first.get("parcel_cost_cents", 0) + 100}
    await http.put("/v1/network", json={**NETWORK, "nodes": [*NETWORK["nodes"], twin]})
    await http.put("/v1/catalog", json=CATALOG)
    counts = [{"node_id": node, "sku": "MUG-RED", "on_hand": 1} for node in (first["node_id"], "twin")]
    assert (await http.put("/v1/inventory/positions", json={"positions": counts})).status_code == 200
    place = {"latitude": first["latitude"], "longitude": first["longitude"]}
    order = {"destination": place, "lines": [{"sku": "MUG-RED", "quantity": 1}], "explain": True}
    before = (await http.post("/v1/promises", json=order)).json()
    assert before["options"][0]["shipments"][0]["node_id"] == first["node_id"]
    assert "stock_value_cents" not in before["options"][0]
    entry = {"node_id": first["node_id"], "sku": "MUG-RED", "price_cents": 1000}
    await http.put("/v1/bid-prices", json={"prices": [entry]})
    after = (await http.post("/v1/promises", json=order)).json()
    assert {s["node_id"] for option in after["options"] for s in option["shipments"]} == {"twin"}
    assert after["options"][0]["total_cost_cents"] == before["options"][0]["total_cost_cents"] + 100
    told = {node["node_id"]: node for node in after["explanation"]["nodes"]}[first["node_id"]]
    assert (told["binding"], told["stock_value_cents"]) == ("value", 1000)
    assert (told["cost_difference_cents"], told["ranked_difference_cents"]) == (-100, 900)
    held = {"promise_id": before["promise_id"], "option_id": before["options"][0]["option_id"]}
    assert (await http.post("/v1/reservations", json=held)).status_code == 201
