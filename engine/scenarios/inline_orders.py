"""The orders that a scenario file writes out, as a demand of recorded days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from engine.scenarios.orders import OrderTable, ReturnTable
from engine.scenarios.story import DAY_SECONDS
from engine.scenarios.validating import Findings
from engine.scenarios.world_document import OrderDocument


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InlineDemand:
    """The same orders in every replication."""

    days: Sequence[OrderTable]

    def orders(self, replication: int, day: int) -> OrderTable:  # noqa: ARG002
        """Return the orders of a day."""
        return self.days[day]

    def returns(self, day: int) -> ReturnTable | None:
        """Return None: returns are drawn from deliveries."""

    @property
    def skus(self) -> Sequence[str]:
        """Every SKU that may be ordered."""
        return self.days[0].skus

    @property
    def channels(self) -> Sequence[str]:
        """Every channel that orders may come from."""
        return self.days[0].channels


def inline_demand(
    orders: Sequence[OrderDocument],
    *,
    midnight: datetime,
    days: int,
    skus: Sequence[str],
    findings: Findings,
) -> InlineDemand:
    """Return the orders by day, those of an instant in the order of the file."""
    number = {sku: at for at, sku in enumerate(skus)}
    channels = tuple(sorted({order.channel for order in orders}))
    rows: list[list[tuple[int, int, OrderDocument]]] = [[] for _ in range(days)]
    for at, order in enumerate(orders):
        for sku in order.lines:
            findings.note_unknown(("orders", at, "lines", sku), "SKU", sku, number.keys())
        placed_s = int((datetime.fromisoformat(order.placed_at) - midnight) / timedelta(seconds=1))
        if not 0 <= placed_s < days * DAY_SECONDS:
            message = f"{order.placed_at} is not in the story, which has {days} days from {midnight:%Y-%m-%d}"
            findings.note(("orders", at, "placed_at"), f"{message}; give one of them")
        elif order.lines.keys() <= number.keys():
            rows[placed_s // DAY_SECONDS].append((placed_s, at, order))
    return InlineDemand(days=[_table(sorted(day, key=lambda row: row[:2]), skus, channels, number) for day in rows])


def _table(
    rows: list[tuple[int, int, OrderDocument]], skus: Sequence[str], channels: tuple[str, ...], number: dict[str, int]
) -> OrderTable:
    lines = [(number[sku], quantity) for _, _, order in rows for sku, quantity in order.lines.items()]
    return OrderTable(
        key=np.array([at for _, at, _ in rows], np.int64),
        placed_s=np.array([placed_s for placed_s, _, _ in rows], np.int64),
        latitude=np.array([order.latitude or 0.0 for _, _, order in rows], np.float64),
        longitude=np.array([order.longitude or 0.0 for _, _, order in rows], np.float64),
        place=np.full(len(rows), -1, np.int64),
        channel=np.array([channels.index(order.channel) for _, _, order in rows], np.int64),
        need_by_days=np.array([-1 if o.need_by_days is None else o.need_by_days for _, _, o in rows], np.int64),
        first_line=np.concatenate([[0], np.cumsum([len(order.lines) for _, _, order in rows])]).astype(np.int64),
        sku=np.array([sku for sku, _ in lines], np.int64),
        quantity=np.array([quantity for _, quantity in lines], np.int64),
        skus=tuple(skus),
        channels=channels or ("web",),
        order_ids=tuple(order.order_id or f"order-{at + 1}" for _, at, order in rows),
    )
