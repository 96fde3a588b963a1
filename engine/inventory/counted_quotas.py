"""Putting channel quotas in the store: reservations that are open already are counted before quotas are written.

A position whose last event is the same before and after all reservations were read has not moved meanwhile. Where
nothing is reserved, or every channel has a quota already, nothing has to be counted. Not here: the rule
(lua/quotas.lua).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from engine.inventory.model import Outcome
from engine.inventory.quotas import PositionQuotas, Uncounted, packed_quota

TRIES = 5
Row = tuple[object, ...]
"""As lua/put_quotas.lua takes it."""


async def put_counted(
    positions: Sequence[PositionQuotas],
    change: Callable[[list[Row]], Awaitable[Outcome[Any]]],
    used_of: Callable[[set[str]], Awaitable[Counter[tuple[str, str, str]]]],
) -> list[PositionQuotas]:
    """Replace the quotas of positions, all or none; return them with what is used of each.

    `change` puts rows of lua/put_quotas.lua, `used_of` returns the open units of some SKUs by (SKU, node, channel).
    Raises Unavailable if a position moves each time that its reservations are counted.
    """
    counted: dict[int, tuple[int, dict[str, int]]] = {}
    for tried in range(TRIES + 1):
        rows: list[Row] = [
            (position.node_id, position.sku, list(map(packed_quota, position.quotas)), *counted.get(i, (-1, {})))
            for i, position in enumerate(positions)
        ]
        try:
            put = (await change(rows)).value
        except Uncounted as error:
            if tried == TRIES:
                raise
            uncounted = error.rows
        else:
            return [replace(position, quotas=quotas) for position, quotas in zip(positions, put, strict=True)]
        used = await used_of({positions[index].sku for index, _ in uncounted})
        for index, event in uncounted:
            place = (positions[index].sku, positions[index].node_id)
            counted[index] = (event, {quota.channel: used[*place, quota.channel] for quota in positions[index].quotas})
    raise AssertionError(positions)
