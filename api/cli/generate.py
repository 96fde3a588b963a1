"""`allot generate`: a realistic synthetic problem folder of any size; the making is in engine/integrations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    orders: Annotated[int, typer.Option("--orders", metavar="N", help="How many orders.")],
    nodes: Annotated[int, typer.Option("--nodes", metavar="N", help="How many nodes.")],
    skus: Annotated[int, typer.Option("--skus", metavar="N", help="How many products.")],
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same bytes.")] = 1,
    kinds: Annotated[
        str, typer.Option("--kinds", help="Proportions of dc, store, vendor and third_party nodes.")
    ] = "dc=0.2,store=0.75,vendor=0.05",
    nodes_per_sku: Annotated[
        float, typer.Option("--nodes-per-sku", help="At how many nodes a product lies, on average.")
    ] = 6.5,
    supply: Annotated[
        float, typer.Option("--supply", help="Stock over demand: 4 is contested, 2.5 tight, 8 milder.")
    ] = 4.0,
    max_lines: Annotated[int, typer.Option("--max-lines", help="The most lines an order may have.")] = 6,
    late_day_cost_cents: Annotated[
        int | None, typer.Option("--late-day-cost-cents", help="Price of a late day; without it due dates are hard.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a synthetic problem folder: clustered places, Zipf demand, correlated baskets, scarce stock."""
    from rich.console import Console

    from engine.integrations.generate import Recipe, generate, parse_kinds

    recipe = Recipe(
        orders=orders,
        nodes=nodes,
        skus=skus,
        seed=seed,
        kinds=parse_kinds(kinds),
        nodes_per_sku=nodes_per_sku,
        supply=supply,
        max_lines=max_lines,
        late_day_cost_cents=late_day_cost_cents,
    )
    with Console(stderr=True).status(f"generating {orders:,} orders"):  # silent unless it is a terminal
        tables = generate(recipe, folder)
    lines, cells = len(tables.order_lines["sku"]), len(tables.stock["sku"])
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "orders": orders, "order_lines": lines, "stocked_cells": cells}))
    else:
        typer.echo(f"{folder}: {orders} orders, {lines} order lines, {cells} stocked cells")
