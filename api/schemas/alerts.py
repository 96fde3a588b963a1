"""The wire form of alerts, of ways out for an order in jeopardy, and of the policy behind both."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api.schemas.fields import Body, Limit, Reply
from api.schemas.order_steering import By
from engine.exceptions.policy import AlertPolicyDocument

Severity = Literal["minor", "major", "critical"]
Cause = Literal["stock", "node_late", "node_closed", "carrier_late", "supply_late", "hold_open", "payment"]


class AlertReply(Reply, frozen=True, kw_only=True):
    """What stands in the way of a promise.

    `subject` is the shipment that it is about, or the node before it has left, null for units without a node. They
    arrive on `predicted_on` as likely as not, by `latest_on` nine times of ten, null if nobody can tell. `told_on` is
    the day that the customer was told instead; `outcome` what became of it, `over` if nothing had to be done.
    """

    alert_id: str
    severity: Severity
    cause: Cause
    at: datetime
    subject: str | None
    promised_on: date | None
    predicted_on: date | None
    latest_on: date | None
    delay_days: int | None
    late_probability: float
    message: str
    told_on: date | None
    closed_at: datetime | None
    outcome: str | None


class OpenAlert(AlertReply, frozen=True, kw_only=True):
    """An alert that is not over, and its order."""

    order_id: str
    channel: str


class AlertsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of the open alerts: after the `alert_id` of the last one of the page before."""

    severity: Severity | None = None
    limit: Limit = 50
    starting_after: Annotated[str, Meta(min_length=1, max_length=160)] | None = None


class AlertsReply(Reply, frozen=True, kw_only=True):
    """Open alerts, the worst first, then the oldest."""

    data: list[OpenAlert]
    has_more: bool


class AlertPolicyReply(AlertPolicyDocument):
    """The alert policy in force with its version, 0 for what holds before the first."""

    version: int


class AlertPolicyVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class AlternativeLine(Reply, frozen=True, kw_only=True):
    """Units of a line in a parcel, and the SKU that they would be sent instead of."""

    line_id: str
    sku: str
    quantity: int
    substitute_for: str | None


class AlternativeParcel(Reply, frozen=True, kw_only=True):
    """A parcel that would leave a node by a service."""

    node_id: str
    service: str
    service_level: str
    ship_on: date
    lines: list[AlternativeLine]


class AlternativeReply(Reply, frozen=True, kw_only=True):
    """A way out. `promised_on` is what is promised if it is accepted; `wait` leaves all else as it is.

    `cost_cents` is what it costs to send so what can still be sent otherwise, `extra_cents` how much more that is than
    as things stand; null where that is not known.
    """

    alternative_id: str
    kind: Literal["wait", "faster_service", "another_node", "split", "substitute"]
    promised_on: date
    predicted_on: date | None
    latest_on: date | None
    late_probability: float
    cost_cents: int | None
    extra_cents: int | None
    parcels: list[AlternativeParcel]


class AlternativesReply(Reply, frozen=True, kw_only=True):
    """Ways out for an order as it is now: those that keep the promise by cost, then the others by their day."""

    data: list[AlternativeReply]


class AcceptanceOfAlternative(Body, frozen=True, kw_only=True):
    """Who accepts it."""

    by: By | None = None
