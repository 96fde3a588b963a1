"""`allot payments`: the money of orders, in the terminal.

allot payments report
allot payments show ORDER_ID
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from engine.errors import ExpectationMissed, Fault, InvalidInput
from engine.orders.facts.amounts import bare_amount, shown_amount

if TYPE_CHECKING:
    from engine.bootstrap import Engine
    from engine.orders.model import Order
    from engine.payments.report import Report

Read = TypeVar("Read")
_WEEK = timedelta(days=7)
_NUMBERS = frozenset(
    {"authorisations", "set aside", "captured", "refunded", "up to", "amount"}
    | {"ledger cents", "provider's cents", "cents"}
)
"""Headings of columns that are aligned at their right."""


class Act(StrEnum):
    """What can be done with payments."""

    report = "report"
    show = "show"


def command(
    act: Annotated[Act, typer.Argument(metavar="report|show", help="What to do.")],
    order_id: Annotated[str, typer.Argument(metavar="[ORDER_ID]", help="For show, the order.")] = "",
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day (UTC), as 2026-01-31.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day (UTC).")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Compare what orders and payment providers have on their books, or show the money of an order."""
    if (act is Act.show) != bool(order_id):
        problem = "ORDER_ID missing" if act is Act.show else f"{order_id!r} is too much"
        wanted = " ORDER_ID" if act is Act.show else ""
        raise InvalidInput(Fault(path=act, message=f"{problem}; write: allot payments {act}{wanted}"))
    if act is Act.show:
        _show(asyncio.run(_ask(data, lambda engine: engine.payments.get(order_id))), as_json=as_json)
        return
    end = datetime.now(UTC) if until is None else _midnight("--to", until) + timedelta(days=1)
    start = end - _WEEK if since is None else _midnight("--from", since)
    report = asyncio.run(_ask(data, lambda engine: engine.payments.report(start, end)))
    _report(report, as_json=as_json)
    if not report.agrees:
        raise ExpectationMissed(f"{report.disagreement_count} amounts are not the same on both books.")


def _midnight(path: str, day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time(tzinfo=UTC))
    except ValueError:
        raise InvalidInput(Fault(path=path, message=f"{day!r} is no day; write it as 2026-01-31")) from None


async def _ask(data: Path | None, ask: Callable[[Engine], Awaitable[Read]]) -> Read:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        return await ask(engine)


def _report(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    rows = [
        (
            each.provider,
            each.currency,
            str(each.authorisations),
            *(
                bare_amount(cents, each.currency)
                for cents in (each.authorised_cents, each.captured_cents, each.refunded_cents)
            ),
        )
        for each in report.totals
    ]
    _table(("provider", "currency", "authorisations", "set aside", "captured", "refunded"), rows)
    if report.disagreements:
        found = [
            (each.order_id, each.provider, each.what, str(each.ledger_cents), str(each.provider_cents), each.reason)
            for each in report.disagreements
        ]
        _table(("order", "provider", "what", "ledger cents", "provider's cents", "why"), found)
    if report.open_matters:
        waiting = [(each.order_id, each.what, str(each.amount_cents), each.reason) for each in report.open_matters]
        _table(("order", "what", "cents", "why"), waiting)
    if report.provider_reports:
        told = [
            (each.order_id, each.provider, each.report.kind.value, str(each.report.amount_cents), each.report.reason)
            for each in report.provider_reports
        ]
        _table(("order", "provider", "told", "cents", "why"), told)
    for count, shown in (
        (report.disagreement_count, report.disagreements),
        (report.open_matter_count, report.open_matters),
    ):
        if count > len(shown):
            typer.echo(f"and {count - len(shown)} more like the {len(shown)} above; give a shorter period")
    typer.echo("the books agree" if report.agrees else "the books do not agree")


def _show(order: Order, *, as_json: bool) -> None:
    money = order.life.money
    if as_json:
        from api.routes.shown_payments import shown_payments

        typer.echo(msgspec.json.encode(shown_payments(order)).decode())
        return
    currency = "" if money.prices is None else money.prices.currency
    total = (
        "nothing is known of its prices" if money.prices is None else shown_amount(money.prices.total_cents, currency)
    )
    typer.echo(f"{order.order_id}: {total}")
    tenders = [
        (each.tender_id, each.kind.value, each.provider, bare_amount(each.amount_cents, currency))
        for each in money.tenders
    ]
    _table(("tender", "kind", "provider", "up to"), tenders)
    entries = [
        (
            f"{each.at:%Y-%m-%d %H:%M}",
            each.kind.value,
            each.tender_id,
            bare_amount(each.amount_cents, currency),
            each.subject,
            each.reason,
        )
        for each in money.ledger
    ]
    _table(("at", "what", "tender", "amount", "for", "why"), entries)


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    from api.cli.terminal import console

    table = Table()
    for heading in headings:
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left")
    for row in rows:
        table.add_row(*row)
    console().print(table)
