"""`allot explain`: why each line of an order went where it went; the work is in engine/routing/explaining.py.

allot explain ORDER_ID                  an order of the store, as a routing run decided it
allot explain FOLDER DIR ORDER_ID       an order of a problem folder and its result folder
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.terminal import console
from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from rich.console import Console

    from engine.orders.explanations import Explained
    from engine.routing.explanation import LineExplanation, NodeChoice, OrderExplanation, OverHub

MOST_NODES = 12
"""Nodes shown per line; `--json` has all."""


def command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[FOLDER DIR] ORDER_ID",
            help="The order to explain; before it a problem folder and its result from `allot route --out`, if any.",
            show_default=False,
        ),
    ],
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN_ID", help="As this routing run decided, dry runs too.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The store's folder, as for `allot serve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say why each line of an order went where it went, and what every other node would have cost.

    ORDER_ID alone is an order of the store; with FOLDER and DIR it is one of a routed problem folder.
    """
    import msgspec

    if len(words) == 1:
        found = asyncio.run(_live(words[0], run_id, data))
        if as_json:
            from api.routes.orders import shown_explanation

            typer.echo(msgspec.json.encode(shown_explanation(found)).decode())
        else:
            _print_live(found)
        return
    if len(words) != 3:
        message = "give an ORDER_ID of the store, or FOLDER DIR ORDER_ID of a routed problem folder"
        raise InvalidInput(Fault(path=" ".join(words), message=message))
    if run_id is not None or data is not None:
        option = "--data" if run_id is None else "--run"
        raise InvalidInput(Fault(path=option, message="is for orders of the store; leave it out with FOLDER and DIR"))
    from engine.routing.explain import explain_folder

    explained = explain_folder(Path(words[0]), Path(words[1]), words[2])
    if as_json:
        typer.echo(msgspec.json.encode(explained).decode())
    else:
        _print(console(), explained)


async def _live(order_id: str, run_id: str | None, data: Path | None) -> Explained:
    from engine.bootstrap import allot_engine
    from engine.config import read_settings

    async with allot_engine(read_settings(data)) as engine:
        return await engine.explanations.explain(order_id, run_id)


def _print_live(found: Explained) -> None:
    out = console()
    _print(out, found.explanation)
    state = "" if found.is_in_force else f", and not in force: the order is {found.order.state.value}"
    out.print(f"\nDecided by {found.run_id} at {found.decided_at:%Y-%m-%d %H:%M:%S} UTC{state}.", style="dim")


def _print(out: Console, explained: OrderExplanation) -> None:
    count = len(explained.shipments)
    parcels = "1 parcel" if count == 1 else f"{count} parcels"
    named = {
        name: getattr(explained.costs, f"{name}_cents")
        for name in ("shipping", "handling", "units", "split", "late", "backorder", "moves")
    }
    costs = ", ".join(f"{name} {_money(cents)}" for name, cents in named.items() if cents)
    title = f"Order [bold]{explained.order_id}[/]: {_money(explained.cost_cents)} {explained.currency}, {parcels}"
    out.print(f"{title} ({costs})" if costs else title)
    for limit in explained.relaxed:
        whose = f" for line {limit.line_id}" if limit.line_id else ""
        where = f" at {limit.node_id}" if limit.node_id else ""
        counted = _money(limit.cost_cents)
        out.print(f"It would have waited, and broke {limit.constraint!r}{whose}{where}, which counted as {counted}.")
    if explained.over_hub is not None:
        _print_hub(out, explained.over_hub)
    if explained.value_cents:
        out.print(f"Its units count for {_money(explained.value_cents)} beside that, which nobody pays.", style="dim")
    for line in explained.lines:
        out.print()
        _print_line(out, line)
    for one in explained.from_one_node[:1]:
        lacks = [f"{lack.units} {lack.sku}" for lack in one.lacks]
        lacks += [f"room for {one.capacity_units} units"] * bool(one.capacity_units)
        lacks += ["room for a parcel"] * bool(one.capacity_parcels)
        without = f"; it lacks {', '.join(lacks)}" if lacks else ""
        more = f"{abs(one.cost_difference_cents) / 100:,.2f} {'more' if one.cost_difference_cents >= 0 else 'less'}"
        out.print(f"\nAll from one node: {one.node_id} would cost {more}{without}.")


def _print_hub(out: Console, hub: OverHub) -> None:
    """Say what goes over a hub; what follows is of the plan without."""
    sent = "; ".join(
        f"{each.node_id} sends {', '.join(each.line_ids)} on {each.ship_on}, for {_money(each.transfer_cents)}"
        for each in hub.transfers
    )
    out.print(f"[bold]Over {hub.node_id}[/] by {hub.service} on {hub.ship_on}: {sent}. {hub.why}")
    out.print("What follows is how it would go without hubs.", style="dim")


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _earlier(line: LineExplanation) -> str:
    """Return what earlier decisions say of a line, in brackets."""
    held = f"reserved at {line.held_node_id}" if line.held_node_id else ""
    pinned = f"pinned to {line.pinned_node_id}" if line.pinned_node_id else ""
    is_told = line.current_node_id and line.current_node_id != line.held_node_id
    current = f"the current plan has it at {line.current_node_id}" if is_told else ""
    said = "; ".join(word for word in (held, pinned, current) if word)
    return f" ({said})" if said else ""


def _print_line(out: Console, line: LineExplanation) -> None:
    from rich.table import Table

    went = ", ".join(f"{part.quantity} from {part.node_id} by {part.service}" for part in line.shipped)
    if line.backordered:
        reason = (line.backorder_reason or "").replace("_", " ")
        went += f"{', ' if went else ''}{line.backordered} backordered: {reason}"
    out.print(f"[bold]{line.sku}[/] × {line.quantity}: {went}{_earlier(line)}")
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
    table.add_column("node")
    has_values = any(node.value_cents for node in line.nodes)
    for heading in ("stock", "left", "km", "order costs more", "shadow price", *["value"] * has_values):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why")
    for node in line.nodes[:MOST_NODES]:
        table.add_row(
            *_row(node, has_values=has_values), style={"chosen": "bold", "eligible": ""}.get(node.standing, "dim")
        )
    if line.nodes:
        out.print(table)
    if len(line.nodes) > MOST_NODES:
        out.print(f"  … and {len(line.nodes) - MOST_NODES} more nodes (--json shows all)", style="dim")
    if line.nodes_without_units:
        count = len(line.nodes_without_units)
        others = (
            "no node has a unit of it" if not line.nodes else f"{count} other node{'s' * (count != 1)} without units"
        )
        out.print(f"  {others}", style="dim")
    for change in line.changes:
        out.print(f"  → {change.why}")


def _row(node: NodeChoice, *, has_values: bool) -> tuple[str, ...]:
    return (
        node.node_id,
        f"{node.available:,}",
        f"{node.left:,}",
        "–" if node.distance_km is None else f"{node.distance_km:,.0f}",
        "–" if node.cost_difference_cents is None else f"{node.cost_difference_cents / 100:+,.2f}",
        f"{node.shadow_price_cents / 100:,.2f}" if node.shadow_price_cents else "–",
        *([_money(node.value_cents) if node.value_cents else "–"] if has_values else []),
        node.why,
    )
