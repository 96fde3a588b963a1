"""Orders in jeopardy over HTTP: the open alerts of all orders."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint
from api.routes.shown_alerts import shown_open_alert
from api.schemas import alerts as wire


async def list_alerts(call: Call[None, wire.AlertsQuery]) -> Answer:
    """Alerts that are not over, of all orders: the worst first, then the oldest.

    The server looks at orders under way about once a minute, so an alert may be as late; those of an order are with it.
    """
    query = call.query
    found, has_more = await call.engine.exceptions.alerts(
        query.limit, severity=query.severity, after=query.starting_after
    )
    return Answer(value=wire.AlertsReply(data=[shown_open_alert(each) for each in found], has_more=has_more))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/alerts",
        summary="List open alerts",
        handler=list_alerts,
        query=wire.AlertsQuery,
        reply=wire.AlertsReply,
        scope="alerts:read",
    ),
)
