"""The orders of a scenario: listed, in a file, or drawn, and then changed; with its faults where it names them.

Not here: recorded and drawn demand (demand.py), what changes of demand mean (demand_changes.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.errors import InvalidInput
from engine.scenarios.changing import Changing
from engine.scenarios.demand import DemandWithPool, generated_demand
from engine.scenarios.demand_changes import changed_demand
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.files import NamedFiles
from engine.scenarios.recorded import WallClock, recorded_demand
from engine.scenarios.recorded_document import RecordedDocument
from engine.scenarios.story import DAY_SECONDS
from engine.scenarios.validating import Findings, location_of
from engine.scenarios.worlds import WorldFound
from engine.scenarios.yaml_tree import Location


def demand_of(scenario: ScenarioDocument, world: WorldFound, files: NamedFiles) -> DemandWithPool | None:
    """Return the demand of a scenario before any change; None, with faults noted, if there is none."""
    if world.patterns is not None:
        if scenario.orders:
            message = "are listed here, and drawn by `generate`; leave one of the two out"
            files.findings.note(("orders",), message, key=True)
        if world.patterns.places_file is not None and files.path("generate", world.patterns.places_file) is None:
            return None
        return _tried(lambda: _drawn(scenario, world, files), files.findings, ("generate",), "generate")
    document = _recorded(scenario, world, files)
    if document is None:
        files.findings.note((), "has no orders; list `orders`, name a file of them, or draw them by `generate`")
        return None
    _note_outside(scenario, files.findings)
    return _tried(lambda: _read(scenario, document, world, files), files.findings, (), "orders")


def _drawn(scenario: ScenarioDocument, world: WorldFound, files: NamedFiles) -> DemandWithPool:
    assert world.patterns is not None
    return generated_demand(
        world.patterns,
        seed=scenario.seed,
        starts_on=scenario.start,
        network=world.network,
        catalog=world.catalog,
        folder=files.folder or Path(),
    )


def _recorded(scenario: ScenarioDocument, world: WorldFound, files: NamedFiles) -> RecordedDocument | None:
    """Return what is recorded: as the scenario says, else the orders of the folder of its network."""
    named = {"orders": scenario.orders or world.orders_file, "returns": scenario.returns}
    said = {key: value for key, value in named.items() if value}
    for key, value in said.items():
        if isinstance(value, str) and files.path(key, value) is None:
            return RecordedDocument()
    return RecordedDocument.model_validate(said) if "orders" in said else None


def _read(
    scenario: ScenarioDocument, document: RecordedDocument, world: WorldFound, files: NamedFiles
) -> DemandWithPool:
    demand = recorded_demand(
        document,
        folder=files.folder or Path(),
        starts_on=scenario.start,
        time_zone=scenario.time_zone,
        network=world.network,
        catalog=world.catalog,
    )
    files.inputs.update(demand.inputs)
    return demand


def _note_outside(scenario: ScenarioDocument, findings: Findings) -> None:
    """Note each listed order that is not placed within the story."""
    if not findings.has_span:
        return
    clock = WallClock(scenario.start, scenario.time_zone)
    for at, order in enumerate(() if isinstance(scenario.orders, str) else scenario.orders):
        if order.placed_at is not None and not 0 <= clock.seconds(order.placed_at) < scenario.days * DAY_SECONDS:
            message = f"is not in the story, which has {scenario.days} days from {scenario.start}; give one of them"
            findings.note(("orders", at, "placed_at"), f"{order.placed_at:%Y-%m-%dT%H:%M} {message}")


def with_changes(demand: DemandWithPool, changing: Changing, seed: int) -> DemandWithPool:
    """Return the demand with the changes that were read; faults are noted where each stands."""
    try:
        return changed_demand(demand, changing.demand, seed)
    except InvalidInput as error:
        for fault in error.faults:
            number, *rest = location_of(fault.path)
            changing.findings.note((*changing.demand_places[int(number)], *rest), fault.message)
        return demand


def _tried(make: Callable[[], DemandWithPool], findings: Findings, prefix: Location, key: str) -> DemandWithPool | None:
    """Return what is made, or None with its faults noted: by their places, or at a key if they are of a file."""
    try:
        return make()
    except InvalidInput as error:
        for fault in error.faults:
            if fault.path.startswith("$"):
                findings.note((*prefix, *location_of(fault.path)), fault.message)
            else:
                findings.note((key,), str(fault))
        return None
