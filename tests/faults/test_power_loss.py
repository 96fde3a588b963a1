"""Power loss: of what was acknowledged nothing is gone in `standard`; the same test loses under `everysec`."""

from __future__ import annotations

import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from faults.power import Day, lost_at, sell_with_strace, sell_with_waitaof
from faults.scale import SCALE
from store_servers import StoreServer

Selling = Callable[..., Awaitable[Day]]
SECONDS = 1.6
WAYS = {sell_with_strace: "strace", sell_with_waitaof: "WAITAOF"}

HOW = [
    pytest.param(
        sell_with_strace,
        id="strace",
        marks=pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
    ),
    pytest.param(sell_with_waitaof, id="waitaof"),
]


async def lose_power(
    sell: Selling, make: Callable[..., StoreServer], folder: Path, fsync: str, cuts: int
) -> tuple[int, int, int]:
    """Sell a while and cut the power at several moments; return holds acknowledged, lost, and cuts that lost any."""
    day = await sell(make, folder, fsync, seconds=SECONDS)
    assert len(day.acknowledged) >= 50
    assert day.synced.at_seconds
    begun, ended = day.acknowledged[0][0], day.acknowledged[-1][0]
    chance = random.Random(fsync)
    acknowledged = lost = bad_cuts = 0
    for number in range(cuts):
        # A cut with nothing acknowledged yet would prove nothing: all lie in the second half.
        moment = ended if number == 0 else chance.uniform((begun + ended) / 2, ended)
        promised, gone = await lost_at(day, moment, make, folder / "cut")
        acknowledged, lost, bad_cuts = acknowledged + promised, lost + gone, bad_cuts + (gone > 0)
    return acknowledged, lost, bad_cuts


@pytest.mark.parametrize("sell", HOW)
async def test_nothing_acknowledged_is_lost_when_the_power_fails(
    sell: Selling, other_servers: Callable[..., StoreServer], tmp_path: Path, reached: Callable[..., None]
) -> None:
    """Catches a mode that lets the disk wait: the next test seeds it."""
    acknowledged, lost, _ = await lose_power(sell, other_servers, tmp_path / "always", "always", SCALE.cuts)
    assert lost == 0
    reached(f"power loss, standard, by {WAYS[sell]}", cuts=SCALE.cuts, acknowledged=acknowledged, lost=0)


@pytest.mark.parametrize("sell", HOW)
async def test_the_same_power_cuts_lose_under_everysec(
    sell: Selling, other_servers: Callable[..., StoreServer], tmp_path: Path, reached: Callable[..., None]
) -> None:
    cuts = max(3, SCALE.cuts // 10)
    acknowledged, lost, bad_cuts = await lose_power(sell, other_servers, tmp_path / "everysec", "everysec", cuts)
    assert lost > 0
    reached(f"power loss, everysec, by {WAYS[sell]}", cuts=cuts, acknowledged=acknowledged, cuts_that_lost=bad_cuts)
