"""Revisions of orders over several partitions: decided at the home of the order, then its parts and uses follow.

Lines that were not there are the exception, since a count may have found less on hand than is to leave: these leave
first, tentatively, as units that are shipped do, and come back if the home does not decide so. Not here: what a home
decides (lua/steering/revise_over.lua).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files

import msgspec

from engine.errors import StoreReplyError, Unavailable
from engine.inventory.claims import Claims
from engine.inventory.followers import Followers
from engine.inventory.model import Outcome, Replay
from engine.inventory.partition import Partition
from engine.inventory.partitions import Row, Truth
from engine.inventory.redis_store import SNIPPETS
from engine.orders.model import Order
from engine.orders.partitioned_uses import PartitionedUses, becoming
from engine.orders.places import Places
from engine.orders.redis_store import PART, change_of, changed_or
from engine.orders.replies import Reply, revision_outcome
from engine.orders.revising import OrderChanged, Revision, StockLine
from engine.storage.functions import REPLAY, library

_LUA = files("engine.orders") / "lua"
LIBRARY = library(
    "steering_over",
    1,
    [
        REPLAY,
        *SNIPPETS,
        PART,
        _LUA / "orders.lua",
        _LUA / "capacity.lua",
        _LUA / "partitions" / "own.lua",
        _LUA / "steering" / "use_at.lua",
        _LUA / "steering" / "take_out.lua",
        _LUA / "steering" / "revise_over.lua",
    ],
)
_ACT, _TRIES = "revise_order", 4
_pack = msgspec.msgpack.Encoder().encode


class PartitionedRevisions:
    """Revisions of the orders of a tenant."""

    def __init__(
        self,
        partitions: Sequence[Partition],
        places: Places,
        claims: Claims,
        followers: Followers,
        uses: PartitionedUses,
    ) -> None:
        self._all, self._places, self._claims = partitions, places, claims
        self._followers, self._uses = followers, uses

    async def revise(self, revision: Revision, replay: Replay | None) -> Outcome[Order]:
        """Change an order as nodes or people have said; raises as `OrderStore.revise`."""
        order_id = revision.order_id
        home = await self._places.of(order_id)
        if replay is not None:
            claim = await self._claims.claim(replay, home.number)
            if claim.reply is not None:
                return revision_outcome(claim.reply, order_id, replayed=True)
            home = self._all[claim.partition]
        for _ in range(_TRIES):
            tried, shortened = await self._leave(home, revision)
            if shortened is not None:
                revision = shortened
                continue
            try:
                replayed, reply = await home.change(
                    "allot_revise_order_over_v1", replay, order_id, _packed(revision, tried)
                )
            except StoreReplyError as error:
                await self._undo(revision, tried)
                raise changed_or(error) from None
            if not replayed:
                await self._let_follow(home, revision, tried, reply)
            return revision_outcome(reply, order_id, replayed=replayed)
        raise Unavailable(f"What order {order_id!r} has reserved is being changed by other calls. Send it again.")

    async def _leave(self, home: Partition, revision: Revision) -> tuple[Truth | None, Revision | None]:
        """Let lines that were not there leave in other partitions; return the truth they left by, if any.

        Or the revision to try instead: where there is less on hand, no more than that is lost.
        """
        reservation_id = revision.seen.reservation_id
        shares = self._followers.hashing.shares(revision.lost)
        shares.pop(home.number, None)
        if not shares or reservation_id is None or revision.refusal is not None:
            return None, None
        truth = await self._followers.ask(reservation_id)
        for partition, share in shares.items():
            reply = await self._followers.try_to_leave(reservation_id, truth, partition, share)
            if reply[0] == "done":
                continue
            await self._undo(revision, truth)
            if reply[0] != "not_on_hand":
                raise OrderChanged
            return None, _shortened(revision, {(sku, node_id): there for sku, node_id, _, there in reply[1]})
        return truth, None

    async def _undo(self, revision: Revision, tried: Truth | None) -> None:
        """Bring back what has left tentatively, unless that was decided on; what cannot be reached is the sweeper's."""
        reservation_id = revision.seen.reservation_id
        if tried is not None and reservation_id is not None:
            with suppress(Unavailable):
                now = await self._followers.ask(reservation_id, tried_at=tried.version)
                await self._followers.settle(reservation_id, now, _ACT)

    async def _let_follow(self, home: Partition, revision: Revision, tried: Truth | None, reply: Reply) -> None:
        """Let parts and uses follow what was decided; what cannot be reached now is the sweeper's."""
        if reply[0] != "revised":
            await self._undo(revision, tried)
            return
        _, _, _, told, uses, becomes = reply
        with suppress(Unavailable):
            for name in told:
                await self._followers.settle(name, await self._followers.ask(name), _ACT)
            await self._uses.settle([(uses, becomes)] if uses else [], home)


def _packed(revision: Revision, tried: Truth | None) -> bytes:
    expected = (*revision.expected, -1 if tried is None else tried.version)
    *change, _, life, _ = change_of(revision)
    becomes = "" if revision.leaves else becoming(revision.uses)
    return _pack((expected, revision.refusal or "", (*change, becomes, life)))


def _shortened(revision: Revision, there: Mapping[tuple[str, str], int]) -> Revision:
    """Return a revision that loses no more at some places than is on hand there, and gives the rest back."""
    left, lost = dict(there), list[StockLine]()
    given: list[Row] = list(revision.given_back)
    for sku, node_id, units, day in revision.lost:
        gone = min(units, left.get((sku, node_id), units))
        if (sku, node_id) in left:
            left[sku, node_id] -= gone
        if gone:
            lost.append((sku, node_id, gone, day))
        if gone < units:
            given.append((sku, node_id, units - gone, day))
    summed: dict[tuple[str, str, int], int] = {}
    for sku, node_id, units, day in given:
        summed[sku, node_id, day] = summed.get((sku, node_id, day), 0) + units
    back = tuple((sku, node_id, units, day) for (sku, node_id, day), units in summed.items())
    return replace(revision, lost=tuple(lost), given_back=back)
