"""Alerts and alternatives as they go over the wire."""

from __future__ import annotations

from typing import Any

from api.schemas import alerts as wire
from engine.exceptions.alternatives import Alternative
from engine.exceptions.index import ListedAlert
from engine.orders.facts.links import Alert


def shown_alert(alert: Alert) -> wire.AlertReply:
    """Return an alert as it goes over the wire."""
    return wire.AlertReply(**_fields(alert))


def shown_open_alert(listed: ListedAlert) -> wire.OpenAlert:
    """Return an open alert with its order."""
    return wire.OpenAlert(order_id=listed.order_id, channel=listed.channel, **_fields(listed.alert))


def shown_alternative(found: Alternative) -> wire.AlternativeReply:
    """Return a way out as it goes over the wire."""
    return wire.AlternativeReply(
        alternative_id=found.alternative_id,
        kind=found.kind.value,
        promised_on=found.promised_on,
        predicted_on=found.predicted_on,
        latest_on=found.latest_on,
        late_probability=found.late_probability,
        cost_cents=found.cost_cents,
        extra_cents=found.extra_cents,
        parcels=[
            wire.AlternativeParcel(
                node_id=parcel.node_id,
                service=parcel.service,
                service_level=parcel.service_level,
                ship_on=parcel.ship_on,
                lines=[
                    wire.AlternativeLine(
                        line_id=line.line_id,
                        sku=line.sku,
                        quantity=line.quantity,
                        substitute_for=line.substitute_for or None,
                    )
                    for line in parcel.lines
                ],
            )
            for parcel in found.parcels
        ],
    )


def _fields(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "severity": alert.severity,
        "cause": alert.cause,
        "at": alert.at,
        "subject": alert.subject or None,
        "promised_on": alert.promised_on,
        "predicted_on": alert.predicted_on,
        "latest_on": alert.latest_on,
        "delay_days": alert.delay_days,
        "late_probability": alert.late_probability,
        "message": alert.message,
        "told_on": alert.told_on,
        "closed_at": alert.closed_at,
        "outcome": alert.outcome or None,
    }
