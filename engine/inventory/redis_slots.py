"""The book of booked windows in the store; the rules are in lua/slots/slots.lua."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import msgspec

from engine.inventory.slots import LOOK_SECONDS, BookedSlot, Booking, Taken, Verdict, WantedSlot
from engine.storage.client import Part, StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("slots", 1, [files("engine.inventory") / "lua" / "slots" / "slots.lua"])

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[list[int]]).decode
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(BookedSlot).decode


class RedisSlotBook:
    """A `SlotBook` in one partition; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._key = keys.named("slot_due")

    async def take(self, reservation_id: str, wanted: WantedSlot, seconds: float) -> Taken:
        """Take a place for a reservation that is about to be made."""
        args: list[Part] = [
            reservation_id,
            wanted.slot,
            wanted.day,
            wanted.capacity,
            _ms(seconds),
            _encode(wanted.booked),
        ]
        verdict: Taken = (await self._client.fcall("allot_take_slot_v1", [self._key], args)).decode()
        return verdict

    async def settle(self, reservation_id: str, deadline_ms: int, capacity: int) -> bool:
        """Give a booking the deadline of its reservation, once."""
        args: list[Part] = [reservation_id, deadline_ms, capacity]
        return bool(await self._client.fcall("allot_settle_slot_v1", [self._key], args))

    async def prolong(self, reservation_id: str, seconds: float) -> bool:
        """Have a booking last for so many seconds at least."""
        return bool(await self._client.fcall("allot_prolong_slot_v1", [self._key], [reservation_id, _ms(seconds)]))

    async def keep(self, reservation_id: str, order_id: str = "") -> bool:
        """Have a booking stay until somebody has looked at its reservation, or its order."""
        args: list[Part] = [reservation_id, order_id, _ms(LOOK_SECONDS)]
        return bool(await self._client.fcall("allot_keep_slot_v1", [self._key], args))

    async def judge(self, reservation_id: str, verdict: Verdict, look_seconds: float = 0) -> None:
        """Do what a look at the reservation, or its order, has said."""
        await self._client.fcall("allot_judge_slot_v1", [self._key], [reservation_id, verdict, _ms(look_seconds)])

    async def due(self, limit: int) -> Sequence[str]:
        """Return reservations that are to be looked at, the longest due first."""
        found = await self._client.fcall("allot_due_slots_v1", [self._key], [limit])
        return [reservation_id.decode() for reservation_id in found]

    async def find(self, reservation_id: str) -> Booking | None:
        """Return the booking of a reservation."""
        found = await self._client.fcall("allot_find_slot_v1", [self._key], [reservation_id])
        if found is None:
            return None
        is_live, is_settled, order_ids, booked = found
        return Booking(
            booked=_decode(booked),
            is_live=bool(is_live),
            is_settled=bool(is_settled),
            order_ids=tuple(order_id.decode() for order_id in order_ids),
        )

    async def taken(self, slots_by_day: Sequence[tuple[int, Sequence[str]]]) -> Sequence[Sequence[int]]:
        """Return, for each day, how many places of each of the slots are taken."""
        packed = _pack([(day, list(slots)) for day, slots in slots_by_day])
        found = _unpack(await self._client.fcall("allot_taken_slots_v1", [self._key], [packed]))
        return [
            numbers or [0] * len(slots) for numbers, (_, slots) in zip(found, slots_by_day, strict=True)
        ]  # nothing is kept of a day without bookings


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
