"""Runs the parts of a solve on Ray workers; the only file that imports ray, and only when it is needed.

A fleet is some warm workers. What a solve keeps is put into the object store once and mapped by the workers of a
machine; per call only what has changed is sent, and answers come back without their zeros. At most `DEPTH` parts are
with one worker. A part whose worker died goes to another; a worker that died is replaced, and fetches what it needs.
Long parts go out one by one, are told of while they are done, and come back as they are done (`as_they_come`).

Not here: when Ray is used (`dispatcher.py`), what a worker does (`worker.py`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

from engine.dispatch.options import RayOptions
from engine.dispatch.packing import pack, unpack
from engine.dispatch.worker import Worker, fingerprint, work_of
from engine.errors import Unavailable
from solvers.stopping import Overdue

DEPTH = 2
"""Parts with one worker at a time: the one it does, and the next."""
LOOK_SECONDS = 1.0
"""How often to look for workers that are late."""
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.5, 300.0
"""How long no other worker is asked for in place of one that never greeted; twice as long each time in a row."""
LOOPBACK = "127.0.0.1"
TALK = "talk"
"""The thread of a worker that tells how far it is, while another one works."""

Heard = Callable[[int, Any], None]
"""Hears, of the part at a place, what its function tells."""

log = logging.getLogger(__name__)
_connected_to, _guard = list[str | None](), threading.Lock()
"""The address of every fleet of this process; all are the same."""


def connect(options: RayOptions) -> ModuleType:
    """Return ray, connected to the cluster of the options; raises RuntimeError if that is another one than before."""
    with _guard:
        if _connected_to and _connected_to[0] != options.address:
            raise RuntimeError(f"this process is connected to another cluster, {_connected_to[0] or 'its own'}")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if options.address is None:
            # without it Ray listens on all interfaces of a Linux machine, whatever address it is given
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        import ray

        if not _connected_to:
            quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
            if options.address is not None:
                ray.init(address=options.address, **quiet)
            else:
                ray.init(
                    address="local",
                    num_cpus=options.workers,
                    include_dashboard=False,
                    object_store_memory=options.object_store_mb * 2**20,
                    _node_ip_address=LOOPBACK,
                    **quiet,
                )
        with suppress(AttributeError):
            # Ray tells of dead workers on standard output, where results go; we tell of them in the log
            ray._private.worker.print_to_stdstream = lambda *_, **__: None
        _connected_to.append(options.address)
        return ray


def disconnect(ray: ModuleType) -> None:
    """Let go of the cluster; the last call of a process stops our own."""
    with _guard:
        _connected_to.pop()
        if not _connected_to:
            ray.shutdown()


@dataclass(eq=False, slots=True)
class _Member:
    """A worker of the fleet; `greeting` stands for its first answer until that has come."""

    actor: Any
    greeting: Any
    since: float


@dataclass(eq=False, slots=True)
class _Part:
    place: int
    arguments: tuple[Any, ...]
    tries: int = 0


@dataclass(eq=False, slots=True)
class _Sent:
    part: _Part
    member: _Member
    since: float
    saying: Any = None
    """Stands for what the worker says of it, until that has come."""
    said: Any = None


class Fleet:
    """Warm workers for the solves of this process, one call at a time."""

    def __init__(self, options: RayOptions) -> None:
        """Start, or join, the cluster and ask for workers; raises Unavailable if none comes."""
        self.options, self.lock = options, threading.Lock()
        try:
            self.ray = connect(options)
        except Exception as error:
            raise Unavailable(f"Ray cannot be reached: {type(error).__name__}: {error}") from error
        own = options.address is None
        self._actors = self.ray.remote(num_cpus=0 if own else 1, max_restarts=0, concurrency_groups={TALK: 1})(Worker)
        self.members = [self._new_member() for _ in range(options.workers)]
        self._pause, self._not_before = FIRST_PAUSE_SECONDS, 0.0
        self._await_first()

    def _new_member(self) -> _Member:
        actor = self._actors.remote(self.ray.get)
        return _Member(actor, actor.greet.remote(), time.monotonic())

    def _await_first(self) -> None:
        """Wait until all workers have greeted, or some have and the time is over."""
        wanted, seconds = [member.greeting for member in self.members], self.options.start_seconds
        self.ray.wait(wanted, num_returns=len(wanted), timeout=seconds)
        self.look_after()
        if not self.ready():
            self.close()
            raise Unavailable(f"No Ray worker came within {seconds:g} seconds.")

    def ready(self) -> list[_Member]:
        """Return the workers that can be given something."""
        return [member for member in self.members if member.greeting is None]

    def look_after(self) -> None:
        """Take in workers that have greeted, give up those that never will, and ask for others in their places."""
        for member in [member for member in self.members if member.greeting is not None]:
            came, _ = self.ray.wait([member.greeting], timeout=0)
            late = time.monotonic() - member.since > self.options.start_seconds
            try:
                if came and (theirs := self.ray.get(member.greeting)) == fingerprint():
                    member.greeting, self._pause = None, FIRST_PAUSE_SECONDS
                elif came:
                    log.warning("a Ray worker is left out: it has %s, this process %s", theirs, fingerprint())
                    self._give_up(member)
                elif late:
                    self._give_up(member)
            except self.ray.exceptions.RayError as error:
                log.warning("a Ray worker did not start: %s", error)
                self._give_up(member)
        if time.monotonic() >= self._not_before:
            self.members += [self._new_member() for _ in range(self.options.workers - len(self.members))]

    def _give_up(self, member: _Member) -> None:
        """Drop a worker that never greeted; the next is asked for after a pause."""
        self.drop(member)
        self._not_before = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, MOST_PAUSE_SECONDS)

    def drop(self, member: _Member) -> None:
        """Stop a worker for good."""
        if member in self.members:
            self.members.remove(member)
        with suppress(Exception):
            self.ray.kill(member.actor)

    def replace(self, member: _Member) -> None:
        """Put a new worker into the place of one that is dead, or taken for dead."""
        if member in self.members:
            self.drop(member)
            self.members.append(self._new_member())

    def close(self) -> None:
        """Stop the workers, and our own cluster with the last fleet."""
        for member in list(self.members):
            self.drop(member)
        disconnect(self.ray)


@dataclass(eq=False)
class Session:
    """The `spread` of one solve on a fleet: what it keeps is sent once, and let go of with it."""

    fleet: Fleet
    deadline: float | None = None
    """On the monotonic clock; calls that are not over by then raise Overdue."""
    done_here: int = 0
    """Parts that no worker finished."""
    _kept: dict[int, tuple[Any, Any]] = field(default_factory=dict)

    def __call__(self, function: Any, *parts: Iterable[Any]) -> Iterator[Any]:
        """Do what `map` does; the order of the results is that of the parts."""
        with self.fleet.lock:
            try:
                call = _Call(self, function, zip(*parts, strict=False))
            except self.fleet.ray.exceptions.RayError as error:
                log.warning("nothing can be sent to Ray workers, so this is done here: %s", error)
                return map(function, *parts)
            return iter(call.results())

    def as_they_come(
        self, function: Callable[..., Any], parts: Iterable[tuple[Any, ...]], heard: Heard
    ) -> Iterator[tuple[int, Any]]:
        """Yield place and result of each part when it is done, whatever the order; a worker has one part at a time.

        The function takes `told` too: what it calls that with, `heard` hears with the place of the part, as far as
        there is time. A part that is done again tells anew.
        """
        with self.fleet.lock:
            yield from _Call(self, function, iter(parts), heard).finished()

    def keep(self, name: str, value: Any) -> tuple[str, str, Any]:
        """Return name, key and reference of a value that stays as it is, sent at its first use."""
        if id(value) not in self._kept:
            self._kept[id(value)] = (value, self.fleet.ray.put(pack(value, sparse=False)))
        reference = self._kept[id(value)][1]
        return name, reference.hex(), reference

    def close(self) -> None:
        """Let go of what was kept, here and at the workers."""
        keys = [reference.hex() for _, reference in self._kept.values()]
        with suppress(self.fleet.ray.exceptions.RayError):
            for member in self.fleet.ready():
                member.actor.forget.remote(keys)
        self._kept.clear()


class _Call:
    """One call of a session: parts out, answers in, until all are there."""

    def __init__(
        self, session: Session, function: Any, parts: Iterator[tuple[Any, ...]], heard: Heard | None = None
    ) -> None:
        self.heard, self.depth, self.listen_at = heard, DEPTH if heard is None else 1, 0.0
        self.session, self.fleet, self.ray = session, session.fleet, session.fleet.ray
        work, arguments, named = work_of(function)
        self.kept = [session.keep(name, value) for name, value in named.items()]
        self.common = self.ray.put(pack((work, arguments), sparse=False))
        self.function, self.source = function, enumerate(parts)
        self.again, self.sent, self.found = deque[_Part](), dict[Any, _Sent](), dict[int, Any]()

    def results(self) -> list[Any]:
        """Return the results of all parts, in their order; raises Overdue at the deadline."""
        found = dict(self.finished())
        return [found[place] for place in range(len(found))]

    def finished(self) -> Iterator[tuple[int, Any]]:
        """Yield place and result of each part once it is there; raises Overdue at the deadline."""
        while True:
            while self.found:
                yield self.found.popitem()
            self.fleet.look_after()
            while (member := self._idlest()) is not None and (part := self._next()) is not None:
                self._send(part, member)
            if not self.sent:
                part = self._next()
                if part is None:
                    yield from self.found.items()
                    return
                if not self.fleet.members:
                    self._do_here(part)
                    continue
                self.again.appendleft(part)  # workers are on their way
            self._wait()

    def _next(self) -> _Part | None:
        if self.again:
            return self.again.popleft()
        place, arguments = next(self.source, (-1, ()))
        return None if place < 0 else _Part(place, arguments)

    def _idlest(self) -> _Member | None:
        """Return the worker with least to do, unless all have enough."""
        load = Counter(id(sent.member) for sent in self.sent.values())
        able = [member for member in self.fleet.ready() if load[id(member)] < self.depth]
        return min(able, key=lambda member: load[id(member)], default=None)

    def _send(self, part: _Part, member: _Member) -> None:
        place = None if self.heard is None else part.place
        try:
            answer = member.actor.run.remote(self.kept, [self.common], pack(part.arguments), place)
        except self.ray.exceptions.RayError as error:
            self._failed(part, member, error)
        else:
            self.sent[answer] = _Sent(part, member, time.monotonic())

    def _wait(self) -> None:
        """Wait for answers and for workers on their way, but not for ever."""
        coming = [member.greeting for member in self.fleet.members if member.greeting is not None]
        came, _ = self.ray.wait([*self.sent, *coming], num_returns=1, timeout=self._seconds())
        for answer in came:
            if answer in self.sent:
                self._receive(answer, self.sent.pop(answer))
        self._listen()
        now = time.monotonic()
        if self.session.deadline is not None and now >= self.session.deadline:
            self._cancel()
        for sent in list(self.sent.values()):
            if now - sent.since > self.fleet.options.part_seconds:
                log.warning("a Ray worker has been silent for %g seconds and is replaced", now - sent.since)
                self.fleet.replace(sent.member)

    def _seconds(self) -> float:
        """Return how long to wait before the clock is looked at again."""
        if self.session.deadline is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.0, self.session.deadline - time.monotonic()))

    def _listen(self) -> None:
        """Hear how far workers are, and ask them anew; one that goes on telling is not silent."""
        now = time.monotonic()
        if self.heard is None or now < self.listen_at:
            return
        self.listen_at = now + LOOK_SECONDS
        for sent in self.sent.values():
            with suppress(self.ray.exceptions.RayError):  # of a dead worker its answer tells
                if sent.saying is None:
                    sent.saying = sent.member.actor.said.options(concurrency_group=TALK).remote()
                elif self.ray.wait([sent.saying], timeout=0)[0]:
                    said = self.ray.get(sent.saying)
                    sent.saying = sent.member.actor.said.options(concurrency_group=TALK).remote()
                    if said != sent.said and said[0] == sent.part.place:
                        sent.said, sent.since = said, now
                        self.heard(*said)

    def _receive(self, answer: Any, sent: _Sent) -> None:
        try:
            self.found[sent.part.place] = unpack(self.ray.get(answer))
        except self.ray.exceptions.RayTaskError as error:
            log.warning("a Ray worker failed: %s", error)
            self._do_here(sent.part)  # if the work itself is at fault, it fails here too, in its own words
        except self.ray.exceptions.RayError as error:
            self._failed(sent.part, sent.member, error)

    def _failed(self, part: _Part, member: _Member, error: Exception) -> None:
        """Give a part to another worker, and the worker's place too; do the part here if that has not helped."""
        log.warning("a Ray worker is replaced: %s", str(error).partition("\n")[0])
        self.fleet.replace(member)
        part.tries += 1
        if part.tries > self.fleet.options.retries:
            self._do_here(part)
        else:
            self.again.append(part)

    def _do_here(self, part: _Part) -> None:
        if self.session.deadline is not None and time.monotonic() >= self.session.deadline:
            self._cancel()
        self.session.done_here += 1
        telling = {} if self.heard is None else {"told": partial(self.heard, part.place)}
        self.found[part.place] = self.function(*part.arguments, **telling)

    def _cancel(self) -> None:
        """Stop the workers that are still at it, and put new ones into their places."""
        for member in {id(sent.member): sent.member for sent in self.sent.values()}.values():
            self.fleet.replace(member)
        raise Overdue
