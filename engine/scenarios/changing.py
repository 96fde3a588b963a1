"""What the changes of a scenario are read against, and what they come to.

Not here: reading each kind of change (changes.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from engine.network.document import NetworkDocument
from engine.scenarios.change_document import Lasting, MiscountDocument
from engine.scenarios.demand_changes import DemandChange
from engine.scenarios.moments import day_number, seconds_of
from engine.scenarios.network_changes import Edit
from engine.scenarios.story import DAY_SECONDS, Action, Dated, PlannedSupply
from engine.scenarios.validating import Findings
from engine.scenarios.yaml_tree import Location


@dataclass(slots=True, kw_only=True)
class Changing:
    """What changes are read against, and what they come to."""

    first: date
    days: int
    time_zone: str
    network: NetworkDocument
    node_ids: set[str]
    skus: set[str]
    findings: Findings
    supplies: list[PlannedSupply] = field(default_factory=list)
    dated: list[Dated] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    demand: list[DemandChange] = field(default_factory=list)
    demand_places: list[Location] = field(default_factory=list)
    miscounts: list[MiscountDocument] = field(default_factory=list)

    def day(self, day: int | date, location: Location) -> int:
        """Return the number of a day, with a fault noted if it is not in the story."""
        number = day_number(day, self.first)
        if self.findings.has_span and not 0 <= number < self.days:
            message = f"{day} is not in the story, which is days 0 … {self.days - 1} from {self.first}"
            self.findings.note(location, f"{message}; give one of them")
        return number

    def second(self, day: int | date, at: str, location: Location) -> int:
        """Return an instant of the story."""
        return seconds_of(self.day(day, location), at)

    def span(self, change: Lasting, location: Location) -> tuple[int, int | None]:
        """Return from which second on a change holds, and until which; None: to the end of the story."""
        from_s = self.second(change.from_day, change.at, (*location, "from_day"))
        return from_s, self.end_of(from_s, change.days)

    def end_of(self, from_s: int, days: int | None) -> int | None:
        """Return when so many days are over; None: not within the story."""
        until_s = None if days is None else from_s + days * DAY_SECONDS
        return None if until_s is None or until_s >= self.days * DAY_SECONDS else until_s

    def nodes(self, node_ids: Sequence[str] | None, location: Location) -> None:
        """Note a fault for each node that is not known."""
        for at, node_id in enumerate(node_ids or ()):
            self.findings.note_unknown((*location, at), "node", node_id, self.node_ids)

    def node(self, node_id: str, location: Location) -> None:
        """Note a fault if a node is not known."""
        self.findings.note_unknown(location, "node", node_id, self.node_ids)

    def sku(self, sku: str, location: Location) -> None:
        """Note a fault if a SKU is not known."""
        self.findings.note_unknown(location, "SKU", sku, self.skus)

    def act(self, at_s: int, action: Action) -> None:
        """Add something that happens at an instant."""
        self.dated.append(Dated(at_s=at_s, action=action))
