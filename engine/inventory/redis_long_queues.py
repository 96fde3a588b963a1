"""Puts supplies that very many reservations wait for: their lines follow page by page, so that no call takes long.

A supply that comes later takes its lines along before it moves, and one that comes earlier behind it: so at no moment
does a line ship before its supply is expected. If the process dies on the way, some ship later than they could, and the
same supplies put again, under the same idempotency key too, go on where it stopped. Not here: all others, which are
followed in one step (redis_store.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from engine.errors import StoreReplyError, Unavailable
from engine.events.actor import actor
from engine.inventory.model import Replay, Supply
from engine.inventory.redis_reads import StockReads
from engine.inventory.redis_records import call_once
from engine.inventory.redis_rows import supply_rows
from engine.inventory.replies import Reply
from engine.storage.client import Part, StoreClient
from engine.storage.keys import Keys

MOST_AT_ONCE = 2000
"""Reservations that may be looked at for one SKU in one step: some 50 ms in which the store serves nobody else."""
_TRIES = 20
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
Row = list[Any]


class LongQueues:
    """Supplies of one tenant and partition that many wait for."""

    def __init__(self, client: StoreClient, keys: Keys, reads: StockReads) -> None:
        self._client, self._keys, self._reads = client, keys, reads

    async def put(self, supplies: Sequence[Supply], days: dict[str, int], replay: Replay | None) -> tuple[bool, Reply]:
        """Put supplies in one step, and let lines follow, those of each that moves or is too small by then.

        Return whether it was answered before, and the reply. Raises Unavailable where new lines come faster.
        """
        key, packed = self._keys.deadlines, (_pack(supply_rows(supplies)), _pack(days))
        before: dict[tuple[object, ...], int] = {}
        for _ in range(_TRIES):
            behind, paged, told = list[Supply](), dict[str, int](), list[Row]()
            for supply, known in zip(supplies, await self._known(supplies), strict=True):
                if known is None or not await self._has_to_follow(supply, known):
                    continue
                is_later = bool(supply.quantity) and supply.expected_on > known.expected_on
                paged[_name(supply)] = is_behind = int(bool(supply.quantity) and not is_later)
                behind += [supply] * is_behind
                rows = await self._pages(supply, is_move=is_later)
                seen = Counter[str]()
                for row in rows:  # it may have moved in an earlier try
                    seen[row[0]] += 1
                    row[7] = before.setdefault((_name(supply), row[0], seen[row[0]]), row[7])
                told += _affected(rows, supply.quantity)
            args = (actor(), *packed, MOST_AT_ONCE, _pack(paged), _pack(told))
            try:
                answer = await call_once(self._client, self._keys, "allot_put_supplies_v1", key, replay, *args)
            except StoreReplyError as error:
                if "LINESFIRST" not in str(error) and "MANYLINES" not in str(error):
                    raise
                continue
            await self.go_on(behind)
            return answer
        raise Unavailable("Lines are pegged to these supplies faster than they follow. Send the same request again.")

    async def go_on(self, supplies: Sequence[Supply]) -> None:
        """Let lines follow those of some supplies that they have not followed to the end, wherever these are by now."""
        following = self._keys.named("following")
        for supply in supplies:
            if await self._client.call("HEXISTS", following, _name(supply)):
                (known,) = await self._known([supply])
                if known is not None:
                    await self._pages(known, is_move=True)
                await self._client.call("HDEL", following, _name(supply))

    async def _has_to_follow(self, supply: Supply, known: Supply) -> bool:
        """Say whether more lines than one step may look at have to follow a supply, or have not yet."""
        waiting, is_following = await self._client.pipeline(
            [
                ("ZCARD", self._keys.named("dated", supply.sku)),
                ("HEXISTS", self._keys.named("following"), _name(supply)),
            ]
        )
        changes = supply.expected_on != known.expected_on or supply.quantity < known.pegged
        return bool(known.pegged) and int(waiting) > MOST_AT_ONCE and (changes or bool(is_following))

    async def _known(self, supplies: Sequence[Supply]) -> list[Supply | None]:
        """Return supplies as they are, in one read, None where there is none."""
        skus = list(dict.fromkeys(supply.sku for supply in supplies))
        view = await self._reads.read(skus)
        row_of = {sku: row for row, sku in enumerate(skus)}

        def known(supply: Supply) -> Supply | None:
            if supply.node_id not in view.node_ids:
                return None
            position = view.position(row_of[supply.sku], view.node_ids.index(supply.node_id))
            return next((each for each in position.supplies if each.supply_id == supply.supply_id), None)

        return [known(supply) for supply in supplies]

    async def _pages(self, supply: Supply, *, is_move: bool) -> list[Row]:
        """Return all lines of a supply, first come first, with the day each follows to; move them if asked to."""
        rows: list[Row] = []
        place = (supply.supply_id, supply.node_id, supply.sku, supply.expected_on.toordinal())
        event = 0
        while True:
            args: list[Part] = [actor(), _pack((*place, event, MOST_AT_ONCE, int(is_move)))]
            reply = await self._client.fcall("allot_redate_lines_v1", [self._keys.deadlines], args)
            event, found = _unpack(reply)
            rows += found
            if not event:
                return rows


def _name(supply: Supply) -> str:
    """Return the name of a supply, as name_of of lua/coverage.lua."""
    named = "".join(f"{len(part.encode())}:{part}" for part in (supply.supply_id, supply.node_id))
    return named + supply.sku


def _affected(rows: Sequence[Row], quantity: int) -> list[Row]:
    """Return the lines that move, and those that a supply of `quantity` does not cover, by day, first come first."""
    left, found = quantity, list[Row]()
    for *place, units, supply_id, before, after, _, _ in sorted(rows, key=lambda row: row[8]):
        short = max(0, units - left)
        left = max(0, left - units)
        if short or (quantity and before != after):
            day = after if quantity else before
            found.append([*place, units, supply_id, before, day, short, 0 if short else day])
    return found
