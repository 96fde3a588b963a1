"""Reading a scenario file into a story: `read_story` is the one way in.

Here: the order of the steps. Not here: YAML (yaml_tree.py), `extends` (extending.py), shapes (document.py), the
parts of a story (a module each).
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from engine.faults import nearest
from engine.scenarios.changes import Changing, apply_changes
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.extending import Overrides, Written, read_written, written_of
from engine.scenarios.inline_orders import inline_demand
from engine.scenarios.policies import customers_of, expectations_of, operations_of, policies_of
from engine.scenarios.stock import counts, planned
from engine.scenarios.story import Story, World
from engine.scenarios.validating import Findings, validated
from engine.scenarios.world import written_catalog, written_network
from engine.scenarios.yaml_tree import plain

Entry = TypeVar("Entry")


def read_story(path: Path, *, overrides: Overrides = ()) -> Story:
    """Read a scenario file and what it names; raise InvalidInput with every fault, each as `file:line:column`.

    `overrides` are (path, value) put over what the file and those that it extends say: `nodes[east].cut_off`.
    """
    return _story(read_written(path, overrides))


def story_of(text: str, *, source: str = "scenario", folder: Path = Path(), overrides: Overrides = ()) -> Story:
    """Read a scenario from a text, YAML or JSON; files that it names are in `folder`."""
    return _story(written_of(text, source, folder, overrides))


def _story(written: Written) -> Story:
    scenario, findings = validated(written)
    _note_settings(scenario, findings)
    first = date.fromisoformat(scenario.start)
    network, catalog = written_network(scenario, findings), written_catalog(scenario, findings)
    if network is None or catalog is None:
        findings.raise_any()
        raise AssertionError("a world that is missing is a fault")
    node_ids = {node.node_id for node in network.nodes}
    skus = [product.sku for product in catalog.products] + [kit.sku for kit in catalog.kits]
    stocked = {product.sku for product in catalog.products}
    positions = tuple(counts(_listed(scenario.stock), node_ids, stocked, findings))
    supplies = tuple(planned(_listed(scenario.supplies), first, node_ids, stocked, findings))
    changing = Changing(first=first, days=scenario.days, node_ids=node_ids, skus=stocked, findings=findings)
    apply_changes(scenario.changes, changing)
    demand = inline_demand(
        _listed(scenario.orders),
        midnight=datetime.combine(first, time()),
        days=scenario.days,
        skus=skus,
        findings=findings,
    )
    policies, expected = policies_of(scenario, findings), expectations_of(scenario, findings)
    operations = operations_of(scenario, findings)
    findings.raise_any()
    return Story(
        name=scenario.name,
        about=scenario.about,
        seed=scenario.seed,
        start=_midnight(scenario),
        time_zone=scenario.time_zone,
        days=scenario.days,
        warm_up_days=scenario.warm_up_days,
        replications=scenario.replications,
        world=World(network=network, catalog=catalog, positions=positions, supplies=supplies),
        demand=demand,
        changes=tuple(changing.dated),
        operations=operations,
        customers=customers_of(scenario),
        policies=policies,
        expect=expected,
        inputs=dict(written.inputs),
        sha256=_digest(written),
    )


def _note_settings(scenario: ScenarioDocument, findings: Findings) -> None:
    if scenario.time_zone not in available_timezones():
        message = f"unknown time zone {scenario.time_zone!r}; {nearest(scenario.time_zone, available_timezones())}"
        findings.note(("time_zone",), message)
    if scenario.warm_up_days >= scenario.days:
        message = f"{scenario.warm_up_days} leaves none of {scenario.days} days; give fewer"
        findings.note(("warm_up_days",), message)


def _midnight(scenario: ScenarioDocument) -> datetime:
    first = date.fromisoformat(scenario.start)
    return datetime.combine(first, time(), ZoneInfo(scenario.time_zone)).astimezone(UTC)


def _listed(entries: str | tuple[Entry, ...]) -> tuple[Entry, ...]:
    return () if isinstance(entries, str) else entries


def _digest(written: Written) -> str:
    """Return the SHA-256 of what the story says, whatever its comments and layout, and of the data that it names."""
    said = json.dumps(plain(written.tree), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()
