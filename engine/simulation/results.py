"""Results as bytes: of one replication, and of a story under its policies; the same on any machine.

`replications/POLICY-N.json` in a result folder holds one replication; the folder's `results.json` names the story, its
inputs and the policies, in order. Not here: who simulates (running.py), what is shown (engine/reporting).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from engine.errors import Fault, InvalidInput
from engine.scenarios.story import Story, StoryPolicy
from engine.simulation.facts import Ledger, Names
from engine.simulation.intervals import Interval, difference, interval
from engine.simulation.tally import Tally

VERSION = 1
STORY_FILE = "results.json"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A node as the story begins."""

    node_id: str
    kind: str
    latitude: float
    longitude: float


class PolicyTold(msgspec.Struct, frozen=True, kw_only=True):
    """A policy of a story, as reports name it."""

    name: str
    about: str
    router: str
    window_minutes: int
    reserves: bool
    bid_prices: bool
    run: dict[str, Any] | None = None
    """What it states of routing runs, as a policy document."""
    network_fields: dict[str, Any] = {}
    """What it states of the network's own policy."""
    from_s: int = 0


class StoryTold(msgspec.Struct, frozen=True, kw_only=True):
    """What results say of their story; `first_day` is in its time zone."""

    version: int
    name: str
    about: str
    seed: int
    first_day: str
    time_zone: str
    currency: str
    days: int
    warm_up_days: int
    replications: int
    sha256: str
    inputs: dict[str, str]
    policies: list[PolicyTold]
    nodes: list[Node]
    services: list[str]
    zones: list[str]
    channels: list[str]

    @property
    def node_ids(self) -> list[str]:
        """The names that the numbers of nodes stand for."""
        return [node.node_id for node in self.nodes]


class ReplicationResult(msgspec.Struct, frozen=True, kw_only=True):
    """One replication of a story under one policy; `story_sha256` says of which story."""

    version: int
    story_sha256: str
    policy: str
    replication: int
    kpis: dict[str, float | None]
    ledger: Ledger
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryResults:
    """The replications of a story by policy, those of each in their order."""

    story: StoryTold
    by_policy: Mapping[str, Sequence[ReplicationResult]]

    def values(self, policy: str, kpi: str) -> list[float | None]:
        """Return a KPI of each replication."""
        return [result.kpis.get(kpi) for result in self.by_policy[policy]]

    def mean(self, policy: str, kpi: str) -> Interval | None:
        """Return a KPI over the replications of a policy."""
        return interval(self.values(policy, kpi))

    def difference(self, policy: str, base: str, kpi: str) -> Interval | None:
        """Return by how much a policy differs from another, on the same random numbers."""
        return difference(self.values(policy, kpi), self.values(base, kpi))

    def tally(self, policy: str) -> Tally:
        """Return the tallies of all replications of a policy, added up."""
        first, *others = self.by_policy[policy]
        total = msgspec.json.decode(encoded(first.tally), type=Tally)
        for other in others:
            total.add(other.tally)
        return total


def told_of(story: Story, names: Names, policies: Sequence[StoryPolicy], replications: int) -> StoryTold:
    """Return what results say of a story that is simulated under some policies."""
    known = {node.node_id: node for node in story.world.network.nodes}
    return StoryTold(
        version=VERSION,
        name=story.name,
        about=story.about,
        seed=story.seed,
        first_day=story.start.astimezone(ZoneInfo(story.time_zone)).date().isoformat(),
        time_zone=story.time_zone,
        currency=story.world.network.currency,
        days=story.days,
        warm_up_days=story.warm_up_days,
        replications=replications,
        sha256=story.sha256,
        inputs=dict(story.inputs),
        policies=[_policy(policy) for policy in policies],
        nodes=[
            Node(
                node_id=node_id,
                kind=known[node_id].kind if node_id in known else "",
                latitude=known[node_id].latitude if node_id in known else 0.0,
                longitude=known[node_id].longitude if node_id in known else 0.0,
            )
            for node_id in names.nodes
        ],
        services=list(names.services),
        zones=list(names.zones),
        channels=list(names.channels),
    )


def _policy(policy: StoryPolicy) -> PolicyTold:
    return PolicyTold(
        name=policy.name,
        about=policy.about,
        router=str(policy.router),
        window_minutes=policy.window_minutes,
        reserves=policy.reserves,
        bid_prices=policy.bid_prices,
        run=None if policy.run is None else policy.run.model_dump(mode="json", exclude_unset=True),
        network_fields=dict(policy.network_fields),
        from_s=policy.from_s,
    )


def encoded(result: Any) -> bytes:
    """Return a result as JSON whose bytes depend on nothing but its content."""
    return msgspec.json.encode(msgspec.to_builtins(result, str_keys=True), order="deterministic")


Read = TypeVar("Read")


def decoded(content: bytes, kind: type[Read], place: str) -> Read:
    """Return a result from its JSON; raise InvalidInput if it is none."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        message = f"is no result of allot simulate ({error}); remove it, or name another folder"
        raise InvalidInput(Fault(path=place, message=message)) from error


def replication_path(folder: Path, policy: str, replication: int) -> Path:
    """Return where the result of a replication is; characters that file names do not have everywhere are escaped."""
    return folder / "replications" / f"{quote(policy, safe='')}-{replication}.json"


def read_results(folder: Path) -> StoryResults:
    """Return the results in a folder; raise InvalidInput if there are none, or not all."""
    path = folder / STORY_FILE
    if not path.is_file():
        message = "there are no results; make them with allot simulate FILE --out FOLDER"
        raise InvalidInput(Fault(path=str(path), message=message))
    story = decoded(path.read_bytes(), StoryTold, str(path))
    by_policy = {}
    for policy in story.policies:
        paths = [replication_path(folder, policy.name, number) for number in range(story.replications)]
        missing = [str(one) for one in paths if not one.is_file()]
        if missing:
            message = "is missing; run allot simulate once more, it goes on where it stopped"
            raise InvalidInput([Fault(path=one, message=message) for one in missing])
        by_policy[policy.name] = [decoded(one.read_bytes(), ReplicationResult, str(one)) for one in paths]
    return StoryResults(story=story, by_policy=by_policy)
