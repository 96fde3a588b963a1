"""Solves on Ray workers: real ones, on a cluster of their own, which the tests of this folder share (conftest.py).

Plans are those of a solve without Ray, whatever happens to the workers. Not here: several nodes (test_ray_nodes.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from faults.scale import SCALE, SHARE

from engine.dispatch.dispatcher import Dispatcher
from engine.dispatch.local import threads
from engine.dispatch.options import RayOptions, ray_options
from engine.dispatch.packing import pack
from engine.dispatch.ray import Fleet, Session
from engine.integrations.generate import Recipe, generate
from engine.inventory.redis_store import LIBRARY as INVENTORY_LIBRARY
from engine.orders.redis_store import LIBRARY as ORDERS_LIBRARY
from engine.routing import solving
from engine.routing.folder import read_problem
from engine.routing.run_store import LIBRARY as RUNS_LIBRARY
from engine.storage import documents
from engine.storage.client import MultiplexedClient
from engine.storage.functions import ensure
from solvers import prices
from solvers.params import Params
from solvers.plan import RoutingResult
from solvers.problem import RoutingProblem
from solvers.solve import solve
from solvers.stopping import Overdue, Stopping
from tests.dispatch.batches import routed
from tests.dispatch.parts import dies_elsewhere, fails, kept_length, pid_of, slowly
from tests.dispatch.processes import Killer, family

PARAMS = Params(dual_steps=12, together_orders=50, whole_orders=60, block_orders=40, passes=1, rounds_per_order=20)
"""So that sweeps, explorers and blocks are all spread."""

SWEEPS, EXPLORERS, BLOCKS = range(3, 15), 15, (16, 17)
"""Which calls of the spread these are."""

LOOPBACK = ("0100007F:", "0" * 24 + "01000000:", "0000000000000000FFFF00000100007F:")
"""127.0.0.1, ::1 and ::ffff:127.0.0.1 as the kernel writes them."""

Spread = Callable[..., Iterator[Any]]


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> RoutingProblem:
    folder = tmp_path_factory.mktemp("batch") / "problem"
    generate(Recipe(orders=150, nodes=8, skus=40, seed=4), folder)
    return read_problem(folder).problem


@pytest.fixture
def solved(problem: RoutingProblem, monkeypatch: pytest.MonkeyPatch) -> Callable[[Spread], tuple[Any, ...]]:
    """Solve the batch with a spread, and return all that must not depend on it."""
    monkeypatch.setattr(prices, "SHARD_ORDERS", 20)

    def outcome(spread: Spread) -> tuple[Any, ...]:
        result: RoutingResult = solve(problem, PARAMS, Stopping(stopwatch=lambda: 0.0), spread=spread)
        plan, certificate = result.plan, result.prices
        arrays = (plan.line, plan.node, plan.quantity, plan.service, certificate.stock, certificate.units)
        return (plan.costs.total, result.lower_bound_cents, *(array.tobytes() for array in arrays))

    return outcome


def a_worker(session: Session) -> int:
    """Return the process of a worker; a part may be done here while workers are replaced, and we are not to die."""
    for _ in range(100):
        if (pid := int(next(session(pid_of, range(1))))) != os.getpid():
            return pid
        time.sleep(0.1)
    raise AssertionError("no worker does anything")


def made_whole(fleet: Fleet) -> None:
    """Wait until all workers are there that are asked for."""
    for _ in range(600):
        fleet.look_after()
        if len(fleet.ready()) == fleet.options.workers:
            return
        time.sleep(0.1)
    raise AssertionError(f"{len(fleet.members)} workers, {len(fleet.ready())} of them are there")


class Killing:
    """A spread that kills a worker shortly after certain calls have begun, while it is at work.

    The answers of these calls are compared with those of the same parts done here: a plan may well be the same though
    a part of a sweep was lost on its way.
    """

    def __init__(self, session: Session, calls: Iterable[int], dice: Random) -> None:
        self.session, self.calls, self.dice = session, set(calls), dice
        self.number, self.killed, self.done_here = 0, list[int](), 0

    def __call__(self, function: Any, *parts: Iterable[Any]) -> Iterator[Any]:
        self.number += 1
        if self.number not in self.calls:
            return self.session(function, *parts)
        columns, victim = [list(column) for column in parts], a_worker(self.session)
        killer = threading.Timer(self.dice.uniform(0.001, 0.02), os.kill, (victim, signal.SIGKILL))
        self.killed.append(victim)
        killer.start()
        before = self.session.done_here
        answers = list(self.session(function, *columns))
        self.done_here += self.session.done_here - before
        killer.join()
        assert [bits(each) for each in answers] == [bits(each) for each in map(function, *columns)]
        return iter(answers)


def bits(value: Any) -> tuple[bytes, list[bytes]]:
    """Return all of a value that is sent, to compare it."""
    head, buffers = pack(value)
    return head, [buffer.tobytes() if isinstance(buffer, np.ndarray) else buffer.word.tobytes() for buffer in buffers]


def test_one_two_and_four_ray_workers_give_the_plan_of_threads_and_of_none(
    fleet: Fleet, solved: Callable[[Spread], tuple[Any, ...]]
) -> None:
    """Seeded bug this catches: answers taken in the order in which they come."""
    alone = solved(map)
    with threads(3) as spread:
        assert solved(spread) == alone
    session = Session(fleet)
    assert solved(session) == alone
    assert session.done_here == 0
    session.close()
    other = Fleet(RayOptions(workers=4))
    for workers in (4, 1):
        other.options = replace(other.options, workers=workers)
        while len(other.members) > workers:
            other.drop(other.members[-1])
        session = Session(other)
        assert solved(session) == alone
        assert session.done_here == 0
        assert len(set(session(pid_of, range(40)))) <= workers
        session.close()
    other.close()


def test_workers_killed_during_a_solve_change_nothing_in_its_plan(
    fleet: Fleet, solved: Callable[[Spread], tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bugs this catches: a part of a dead worker left out; a new worker not sent what the old one kept."""
    monkeypatch.setattr(fleet, "options", replace(fleet.options, retries=3))
    alone, dice = solved(map), Random(3)
    for _ in range(SCALE.batches):
        session = Session(fleet)
        killing = Killing(session, [dice.choice(SWEEPS), EXPLORERS, dice.choice(BLOCKS)], dice)
        assert solved(killing) == alone
        assert (len(set(killing.killed)), killing.done_here) == (3, 0)
        session.close()
    assert killing.killed[0] not in set(Session(fleet)(pid_of, range(20)))


def test_a_worker_that_dies_before_it_has_greeted_is_replaced(fleet: Fleet) -> None:
    """Seeded bug this catches: it is dropped for good, so that in the end everything is done here."""
    made_whole(fleet)
    for member in list(fleet.members):
        fleet.replace(member)
        fleet.ray.kill(fleet.members[-1].actor)
    made_whole(fleet)
    session = Session(fleet)
    assert os.getpid() not in set(session(pid_of, range(4)))


def test_what_is_done_here_for_want_of_workers_ends_at_the_deadline_too(fleet: Fleet) -> None:
    """Seeded bug this catches: only what workers do has a limit."""
    members, fleet.members = fleet.members, []
    fleet._not_before = time.monotonic() + 60
    session = Session(fleet, time.monotonic() + 0.2)
    with pytest.raises(Overdue):
        session(partial(slowly, 0.15), range(40))
    assert 0 < session.done_here < 5
    fleet.members, fleet._not_before = members, 0.0


async def test_runs_whose_workers_are_killed_all_the_time_commit_the_same_plans_once_each(
    fleet: Fleet,
    client: MultiplexedClient,
    tenant: str,
    monkeypatch: pytest.MonkeyPatch,
    reached: Callable[..., None],
) -> None:
    """Each batch is routed twice, by workers that live and by workers that die; a soak compares the time too.

    Seeded bug this catches: a run fails with its worker.
    """
    orders, shard, kill_seconds = (2000, 100, 20.0) if SHARE else (150, 20, 0.4)
    monkeypatch.setattr(prices, "SHARD_ORDERS", shard)
    monkeypatch.setattr(solving, "Params", partial(replace, replace(PARAMS, dual_steps=150 if SHARE else 12)))
    await ensure(client, [documents.LIBRARY, INVENTORY_LIBRARY, ORDERS_LIBRARY, RUNS_LIBRARY])
    calm = disturbed = 0.0
    if SHARE:
        await routed(client, f"{tenant}-warm", 0, orders, fleet)
    with closing(Killer(kill_seconds)) as killer:
        for number in range(SCALE.batches):
            wanted = await routed(client, f"{tenant}-{number}-calm", number, orders, fleet)
            found = await routed(client, f"{tenant}-{number}-killed", number, orders, fleet, killer)
            assert found.left == wanted.left
            assert found.commits == wanted.commits == [1] * orders
            calm, disturbed = calm + wanted.seconds, disturbed + found.seconds
    assert killer.kills > 0
    made_whole(fleet)
    if SHARE:
        assert disturbed <= 1.5 * calm
    figures = {"calm_seconds": round(calm), "seconds": round(disturbed)}
    reached("Ray workers killed beside runs", batches=SCALE.batches, kills=killer.kills, **figures)


def test_a_part_of_a_killed_worker_is_done_by_another(fleet: Fleet) -> None:
    """Seeded bug this catches: whatever a dead worker had is done here."""
    session = Session(fleet)
    victim = a_worker(session)
    threading.Timer(0.15, os.kill, (victim, signal.SIGKILL)).start()
    answers = list(session(partial(slowly, 0.3), range(6)))
    assert [square for square, _ in answers] == [part * part for part in range(6)]
    assert session.done_here == 0
    assert os.getpid() not in {pid for _, pid in answers}


def test_a_part_that_kills_every_worker_is_done_here_after_the_retries(fleet: Fleet) -> None:
    """Seeded bug this catches: a part tried again for ever."""
    session = Session(fleet)
    assert list(session(partial(dies_elsewhere, os.getpid()), range(3))) == [1, 2, 3]
    assert session.done_here >= 1


def test_what_fails_in_a_worker_fails_here_in_its_own_words(fleet: Fleet) -> None:
    """Seeded bug this catches: the error of Ray passed on, which is a ZeroDivisionError of its own making."""
    with pytest.raises(ZeroDivisionError) as caught:
        Session(fleet)(fails, [1, 0])
    assert caught.type is ZeroDivisionError


def test_a_call_that_is_not_over_at_the_deadline_is_cancelled_and_workers_are_there_again(fleet: Fleet) -> None:
    """Seeded bug this catches: answers waited for without a limit."""
    session, began = Session(fleet, time.monotonic() + 0.4), time.monotonic()
    with pytest.raises(Overdue):
        session(partial(slowly, 60.0), range(4))
    assert time.monotonic() - began < 5
    assert list(Session(fleet)(fails, [1])) == [1]


def test_a_worker_that_is_silent_for_too_long_is_replaced_and_its_part_done_in_the_end(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug this catches: only workers that are known to be dead are replaced."""
    monkeypatch.setattr(fleet, "options", replace(fleet.options, part_seconds=1.0, retries=0))
    session = Session(fleet)
    ((square, pid),) = session(partial(slowly, 2.5), [5])
    assert (square, pid, session.done_here) == (25, os.getpid(), 1)


def test_what_a_solve_kept_is_let_go_of_with_it(fleet: Fleet) -> None:
    """Seeded bug this catches: references kept until the process ends, which fill the object store."""
    session = Session(fleet)
    assert list(session(partial(kept_length, kept=list(range(1000))), [1])) == [1001]
    assert session._kept
    session.close()
    assert not session._kept


def listening(pids: set[int]) -> dict[str, int]:
    """Return the addresses, in hexadecimal, on which these processes listen for TCP connections."""
    inodes = {}
    for kind in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A":
                inodes[rest[5]] = local
    found = {}
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                name = os.readlink(handle)
            except OSError:
                continue
            if name.startswith("socket:[") and name[8:-1] in inodes:
                found[inodes[name[8:-1]]] = pid
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc")
def test_our_own_cluster_listens_on_loopback_only(fleet: Fleet) -> None:
    """Seeded bug this catches: RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER not set before ray is imported."""
    list(Session(fleet)(pid_of, range(4)))
    found = listening(family(os.getpid()))
    assert len(found) >= 5
    assert not {at: pid for at, pid in found.items() if not at.startswith(LOOPBACK)}


def test_ray_is_not_imported_before_it_is_needed() -> None:
    """Seeded bug this catches: ray imported at the top of a file that `allot --help` or the server imports."""
    modules = "api.app, api.cli.main, api.cli.route, engine.bootstrap, engine.routing.route_folder"
    command = [sys.executable, "-c", f"import sys, {modules}; print('ray' in sys.modules)"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_small_batches_and_narrow_methods_never_touch_ray(fleet: Fleet) -> None:
    dispatcher = Dispatcher(1, RayOptions(from_orders=100))
    for orders, wide in ((99, True), (100, False)):
        with dispatcher.spread(orders, wide=wide) as spread:
            assert not isinstance(spread, Session)
    with dispatcher.spread(100) as spread:
        assert isinstance(spread, Session)
    dispatcher.close()


def test_ray_is_used_with_a_cluster_or_when_somebody_says_from_when_on() -> None:
    assert ray_options(workers=2, address=None, from_orders=None) is None
    assert ray_options(workers=2, address="auto", from_orders=None) is not None
    own = ray_options(workers=2, address=None, from_orders=500)
    assert own is not None
    assert (own.address, own.from_orders) == (None, 500)


def test_a_batch_is_solved_here_if_ray_cannot_be_had(fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = Dispatcher(1, RayOptions(address="127.0.0.1:1"))  # this process is on another cluster already
    for _ in range(2):
        with dispatcher.spread(100) as spread:
            assert spread is map
    assert len(caplog.records) == 1  # and Ray is not tried again for a while
