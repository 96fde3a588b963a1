"""Holds on Redis or Valkey: those that callers of one event loop ask for in the same turn leave as one call.

A call costs the store about as much as a hold, and syncing it much more. Each hold is decided by itself, under its own
idempotency record, and for its own actor. Not here: the rules (lua/holding.lua).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from engine.errors import AllotError, IdempotencyConflict, StoreReplyError, TooManyHolds
from engine.events.actor import actor
from engine.inventory.buffers import Kept
from engine.inventory.model import Hold, Outcome, Replay, Reservation
from engine.inventory.redis_hold_rows import holds_message
from engine.inventory.redis_records import call_once
from engine.inventory.replies import Reply, verdict_of
from engine.storage.client import Part, StoreClient
from engine.storage.keys import Keys

MOST_TOGETHER, MOST_LINES_TOGETHER = 100, 300
"""Holds of one call, and lines after which no other is added: some 3 ms in which the store serves nobody else."""
MANY, REST_LATER_SECONDS = 16, 0.0003
"""From so many holds on half of them may wait, and how long."""
_FRESH, _STORED, _CONFLICT, _TOO_MANY, _HELD = range(5)
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class _Asked:  # not frozen: one is made for every hold
    """A hold that waits to leave, and who waits for its answer."""

    __slots__ = ("answer", "buffers", "hold", "nodes", "replay", "who")

    def __init__(
        self,
        hold: Hold,
        nodes: Mapping[str, int],
        buffers: Kept,
        replay: Replay | None,
        answer: asyncio.Future[Outcome[Reservation]],
    ) -> None:
        self.hold, self.nodes, self.buffers, self.replay, self.answer = hold, nodes, buffers, replay, answer
        self.who = actor()


class HoldQueue:
    """Gathers the holds of a turn of the loop and sends them."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys
        self._asked: list[_Asked] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def hold(
        self, hold: Hold, *, today: Mapping[str, int], buffers: Kept | None, replay: Replay | None
    ) -> Outcome[Reservation]:
        """Hold all lines or none; raises what `InventoryStore.hold` does."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._leave)
        answer: asyncio.Future[Outcome[Reservation]] = loop.create_future()
        nodes = {line.node_id: today[line.node_id] for line in hold.lines}
        self._asked.append(_Asked(hold, nodes, buffers or {}, replay, answer))
        return await answer

    def _leave(self) -> None:
        """Send what was asked for; of many, when nothing is under way, only half, and the rest a moment later.

        From then on the store serves one half while we deal with the answers to the other.
        """
        leaving = len(self._asked)
        if leaving >= MANY and not self._under_way:
            leaving //= 2
            asyncio.get_running_loop().call_later(REST_LATER_SECONDS, self._leave)
        asked, self._asked = self._asked[:leaving], self._asked[leaving:]
        for group in _groups(asked):
            task = asyncio.get_running_loop().create_task(self._send(group))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _send(self, group: Sequence[_Asked]) -> None:
        """Send a group, and give everybody in it an answer, whatever happens."""
        try:
            await (self._alone(group[0]) if len(group) == 1 else self._together(group))
        except StoreReplyError as error:  # nothing was done; it may be due to one of them only
            for asked in group:
                if len(group) > 1:
                    await self._send([asked])
                else:
                    _fail(asked, error)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - handed to those who wait
            for asked in group:
                _fail(asked, error)

    async def _alone(self, asked: _Asked) -> None:
        message = holds_message([asked.hold], asked.nodes, asked.buffers)
        function, key = "allot_hold_v1", self._keys.deadlines
        replayed, reply = await call_once(self._client, self._keys, function, key, asked.replay, asked.who, *message)
        _settle(asked, reply, replayed=replayed)

    async def _together(self, group: Sequence[_Asked]) -> None:
        answers = await self._client.fcall("allot_hold_together_v1", [self._keys.deadlines], self._packed(group))
        for asked, kind, answer in zip(group, answers[::2], answers[1::2], strict=True):
            if kind == _HELD:
                _settle(asked, answer, replayed=False)
            elif kind == _CONFLICT:
                _fail(asked, IdempotencyConflict())
            elif kind == _TOO_MANY:
                _fail(asked, TooManyHolds(*_unpack(answer)[1:]))
            else:
                _settle(asked, _unpack(answer), replayed=kind == _STORED)

    def _packed(self, group: Sequence[_Asked]) -> list[Part]:
        """Return the arguments of lua/hold_together.lua."""
        actors = {asked.who for asked in group}
        who = actors.pop() if len(actors) == 1 else _pack({a.hold.reservation_id: a.who for a in group})
        nodes: dict[str, int] = {}
        buffers: dict[tuple[str, str], int] = {}
        for asked in group:
            nodes |= asked.nodes
            buffers |= asked.buffers
        keyed = any(asked.replay for asked in group) and (
            ["" if a.replay is None else self._keys.replay(a.replay.digest) for a in group],
            ["" if a.replay is None else a.replay.fingerprint for a in group],
        )
        return [who, int(bool(actors)), _pack(keyed), *holds_message([a.hold for a in group], nodes, buffers)]


def _groups(asked: Sequence[_Asked]) -> Iterable[Sequence[_Asked]]:
    """Yield the holds in calls: of bounded size, and of one opinion about documents, days and buffers."""
    group: list[_Asked] = []
    nodes: dict[str, int] = {}
    buffers: dict[tuple[str, str], int] = {}
    lines = 0
    for one in asked:
        agree = all(nodes.get(node_id, day) == day for node_id, day in one.nodes.items()) and all(
            buffers.get(place, units) == units for place, units in one.buffers.items()
        )
        agree = agree and bool(one.buffers) == bool(buffers) and (not group or one.hold.as_of == group[0].hold.as_of)
        if group and (len(group) == MOST_TOGETHER or lines >= MOST_LINES_TOGETHER or not agree):
            yield group
            group, nodes, buffers, lines = [], {}, {}, 0
        group.append(one)
        lines += len(one.hold.lines)
        nodes.update(one.nodes)
        buffers.update(one.buffers)
    if group:
        yield group


def _settle(asked: _Asked, reply: Reply | int, *, replayed: bool) -> None:
    verdict = verdict_of(asked.hold, reply, replayed=replayed)
    if isinstance(verdict, AllotError):
        _fail(asked, verdict)
    elif not asked.answer.done():
        asked.answer.set_result(Outcome(value=verdict, replayed=replayed))


def _fail(asked: _Asked, error: BaseException) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(error)
