"""Simulations over HTTP: a scenario is taken at once, and simulated by a process of its own beside the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import simulations as wire
from engine.bootstrap import Engine
from engine.config import SimulationTerms
from engine.errors import Fault, InvalidInput, NotFound, Refused, Unavailable
from engine.events.holder import holder
from engine.simulation.jobs import DONE, OVER, Job, JobFolder, Jobs, Told, Wanted

MOST_BYTES = 2**20
LOOK_SECONDS = 0.1
MOST_RESULT_BYTES = 256 * 2**20
RETRY_MS = 250
HTML, EVENTS, PARQUET = "text/html; charset=utf-8", "text/event-stream", "application/vnd.apache.parquet"
KPIS = "kpis.json"


class _Kpis(msgspec.Struct, frozen=True):
    kpis: list[wire.SimulationKpi] = []
    expectations: list[wire.SimulationExpectation] = []


async def create_simulation(call: Call[wire.SimulationBody, NoQuery]) -> Answer:
    """Simulates a scenario on the real engine, in a process of its own at low priority; nothing live is touched.

    The scenario names no files. What is wrong with its shape is refused at once, what else is wrong makes it `failed`
    with the faults. It goes on where it was when the server is restarted, and is kept for seven days.
    """
    terms, body, replay = _terms(call.engine), call.body, call.replay
    assert replay is not None
    text = body.scenario if isinstance(body.scenario, str) else json.dumps(body.scenario, ensure_ascii=False)
    jobs, who = Jobs(terms.folder), holder()
    simulation_id = f"sim_{replay.digest[:24]}"
    if await asyncio.to_thread(jobs.find, simulation_id) is None:
        name = await asyncio.to_thread(_checked_name, text, body, terms.most_orders)
        if await asyncio.to_thread(jobs.under_way, who) >= terms.per_key:
            raise Refused(f"{terms.per_key} simulations of this key are under way, and there may not be more.")
    else:
        name = ""
    wanted = Wanted(
        simulation_id=simulation_id,
        holder=who,
        name=name,
        created_at=call.engine.clock.now(),
        fingerprint=replay.fingerprint,
        policies=list(body.policies),
        replications=body.replications,
        most_seconds=min(terms.most_seconds, body.deadline_seconds or terms.most_seconds),
        most_orders=terms.most_orders,
    )
    is_new = await asyncio.to_thread(jobs.create, wanted, text)
    accepted = wire.AcceptedSimulation(simulation_id=simulation_id, status="queued")
    return Answer(value=accepted, status=202, is_replayed=not is_new)


async def get_simulation(call: Call[None, NoQuery]) -> Answer:
    """How far a simulation is; when it is done, its KPIs by policy, and whether what it expects holds."""
    folder, job = await _found(call)
    return Answer(value=await asyncio.to_thread(_shown, folder, job))


async def read_simulation_events(call: Call[None, wire.SimulationEventsQuery]) -> Answer:
    """Progress as server-sent events: `started`, `day`, `replication`, `over`, each with a number as its id.

    An answer ends with the events that there are, or after `wait_seconds` without any; an `EventSource` comes again by
    itself, with `Last-Event-ID`, and misses none. After `over` has been read the answer is 204, which ends it.
    """
    after = _after(call)
    folder, _ = await _found(call)
    ends = monotonic() + call.query.wait_seconds
    while not (told := await asyncio.to_thread(folder.told, after)) and monotonic() < ends:
        if folder.state().status in OVER and not folder.told(after):
            return Answer(value=b"", status=204, media_type=EVENTS)
        await asyncio.sleep(LOOK_SECONDS)
    return Answer(value=_stream(told), media_type=EVENTS)


async def get_simulation_report(call: Call[None, NoQuery]) -> Answer:
    """The report of a simulation that is done: one HTML page without scripts, to keep or to show."""
    folder = await _done(call)
    return Answer(value=await _read(folder.results / "report.html"), media_type=HTML)


async def get_simulation_results(call: Call[None, wire.SimulationResultsQuery]) -> Answer:
    """A table of a simulation that is done, as Parquet: `kpis`, a row a policy and KPI, or `orders`, a row an order."""
    folder = await _done(call)
    return Answer(value=await _read(folder.results / f"{call.query.table}.parquet"), media_type=PARQUET)


async def cancel_simulation(call: Call[None, NoQuery]) -> Answer:
    """Cancels a simulation that is under way; one that is over is forgotten, with its results."""
    folder, job = await _found(call)
    if job.state.status in OVER:
        await asyncio.to_thread(Jobs(_terms(call.engine).folder).remove, folder)
        return Answer(value=_plain(job))
    folder.cancel()
    return Answer(value=_plain(job))


def _checked_name(text: str, body: wire.SimulationBody, most_orders: int) -> str:
    from api.simulation_check import checked_name  # a third of a second, which no other server has to pay

    return checked_name(text, body.policies, body.replications, most_orders=most_orders)


def _terms(engine: Engine) -> SimulationTerms:
    if engine.simulations is None:
        raise Unavailable("there are no simulations where everything is in memory")
    return engine.simulations


async def _found(call: Call[None, Any]) -> tuple[JobFolder, Job]:
    simulation_id = call.path["simulation_id"]
    folder = Jobs(_terms(call.engine).folder).find(simulation_id)
    job = None if folder is None else await asyncio.to_thread(folder.job)
    if folder is None or job is None:
        raise NotFound(f"There is no simulation {simulation_id!r}, or it is no longer kept.")
    return folder, job


async def _done(call: Call[None, Any]) -> JobFolder:
    folder, job = await _found(call)
    if job.state.status != DONE:
        raise Refused(f"The simulation is {job.state.status}; only one that is done has results.")
    return folder


async def _read(path: Path) -> bytes:
    def read() -> bytes:
        try:
            if path.stat().st_size > MOST_RESULT_BYTES:
                raise Refused(f"{path.name} has more than {MOST_RESULT_BYTES:,} bytes; take it from the server's disk.")
            return path.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"The simulation has no {path.name}.") from None

    return await asyncio.to_thread(read)


def _after(call: Call[None, wire.SimulationEventsQuery]) -> int:
    if call.query.after is not None:
        return call.query.after
    named = call.heads.get(b"last-event-id", b"0").decode("latin-1")
    if not (named.isascii() and named.isdigit() and len(named) <= 18):
        raise InvalidInput(Fault(path="header.Last-Event-ID", message=f"{named[:40]!r} is no id of an event"))
    return int(named)


def _stream(told: Sequence[tuple[int, Told]]) -> bytes:
    lines = [f"retry: {RETRY_MS}\n\n"]
    for number, each in told:
        lines.append(f"id: {number}\nevent: {each.event}\ndata: {msgspec.json.encode(each.data).decode()}\n\n")
    return "".join(lines).encode()


def _shown(folder: JobFolder, job: Job) -> wire.SimulationReply:
    found = _Kpis()
    if job.state.status == DONE:
        found = msgspec.json.decode((folder.path / KPIS).read_bytes(), type=_Kpis)
    return _plain(job, found)


def _plain(job: Job, found: _Kpis | None = None) -> wire.SimulationReply:
    wanted, state = job.wanted, job.state
    return wire.SimulationReply(
        simulation_id=wanted.simulation_id,
        status=state.status,
        name=wanted.name,
        created_at=wanted.created_at,
        started_at=state.started_at,
        finished_at=state.finished_at,
        progress=wire.SimulationProgress(
            replications=state.replications,
            replications_done=state.replications_done,
            days=state.days,
            days_done=state.days_done,
        ),
        kpis=[] if found is None else found.kpis,
        expectations=[] if found is None else found.expectations,
        failure=state.failure,
        code=state.code,
        flaws=[wire.SimulationFlaw(path=flaw.path, message=flaw.message) for flaw in state.flaws],
    )


_STORY = {
    "version": 1,
    "name": "two drawn days",
    "start": "2026-03-02",
    "days": 2,
    "generate": {"nodes": 2, "skus": 5, "orders_per_day": 5},
    "policies": [{"name": "hourly"}, {"name": "daily", "window_minutes": 1440}],
}
_EXAMPLE = {"simulation_id": "sim_0123456789abcdef01234567"}
ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/simulations",
        scope="simulations:write",
        summary="Simulate a scenario",
        handler=create_simulation,
        body=wire.SimulationBody,
        reply=wire.AcceptedSimulation,
        status=202,
        refusals=(Refused,),
        is_keyed=True,
        max_body_bytes=MOST_BYTES,
        example={"scenario": _STORY, "replications": 2},
    ),
    Endpoint(
        method="GET",
        path="/v1/simulations/{simulation_id}",
        scope="simulations:read",
        summary="Show how far a simulation is",
        handler=get_simulation,
        reply=wire.SimulationReply,
        refusals=(NotFound,),
        path_examples=_EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/simulations/{simulation_id}/events",
        scope="simulations:read",
        summary="Follow a simulation",
        handler=read_simulation_events,
        query=wire.SimulationEventsQuery,
        reply=wire.SimulationEvent,
        answers=EVENTS,
        refusals=(NotFound,),
        path_examples=_EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/simulations/{simulation_id}/report",
        scope="simulations:read",
        summary="Show the report of a simulation",
        handler=get_simulation_report,
        reply=wire.SimulationPage,
        answers=HTML,
        refusals=(NotFound, Refused),
        path_examples=_EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/simulations/{simulation_id}/results",
        scope="simulations:read",
        summary="Download a table of a simulation",
        handler=get_simulation_results,
        query=wire.SimulationResultsQuery,
        reply=wire.SimulationKpi,
        answers=PARQUET,
        refusals=(NotFound, Refused),
        path_examples=_EXAMPLE,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/simulations/{simulation_id}",
        scope="simulations:write",
        summary="Cancel or forget a simulation",
        handler=cancel_simulation,
        reply=wire.SimulationReply,
        refusals=(NotFound,),
        path_examples=_EXAMPLE,
    ),
)
