"""`allot node` on a store of its own: off with its orders, listed, and on again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from api.cli.main import BAD_INPUT, DONE, main
from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import read_settings
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest
from tests.api.conftest import NETWORK


async def prepare(data: Path) -> None:
    """Route an order to east, which is nearer; west has the mug too."""
    async with allot_engine(read_settings(data)) as engine:
        await engine.network.put(NetworkDocument.model_validate(NETWORK))
        await engine.catalog.put(CatalogDocument.model_validate({"products": [{"sku": "mug", "weight_g": 300}]}))
        counts = [PositionCount(node_id=node_id, sku="mug", on_hand=3) for node_id in ("east", "west")]
        await engine.inventory.put_positions(counts)
        to = Destination(latitude=40.73, longitude=-73.99)
        line = NewLine(sku="mug", quantity=1)
        await engine.orders.capture(NewOrder(order_id="o-1", channel="web", destination=to, lines=(line,)))
        await engine.routing_runs.execute(RunRequest())


async def node_of(data: Path) -> str | None:
    async with allot_engine(read_settings(data)) as engine:
        return (await engine.orders.get("o-1")).allocation[0].node_id


def test_a_node_is_switched_off_emptied_routed_around_and_switched_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    asyncio.run(prepare(data))

    def ask(*words: str) -> tuple[int, str]:
        code = main(["node", *words, "--data", str(data)])
        told = capsys.readouterr()
        return code, told.out + told.err

    assert ask("list") == (DONE, "no node was ever switched off\n")
    code, told = ask("off", "east", "--reason", "fire alarm", "--reroute")
    assert (code, "east is off: fire alarm; 1 orders opened, routed by run_" in told) == (DONE, True), told
    assert asyncio.run(node_of(data)) == "west"
    (closure,) = json.loads(ask("list", "--json")[1])
    assert (closure["node_id"], closure["opened_orders"], closure["by"]) == ("east", 1, "allot node")
    assert ask("on", "east") == (DONE, "east is on (it was off: fire alarm)\n")
    for words, message in ((("off", "east"), "--reason"), (("off",), "NODE is missing"), (("list", "x"), "too much")):
        code, told = ask(*words)
        assert (code, message in told) == (BAD_INPUT, True), told
