"""Availability as a use case: what can be promised of some SKUs, now and on each of the next days.

Not here: the formula (atp.py). The answer holds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from engine.availability.atp import Step, atp_on, kit_steps, sum_steps
from engine.availability.model import Availability, AvailabilityRequest, DayAtp, LineAvailability, NodeAvailability
from engine.availability.reference import Reference, View
from engine.availability.selection import select_contents, select_nodes
from engine.availability.stock import AtpTable, StockReader
from engine.catalog.model import Content
from engine.clock import Clock
from engine.errors import Fault, InvalidInput
from engine.inventory.store import InventoryStore


class AvailabilityService:
    """Answers from live stock, one read per request."""

    def __init__(self, *, reference: Reference, inventory: InventoryStore, clock: Clock) -> None:
        self._reference = reference
        self._inventory = inventory
        self._clock = clock
        self._reader = StockReader()

    async def availability(self, request: AvailabilityRequest) -> Availability:
        """Return ATP by SKU, day and node; `InvalidInput` names unknown SKUs, nodes and groups."""
        view = await self._reference.current()
        contents, nodes = _understand(request, view)
        skus = sorted({sku for content in contents for sku, _ in content.components})
        stock = await self._inventory.read(skus)
        now = self._clock.now()
        today = view.days.at(now)
        table = self._reader.read(stock, view, today.local_day, now=now, channel=request.channel)
        calendar = _Calendar(request.horizon_days)
        lines = tuple(
            _line(line.sku, content, nodes, table, view.network.node_ids, calendar)
            for line, content in zip(request.lines, contents, strict=True)
        )
        return Availability(as_of=now, binding=False, lines=lines, channel=request.channel)


def _understand(request: AvailabilityRequest, view: View) -> tuple[list[Content], list[int]]:
    """Return what each line comes down to and the nodes asked for; raises InvalidInput with every fault."""
    faults: list[Fault] = []
    contents = select_contents([line.sku for line in request.lines], view.catalog, faults)
    if not 1 <= request.horizon_days <= 365:
        message = f"{request.horizon_days} is out of range; give 1 to 365 days"
        faults.append(Fault(path="$.horizon_days", message=message))
    nodes = select_nodes(view.network, request.group, request.node_ids, faults)
    if faults:
        raise InvalidInput(faults)
    return contents, nodes


class _Calendar:
    """Makes the day lists of one answer; equal days are one object."""

    def __init__(self, horizon_days: int) -> None:
        self._horizon_days = horizon_days
        self._made: dict[tuple[int, int], DayAtp] = {}

    def by_day(self, steps: Sequence[Step], first_day: int) -> tuple[DayAtp, ...]:
        """Return ATP of each day of the horizon."""
        return tuple(self._day(day, atp_on(steps, day)) for day in range(first_day, first_day + self._horizon_days))

    def _day(self, day: int, atp: int) -> DayAtp:
        found = self._made.get((day, atp))
        if found is None:
            found = self._made[day, atp] = DayAtp(date=date.fromordinal(day), atp=atp)
        return found


def _line(
    sku: str, content: Content, nodes: Sequence[int], table: AtpTable, node_ids: Sequence[str], calendar: _Calendar
) -> LineAvailability:
    at_nodes: list[NodeAvailability] = []
    all_steps: list[list[Step]] = []
    for node in nodes:
        if not any(table.known[table.rows[product], node] for product, _ in content.components):
            continue
        if content.components == ((sku, 1),):
            steps = table.steps(sku, node)
        else:
            steps = kit_steps([(table.steps(product, node), units) for product, units in content.components])
        all_steps.append(steps)
        days = calendar.by_day(steps, steps[0][0])
        at_nodes.append(NodeAvailability(node_id=node_ids[node], available_now=steps[0][1], by_day=days))
    summed = sum_steps(all_steps) or [(int(table.local_day.min()), 0)]
    first_day = min((steps[0][0] for steps in all_steps), default=summed[0][0])
    return LineAvailability(
        sku=sku,
        available_now=sum(max(0, node.available_now) for node in at_nodes),
        by_day=calendar.by_day(summed, first_day),
        nodes=tuple(at_nodes),
    )
