"""The wire form of routing runs: what starts one, and how one stands."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from api.schemas.fields import Body, Identifier, Reply

Status = Literal["queued", "running", "committed", "dry_run", "shadow", "failed"]


class RoutingRunBody(Body, frozen=True, kw_only=True):
    """Either order_ids or `"all_open": true`, then at most `max_orders`, the oldest first.

    `dry_run` solves and changes nothing; `shadow` too, and compares with what the network's own policy would do.
    """

    order_ids: Annotated[list[Identifier], Meta(min_length=1, max_length=10_000)] | None = None
    all_open: bool = False
    time_limit_seconds: Annotated[float, Meta(gt=0, le=3600, description="seconds above 0, at most 3600")] | None = None
    dry_run: bool = False
    method: Annotated[str, Meta(max_length=64)] = "auto"
    policy: Annotated[str, Meta(max_length=128)] | None = None
    shadow: bool = False
    target_gap: Annotated[float, Meta(ge=0, le=1, description="a share of the bound from 0 to 1")] | None = None
    max_orders: Annotated[int, Meta(ge=1, le=1_000_000, description="a number from 1")] | None = None
    method_options: Annotated[dict[str, float], Meta(max_length=20, description="of the method")] | None = None


class RoutingRunStarted(Reply, frozen=True, kw_only=True):
    """The run that was queued; ask for it by its id."""

    run_id: str
    status: Status


class UnroutedLine(Reply, frozen=True, kw_only=True):
    """Units of a line that no node ships, and why."""

    order_id: str
    line_id: str
    sku: str
    quantity: int
    reason: str


class DropShipLine(Reply, frozen=True, kw_only=True):
    """Units of a line."""

    line_id: str
    sku: str
    quantity: int


class DropShipOrder(Reply, frozen=True, kw_only=True):
    """A parcel that a vendor ships to the customer of an order; the same parcel always has the same id."""

    drop_ship_id: str
    node_id: str
    order_id: str
    service: str
    ship_on: date
    lines: list[DropShipLine]


class RoutingRun(Reply, frozen=True, kw_only=True):
    """A routing run; `summary` has total_cost_cents, lower_bound_cents and gap once it is over.

    `policy` is the version that it keeps to, such as `peak@2`; null: the network's own policy.
    """

    run_id: str
    status: Status
    policy: str | None
    created_at: datetime
    finished_at: datetime | None
    summary: dict[str, Any]
    unrouted: list[UnroutedLine]
    failure: str | None
    drop_ship_orders: Annotated[
        list[DropShipOrder], Meta(description="what vendors are to be sent of what was committed, or would be")
    ] = msgspec.field(default_factory=list)
