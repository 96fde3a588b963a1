"""Many holds over several partitions at once: one call per partition for those that surely fit, then their commits.

A hold whose lines lie in several partitions gives back what it has taken if it fails, and others of the batch may have
been refused meanwhile. So holds that touch scarce stock of such a one are left to be held one after another, in order,
as are those of holders whose open holds are limited.
Not here: that (partitioned_holds.py).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import numpy as np

from engine.inventory.followers import Followers
from engine.inventory.model import CONFIRMED, HELD, MAX_UNITS, QUOTAS, SCHEDULED, Hold, StockView
from engine.inventory.partition import Context, Partition
from engine.inventory.partitioned_attempt import Attempt, Failure
from engine.inventory.replies import Reply

Place = tuple[str, str]


async def hold_what_fits(
    partitions: Sequence[Partition],
    followers: Followers,
    holds: Sequence[Hold],
    context: Context,
    view: StockView,
) -> list[Reply | None]:
    """Return a reply for each hold that was decided, None for those to be held one by one; `view` has their SKUs."""
    attempts = [Attempt(partitions, followers, hold, context) for hold in holds]
    scarce = _scarce(holds, view, context)
    contested = {
        place
        for hold, attempt in zip(holds, attempts, strict=True)
        if not attempt.is_whole
        for place in _places(hold)
        if place in scarce
    }
    chosen = list(range(len(holds)))
    if contested:
        chosen = [i for i in chosen if scarce.isdisjoint(_places(holds[i]))]
    chosen = [i for i in chosen if holds[i].limit is None]
    whole = await _hold_parts(partitions, attempts, chosen, context)
    crossing = [i for i in chosen if not attempts[i].is_whole]
    committed = await asyncio.gather(*(_commit(attempts[i], whole[i]) for i in crossing))
    replies: list[Reply | None] = [None] * len(holds)
    for i in chosen:
        if attempts[i].is_whole:
            (replies[i],) = whole[i]
    for i, reply in zip(crossing, committed, strict=True):
        replies[i] = reply
    return [None if reply is not None and reply[0] in {"short", "unpeggable"} else reply for reply in replies]


async def _hold_parts(
    partitions: Sequence[Partition], attempts: Sequence[Attempt], chosen: Sequence[int], context: Context
) -> dict[int, list[Reply]]:
    """Hold the parts of all chosen attempts, in one call per partition; return the verdicts of each attempt."""
    by_partition: dict[int, list[int]] = {}
    for i in chosen:
        for partition in attempts[i].shares:
            by_partition.setdefault(partition, []).append(i)

    async def hold_in(partition: int) -> list[Reply]:
        rows = [attempts[i].part_entry(partition) for i in by_partition[partition]]
        return await partitions[partition].hold_parts("hold_many", rows, context)

    order = sorted(by_partition)
    verdicts: dict[int, list[Reply]] = {i: [] for i in chosen}
    for partition, found in zip(order, await asyncio.gather(*map(hold_in, order)), strict=True):
        for i, verdict in zip(by_partition[partition], found, strict=True):
            attempts[i].note(partition, verdict)
            verdicts[i].append(verdict)
    return verdicts


async def _commit(attempt: Attempt, verdicts: Sequence[Reply]) -> Reply | None:
    """Commit an attempt whose parts are all held; None if it has failed."""
    if any(verdict[0] != "held" for verdict in verdicts):
        await attempt.give_back()
        return None
    answer = await attempt.commit("again", None)
    return None if isinstance(answer, Failure) else answer[1]


def _places(hold: Hold) -> set[Place]:
    return {(line.sku, line.node_id) for line in hold.lines}


def _scarce(holds: Sequence[Hold], view: StockView, context: Context) -> set[Place]:
    """Return the places where what all ask for together may not fit: there is less, or a schedule or quotas."""
    asked: Counter[Place] = Counter()
    for hold in holds:
        for line in hold.lines:
            asked[line.sku, line.node_id] += line.quantity
    row_of = {sku: row for row, sku in enumerate(view.skus)}
    column_of = {node_id: column for column, node_id in enumerate(view.node_ids)}
    free = view.available()
    reserved = view.cells[:, :, HELD].astype(np.int64) + view.cells[:, :, CONFIRMED]

    def fits(place: Place, units: int) -> bool:
        row, column = row_of[place[0]], column_of.get(place[1])
        return (
            column is not None
            and not view.cells[row, column, SCHEDULED]
            and not view.cells[row, column, QUOTAS]
            and units + context.buffers.get(place[0], {}).get(place[1], 0) <= free[row, column]
            and reserved[row, column] + units <= MAX_UNITS
        )

    return {place for place, units in asked.items() if not fits(place, units)}
