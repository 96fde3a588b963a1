"""Products that are made to order: their stock may ship only so many working days of the node later.

The days count from when an order could be handed over without them, or from when the units are there if that is later.
Not here: when an order can be handed over (engine/network/days.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec import structs

from engine.availability.atp import Step
from engine.availability.stock import AtpTable
from engine.network.days import NEVER, Today
from engine.network.model import Network


def after_making(table: AtpTable, making_days: Mapping[str, int], network: Network, today: Today) -> AtpTable:
    """Return ATP as of the days on which units have been made; the same table if no product is made to order."""
    waits = [(row, making_days[sku]) for sku, row in table.rows.items() if sku in making_days]
    if not waits:
        return table
    now, later = table.today.copy(), dict(table.later)
    for row, days in waits:
        for node in np.flatnonzero(table.today[row]).tolist() + [n for r, n in table.later if r == row]:
            before = table.later.get((row, node)) or [(int(table.local_day[node]), int(table.today[row, node]))]
            start = int(today.ready[-1, node])
            steps: list[Step] = [(int(table.local_day[node]), min(0, before[0][1]))]
            for day, level in before:
                made_on = working_day(network, today, node, max(day, start), days)
                if made_on == steps[-1][0]:
                    steps[-1] = (made_on, max(level, steps[-1][1]))
                elif level > steps[-1][1] and made_on < NEVER:
                    steps.append((made_on, level))
            now[row, node], later[row, node] = steps[0][1], steps
    return structs.replace(table, today=now, later=later)


def working_day(network: Network, today: Today, node: int, start: int, days: int) -> int:
    """Return the day so many working days of a node after the first from `start` on, or `NEVER`."""
    calendars, calendar = today.calendars, int(network.calendar_of_node[node])
    offset = start - calendars.first_day
    if not 0 <= offset < calendars.before.shape[1]:
        return NEVER
    place = int(calendars.before[calendar, offset]) + days
    return int(calendars.nth[calendar, place]) if place < calendars.nth.shape[1] else NEVER
