"""Reading a scenario file into a story: `read_story` is the one way in.

Here: the order of the steps. Not here: YAML (yaml_tree.py), `extends` (extending.py), shapes (document.py), the
parts of a story (a module each).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from engine.faults import nearest
from engine.scenarios.changes import apply_changes
from engine.scenarios.changing import Changing
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.extending import Overrides, Written, read_written, written_of
from engine.scenarios.files import NamedFiles
from engine.scenarios.network_changes import networks_of
from engine.scenarios.policies import customers_of, expectations_of, operations_of, policies_of, with_miscounts
from engine.scenarios.story import Dated, PutNetwork, Story, World
from engine.scenarios.story_demand import demand_of, with_changes
from engine.scenarios.validating import Findings, validated
from engine.scenarios.worlds import world_of
from engine.scenarios.yaml_tree import plain


def read_story(path: Path, *, overrides: Overrides = ()) -> Story:
    """Read a scenario file and what it names; raise InvalidInput with every fault, each as `file:line:column`.

    `overrides` are (path, value) put over what the file and those that it extends say: `nodes[east].cut_off`.
    """
    return _story(read_written(path, overrides))


def story_of(text: str, *, source: str = "scenario", folder: Path | None = None, overrides: Overrides = ()) -> Story:
    """Read a scenario from a text, YAML or JSON; files that it names are in `folder`, without one it may name none."""
    return _story(written_of(text, source, folder, overrides))


def _story(written: Written) -> Story:
    scenario, findings = validated(written)
    scenario = _checked(scenario, findings)
    files = NamedFiles(findings=findings)
    world = world_of(scenario, files)
    policies = policies_of(scenario, None if world is None else world.network, findings)
    expected = expectations_of(scenario, findings)
    operations = operations_of(scenario, findings)
    if world is None:
        findings.raise_any()
        raise AssertionError("a world that is missing is a fault")
    changing = Changing(
        first=scenario.start,
        days=scenario.days,
        time_zone=scenario.time_zone,
        network=world.network,
        node_ids={node.node_id for node in world.network.nodes},
        skus={product.sku for product in world.catalog.products},
        findings=findings,
        supplies=list(world.supplies),
    )
    apply_changes(scenario.changes, changing)
    networks = networks_of(world.network, changing.edits, findings)
    demand = demand_of(scenario, world, files)
    demand = None if demand is None else with_changes(demand, changing, scenario.seed)
    findings.raise_any()
    if demand is None:
        raise AssertionError("demand that is missing is a fault")
    dated = [Dated(at_s=at_s, action=PutNetwork(network=network)) for at_s, network in networks[1:]]
    return Story(
        name=scenario.name,
        about=scenario.about,
        seed=scenario.seed,
        start=_midnight(scenario),
        time_zone=scenario.time_zone,
        days=scenario.days,
        warm_up_days=scenario.warm_up_days,
        drain_days=scenario.drain_days,
        replications=scenario.replications,
        world=World(
            network=networks[0][1],
            catalog=world.catalog,
            positions=world.positions,
            supplies=tuple(changing.supplies),
        ),
        demand=demand,
        changes=tuple(sorted((*dated, *changing.dated), key=lambda each: each.at_s)),
        operations=with_miscounts(operations, changing.miscounts),
        customers=customers_of(scenario),
        policies=policies,
        expect=expected,
        inputs={**written.inputs, **files.inputs},
        sha256=_digest(written, files.inputs),
    )


def _checked(scenario: ScenarioDocument, findings: Findings) -> ScenarioDocument:
    """Return the scenario, with UTC in place of a time zone that there is not; faults are noted."""
    if scenario.warm_up_days >= scenario.days:
        message = f"{scenario.warm_up_days} leaves none of {scenario.days} days; give fewer"
        findings.note(("warm_up_days",), message)
    if scenario.time_zone not in available_timezones():
        message = f"unknown time zone {scenario.time_zone!r}; {nearest(scenario.time_zone, available_timezones())}"
        findings.note(("time_zone",), message)
        return scenario.model_copy(update={"time_zone": "UTC"})
    return scenario


def _midnight(scenario: ScenarioDocument) -> datetime:
    first = scenario.start
    return datetime.combine(first, time(), ZoneInfo(scenario.time_zone)).astimezone(UTC)


def _digest(written: Written, inputs: Mapping[str, str]) -> str:
    """Return the SHA-256 of what the story says, whatever its comments and layout, and of the data that it names."""
    said = json.dumps([plain(written.tree), dict(inputs)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()
