"""`allot import`: known data sets into problem folders; the reading is in engine/integrations."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Source(StrEnum):
    """The data sets that can be imported."""

    brunel = "brunel"


def command(
    source: Annotated[Source, typer.Argument(metavar="brunel", help="Which kind of data it is.")],
    data: Annotated[Path, typer.Argument(metavar="SRC", help="The folder that holds the data set.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder for the problem.")],
    days: Annotated[int, typer.Option("--days", help="How many days of each plant's capacity to use.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Turn a known data set into a problem folder that `allot route` takes."""
    from engine.integrations.brunel import import_brunel

    tables = import_brunel(data, folder, days)
    orders = len(tables.orders["order_id"])
    lanes = len(tables.lanes["order_id"]) if tables.lanes else 0
    if as_json:
        written = {"source": source.value, "folder": str(folder), "orders": orders, "lanes": lanes}
        typer.echo(json.dumps(written))
    else:
        typer.echo(f"{folder}: {orders} orders, {lanes} lanes, {days} days of capacity")
