"""Stock as its journal tells it: each position played from its first change to its last, and what is found there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.bootstrap import Engine
from engine.inventory.conditions import Condition
from engine.inventory.history import Quantities
from engine.inventory.model import Position

Place = tuple[str, str]
PAGE = 100
NOTHING = Quantities(on_hand=0, safety_stock=0, held=0, confirmed=0, version=0)


@dataclass(kw_only=True)
class Told:
    """One position so far: the number of its last change, and what that left."""

    event: int = 0
    quantities: Quantities = NOTHING
    conditions: Counter[Condition] = field(default_factory=Counter)


class Journal:
    """Plays the journal of positions on; nothing but what it says is known here."""

    def __init__(self) -> None:
        self._told: dict[Place, Told] = {}

    async def play_on(self, engine: Engine, places: Sequence[Place]) -> None:
        """Play what was written since, each change from where the last one ended; assert that they end as it is."""
        for sku, node_id in places:
            told = self._told.setdefault((sku, node_id), Told())
            new, before = [], None
            while True:
                page = await engine.stock.history(sku, node_id, limit=PAGE, after_event=before)
                assert not page.is_cut_off, "nothing is forgotten here"
                new += [event for event in page.events if event.event > told.event]
                if not page.has_more or page.events[-1].event <= told.event:
                    break
                before = page.events[-1].event
            for event in reversed(new):
                assert event.before == told.quantities, f"{event} does not begin where {told} ends"
                for move in event.conditions:
                    assert move.before == told.conditions[move.condition], f"{event} does not begin where {told} ends"
                    told.conditions[move.condition] = move.after
                told.event, told.quantities = event.event, event.after
            position = await _found(engine, sku, node_id)
            there = (position.on_hand, position.safety_stock, position.held, position.confirmed)
            last = told.quantities
            assert (last.on_hand, last.safety_stock, last.held, last.confirmed) == there, f"{sku} at {node_id}"
            assert +told.conditions == +Counter(position.conditions or {}), f"conditions of {sku} at {node_id}"


async def _found(engine: Engine, sku: str, node_id: str) -> Position:
    found = await engine.stock.positions(sku)
    return next(each for each in found if each.node_id == node_id)
