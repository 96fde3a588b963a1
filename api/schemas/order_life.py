"""The wire form of the whole life of an order."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from api.schemas.fields import Reply
from api.schemas.orders import HistoryEntry, Order


class OrderLife(Reply, frozen=True, kw_only=True):
    """An order, all that has happened to it beside its routing, and its steps, oldest first."""

    order: Order
    life: Annotated[
        dict[str, Any],
        Meta(description="prices, payments, shipments, returns, checks, documents, notices, alerts, links, effects"),
    ]
    history: list[HistoryEntry]
    is_archived: bool
