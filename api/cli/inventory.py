"""`allot inventory`: what happened to a position, and whether the stock book agrees with the reservations.

allot inventory history SKU NODE
allot inventory check [--repair]
"""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import ExpectationMissed, Fault, InvalidInput

if TYPE_CHECKING:
    from engine.inventory.drift import Reconciliation
    from engine.inventory.history import History, StockEvent

PAGE = 100


class Question(StrEnum):
    """What can be asked of the stock book."""

    history = "history"
    check = "check"


def command(
    question: Annotated[Question, typer.Argument(metavar="history|check", help="What to ask.")],
    sku: Annotated[str, typer.Argument(metavar="[SKU", help="Of which product, for history.")] = "",
    node_id: Annotated[str, typer.Argument(metavar="NODE]", help="At which node, for history.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="history: at most so many changes.")] = 20,
    repair: Annotated[
        bool, typer.Option("--repair", help="check: set what disagrees to what reservations say.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Tell who changed the stock of a SKU at a node, when and why; or check positions against reservations.

    `check` exits with code 3 if they disagree and were not repaired.
    """
    if question is Question.check:
        _check(data, repair=repair, as_json=as_json)
        return
    if not sku or not node_id:
        missing = "SKU" if not sku else "NODE"
        raise InvalidInput(Fault(path=missing, message="is missing; write: allot inventory history SKU NODE"))
    events, history = asyncio.run(_read(sku, node_id, limit, data))
    if as_json:
        _print_json(events, history)
    else:
        _print_table(sku, node_id, events, history)


def _check(data: Path | None, *, repair: bool, as_json: bool) -> None:
    found = asyncio.run(_reconciled(data, repair=repair))
    if as_json:
        import msgspec

        typer.echo(json.dumps(msgspec.to_builtins(found)))
    else:
        _print_reconciliation(found)
    if not found.is_sound:
        message = f"{found.unrepaired} disagreements are not repaired; do so by: allot inventory check --repair"
        raise ExpectationMissed(message)


async def _reconciled(data: Path | None, *, repair: bool) -> Reconciliation:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        assert engine.reconciler is not None  # only an engine in memory has none
        return await engine.reconciler.reconcile(repair=repair)


def _print_reconciliation(found: Reconciliation) -> None:
    from rich.table import Table

    from api.cli.terminal import console

    if found.drifts:
        table = Table()
        for heading in ("SKU", "node", "quantity", "booked", "reserved", "repaired"):
            table.add_column(heading, justify="right" if heading in {"booked", "reserved"} else "left")
        for drift in found.drifts:
            quantity = drift.quantity if drift.day is None else f"{drift.quantity} {drift.day}"
            quantity += f" from {drift.supply_id}" if drift.supply_id else ""
            quantity += f" by {drift.channel}" if drift.channel else ""
            numbers = (f"{drift.booked:,}", f"{drift.reserved:,}")
            table.add_row(drift.sku, drift.node_id, quantity, *numbers, "yes" if drift.is_repaired else "no")
        console().print(table)
    for lost in found.lost_deadlines:
        typer.echo(f"reservation {lost.reservation_id} had no deadline{', it has one again' * lost.is_repaired}")
    for hold in found.open_holds:
        repaired = ", it is set right" * hold.is_repaired
        typer.echo(f"{hold.holder} holds {hold.held:,} reservations open, counted as {hold.booked:,}{repaired}")
    for entry in found.dated_index:
        what = "is entered under dated lines" if entry.is_entered else "is not entered under its dated lines"
        typer.echo(f"reservation {entry.reservation_id} {what} of {entry.sku}{', mended' * entry.is_repaired}")
    unsettled = f"; {found.unsettled:,} positions moved too fast to be judged" if found.unsettled else ""
    unsettled += "" if found.are_open_holds_judged else "; open holds moved too fast to be counted"
    wrong = len(found.disagreements)
    agreement = f"{wrong:,} disagreements" if wrong else "everything agrees"
    typer.echo(f"{found.positions:,} positions, {found.reservations:,} open reservations: {agreement}{unsettled}")


async def _read(sku: str, node_id: str, limit: int, data: Path | None) -> tuple[list[StockEvent], History]:
    """Return at most `limit` events, and the last page of them."""
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        page = await engine.inventory.history(sku, node_id, limit=min(limit, PAGE))
        events = list(page.events)
        while page.has_more and len(events) < limit:
            more = min(limit - len(events), PAGE)
            page = await engine.inventory.history(sku, node_id, limit=more, after_event=events[-1].event)
            events += page.events
        return events, page


def _print_json(events: list[StockEvent], history: History) -> None:
    import msgspec

    shown = msgspec.to_builtins({"events": events, "has_more": history.has_more, "is_cut_off": history.is_cut_off})
    typer.echo(json.dumps(shown))


def _print_table(sku: str, node_id: str, events: list[StockEvent], history: History) -> None:
    from rich.table import Table

    from api.cli.terminal import console

    if not events:
        typer.echo(f"{sku} at {node_id}: nothing has happened yet")
        return
    table = Table(title=f"{sku} at {node_id}, newest first", title_justify="left")
    for heading in ("time (UTC)", "what", "on hand", "safety", "held", "confirmed"):
        table.add_column(heading, justify="left" if heading in {"time (UTC)", "what"} else "right", no_wrap=True)
    table.add_column("why")
    table.add_column("who", overflow="fold")
    for event in events:
        pairs = [
            (getattr(event.before, name), getattr(event.after, name))
            for name in ("on_hand", "safety_stock", "held", "confirmed")
        ]
        time = f"{event.at:%Y-%m-%d %H:%M:%S}.{event.at.microsecond // 1000:03d}"
        table.add_row(time, event.act, *(_changed(*pair) for pair in pairs), _why(event), event.who)
    console().print(table)
    if history.has_more:
        typer.echo("There is more; see it with --limit.")
    if history.is_cut_off:
        typer.echo("What happened before is no longer in the journal.")


def _changed(before: int, after: int) -> str:
    return str(after) if before == after else f"{before} → {after}"


def _why(event: StockEvent) -> str:
    shown = [*event.whys[:3], *([f"… {len(event.whys) - 3} more"] if len(event.whys) > 3 else [])]
    for change in event.schedule:
        what = change.supply_id or "dated demand"
        if change.supply_id and min(change.before, change.after) < 0:
            what = f"pegged to {change.supply_id}"
        shown.append(f"{what} on {change.day}: {change.before} → {change.after}")
    shown += [f"{move.condition}: {move.before} → {move.after}" for move in event.conditions]
    return ", ".join(shown)
