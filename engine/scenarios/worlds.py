"""The world of a scenario, whether it is written out, in files, or drawn.

Here: which of the three it is, and what goes together. Not here: each of them (world.py and stock.py, files.py,
generating.py), its orders (story_demand.py), changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from engine.catalog.document import CatalogDocument
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.files import NamedFiles, NamedWorld, planned_of, read_named_world
from engine.scenarios.generating import draw_world
from engine.scenarios.patterns import PatternsDocument
from engine.scenarios.stock import counts, planned
from engine.scenarios.story import PlannedSupply
from engine.scenarios.validating import Findings
from engine.scenarios.world import written_catalog, written_network

Entry = TypeVar("Entry")

_WRITTEN = ("nodes", "carriers", "zones", "calendars", "groups", "transfers", "postal_codes")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldFound:
    """What there is as the story begins, before any change, and how its orders are found."""

    network: NetworkDocument
    catalog: CatalogDocument
    positions: tuple[PositionCount, ...]
    supplies: tuple[PlannedSupply, ...]
    patterns: PatternsDocument | None
    orders_file: str | None

    @property
    def node_ids(self) -> set[str]:
        """The nodes."""
        return {node.node_id for node in self.network.nodes}

    @property
    def stocked_skus(self) -> set[str]:
        """The SKUs that have stock of their own: products, not kits."""
        return {product.sku for product in self.catalog.products}


def world_of(scenario: ScenarioDocument, files: NamedFiles) -> WorldFound | None:
    """Return the world of a scenario, with faults noted; None if it has no network or no catalog."""
    generate = scenario.generate
    if generate is not None and generate.nodes is not None:
        _note_unused(scenario, (*_WRITTEN, "network", "products", "kits", "substitutes"), "is drawn", files.findings)
        drawn = draw_world(generate, scenario.days, scenario.currency, scenario.policy)
        found = NamedWorld(network=drawn.network, catalog=drawn.catalog, positions=drawn.positions)
        named = read_named_world(None, None, _file(scenario.stock), _file(scenario.supplies), files)
        found = replace(found, positions=named.positions or found.positions, supplies=named.supplies)
        return _with_stock(scenario, found, drawn.patterns, files.findings)
    if scenario.network is not None:
        _note_unused(scenario, _WRITTEN, "is in the network", files.findings)
    found = read_named_world(
        scenario.network, _file(scenario.products), _file(scenario.stock), _file(scenario.supplies), files
    )
    found = replace(
        found,
        network=written_network(scenario, files.findings) if scenario.network is None else _own_policy(scenario, found),
        catalog=written_catalog(scenario, files.findings) or found.catalog,
    )
    if found.catalog is None and not isinstance(scenario.products, str):
        files.findings.note((), "'products' is required; list them, or name a catalog")
    return _with_stock(scenario, found, None if generate is None else generate.patterns(), files.findings)


def _own_policy(scenario: ScenarioDocument, found: NamedWorld) -> NetworkDocument | None:
    """Return the network of a file, with what the scenario says of its policy."""
    if found.network is None:
        return None
    stated = {name: getattr(scenario.policy, name) for name in scenario.policy.model_fields_set}
    return found.network.model_copy(update={"policy": found.network.policy.model_copy(update=stated)})


def _with_stock(
    scenario: ScenarioDocument, found: NamedWorld, patterns: PatternsDocument | None, findings: Findings
) -> WorldFound | None:
    if found.network is None or found.catalog is None:
        return None
    first = scenario.start
    node_ids = {node.node_id for node in found.network.nodes}
    skus = {product.sku for product in found.catalog.products}
    positions = tuple(counts(_listed(scenario.stock), node_ids, skus, findings)) or found.positions or ()
    supplies = tuple(planned(_listed(scenario.supplies), first, node_ids, skus, findings))
    return WorldFound(
        network=found.network,
        catalog=found.catalog,
        positions=positions,
        supplies=supplies or tuple(planned_of(found.supplies or (), first)),
        patterns=patterns,
        orders_file=found.orders_file,
    )


def _note_unused(scenario: ScenarioDocument, keys: Sequence[str], why: str, findings: Findings) -> None:
    for key in keys:
        if getattr(scenario, key):
            findings.note((key,), f"{why}; leave `{key}` out", key=True)


def _file(part: object) -> str | None:
    return part if isinstance(part, str) else None


def _listed(part: str | tuple[Entry, ...]) -> tuple[Entry, ...]:
    return () if isinstance(part, str) else part
