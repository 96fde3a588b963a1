"""`allot order` on a store of its own: found, by its channel's number too, and shown on one screen of 80 columns."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from api.cli.main import BAD_INPUT, DONE, main
from api.cli.order_screen import print_screen
from api.routes.order_life import shown_whole
from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import read_settings
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from tests.api.conftest import NETWORK
from tests.api.lived_order import lived_history, lived_order, without_life


async def prepare(data: Path) -> None:
    async with allot_engine(read_settings(data)) as engine:
        await engine.network.put(NetworkDocument.model_validate(NETWORK))
        await engine.catalog.put(CatalogDocument.model_validate({"products": [{"sku": "mug", "weight_g": 300}]}))
        to = Destination(latitude=40.73, longitude=-73.99)
        for number in (1, 2):
            await engine.orders.capture(
                NewOrder(
                    channel="web",
                    channel_order_id=f"W-{number}",
                    destination=to,
                    lines=(NewLine(sku="mug", quantity=number),),
                    customer={"phone": f"+1 212 555 010{number}"},
                )
            )


async def cancel(data: Path, order_id: str) -> None:
    async with allot_engine(read_settings(data)) as engine:
        await engine.orders.cancel(order_id)


def test_orders_are_found_shown_and_archived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    asyncio.run(prepare(data))

    def ask(*words: str) -> tuple[int, str]:
        code = main(["order", *words, "--data", str(data)])
        told = capsys.readouterr()
        return code, told.out + told.err

    def shipments(*words: str) -> tuple[int, str]:
        code = main(["shipment", *words, "--data", str(data)])
        told = capsys.readouterr()
        return code, told.out + told.err

    assert shipments("list", "--state", "packed", "--json") == (DONE, '{"data":[],"has_more":false}\n')
    assert shipments("show", "shp_o-9-1")[0] == BAD_INPUT
    assert ask("find", "--phone", "555-0101 (212)") == (DONE, "no order has all that\n")  # digits count in their order
    code, told = ask("find", "--phone", "212 555 0102", "--json")
    assert code == DONE
    assert [order["channel_order_id"] for order in json.loads(told)["data"]] == ["W-2"]
    code, told = ask("find", "--sku", "mug")
    assert code == DONE
    assert told.index("(W-2)") < told.index("(W-1)")
    assert ask("find", "--state", "canceled") == (
        BAD_INPUT,
        "error: --state: 'canceled' is no state; did you mean 'cancelled'?\n",
    )
    code, told = ask("show", "w-1")
    assert code == DONE
    assert "(W-1): captured" in told
    code, told = ask("show", "W-2", "--json")
    shown = json.loads(told)
    assert (shown["order"]["channel_order_id"], shown["history"][0]["state"]) == ("W-2", "captured")
    asyncio.run(cancel(data, shown["order"]["order_id"]))
    assert ask("archive", "--days", "0") == (DONE, "1 order archived\n")
    assert "(W-2): cancelled, archived" in ask("show", "W-2")[1]
    assert "cancelled, archived" in ask("find", "W-2")[1]
    code, told = ask("archive")
    assert (code, told) == (
        BAD_INPUT,
        "error: --days: say how long orders are to be over, or set ALLOT_ARCHIVE_AFTER_DAYS\n",
    )
    assert ask("show", "o-3")[0] == BAD_INPUT
    assert ask("show") == (BAD_INPUT, "error: show: NUMBER is missing; write: allot order show NUMBER\n")


def screen(*of: object) -> str:
    text = io.StringIO()
    print_screen(Console(file=text, width=80, highlight=False), *of)  # type: ignore[arg-type]
    return text.getvalue()


def test_the_whole_life_is_on_one_screen() -> None:
    told = screen(lived_order(), lived_history())
    assert max(map(len, told.splitlines())) <= 80
    for text in (
        "Order ord_5f2c9a7e41b04c33 (W-2026-118273): shipped",
        "On hold (manual) since 11-24 16:00: call the customer",
        "1 delivered, 1 returned",
        "delivered 11-24 12:00 · acme 1Z999AA10123456782",
        "card (sandbox) up to 38.89: authorised 38.89, captured 38.89, refunded 13.20",
        "1/1 × MUG-RED (chipped)",
        "payment.refund ret_9, due 11-26 15:00, tried 2 times: timeout",
        "short pick",
    ):
        assert text in told, text
    assert "unreadable" not in told
    assert "tok_visa" not in told


def test_an_order_without_a_life_has_no_empty_parts() -> None:
    told = screen(without_life(lived_order()), lived_history()[:1])
    assert [line for line in told.splitlines() if line and not line.startswith(" ")][2:] == ["Lines", "History (UTC)"]


def test_what_could_be_paid_with_is_not_in_the_json_of_a_life() -> None:
    told = msgspec.json.encode(shown_whole(lived_order(), lived_history(), is_archived=False)).decode()
    assert '"tender_id":"tnd_1"' in told
    for secret in ("tok_visa", "gc_1", "unreadable"):
        assert secret not in told
