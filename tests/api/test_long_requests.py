"""Thousands of rows in one request are worked on in pieces, and answered as if they had been done at once."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
import pytest_asyncio

from api.decoding import decoded
from api.long_bodies import LONG_BYTES, decoded_in_turns
from api.schemas.inventory import AdjustmentsBody, PositionsReply
from api.schemas.reservations import BatchBody, ReservationBody
from engine.turns import ROWS

COUNT = 3 * ROWS + 100
SKUS = [f"SKU-{number:05d}" for number in range(COUNT)]
REASON = "came back from a customer who had ordered too many"


@pytest_asyncio.fixture
async def stocked(shop, catalog):
    """A shop of many products, ten of each at one node."""
    products = [*catalog["products"], *({"sku": sku, "weight_g": 10} for sku in SKUS)]
    assert (await shop.put("/v1/catalog", json={"products": products})).status_code == 200
    positions = [{"node_id": "east", "sku": sku, "on_hand": 10} for sku in SKUS]
    put = await shop.put("/v1/inventory/positions", json={"positions": positions})
    assert put.status_code == 200, put.text
    assert [each["sku"] for each in put.json()["positions"]] == SKUS
    return shop


def adjustments(delta=1, skus=SKUS):
    return [{"node_id": "east", "sku": sku, "delta": delta, "reason": REASON} for sku in skus]


async def test_the_answer_is_what_the_rows_are_answered_by_themselves_to_the_byte(stocked) -> None:
    """Catches an array that is put together wrongly, and a replay that is not what was answered."""
    key = {"Idempotency-Key": "long"}
    answer = await stocked.post("/v1/inventory/adjustments", json={"adjustments": adjustments()}, headers=key)
    assert answer.status_code == 200, answer.text
    assert answer.content == msgspec.json.encode(msgspec.json.decode(answer.content, type=PositionsReply))
    shown = answer.json()["positions"]
    assert [(each["sku"], each["on_hand"], each["version"]) for each in shown] == [(sku, 11, 2) for sku in SKUS]
    again = await stocked.post("/v1/inventory/adjustments", json={"adjustments": adjustments()}, headers=key)
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    few = await stocked.post("/v1/inventory/adjustments", json={"adjustments": adjustments(skus=SKUS[:3])})
    assert [{**each, "on_hand": 12, "available": 12, "version": 3} for each in shown[:3]] == few.json()["positions"]


async def test_a_row_of_the_last_piece_that_cannot_be_done_undoes_all_and_is_named(stocked) -> None:
    wrong = [*adjustments(), {"node_id": "east", "sku": SKUS[0], "delta": -50, "reason": REASON}]
    refused = await stocked.post("/v1/inventory/adjustments", json={"adjustments": wrong})
    assert (refused.status_code, refused.json()["code"]) == (409, "on_hand_out_of_range")
    assert [error["path"] for error in refused.json()["errors"]] == [f"$.adjustments[{COUNT}].delta"]
    unknown = [*adjustments(), {"node_id": "nowhere", "sku": SKUS[0], "delta": 1, "reason": " "}]
    refused = await stocked.post("/v1/inventory/adjustments", json={"adjustments": unknown})
    assert refused.status_code == 400
    paths = [f"$.adjustments[{COUNT}].{name}" for name in ("node_id", "reason")]
    assert [error["path"] for error in refused.json()["errors"]] == paths
    shown = (await stocked.get(f"/v1/inventory/{SKUS[0]}")).json()["positions"]
    assert [each["on_hand"] for each in shown] == [10]


async def test_a_position_that_comes_again_in_another_piece_is_seen(stocked) -> None:
    """Catches pieces that are checked each by itself."""
    counts = [{"node_id": "east", "sku": sku, "on_hand": 3} for sku in [*SKUS, SKUS[1]]]
    refused = await stocked.put("/v1/inventory/positions", json={"positions": counts})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert (error["path"], "at index 1;" in error["message"]) == (f"$.positions[{COUNT}]", True)


async def test_nobody_sees_a_part_of_a_long_change(stocked) -> None:
    """Catches pieces that are sent to the store one by one: some positions would be ahead of others."""

    async def look() -> set[int]:
        found = [await stocked.get(f"/v1/inventory/{sku}") for sku in (SKUS[-1], SKUS[0])]
        last, first = (each.json()["positions"][0]["on_hand"] for each in found)
        return {last - first}

    changing = asyncio.gather(
        *(stocked.post("/v1/inventory/adjustments", json={"adjustments": adjustments()}) for _ in range(6))
    )
    seen: set[int] = set()
    while not changing.done():
        seen |= await look()
    assert {answer.status_code for answer in await changing} == {200}
    assert seen <= {0, *range(-6, 0)}  # the first is looked at after the last, so it is never behind
    assert await look() == {0}
    versions = (await stocked.get(f"/v1/inventory/{SKUS[7]}")).json()["positions"]
    assert [(each["on_hand"], each["version"]) for each in versions] == [(16, 7)]


async def test_a_long_batch_holds_in_order_and_says_of_each_what_became_of_it(stocked) -> None:
    line = {"node_id": "east", "quantity": 6}
    wanted = [{"reservation_id": f"cart-{n}", "lines": [{**line, "sku": SKUS[n % 500]}]} for n in range(1000)]
    answer = await stocked.post("/v1/reservation-batches", json={"reservations": wanted})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["held"], found["refused"]) == (500, 500)
    assert [each["reservation_id"] for each in found["verdicts"]] == [each["reservation_id"] for each in wanted]
    assert [each["code"] for each in found["verdicts"]] == [None] * 500 + ["insufficient_stock"] * 500
    assert [each["reservation"]["lines"][0]["sku"] for each in found["verdicts"][:500]] == SKUS[:500]
    assert found["verdicts"][999]["short"] == [{**line, "sku": SKUS[499], "available": 4}]


def bodies():
    rows = adjustments() + [{**adjustments()[0], "reason": text} for text in ("},{", '"},{"', "é\\", "] }")]
    good = {"adjustments": rows}
    text = json.dumps(good)
    yield text.encode()
    yield json.dumps(good, indent=3).encode()
    yield json.dumps(good, ensure_ascii=False).encode()
    yield text.replace("]}", ']  ,"adjustments":[' + json.dumps(rows[0]) + "]}").encode()
    yield text.replace('"adjustments"', '"adjustment"').encode()
    yield text[:-1].encode()
    yield text.replace("]}", ",]}").encode()
    yield json.dumps({**good, "more": 1}).encode()
    yield json.dumps({"adjustments": [*rows, {**rows[0], "delta": "1"}]}).encode()
    yield json.dumps({"adjustments": [*rows, {**rows[0], "more": 1}]}).encode()
    yield json.dumps({"adjustments": [*rows, 7]}).encode()
    yield json.dumps({"adjustments": rows * 7}).encode()
    yield text.encode().replace(b"customer", b"\xff\xfe", 1)
    yield b"[" * LONG_BYTES


@pytest.mark.parametrize("number", range(14))
async def test_a_long_body_is_read_as_msgspec_reads_it_at_once_or_not_at_all(number: int) -> None:
    body = list(bodies())[number]
    assert len(body) >= LONG_BYTES
    assert await decoded_in_turns(body, AdjustmentsBody) == decoded(body, AdjustmentsBody)
    assert (number < 4) == (decoded(body, AdjustmentsBody) is not None)


@pytest.mark.parametrize("kind", [BatchBody, ReservationBody])
async def test_bodies_of_other_shapes_are_read_all_the_same(kind: type) -> None:
    lines = [{"sku": sku, "quantity": 1, "node_id": "east"} for sku in SKUS[:900]]
    one = {"reservation_id": "r", "lines": lines}
    body = json.dumps({"lines": lines} if kind is ReservationBody else {"reservations": [one] * 20}).encode()
    found = await decoded_in_turns(body, kind)
    assert found is not None
    assert found == decoded(body, kind)
