"""The stock and supplies that a scenario writes out: checked against its network and catalog.

Not here: stock of files (files.py), what changes do to it (stock_changes.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from datetime import date

from engine.inventory.model import PositionCount
from engine.scenarios.moments import day_number, seconds_of
from engine.scenarios.story import PlannedSupply
from engine.scenarios.validating import Findings
from engine.scenarios.world_document import StockDocument, SupplyDocument
from engine.scenarios.yaml_tree import Location


def counts(
    stock: Sequence[StockDocument], node_ids: Set[str], skus: Set[str], findings: Findings
) -> Iterator[PositionCount]:
    """Yield the counts of `stock:`, with faults noted."""
    first: dict[tuple[str, str], int] = {}
    for at, entry in enumerate(stock):
        location: Location = ("stock", at)
        findings.note_unknown((*location, "node_id"), "node", entry.node_id, node_ids)
        findings.note_unknown((*location, "sku"), "SKU", entry.sku, skus)
        seen = first.setdefault((entry.node_id, entry.sku), at)
        if seen != at:
            message = f"{entry.sku!r} at {entry.node_id!r} is already in line {findings.line('stock', seen)}"
            findings.note(location, f"{message}; remove one of them")
        if (entry.on_hand is None) != entry.unlimited:
            findings.note(location, "has to have on_hand, or `unlimited: true`; give one of the two")
        yield PositionCount(
            node_id=entry.node_id,
            sku=entry.sku,
            on_hand=entry.on_hand,
            safety_stock=entry.safety_stock,
            unlimited=entry.unlimited,
        )


def planned(
    supplies: Sequence[SupplyDocument], first: date, node_ids: Set[str], skus: Set[str], findings: Findings
) -> Iterator[PlannedSupply]:
    """Yield the receipts of `supplies:` by the second, with faults noted; expected at the hour at which they come."""
    seen: dict[tuple[str, str, str], int] = {}
    for at, entry in enumerate(supplies):
        location: Location = ("supplies", at)
        findings.note_unknown((*location, "node_id"), "node", entry.node_id, node_ids)
        findings.note_unknown((*location, "sku"), "SKU", entry.sku, skus)
        supply_id = entry.supply_id or f"supply-{at + 1}"
        earlier = seen.setdefault((supply_id, entry.node_id, entry.sku), at)
        if earlier != at:
            message = f"supply {supply_id!r} is already in line {findings.line('supplies', earlier)}"
            findings.note(location, f"{message}; give it another supply_id")
        yield PlannedSupply(
            supply_id=supply_id,
            node_id=entry.node_id,
            sku=entry.sku,
            quantity=entry.quantity,
            expected_s=_second(entry.expected_on, entry.arrives_at, first, (*location, "expected_on"), findings),
            arrives_s=None
            if entry.arrives_on is None
            else _second(entry.arrives_on, entry.arrives_at, first, (*location, "arrives_on"), findings),
            told_s=None
            if entry.told_on is None
            else _second(entry.told_on, "00:00", first, (*location, "told_on"), findings),
        )


def _second(day: int | date, at: str, first: date, location: Location, findings: Findings) -> int:
    number = day_number(day, first)
    if number < 0 and findings.has_span:
        findings.note(location, f"{day} is before the story's start, {first}; give a later day")
    return seconds_of(number, at)
