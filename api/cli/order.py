"""`allot order`: finds orders, and shows the whole life of one.

allot order find [NUMBER] [--phone TEXT] [--sku SKU] [--state STATES] …
allot order show NUMBER
allot order archive [--days N]
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Fault, InvalidInput, NotFound

if TYPE_CHECKING:
    from engine.orders.model import HistoryEntry, Order
    from engine.search.model import FoundOrders, Question

_Text = str | None


class Act(StrEnum):
    """What can be done."""

    FIND = "find"
    SHOW = "show"
    ARCHIVE = "archive"


def command(
    act: Annotated[Act, typer.Argument(metavar="find|show|archive", help="What to do.")],
    number: Annotated[str, typer.Argument(metavar="[NUMBER]", help="The order's id, or its channel's own.")] = "",
    customer: Annotated[_Text, typer.Option("--customer", metavar="ID", help="find: of this customer.")] = None,
    phone: Annotated[_Text, typer.Option("--phone", metavar="NUMBER", help="find: with this phone number.")] = None,
    email: Annotated[_Text, typer.Option("--email", metavar="ADDRESS", help="find: with this e-mail address.")] = None,
    sku: Annotated[_Text, typer.Option("--sku", metavar="SKU", help="find: with this product.")] = None,
    channel: Annotated[_Text, typer.Option("--channel", metavar="NAME", help="find: of this channel.")] = None,
    state: Annotated[_Text, typer.Option("--state", metavar="STATES", help="find: in one of these states.")] = None,
    since: Annotated[_Text, typer.Option("--from", metavar="DAY", help="find: captured on this day or later.")] = None,
    until: Annotated[_Text, typer.Option("--to", metavar="DAY", help="find: captured on this day or before.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="find: at most so many.")] = 20,
    days: Annotated[
        int | None,
        typer.Option("--days", min=0, metavar="N", help="archive: orders that have been over for so many days."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Find orders by what they have, the newest first; or show the whole life of one on one screen.

    Or move orders that are over to the archive, where they are still found and shown.
    """
    if act is Act.SHOW:
        _show(number, data, as_json=as_json)
        return
    if act is Act.ARCHIVE:
        count = asyncio.run(_archive(days, data))
        typer.echo(f'{{"archived": {count}}}' if as_json else f"{count:,} order{'s' * (count != 1)} archived")
        return
    import msgspec

    from engine.search.asked import moment
    from engine.search.model import Question

    question = Question(
        number=number or None,
        customer=customer,
        phone=phone,
        email=email,
        sku=sku,
        channel=channel,
        states=tuple(each.strip() for each in (state or "").split(",") if each.strip()),
        from_at=moment(since, "--from"),
        until=moment(until, "--to", is_end=True),
        limit=limit,
    )
    try:
        found = asyncio.run(_find(question, data))
    except InvalidInput as error:
        raise InvalidInput([_as_typed(fault) for fault in error.faults]) from None
    if as_json:
        shown = {"data": found.orders, "has_more": found.next_id is not None, "next": found.next_id}
        typer.echo(msgspec.json.encode(shown).decode())
    else:
        _print(found)


def _show(number: str, data: Path | None, *, as_json: bool) -> None:
    if not number:
        raise InvalidInput(Fault(path="show", message="NUMBER is missing; write: allot order show NUMBER"))
    order, history, is_archived = asyncio.run(_whole(number, data))
    if not as_json:
        from api.cli.order_screen import print_screen
        from api.cli.terminal import console

        print_screen(console(), order, history, is_archived=is_archived)
        return
    import msgspec

    from api.routes.order_life import shown_whole

    typer.echo(msgspec.json.encode(shown_whole(order, history, is_archived=is_archived)).decode())


async def _whole(number: str, data: Path | None) -> tuple[Order, list[HistoryEntry], bool]:
    """Return an order by its id, or by its channel's own, its steps, and whether it is archived."""
    from api.routes.order_life import whole_order
    from engine.bootstrap import allot_engine
    from engine.config import read_settings
    from engine.search.model import Question

    async with allot_engine(read_settings(data)) as engine:
        desk = engine.desk
        assert desk is not None  # only what is in memory has none
        try:
            return await whole_order(engine, number)
        except NotFound:
            await desk.index.catch_up()
            found = await desk.search.find(Question(number=number, limit=1))
            if not found.orders:
                raise
            return await whole_order(engine, found.orders[0].order_id)


async def _archive(days: int | None, data: Path | None) -> int:
    """Archive all orders that have been over for so long, or as long as the settings say; return how many."""
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        assert engine.desk is not None  # only what is in memory has none
        chosen = engine.desk.archive_after_days if days is None else days
        if chosen is None:
            message = "say how long orders are to be over, or set ALLOT_ARCHIVE_AFTER_DAYS"
            raise InvalidInput(Fault(path="--days", message=message))
        count = 0
        while True:
            await engine.desk.index.catch_up()
            found = await engine.desk.archive.step(chosen)
            count += found
            if not found:
                return count


def _as_typed(fault: Fault) -> Fault:
    return Fault(path=fault.path.replace("query.", "--"), message=fault.message)


async def _find(question: Question, data: Path | None) -> FoundOrders:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        assert engine.desk is not None  # only what is in memory has none
        await engine.desk.index.catch_up()
        return await engine.desk.search.find(question)


def _print(found: FoundOrders) -> None:
    from rich.table import Table

    from api.cli.terminal import console

    if not found.orders:
        typer.echo("no order has all that")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("order", overflow="fold")
    for heading in ("captured (UTC)", "state", "channel"):
        table.add_column(heading, no_wrap=True)
    table.add_column("units", justify="right")
    table.add_column("products", overflow="ellipsis", no_wrap=True)
    for order in found.orders:
        skus = ", ".join(order.skus) + ", …" * (order.lines > len(order.skus))
        name = f"{order.order_id} ({order.channel_order_id})" if order.channel_order_id else order.order_id
        state = f"{order.state}, archived" if order.is_archived else order.state
        table.add_row(name, f"{order.captured_at:%Y-%m-%d %H:%M}", state, order.channel, f"{order.units:,}", skus)
    console().print(table)
    if found.next_id is not None:
        typer.echo("There are more; ask for less, or see them with --limit.")
