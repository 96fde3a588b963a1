"""`allot import`: known data sets into problem folders and stories; the reading is in engine/integrations."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Source(StrEnum):
    """The data sets that can be imported."""

    brunel = "brunel"
    online_retail = "online-retail"


def command(
    source: Annotated[Source, typer.Argument(metavar="KIND", help="brunel or online-retail.")],
    data: Annotated[Path, typer.Argument(metavar="SRC", help="The folder that holds the data set.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder for what comes of it.")],
    days: Annotated[
        int | None,
        typer.Option("--days", help="Of brunel, days of each plant's capacity (7); else days of the story (all)."),
    ] = None,
    from_on: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="The first day of a story."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Turn a known data set into a problem folder that `allot route` takes, or a story that `allot simulate` takes."""
    if source is Source.online_retail:
        _import_shop(data, folder, from_on, days, as_json=as_json)
    else:
        _import_brunel(data, folder, from_on, 7 if days is None else days, as_json=as_json)


def _import_brunel(data: Path, folder: Path, from_on: datetime | None, days: int, *, as_json: bool) -> None:
    from engine.errors import Fault, InvalidInput
    from engine.integrations.brunel import import_brunel

    if from_on is not None:
        raise InvalidInput(Fault(path="--from", message="goes with online-retail only; brunel is of one day"))
    tables = import_brunel(data, folder, days)
    orders = len(tables.orders["order_id"])
    lanes = len(tables.lanes["order_id"]) if tables.lanes else 0
    if as_json:
        written = {"source": "brunel", "folder": str(folder), "orders": orders, "lanes": lanes}
        typer.echo(json.dumps(written))
    else:
        typer.echo(f"{folder}: {orders} orders, {lanes} lanes, {days} days of capacity")


def _import_shop(data: Path, folder: Path, from_on: datetime | None, days: int | None, *, as_json: bool) -> None:
    from engine.integrations.online_retail import import_online_retail

    first = None if from_on is None else from_on.date()
    written = import_online_retail(data, folder, first, days)
    if as_json:
        counts = {"orders": written.orders, "returns": written.returns, "days": written.days}
        typer.echo(json.dumps({"source": "online-retail", "folder": str(folder), **counts}))
    else:
        typer.echo(f"{folder}: {written.orders} orders and {written.returns} returns of {written.days} days")
