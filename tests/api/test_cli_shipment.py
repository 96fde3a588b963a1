"""`allot shipment` on an engine in memory: what nodes have to ship, and one shipment on a screen of 80 columns."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from api.cli.main import BAD_INPUT, main
from api.cli.shipment import work_of
from api.cli.shipment_screen import print_list, print_shipment
from engine.errors import InvalidInput
from engine.fulfillment.carrier_events import ReportedEvent
from engine.fulfillment.carrying import CarrierSays
from tests.fulfillment.depot import NOON, later, open_depot


def screen(show: object, *of: object) -> str:
    text = io.StringIO()
    show(Console(file=text, width=80, highlight=False), *of)  # type: ignore[operator]
    told = text.getvalue()
    assert max(map(len, told.splitlines())) <= 80
    return told


async def test_what_nodes_have_to_ship_is_listed_by_node_and_state_and_no_more_once_it_has_left() -> None:
    async with open_depot() as depot:
        await depot.released("o1", ("MUG", 2))
        packed = await depot.packed("o2", ("TEA", 3), node_id="south")
        engine = depot.engine

        async def listed(node: str | None = None, state: str | None = None, limit: int = 20) -> list[str]:
            return [each.shipment_id for _, each in (await work_of(engine, node, state, limit))[0]]

        assert await listed() == ["shp_o1-1", "shp_o2-1"]
        assert (await listed("south"), await listed(state="packed")) == (["shp_o2-1"], ["shp_o2-1"])
        assert (await work_of(engine, None, None, 1))[1]
        with pytest.raises(InvalidInput, match="there is no node 'soth'; did you mean 'south'"):
            await listed("soth")
        told = screen(print_list, (await work_of(engine, None, None, 20))[0])
        assert packed.tracking_number in told
        seen = ReportedEvent(
            tracking_number=packed.tracking_number, event=CarrierSays.IN_TRANSIT, at=NOON + later(60), place="Lyon"
        )
        await engine.carrier_events.take([seen])
        assert await listed() == ["shp_o1-1"]
        assert screen(print_list, []) == "no node has such a shipment with it\n"
        told = screen(print_shipment, *await engine.fulfillment.find("shp_o2-1"))
        for text in ("shp_o2-1 of order o2: shipped", "south · ground", "3 × TEA", "carrier: in transit, Lyon"):
            assert text in told, told


def test_what_is_typed_wrong_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shipment", "show"]) == BAD_INPUT
    assert capsys.readouterr().err == "error: show: SHIPMENT is missing; write: allot shipment show SHIPMENT\n"
    assert main(["shipment", "list", "--state", "paked"]) == BAD_INPUT
    assert capsys.readouterr().err == "error: --state: 'paked' is not known; did you mean 'packed'?\n"
