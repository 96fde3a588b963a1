"""The wire form of simulations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from api.schemas.fields import Body, Identifier, Reply

WAIT_SECONDS = 5.0


class SimulationBody(Body, frozen=True, kw_only=True):
    """A scenario, as an object or as the text of its file (YAML or JSON), and how to run it.

    It names no files: neither `extends` nor files of its world. `policies` are those to run, by default all;
    `replications` in place of what the scenario says.
    """

    scenario: dict[str, Any] | Annotated[str, Meta(min_length=1)]
    policies: Annotated[tuple[Identifier, ...], Meta(max_length=100)] = ()
    replications: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    deadline_seconds: Annotated[int, Meta(ge=1, le=604_800)] | None = None


class AcceptedSimulation(Reply, frozen=True, kw_only=True):
    """A simulation that was taken."""

    simulation_id: str
    status: str


class SimulationProgress(Reply, frozen=True, kw_only=True):
    """Days and replications of all policies together; 0 of 0 before its scenario is read."""

    replications: int
    replications_done: int
    days: int
    days_done: int


class SimulationKpi(Reply, frozen=True, kw_only=True):
    """A KPI of a policy: its mean over replications, its difference from the first policy, half the 95 % intervals."""

    policy: str
    kpi: str
    unit: str
    mean: float | None
    half_width: float | None
    difference: float | None
    difference_half_width: float | None


class SimulationExpectation(Reply, frozen=True, kw_only=True):
    """What the scenario expects of a KPI, and whether it holds."""

    kpi: str
    policy: str
    relation: str
    bar: float | None
    value: float | None
    holds: bool


class SimulationFlaw(Reply, frozen=True, kw_only=True):
    """What is wrong with the scenario, and where: `scenario:line:column`."""

    path: str
    message: str


class SimulationReply(Reply, frozen=True, kw_only=True):
    """How a simulation stands: `queued`, `running`, `done`, `failed` or `cancelled`; KPIs when it is done."""

    simulation_id: str
    status: str
    name: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: SimulationProgress
    kpis: list[SimulationKpi]
    expectations: list[SimulationExpectation]
    failure: str | None
    code: str | None
    flaws: list[SimulationFlaw]


class SimulationEventsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After which event to read on (or the header `Last-Event-ID`), and how long to wait for one."""

    after: Annotated[int, Meta(ge=0)] | None = None
    wait_seconds: Annotated[float, Meta(ge=0, le=WAIT_SECONDS)] = WAIT_SECONDS


class SimulationEvent(Reply, frozen=True, kw_only=True):
    """What `data` of an event may hold: `started`, `day`, `replication`, `over`."""

    again: bool | None = None
    policy: str | None = None
    replication: int | None = None
    day: int | None = None
    days_done: int | None = None
    days: int | None = None
    done: int | None = None
    of: int | None = None
    status: str | None = None
    failure: str | None = None


class SimulationResultsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which table."""

    table: Annotated[str, Meta(pattern="^(kpis|orders)$")] = "kpis"


class SimulationPage(Reply, frozen=True, kw_only=True):
    """One HTML page without scripts."""
