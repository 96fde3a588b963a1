"""`allot bid-prices`: makes bid prices of a forecast and the stock of now, and publishes them.

allot bid-prices forecast.csv
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.forecasting.document import ForecastDocument
    from engine.forecasting.service import Made

SHOWN = 20


def command(
    forecast: Annotated[
        Path | None,
        typer.Argument(metavar="[FORECAST.csv]", help="Put this forecast first; else the one that is there."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make and show prices, publish none.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole document as JSON.")] = False,
) -> None:
    """Make bid prices, what a unit of stock is worth to expected demand, and publish them for promises and runs."""
    document = None if forecast is None else _read(forecast)
    made = asyncio.run(_make(document, data, publish=not dry_run))
    if as_json:
        body = json.loads(made.document.model_dump_json(exclude_none=True))
        typer.echo(json.dumps({"version": made.version, "bid_prices": body}))
    else:
        _show(made)


def _read(path: Path) -> ForecastDocument:
    from engine.forecasting.document import read_forecast_csv

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}; give a CSV file in UTF-8"
        raise InvalidInput(Fault(path=str(path), message=message)) from None
    return read_forecast_csv(text, path.name)


async def _make(document: ForecastDocument | None, data: Path | None, *, publish: bool) -> Made:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        if document is not None:
            await engine.forecast.put(document)
        return await engine.forecast.make(publish=publish)


def _show(made: Made) -> None:
    from rich.table import Table

    from api.cli.terminal import console

    prices = sorted(made.document.prices, key=lambda entry: -entry.price_cents)
    table = Table()
    for name in ("sku", "node", "cents a unit"):
        table.add_column(name, justify="right" if name.startswith("cents") else "left")
    for entry in prices[:SHOWN]:
        table.add_row(entry.sku, entry.node_id, f"{entry.price_cents:,}")
    if prices:
        console().print(table)
    published = "not published" if made.version is None else f"published as version {made.version}"
    typer.echo(f"{len(prices):,} positions have a bid price, {published}.")
