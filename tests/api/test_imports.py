"""Imports: a file is taken at once, each of its rows has one effect, and its report says what became of it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable

import httpx2
import pytest
from faults.scale import SCALE

from api.app import create_app
from api.import_work import ImportWork
from engine.bootstrap import Engine, allot_engine
from engine.imports.model import Row
from engine.inventory.model import Adjustment

COUNTS = "node_id,sku,on_hand,safety_stock\neast,mug,7,1\nwest,tea,3,\neast,nothing,1,\neast,mug,nine,\neast,mug,8,\n"
ORDERS = (
    "order_id,channel,latitude,longitude,sku,quantity\n"
    "o-1,web,40.7,-74.0,mug,1\no-1,web,40.7,-74.0,tea,2\no-2,web,40.7,-74.0,mug,1\n,web,40.7,-74.0,mug,1\no-3,web,,,mug,1\n"
)


async def sent(http, kind: str, body: str, media: str = "text/csv", **headers: str):  # type: ignore[no-untyped-def]
    headers = {"Content-Type": media, **headers}
    return await http.post("/v1/imports", params={"kind": kind}, content=body.encode(), headers=headers)


async def finished(http, import_id: str) -> dict[str, object]:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(30):
        while (found := (await http.get(f"/v1/imports/{import_id}")).json())["status"] != "done":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found  # type: ignore[no-any-return]


async def report(http, import_id: str) -> list[dict[str, str]]:  # type: ignore[no-untyped-def]
    answer = await http.get(f"/v1/imports/{import_id}/report")
    assert answer.headers["content-type"] == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_counts_are_taken_row_by_row_and_the_last_of_a_position_counts(shop) -> None:
    answer = await sent(shop, "inventory", COUNTS)
    assert answer.status_code == 202
    import_id = answer.json()["import_id"]
    found = await finished(shop, import_id)
    assert (found["rows"], found["rows_done"], found["rows_refused"]) == (5, 3, 2)
    lines = await report(shop, import_id)
    assert [(line["row"], line["status"]) for line in lines] == [
        ("2", "done"), ("3", "done"), ("4", "refused"), ("5", "refused"), ("6", "done"),
    ]  # fmt: skip
    assert "nothing" in lines[2]["message"]
    assert "nine" in lines[3]["message"]
    positions = {each["node_id"]: each for each in (await shop.get("/v1/inventory/mug")).json()["positions"]}
    assert positions["east"]["on_hand"] == 8


async def test_lines_of_an_order_that_follow_each_other_are_one_order(shop) -> None:
    import_id = (await sent(shop, "orders", ORDERS)).json()["import_id"]
    found = await finished(shop, import_id)
    assert (found["rows"], found["rows_done"], found["rows_refused"]) == (4, 3, 1)
    order = (await shop.get("/v1/orders/o-1")).json()
    assert [(line["sku"], line["quantity"]) for line in order["lines"]] == [("mug", 1), ("tea", 2)]
    lines = await report(shop, import_id)
    assert lines[2]["id"].startswith("ord_")
    assert lines[3]["status"] == "refused"


async def test_orders_are_taken_as_one_json_object_a_line(shop) -> None:
    place = {"latitude": 40.7, "longitude": -74.0}
    order = {"channel": "web", "destination": place, "lines": [{"sku": "mug", "quantity": 1}]}
    body = "\n".join([json.dumps({**order, "order_id": "n-1"}), "", "{oops", json.dumps({**order, "chanel": "x"})])
    import_id = (await sent(shop, "orders", body, "application/x-ndjson")).json()["import_id"]
    found = await finished(shop, import_id)
    assert (found["rows_done"], found["rows_refused"]) == (1, 2)
    lines = await report(shop, import_id)
    assert [line["row"] for line in lines] == ["1", "3", "4"]
    assert "channel" in lines[2]["message"]
    assert (await shop.get("/v1/orders/n-1")).status_code == 200


@pytest.mark.parametrize("media", ["text/csv", "application/x-ndjson"])
async def test_a_file_that_begins_with_a_byte_order_mark_is_read_as_one_without(shop, media: str) -> None:
    body = COUNTS if media == "text/csv" else json.dumps({"node_id": "east", "sku": "mug", "on_hand": 8})
    answer = await sent(shop, "inventory", f"\ufeff{body}", media)
    assert answer.status_code == 202, answer.text
    await finished(shop, answer.json()["import_id"])
    positions = {each["node_id"]: each for each in (await shop.get("/v1/inventory/mug")).json()["positions"]}
    assert positions["east"]["on_hand"] == 8


async def test_the_same_key_is_the_same_import(shop) -> None:
    key = {"Idempotency-Key": "same"}
    first, second = await sent(shop, "inventory", COUNTS, **key), await sent(shop, "inventory", COUNTS, **key)
    assert first.content == second.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (await sent(shop, "inventory", COUNTS + "east,mug,1,\n", **key)).status_code == 422


async def test_of_two_files_under_one_key_at_once_one_is_taken_with_its_own_rows(shop) -> None:
    """Seeded bug that it catches: both write their rows to one place before one of them is refused."""
    head, key = "node_id,sku,on_hand\n", {"Idempotency-Key": "at once"}
    files = [f"{head}east,mug,{on_hand}\n" for on_hand in (21, 22, 23, 24)]
    answers = await asyncio.gather(*(sent(shop, "inventory", file, **key) for file in files))
    assert sorted(answer.status_code for answer in answers) == [202, 422, 422, 422]
    (taken,) = (number for number, answer in enumerate(answers) if answer.status_code == 202)
    await finished(shop, answers[taken].json()["import_id"])
    positions = {each["node_id"]: each for each in (await shop.get("/v1/inventory/mug")).json()["positions"]}
    assert positions["east"]["on_hand"] == 21 + taken


async def test_rows_that_are_nested_without_end_are_refused_and_hold_nothing_up(shop) -> None:
    """Seeded bug that it catches: a row that could just be read cannot be read again, and its piece never ends."""
    deep = [f'{{"sku": {"[" * depth}{"]" * depth}}}' for depth in range(900, 1000, 5)]
    body = "\n".join([*deep, json.dumps({"node_id": "east", "sku": "mug", "on_hand": 9})])
    import_id = (await sent(shop, "inventory", body, "application/x-ndjson")).json()["import_id"]
    found = await finished(shop, import_id)
    assert (found["rows_done"], found["rows_refused"]) == (1, len(deep))
    assert {line["code"] for line in (await report(shop, import_id))[:-1]} == {"row_not_readable"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("node,sku,on_hand\neast,mug,1\n", "body:1:node"),
        ("node_id,on_hand\neast,1\n", "body:1"),
        ("node_id,sku,sku\n", "body:1:sku"),
        ("node_id,sku,on_hand\n", "body"),
        ('node_id,sku,on_hand\n"east,mug,1\n', "body:2"),
        ("", "body:1"),
    ],
)
async def test_a_file_that_is_none_is_refused_at_once_with_the_place(shop, body: str, path: str) -> None:
    answer = await sent(shop, "inventory", body)
    assert answer.status_code == 400
    assert path in {fault["path"] for fault in answer.json()["errors"]}


async def test_bounds_are_kept(shop) -> None:
    row = "east,mug,1\n"
    assert (await sent(shop, "inventory", "node_id,sku,on_hand\n" + row * 100_001)).status_code == 400
    assert (await sent(shop, "inventory", "x" * (16 * 2**20 + 1))).status_code == 413
    assert (await sent(shop, "inventory", COUNTS, "application/json")).status_code == 415
    assert (await sent(shop, "inventory", COUNTS, "text/plain")).status_code == 415
    assert (await sent(shop, "people", COUNTS)).status_code == 400


async def test_an_import_whose_server_dies_anywhere_has_each_effect_once(
    settings, network, catalog, monkeypatch: pytest.MonkeyPatch, reached: Callable[..., None]
) -> None:
    """Counts are changed after each row is done; a row that is done twice would put the old count back.

    Seeded bug that it catches: rows that carry no idempotency key of their own.
    """
    rows, skus = SCALE.imported_rows, ("mug", "tea")
    application = create_app(settings)
    transport = httpx2.ASGITransport(app=application)
    async with (
        application.router.lifespan_context(application),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http,
    ):
        await http.put("/v1/network", json=network)
        await http.put("/v1/catalog", json=catalog)
    async with allot_engine(settings) as engine:
        assert engine.imports is not None
        of_row = [Row(line, {"node_id": "east", "sku": skus[line % 2], "on_hand": 5}) for line in range(rows)]
        await engine.imports.create("imp_1", "inventory", engine.clock.now(), of_row, None)
        note, pieces = engine.imports.note, 0
        while await engine.imports.open():
            is_killed = pieces % 2 == 0
            if is_killed:  # its rows are done, and nothing of it is noted
                monkeypatch.setattr(engine.imports, "note", _die)
                await _worked(engine, dies=True)
                monkeypatch.setattr(engine.imports, "note", note)
                await engine.stock.adjust([Adjustment(node_id="east", sku="mug", delta=100, reason="found")])
            await _worked(engine)
            if is_killed:
                assert await _on_hand(engine) == 105, "its rows had their effect before, and have none again"
            pieces += 1
        found = await engine.imports.get("imp_1")
        assert found is not None
        assert (found.done, found.refused, found.status) == (rows, 0, "done")
        lines = b"".join(await engine.imports.report("imp_1")).splitlines()
        assert [int(line.split(b",")[0]) for line in lines] == list(range(rows))
        reached("rows of imports whose server was killed", rows=rows, pieces=pieces)


async def _die(*_: object) -> bool:
    raise asyncio.CancelledError


async def _worked(engine: Engine, *, dies: bool = False) -> None:
    """Let a server take one piece, and its lease run out."""
    assert engine.imports is not None
    work = ImportWork(engine, engine.imports)
    if dies:
        with pytest.raises(asyncio.CancelledError):
            await work.step()
    else:
        await work.step()
    await engine.leases.release("import:imp_1", work._owner)


async def _on_hand(engine: Engine) -> int:
    view = await engine.stock.read(["mug"])
    return int(view.cells[0, list(view.node_ids).index("east"), 0])
