"""What open reservations are to take of nodes of limited capacity: a book beside the stock, from which promises date.

A reservation is noted in the step after the one that made or changed it, and looked at again every minute or so; what
was missed in between (a process died, an order took the stock over) is put right then. Nothing is refused for it.
Not here: which day a promise takes (engine/promising/capacity.py), what orders use (engine/orders).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from engine.clock import Clock
from engine.errors import AllotError, NotFound
from engine.inventory.model import HoldLine, Reservation, ReservationState
from engine.network.days import NetworkDays
from engine.network.model import Network
from engine.network.of_network import of_network

log = logging.getLogger("allot.load")

LOOKED_AT_SECONDS = 60
_NOTED_AT_ONCE = 50
_OPEN = (ReservationState.HELD, ReservationState.CONFIRMED)


class Use(NamedTuple):
    """Units and parcels of one node on one day, an ordinal."""

    node_id: str
    day: int
    units: int
    parcels: int


class LoadBook(Protocol):
    """Keeps the uses of reservations, and their sums by node and day."""

    async def put(
        self, reservation_id: str, uses: Sequence[Use], *, deadline_ms: int = 0, has_left: bool = False
    ) -> None:
        """Write the uses of a reservation in place of those before; with none it is forgotten.

        At `deadline_ms` (0: never) they are forgotten. With `has_left`, what goes has left its node and stays counted;
        one that is not in the book is then an order's, which counts by its decision, and is not noted.
        """
        ...

    async def read(self, first_day: int, days: int) -> Sequence[Use]:
        """Return what is used on some days, by reservations and by committed orders; a node may come several times."""
        ...

    async def oldest(self, limit: int, seconds: float) -> Sequence[str]:
        """Return reservations that were put longest ago, none of the last `seconds`."""
        ...


class Places(Protocol):
    """A view of the network with its days."""

    @property
    def days(self) -> NetworkDays:
        """The network and what day it is where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLoad:
    """Keeps the book in line with reservations; `world` gives the current network, `latest` the last known at once."""

    book: LoadBook
    reservation: Callable[[str], Awaitable[Reservation]]
    world: Callable[[], Awaitable[Places]]
    latest: Callable[[], Places | None]
    clock: Clock

    async def note(self, reservation: Reservation, *, has_left: bool = False) -> None:
        """Note a reservation as it is now; what fails is logged, and put right later."""
        try:
            days = (self.latest() or await self.world()).days
            limited = limited_nodes(days.network)
            if any(line.node_id in limited for line in reservation.lines):
                await self._put(reservation, limited, days.at(self.clock.now()).by_node, has_left)
        except AllotError as error:
            log.warning("the load of %s is not noted now: %s", reservation.reservation_id, error)

    async def note_many(self, reservations: Sequence[Reservation]) -> None:
        """Note reservations as they are now, some at a time; of most there is nothing to note."""
        try:
            limited = limited_nodes((self.latest() or await self.world()).days.network)
        except AllotError as error:
            log.warning("the load of %d reservations is not noted now: %s", len(reservations), error)
            return
        if not limited:
            return
        for first in range(0, len(reservations), _NOTED_AT_ONCE):
            await asyncio.gather(*map(self.note, reservations[first : first + _NOTED_AT_ONCE]))

    async def look_again(self, limit: int = 100) -> int:
        """Compare those that were noted longest ago with what they are now; return how many were looked at."""
        ids = await self.book.oldest(limit, LOOKED_AT_SECONDS)
        if not ids:
            return 0
        days = (await self.world()).days
        limited, today = limited_nodes(days.network), days.at(self.clock.now()).by_node
        for reservation_id in ids:
            try:
                await self._put(await self.reservation(reservation_id), limited, today, False)
            except NotFound:
                await self.book.put(reservation_id, ())
        return len(ids)

    async def _put(
        self, reservation: Reservation, limited: frozenset[str], today: Mapping[str, int], has_left: bool
    ) -> None:
        has_left = has_left or reservation.state is ReservationState.CONSUMED
        is_open = reservation.state in _OPEN
        deadline = reservation.expires_at if reservation.state is ReservationState.HELD else None
        await self.book.put(
            reservation.reservation_id,
            uses_of(reservation.lines, limited, today) if is_open else (),
            deadline_ms=0 if deadline is None else round(deadline.timestamp() * 1000),
            has_left=has_left,
        )


@of_network
def limited_nodes(network: Network) -> frozenset[str]:
    """Return the nodes that have a capacity."""
    limited = (network.capacity_units >= 0) | (network.capacity_parcels >= 0)
    return frozenset(network.node_ids[n] for n in limited.nonzero()[0].tolist())


def uses_of(lines: Iterable[HoldLine], limited: frozenset[str], today: Mapping[str, int]) -> tuple[Use, ...]:
    """Return what lines take of limited nodes: one parcel for each node and day.

    Lines without a day, and those whose day has passed, are to leave today.
    """
    units: dict[tuple[str, int], int] = {}
    for line in lines:
        if line.node_id in limited:
            now = today.get(line.node_id, 0)
            day = now if line.ship_on is None else max(now, line.ship_on.toordinal())
            units[line.node_id, day] = units.get((line.node_id, day), 0) + line.quantity
    return tuple(Use(node_id, day, number, 1) for (node_id, day), number in sorted(units.items()))
