"""Taking the policy of a simulation live: its next version, the network's policy, and an entry in the book.

Refused where the live network is not the one that was simulated, unless somebody says that it does not matter. Not
here: the book (engine/policies/promotions.py), what live routing does under a policy.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.bootstrap import Engine
from engine.errors import Fault, InvalidInput, Refused
from engine.events.actor import acting_as
from engine.faults import nearest
from engine.network.document import NetworkDocument, PolicyDocument
from engine.policies.document import POLICY_ID, RunPolicyDocument
from engine.policies.promotions import Promotion
from engine.simulation.results import STORY_FILE, PolicyTold, StoryTold, read_results, replication_path
from engine.simulation.snapshot_files import network_body

ALLOT = "allot"
MOST_ABOUT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """A policy of a result folder, and what was simulated."""

    policy: PolicyTold
    story: StoryTold
    results_sha256: str


def winner_of(folder: Path, name: str) -> Winner:
    """Return a policy of a result folder; raises InvalidInput if it is not there, or is no policy of the engine."""
    story = read_results(folder).story
    policies = {policy.name: policy for policy in story.policies}
    if name not in policies:
        raise InvalidInput(Fault(path="POLICY", message=f"{name!r} is none of the results; {nearest(name, policies)}"))
    policy = policies[name]
    if policy.router != ALLOT:
        message = f"{name!r} routes by {policy.router!r}, a rule to compare with; only routing by allot can go live"
        raise InvalidInput(Fault(path="POLICY", message=message))
    if policy.from_s > 0:
        message = f"{name!r} counts from a later day of the story on; simulate it from the first day, or put it by hand"
        raise InvalidInput(Fault(path="POLICY", message=message))
    return Winner(policy=policy, story=story, results_sha256=_hash_of(folder, story))


def _hash_of(folder: Path, story: StoryTold) -> str:
    """Return the SHA-256 over the results, each file by its name."""
    paths = [folder / STORY_FILE]
    paths += [
        replication_path(folder, policy.name, number)
        for policy in story.policies
        for number in range(story.replications)
    ]
    lines = sorted(
        f"{path.relative_to(folder).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in paths
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


async def promote(engine: Engine, winner: Winner, *, policy_id: str | None, who: str, force: bool) -> Promotion:
    """Put what a policy states live, and note who did it when from which results.

    Raises InvalidInput if the live engine cannot have it, Refused if its network has moved and nobody said `force`;
    nothing is put then.
    """
    policy, live = winner.policy, (await engine.network.current()).document
    name = _id(policy, policy_id)
    is_same = hashlib.sha256(network_body(live)).hexdigest() in winner.story.inputs.values()
    if not is_same and not force:
        raise Refused(
            f"The live network is not the one that was simulated ({winner.story.name!r}): it moved since the snapshot, "
            "or the story was of another one. Take `allot snapshot` and simulate again, or give --force."
        )
    changed = _with_fields(live, policy.network_fields)
    with acting_as(f"{who}, promoting {policy.name} of results {winner.results_sha256[:12]}"):
        version, network_version = 0, None
        if policy.run is not None:
            about = policy.about or policy.run.get("about") or f"promoted from {winner.story.name}"
            document = RunPolicyDocument.model_validate({**policy.run, "policy_id": None, "about": about[:MOST_ABOUT]})
            version = (await engine.policies.put(name, document)).version
        if changed != live:
            network_version = await engine.network.put(changed)
        promotion = Promotion(
            policy_id=name,
            version=version,
            network_version=network_version,
            network_fields=sorted(policy.network_fields) if network_version is not None else [],
            who=who,
            at=engine.clock.now(),
            story=winner.story.name,
            story_sha256=winner.story.sha256,
            story_policy=policy.name,
            results_sha256=winner.results_sha256,
            forced=not is_same,
        )
        await engine.promotions.add(promotion)
    return promotion


def _id(policy: PolicyTold, given: str | None) -> str:
    name = given or policy.name
    if not re.fullmatch(POLICY_ID, name):
        message = f"{name!r} cannot be the id of a policy; give one with --as, such as --as peak"
        raise InvalidInput(Fault(path="POLICY" if given is None else "--as", message=message))
    return name


def _with_fields(live: NetworkDocument, fields: dict[str, Any]) -> NetworkDocument:
    """Return the network with what the policy states of the network's own."""
    if not fields:
        return live
    stated = {**live.policy.model_dump(mode="json"), **fields}
    return live.model_copy(update={"policy": PolicyDocument.model_validate(stated)})
