"""`allot inventory` on a store of its own: the history of a position, and a recount of the whole book."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path

import pytest

from api.cli.main import BAD_INPUT, DONE, EXPECTATION_MISSED, main
from engine.bootstrap import allot_engine
from engine.config import Settings
from engine.events.actor import acting_as
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.storage.keys import Keys


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with one position, counted by somebody, of which three units are held."""

    async def fill() -> None:
        async with allot_engine(Settings(data_dir=tmp_path / "data")) as engine:
            with acting_as("key_counter"):
                await engine.stock.put_positions([PositionCount(sku="MUG", node_id="rome", on_hand=10)])
            line = HoldLine(sku="MUG", node_id="rome", quantity=3)
            with acting_as("key_shop"):
                await engine.stock.hold(Hold(reservation_id="res_1", lines=(line,)), today={"rome": 739_000})

    asyncio.run(fill())
    return tmp_path / "data"


def test_a_history_is_a_table_for_people(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "history", "MUG", "rome", "--data", str(data)]) == DONE
    shown = capsys.readouterr().out
    rows = [line for line in shown.splitlines() if "key_" in line]
    assert len(rows) == 2
    assert "0 → 3" in rows[0]
    assert "res_1" in rows[0]
    assert "0 → 10" in rows[1]


def test_a_history_is_json_for_programs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "history", "MUG", "rome", "--limit", "1", "--json", "--data", str(data)]) == DONE
    shown = json.loads(capsys.readouterr().out)
    assert shown["has_more"]
    assert [(event["act"], event["who"], event["whys"]) for event in shown["events"]] == [
        ("hold", "key_shop", ["res_1"])
    ]


def test_a_position_that_is_not_named_is_asked_for(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "history", "MUG", "--data", str(data)]) == BAD_INPUT
    assert "NODE" in capsys.readouterr().err


def test_a_recount_that_disagrees_is_shown_and_repaired_when_asked_to(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way of an operator: all is well, something breaks, it is found, repaired, and in the history."""
    check = ["inventory", "check", "--data", str(data)]
    assert main(check) == DONE
    assert "everything agrees" in capsys.readouterr().out

    async def break_it() -> None:
        async with allot_engine(Settings(data_dir=data)) as engine:
            assert engine.client is not None
            await engine.client.call("SETRANGE", Keys("main").stock("MUG"), 8, struct.pack(">I", 5))

    asyncio.run(break_it())
    assert main(check) == EXPECTATION_MISSED
    told = capsys.readouterr()
    assert "--repair" in told.err
    assert main([*check, "--repair"]) == DONE
    assert main([*check, "--json"]) == DONE
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["drifts"] == []
    assert main(["inventory", "history", "MUG", "rome", "--data", str(data)]) == DONE
    assert "allot inventory" in capsys.readouterr().out
