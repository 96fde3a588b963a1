"""Every request that is being served: counted, timed, answered in time, and refused when there are too many.

A request costs about a microsecond here. Requests belong to lanes. With too many in flight, or a loop that lags, lanes
are shed in the order of `Lane`, and promises, the costliest, are worked on so many at once while the others wait.
Deadlines need no timers: ten times a second the oldest request of each time limit is looked at. The caller of one that
is overdue is answered, and the request goes on to its end, which the deadlines of the store see to: what it has begun
is not left half done.

Not here: how counts are shown (metrics.py), what is written to the log (logs.py).
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from enum import IntEnum
from time import monotonic

from starlette.types import Scope, Send

from api.deps import request_id_of
from api.errors import BodyTooSlow, DeadlineExceeded, Overloaded, problem_reply
from api.reply import send_reply
from engine.config import Settings
from engine.errors import AllotError
from engine.histogram import Histogram

TICK_SECONDS = 0.1
MOST_WAIT_SECONDS = 2.0
"""A promise that has not been begun after so long is refused: its shopper had better ask again."""
LAGS_SECONDS = (0.25, 0.5, 1.0, 2.0)
"""Lags of the event loop, twice in a row, from which promises, reads, changes and reservations are refused if more than
`FEW` requests are being served: a machine that is busy with something else is no reason."""
FEW = 16
SHARES = (0.6, 0.75, 0.9, 1.0)
"""The shares of ALLOT_MOST_IN_FLIGHT from which the same are refused."""


class Lane(IntEnum):
    """What is refused first when there is too much to do; health never is."""

    PROMISES = 0
    READS = 1
    CHANGES = 2
    RESERVATIONS = 3
    HEALTH = 4


_PROMISING = frozenset(["promises", "get-it-by", "nearest-stores"])
_READING = frozenset(["availability"])
_RESERVING = frozenset(["reservations", "reservation-batches", "orders"])


def lane_of(method: str, word: str) -> Lane:
    """Return the lane of an endpoint, by its method and the first word of its path."""
    if word == "health":
        return Lane.HEALTH
    if word in _PROMISING:
        return Lane.PROMISES
    if method == "GET" or word in _READING:
        return Lane.READS
    return Lane.RESERVATIONS if word in _RESERVING else Lane.CHANGES


READING, WORKING = range(2)
"""How far a request has come."""


class Way:
    """What all requests of one endpoint share: lane, time limit, and counts by class of status."""

    __slots__ = ("flights", "is_change", "is_queued", "lane", "method", "rank", "route", "seconds", "statuses")

    def __init__(self, method: str, route: str, lane: Lane, seconds: float, flights: dict[Flight, None]) -> None:
        self.method, self.route, self.lane, self.seconds, self.flights = method, route, lane, seconds, flights
        self.rank = int(lane)
        self.is_queued = lane is Lane.PROMISES
        self.is_change = lane in {Lane.CHANGES, Lane.RESERVATIONS}
        self.statuses = [Histogram() for _ in range(6)]


class Flight:
    """One request that is being served; what is the same for most of them is told by the class, which costs nothing."""

    phase = WORKING
    is_over = is_at_work = False
    code: str | None = None

    def __init__(self, way: Way, asgi: tuple[Scope, Send]) -> None:
        self.way = way
        self.asgi = asgi
        self.started = monotonic()


class Traffic:
    """The requests of one process; `note` is told of each that is over, with its status (0: the caller went)."""

    def __init__(self, settings: Settings | None = None) -> None:
        chosen = settings or Settings.model_construct()
        self.timeout_seconds = chosen.request_timeout_seconds
        self.most_at_once = chosen.most_promises_at_once
        self.in_flight = 0
        self.at_work = 0
        self.lag_seconds = 0.0
        self.lags = Histogram()
        self.problems: Counter[str] = Counter()
        self.disconnects = 0
        self.note: Callable[[Flight, int, float], None] | None = None
        self.ways: list[Way] = []
        self._limits = [max(1, round(share * chosen.most_in_flight)) for share in SHARES] + [2**62]
        self._most = list(self._limits)
        self._by_seconds: dict[float, dict[Flight, None]] = {}
        self._queue: deque[tuple[Flight, asyncio.Future[None]]] = deque()
        self._answering: set[asyncio.Task[None]] = set()

    def way(self, method: str, route: str, lane: Lane, *, factor: float = 1.0) -> Way:
        """Return the way of an endpoint, made once; its time limit is `factor` times that of the settings."""
        seconds = self.timeout_seconds * factor
        way = Way(method, route, lane, seconds, self._by_seconds.setdefault(seconds, {}))
        self.ways.append(way)
        return way

    @property
    def waiting(self) -> int:
        """Return how many promises have not been begun."""
        return len(self._queue)

    def take_off(self, way: Way, asgi: tuple[Scope, Send]) -> Flight:
        """Begin to serve a request; raises Overloaded."""
        if self.in_flight >= self._most[way.rank]:
            self.problems[Overloaded.code] += 1
            way.statuses[5].add(0.0)
            raise Overloaded(f"{self.in_flight} requests are being served now. Send this one again in a second.")
        flight = Flight(way, asgi)
        way.flights[flight] = None
        self.in_flight += 1
        return flight

    async def turn(self, flight: Flight) -> None:
        """Wait until a promise may be made; raises Overloaded when that takes too long."""
        if self.at_work < self.most_at_once:
            self.at_work += 1
            flight.is_at_work = True
            return
        free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((flight, free))
        try:
            await free
        except asyncio.CancelledError:
            flight.is_at_work = not free.cancelled()
            raise
        flight.is_at_work = True

    def land(self, flight: Flight, status: int) -> None:
        """Count a request that is over; status 0 stands for a caller who has gone."""
        self.in_flight -= 1
        if flight.is_at_work:
            self._hand_on()
        if not flight.is_over:
            self._count(flight, status)

    def _count(self, flight: Flight, status: int) -> None:
        flight.is_over = True
        way = flight.way
        way.flights.pop(flight, None)
        seconds = monotonic() - flight.started
        if status:
            way.statuses[status // 100].add(seconds)
        else:
            self.disconnects += 1
        if flight.code is not None:
            self.problems[flight.code] += 1
        if self.note is not None:
            self.note(flight, status, seconds)

    async def keep_time(self) -> None:
        """Look at the clock until cancelled: how late the loop is, and which requests are."""
        lag_before = 0.0
        while True:
            before = monotonic()
            await asyncio.sleep(TICK_SECONDS)
            now = monotonic()
            self.lag_seconds = max(0.0, now - before - TICK_SECONDS)
            self.lags.add(self.lag_seconds)
            self._press(min(lag_before, self.lag_seconds))
            lag_before = self.lag_seconds
            self._refuse_waiting(now - MOST_WAIT_SECONDS)
            for flight in list(self._overdue(now)):
                self._answer_overdue(flight)

    def _press(self, lag_seconds: float) -> None:
        """Refuse the lanes that a loop so late has no time for."""
        pressure = sum(lag_seconds >= limit for limit in LAGS_SECONDS)
        self._most = [min(FEW, most) if lane < pressure else most for lane, most in enumerate(self._limits)]

    def _overdue(self, now: float) -> Iterator[Flight]:
        for flights in self._by_seconds.values():
            for flight in list(flights):
                if flight.started + flight.way.seconds > now:
                    break  # those behind it began later
                yield flight

    def _refuse_waiting(self, since: float) -> None:
        """Refuse promises that have waited since then, or longer."""
        while self._queue and self._queue[0][0].started <= since:
            _, free = self._queue.popleft()
            if not free.done():
                left = f"{len(self._queue) + 1} promises wait to be made. Send this request again in a second."
                free.set_exception(Overloaded(left))

    def _answer_overdue(self, flight: Flight) -> None:
        """Answer the caller of an overdue request, which itself goes on to its end: it may be half done."""
        scope, send = flight.asgi
        error = _reason(flight)
        flight.code = error.code
        reply = problem_reply(error, request_id_of(scope), {"Connection": "close"})
        self._count(flight, reply.status)
        answering = asyncio.create_task(send_reply(reply, scope, send))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)

    def _hand_on(self) -> None:
        """Let the next promise that waits begin, in the place of one that is done."""
        while self._queue:
            _, free = self._queue.popleft()
            if not free.done():
                free.set_result(None)
                return
        self.at_work -= 1


def _reason(flight: Flight) -> AllotError:
    """Return what the caller of an overdue request is told."""
    limit = f"within {flight.way.seconds:g} s"
    if flight.phase == READING:
        return BodyTooSlow(f"The body had not arrived {limit}. Send the request again.")
    if not flight.way.is_change:
        return DeadlineExceeded(f"The answer was not ready {limit}. Nothing was changed; send the request again.")
    return DeadlineExceeded(
        f"The change was not done {limit}. It may have happened, as a whole, or may yet: send the same request again, "
        "with the same Idempotency-Key if it had one, and it happens once."
    )
