"""Available to promise, as pure functions of numbers.

    ATP(d) = min over t ≥ d of projected(t)
    projected(t) = available + supplies expected from today to t − dated demand to ship up to t

`available` is on_hand − safety stock − held − confirmed, safety stock being the larger of a position's own and its
buffer. A supply that is overdue does not count; dated demand that is overdue still does. ATP never falls as d grows,
so it is kept as ascending steps (day, ATP), the first one today. Days are ordinals (`date.toordinal()`). Not here:
where the numbers come from (stock.py).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Step = tuple[int, int]


def atp_steps(available: int, schedule: Sequence[tuple[int, int]], today: int) -> list[Step]:
    """Return ATP from today on as steps (first day, ATP), days and ATP strictly ascending.

    `schedule` holds (day, delta) in any order: supplies with a positive delta, dated demand with a negative one.
    """
    if len(schedule) == 1:  # most cells that have a schedule wait for one supply
        ((day, delta),) = schedule
        if delta > 0 and day > today:
            return [(today, available), (day, available + delta)]
        return [(today, available + delta if delta < 0 or day == today else available)]
    change: dict[int, int] = {today: 0}
    for day, delta in schedule:
        if day >= today:
            change[day] = change.get(day, 0) + delta
        elif delta < 0:
            change[today] += delta
    days = sorted(change)
    projected: list[int] = []
    level = available
    for day in days:
        level += change[day]
        projected.append(level)
    steps: list[Step] = []
    lowest = projected[-1]
    for day, level in zip(reversed(days), reversed(projected), strict=True):
        lowest = min(lowest, level)
        if steps and steps[-1][1] == lowest:
            steps.pop()
        steps.append((day, lowest))
    steps.reverse()
    return steps


def atp_on(steps: Sequence[Step], day: int) -> int:
    """Return ATP on a day; a day before the first step counts as the first."""
    return steps[max(0, bisect_right(steps, day, key=_day_of) - 1)][1]


def launched_steps(steps: Sequence[Step], launch: int) -> list[Step]:
    """Return ATP steps of a product that may not ship before an ordinal: nothing before it, all that is there on it."""
    today, level = steps[0]
    if today >= launch:
        return list(steps)
    first, then = min(level, 0), atp_on(steps, launch)
    return [(today, first), *([(launch, then)] if then > first else []), *(s for s in steps if s[0] > launch)]


def kit_steps(parts: Sequence[tuple[Sequence[Step], int]]) -> list[Step]:
    """Return the ATP steps of a kit: the whole kits that every part, (steps, units per kit), allows on each day."""
    steps: list[Step] = []
    for day in sorted({step[0] for component, _ in parts for step in component}):
        whole = min(atp_on(component, day) // units for component, units in parts)
        if not steps or whole > steps[-1][1]:
            steps.append((day, whole))
    return steps


def sum_steps(parts: Iterable[Sequence[Step]]) -> list[Step]:
    """Return ATP summed over nodes; what one node lacks does not lessen what another has."""
    change: dict[int, int] = {}
    for steps in parts:
        before = 0
        for day, level in steps:
            counted = max(0, level)
            change[day] = change.get(day, 0) + counted - before
            before = counted
    summed: list[Step] = []
    level = 0
    for day in sorted(change):
        level += change[day]
        if not summed or level != summed[-1][1]:
            summed.append((day, level))
    return summed


def _day_of(step: Step) -> int:
    return step[0]
