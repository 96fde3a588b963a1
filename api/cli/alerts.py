"""`allot alerts`: orders whose promise may be broken, and ways out for one of them.

allot alerts [--severity critical] [--look]
allot alerts ORDER [--accept ALTERNATIVE]
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.exceptions.alternatives import Alternative
    from engine.exceptions.index import ListedAlert
    from engine.orders.facts.links import Alert


def command(
    order_id: Annotated[str, typer.Argument(metavar="[ORDER]", help="Look at this order, and list ways out.")] = "",
    severity: Annotated[
        str | None, typer.Option("--severity", metavar="WORD", help="Only these: minor, major or critical.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 100,
    look: Annotated[bool, typer.Option("--look", help="Look at all orders under way first.")] = False,
    accept: Annotated[
        str | None, typer.Option("--accept", metavar="ALTERNATIVE", help="Have ORDER sent as this proposes.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """List open alerts, the worst first; or the alerts of one order with ways out, one of which it accepts."""
    if accept is not None and not order_id:
        raise InvalidInput(Fault(path="--accept", message="ORDER is missing; write: allot alerts ORDER --accept ID"))
    if order_id:
        _print_order(order_id, *asyncio.run(_of_order(order_id, accept, data)), as_json=as_json)
    else:
        _print_all(*asyncio.run(_all(severity, limit, data, look=look)), as_json=as_json)


async def _all(severity: str | None, limit: int, data: Path | None, *, look: bool) -> tuple[list[ListedAlert], bool]:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        if look:
            await engine.jeopardy.round()
        return await engine.exceptions.alerts(limit, severity=severity)


async def _of_order(order_id: str, accept: str | None, data: Path | None) -> tuple[list[Alert], list[Alternative]]:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings
    from engine.events.actor import acting_as
    from engine.exceptions.alerting import open_alerts

    async with allot_engine(read_settings(data)) as engine:
        with acting_as("allot alerts"):
            if accept is not None:
                await engine.exceptions.accept(order_id, accept)
                await engine.routing_runs.finish()
            looked_at = await engine.jeopardy.look_at(order_id)
            return list(open_alerts(looked_at)), await engine.exceptions.alternatives(order_id)


def _print_all(alerts: list[ListedAlert], has_more: bool, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        from api.routes.shown_alerts import shown_open_alert

        shown = {"data": [shown_open_alert(each) for each in alerts], "has_more": has_more}
        typer.echo(msgspec.json.encode(shown).decode())
        return
    for each in alerts:
        typer.echo(_line(each.alert, each.order_id))
    if has_more:
        typer.echo("and more; ask for more with --limit")
    if not alerts:
        typer.echo("no order is in jeopardy")


def _print_order(order_id: str, alerts: list[Alert], found: list[Alternative], *, as_json: bool) -> None:
    from api.routes.shown_alerts import shown_alert, shown_alternative

    if as_json:
        import msgspec

        shown = {
            "order_id": order_id,
            "alerts": [shown_alert(each) for each in alerts],
            "alternatives": [shown_alternative(each) for each in found],
        }
        typer.echo(msgspec.json.encode(shown).decode())
        return
    for alert in alerts:
        typer.echo(_line(alert, order_id))
    if not alerts:
        typer.echo(f"{order_id} is not in jeopardy")
    for each in found:
        extra = "" if each.extra_cents is None else f", {each.extra_cents / 100:+.2f}"
        cost = "" if each.cost_cents is None else f" for {each.cost_cents / 100:.2f}{extra}"
        way = ", ".join(f"{parcel.node_id} by {parcel.service} on {parcel.ship_on}" for parcel in each.parcels)
        date = each.predicted_on or "nobody can tell when"
        late = f"late with {each.late_probability:.0%}"
        typer.echo(f"  {each.alternative_id}  {each.kind.value}: {date}, {late}{cost}{' (' + way + ')' if way else ''}")


def _line(alert: Alert, order_id: str) -> str:
    when = "no date" if alert.predicted_on is None else f"{alert.predicted_on}, {alert.delay_days} days late"
    promised = f"promised for {alert.promised_on}, now {when} ({alert.late_probability:.0%})"
    return f"{alert.severity:8}  {order_id}  {alert.cause}: {promised}. {alert.message}"
