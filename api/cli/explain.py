"""`allot explain`: why each line of an order went where it went; the work is in engine/routing/explain.py."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.terminal import console

if TYPE_CHECKING:
    from rich.console import Console

    from engine.routing.explain import LineExplanation, OrderExplanation

MOST_CHOICES = 12
"""Nodes shown per line; `--json` has all."""


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A problem folder.")],
    result: Annotated[Path, typer.Argument(metavar="DIR", help="Its result folder, from `allot route --out`.")],
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID", help="The order to explain.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say why each line of an order went where it went, and what every other node would have cost."""
    from engine.routing.explain import explain_folder

    explained = explain_folder(folder, result, order_id)
    if as_json:
        typer.echo(json.dumps(asdict(explained), ensure_ascii=False))
    else:
        _print(explained)


def _print(explained: OrderExplanation) -> None:
    out = console()
    cost = "divided lines" if explained.cost_cents is None else f"{explained.cost_cents / 100:,.2f}"
    parcels = "1 parcel" if explained.parcels == 1 else f"{explained.parcels} parcels"
    out.print(f"Order [bold]{explained.order_id}[/]: {cost}, {parcels}")
    for line in explained.lines:
        out.print()
        _print_line(out, line)


def _earlier(line: LineExplanation) -> str:
    """Return what earlier decisions say of a line, in brackets."""
    pinned = f"pinned to {line.pinned_node_id}" if line.pinned_node_id else ""
    current = f"the current plan has it at {line.current_node_id}" if line.current_node_id else ""
    said = "; ".join(word for word in (pinned, current) if word)
    return f" ({said})" if said else ""


def _print_line(out: Console, line: LineExplanation) -> None:
    from rich.table import Table

    went = ", ".join(f"{units} from {node_id} by {service}" for node_id, service, units in line.shipped)
    missing = line.quantity - sum(part[2] for part in line.shipped)
    if missing:
        went += f"{', ' if went else ''}{missing} backordered: {(line.backorder_reason or '').replace('_', ' ')}"
    out.print(f"[bold]{line.sku}[/] × {line.quantity}: {went}{_earlier(line)}")
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
    table.add_column("node")
    for heading in ("stock", "km", "order costs more", "shadow price"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why")
    for choice in line.choices[:MOST_CHOICES]:
        table.add_row(
            choice.node_id,
            f"{choice.available:,}",
            "–" if choice.distance_km is None else f"{choice.distance_km:,.0f}",
            "–" if choice.difference_cents is None else f"{choice.difference_cents / 100:+,.2f}",
            f"{choice.shadow_price_cents / 100:,.2f}" if choice.shadow_price_cents else "–",
            choice.reason,
            style="bold" if choice.verdict == "chosen" else "dim" if choice.verdict == "not_eligible" else "",
        )
    out.print(table)
    if len(line.choices) > MOST_CHOICES:
        out.print(f"  … and {len(line.choices) - MOST_CHOICES} more nodes (--json shows all)", style="dim")
    if not line.choices:
        out.print("  no node has a unit of it", style="dim")
