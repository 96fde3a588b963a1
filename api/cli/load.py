"""`allot load`: a folder of documents into the store, all of it checked before anything is written."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.integrations.load import Loaded


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="With network.json, catalog.json, …")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was loaded as JSON.")] = False,
) -> None:
    """Put network, catalog, stock, supplies and orders from files into the store; the formats are those of the API.

    Everything is checked together first; a fault anywhere changes nothing.
    """
    loaded = asyncio.run(_load(folder, data))
    if as_json:
        typer.echo(json.dumps(asdict(loaded)))
    else:
        typer.echo(f"{folder}: {loaded.positions} positions, {loaded.supplies} supplies, {loaded.orders} orders loaded")


async def _load(folder: Path, data: Path | None) -> Loaded:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings
    from engine.integrations.documents_folder import read_documents
    from engine.integrations.load import check_documents, put_documents

    documents = read_documents(folder)
    async with allot_engine(read_settings(data)) as engine:
        async with allot_engine(memory=True) as scratch:
            await check_documents(documents, scratch, engine)
        return await put_documents(documents, engine)
