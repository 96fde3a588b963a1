"""What the changes of a scenario come to: dated actions, other supplies, and edits of network and demand.

Here: which reader takes which kind. Not here: edits of the network (network_changes.py).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.inventory.model import Adjustment
from engine.scenarios.change_document import ChangeDocument, CloseNodeDocument, Lasting, StockChangeDocument
from engine.scenarios.moments import day_number, seconds_of
from engine.scenarios.story import DAY_SECONDS, Action, AdjustStock, CloseNode, Dated, OpenNode
from engine.scenarios.validating import Findings
from engine.scenarios.yaml_tree import Location


@dataclass(slots=True, kw_only=True)
class Changing:
    """What changes are read against, and what they come to."""

    first: date
    days: int
    node_ids: Set[str]
    skus: Set[str]
    findings: Findings
    dated: list[Dated] = field(default_factory=list)

    def second(self, day: int | date, at: str, location: Location) -> int:
        """Return an instant of the story, with a fault noted if it is before its start or after its end."""
        number = day_number(day, self.first)
        if not 0 <= number < self.days:
            message = f"{day} is not in the story, which is days 0 … {self.days - 1} from {self.first}"
            self.findings.note(location, f"{message}; give one of them")
        return seconds_of(number, at)

    def node(self, node_id: str, location: Location) -> None:
        """Note a fault if a node is not known."""
        self.findings.note_unknown(location, "node", node_id, self.node_ids)

    def sku(self, sku: str, location: Location) -> None:
        """Note a fault if a SKU is not known."""
        self.findings.note_unknown(location, "SKU", sku, self.skus)

    def act(self, at_s: int, action: Action) -> None:
        """Add something that happens at an instant."""
        self.dated.append(Dated(at_s=at_s, action=action))


def span_of(change: Lasting, location: Location, changing: Changing) -> tuple[int, int | None]:
    """Return from which second on a change holds, and until which; None: to the end of the story."""
    from_s = changing.second(change.from_day, change.at, (*location, "from_day"))
    until_s = None if change.days is None else from_s + change.days * DAY_SECONDS
    return from_s, None if until_s is None or until_s >= changing.days * DAY_SECONDS else until_s


def apply_changes(changes: Sequence[ChangeDocument], changing: Changing) -> None:
    """Read every change, in the order of the file; those of one instant happen in it."""
    for at, change in enumerate(changes):
        kind, document = change.one()
        _READERS[kind](document, ("changes", at, kind), changing)
    changing.dated.sort(key=lambda dated: dated.at_s)


def _close_node(change: CloseNodeDocument, location: Location, changing: Changing) -> None:
    changing.node(change.node_id, (*location, "node_id"))
    from_s, until_s = span_of(change, location, changing)
    changing.act(from_s, CloseNode(node_id=change.node_id, reason=change.reason))
    if until_s is not None:
        changing.act(until_s, OpenNode(node_id=change.node_id))


def _add_stock(change: StockChangeDocument, location: Location, changing: Changing) -> None:
    _adjust(change, 1, location, changing)


def _remove_stock(change: StockChangeDocument, location: Location, changing: Changing) -> None:
    _adjust(change, -1, location, changing)


def _adjust(change: StockChangeDocument, sign: int, location: Location, changing: Changing) -> None:
    changing.node(change.node_id, (*location, "node_id"))
    changing.sku(change.sku, (*location, "sku"))
    adjustment = Adjustment(node_id=change.node_id, sku=change.sku, delta=sign * change.quantity, reason=change.reason)
    changing.act(changing.second(change.day, change.at, (*location, "day")), AdjustStock(adjustments=(adjustment,)))


_READERS: dict[str, Any] = {"close_node": _close_node, "add_stock": _add_stock, "remove_stock": _remove_stock}
