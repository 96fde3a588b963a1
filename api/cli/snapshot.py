"""`allot snapshot`: the live engine as the base of scenarios; the work is in engine/simulation/snapshot.py."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.simulation.snapshot import Snapshot


def command(
    out: Annotated[Path, typer.Option("--out", metavar="BASE.yaml", help="The scenario; its documents go beside it.")],
    orders_days: Annotated[
        int,
        typer.Option("--orders-days", metavar="N", min=0, max=366, help="Orders of the last N days come once more."),
    ] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a snapshot that is there.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Write network, catalog, stock, supplies and open orders of the live engine as a scenario, to run or to extend."""
    from engine.simulation.snapshot_files import check_place, write_snapshot

    folder = check_place(out, replace=replace)
    taken = asyncio.run(_taken(data, orders_days))
    write_snapshot(taken, out, replace=replace)
    counted = {
        "network_version": taken.network_version,
        "positions": len(taken.positions),
        "supplies": len(taken.supplies),
        "open_orders": taken.open_orders,
        "orders": len(taken.orders),
    }
    if as_json:
        typer.echo(json.dumps({"file": str(out), "folder": str(folder), **counted}))
        return
    typer.echo(
        f"{out} and {folder}: version {taken.network_version} of the network, {len(taken.positions):,} positions, "
        f"{len(taken.supplies):,} supplies, {taken.open_orders:,} open orders"
        + (f", {len(taken.orders) - taken.open_orders:,} orders once more" if orders_days else "")
    )


async def _taken(data: Path | None, orders_days: int) -> Snapshot:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings
    from engine.simulation.snapshot import take_snapshot

    async with allot_engine(read_settings(data)) as engine:
        return await take_snapshot(engine, orders_days=orders_days)
