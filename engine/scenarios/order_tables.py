"""Rows of order tables: choosing, copying, joining and sorting them; which of their lines and orders something means.

Not here: where tables come from (demand.py), why rows are taken or copied (demand_changes.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.scenarios.orders import Integers, OrderTable

Flags = NDArray[np.bool_]


def rows(table: OrderTable, chosen: Integers) -> OrderTable:
    """Return the orders of these rows in this order; a row may come again."""
    counts = np.diff(table.first_line)[chosen]
    first_line = starts(counts)
    lines = np.repeat(table.first_line[chosen] - first_line[:-1], counts) + np.arange(first_line[-1])
    return replace(
        table,
        key=table.key[chosen],
        placed_s=table.placed_s[chosen],
        latitude=table.latitude[chosen],
        longitude=table.longitude[chosen],
        place=table.place[chosen],
        channel=table.channel[chosen],
        need_by_days=table.need_by_days[chosen],
        first_line=first_line,
        sku=table.sku[lines],
        quantity=table.quantity[lines],
        order_ids=None if table.order_ids is None else tuple(table.order_ids[row] for row in chosen.tolist()),
    )


def with_lines(table: OrderTable, kept: Flags) -> OrderTable:
    """Return the table with the lines that are `kept`; orders that lose all of theirs go."""
    counts = np.add.reduceat(kept, table.first_line[:-1], dtype=np.int64) if len(table) else np.zeros(0, np.int64)
    whole = replace(table, first_line=starts(counts), sku=table.sku[kept], quantity=table.quantity[kept])
    return whole if counts.all() else rows(whole, np.flatnonzero(counts))


def in_time(table: OrderTable) -> OrderTable:
    """Return the orders by instant, those of one instant by key."""
    return rows(table, np.lexsort((table.key, table.placed_s)))


def together(tables: Sequence[OrderTable]) -> OrderTable:
    """Return the orders of tables of the same SKUs, channels and postal codes, by instant; at least one table."""
    first = tables[0]
    if len(tables) == 1:
        return first
    counts = np.concatenate([np.diff(table.first_line) for table in tables])
    ids = [table.order_ids for table in tables]
    known = [names for names in ids if names is not None]
    return in_time(
        replace(
            first,
            key=np.concatenate([table.key for table in tables]),
            placed_s=np.concatenate([table.placed_s for table in tables]),
            latitude=np.concatenate([table.latitude for table in tables]),
            longitude=np.concatenate([table.longitude for table in tables]),
            place=np.concatenate([table.place for table in tables]),
            channel=np.concatenate([table.channel for table in tables]),
            need_by_days=np.concatenate([table.need_by_days for table in tables]),
            first_line=starts(counts),
            sku=np.concatenate([table.sku for table in tables]),
            quantity=np.concatenate([table.quantity for table in tables]),
            order_ids=tuple(name for names in known for name in names) if len(known) == len(ids) else None,
        )
    )


def between(table: OrderTable, from_s: int, to_s: int) -> OrderTable:
    """Return the orders placed from one instant until before another."""
    first, last = np.searchsorted(table.placed_s, [from_s, to_s]).tolist()
    return rows(table, np.arange(first, last))


def order_of_line(table: OrderTable) -> Integers:
    """Return the row of the order of each line."""
    return np.repeat(np.arange(len(table)), np.diff(table.first_line))


def starts(counts: Integers) -> Integers:
    """Return where each group begins, and at last where they end."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
