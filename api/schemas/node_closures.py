"""The wire form of nodes that are switched off, and on again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from api.schemas.fields import Body, Reply
from api.schemas.order_steering import By, Reason


class ClosureBody(Body, frozen=True, kw_only=True):
    """Whether a node is off; with `reroute`, a run of all open orders follows when what it holds is open again."""

    reason: Reason
    closed: bool = True
    reroute: bool = False
    by: By | None = None


class Closure(Reply, frozen=True, kw_only=True):
    """A node that was switched off, and what became of the orders it had to ship."""

    closure_id: str
    node_id: str
    closed: bool
    reason: str
    by: str
    closed_at: datetime
    reopened_at: datetime | None
    reroute: bool
    opened_orders: Annotated[int, Meta(description="that are open again")]
    left_orders: Annotated[int, Meta(description="that stay, as units of them have left a node")]
    pickup_orders: Annotated[int, Meta(description="open ones that were to be picked up there; they wait for people")]
    pickup_order_ids: Annotated[list[str], Meta(description="of these, the first 100")]
    drained: Annotated[bool, Meta(description="all orders of before were looked at")]
    run_id: str | None


class Closures(Reply, frozen=True, kw_only=True):
    """The last closure of every node that had any, by node id."""

    data: list[Closure]
    has_more: bool = False
