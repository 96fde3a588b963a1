"""Stock that is read in pieces is the same as stock that is read at once."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from engine.inventory import pieces
from engine.inventory.model import Hold, HoldLine, PositionCount, Supply
from engine.inventory.pieces import read_in_pieces
from engine.inventory.redis_store import RedisInventoryStore

TODAY = date(2026, 11, 20).toordinal()


@pytest.mark.parametrize("at_once", [1, 2, 3, 7])
async def test_pieces_come_to_the_view_of_one_read(
    redis_store: RedisInventoryStore, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """With schedules and supplies in several pieces, and nodes that only a later one knows.

    Catches rows of a piece that keep their number: its schedules would be those of other SKUs.
    """
    store, today = redis_store, {"east": TODAY, "west": TODAY}
    for number in range(6):
        node_id = "east" if number < 3 else "west"
        await store.put_positions([PositionCount(node_id=node_id, sku=f"s{number}", on_hand=number + 1)])
        supply = Supply(
            supply_id="po", node_id=node_id, sku=f"s{number}", quantity=5, expected_on=date.fromordinal(TODAY + 3)
        )
        await store.put_supplies([supply], today=today)
    line = HoldLine(sku="s4", node_id="west", quantity=2, ship_on=date.fromordinal(TODAY + 4))
    await store.hold(Hold(reservation_id="res_1", lines=(line,)), today=today)
    skus = ["s5", "s1", "unknown", "s4", "s0", "s2"]
    whole = await store.read(skus)
    monkeypatch.setattr(pieces, "SKUS_AT_ONCE", at_once)
    found = await read_in_pieces(store, skus)
    assert (found.skus, found.node_ids, found.epoch) == (whole.skus, whole.node_ids, whole.epoch)
    assert np.array_equal(found.cells, whole.cells)
    assert dict(found.schedule) == dict(whole.schedule)
    assert dict(found.supplies) == dict(whole.supplies)
    assert dict(found.pegs) == dict(whole.pegs)
    assert [found.positions(row) for row in range(len(skus))] == [whole.positions(row) for row in range(len(skus))]
