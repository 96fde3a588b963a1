"""A shipment, or a list of them, on one screen of a terminal, 80 columns wide.

Not here: reading them (shipment.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.fulfillment.arriving import awaited
from engine.orders.facts.shipments import Shipment
from engine.orders.model import Order


def print_list(out: Console, found: Sequence[tuple[Order, Shipment]]) -> None:
    """Print shipments that nodes have with them, a line each."""
    if not found:
        out.print("no node has such a shipment with it")
        return
    table = _table()
    table.add_column("shipment", overflow="fold")
    for heading in ("node", "state", "leaves", "service"):
        table.add_column(heading, overflow="fold")
    table.add_column("units", justify="right")
    table.add_column("label", overflow="fold")
    for _, each in found:
        label = each.tracking_number or each.problem
        units = sum(line.quantity for line in each.lines)
        words = (each.shipment_id, each.node_id, each.state.value, f"{each.ship_on:%m-%d}", each.service)
        table.add_row(*map(escape, words), f"{units:,}", escape(label))
    out.print(table)


def print_shipment(out: Console, order: Order, shipment: Shipment) -> None:
    """Print a shipment: what is in it, in which cartons, how far it is, and what its carrier said."""
    out.print(
        f"Shipment [bold]{escape(shipment.shipment_id)}[/] of order {escape(order.order_id)}: "
        f"[bold]{shipment.state.value}[/]"
    )
    senders = f"from {', '.join(shipment.from_node_ids)}" if shipment.from_node_ids else ""
    label = " ".join(word for word in (shipment.carrier, shipment.tracking_number) if word)
    wave = f"wave {shipment.wave_id}" if shipment.wave_id else ""
    said = (shipment.node_id, senders, shipment.service, f"leaves {shipment.ship_on}", label, wave)
    out.print(escape(" · ".join(each for each in said if each)), style="dim")
    if shipment.problem:
        out.print(f"[bold red]Problem[/]: {escape(shipment.problem)}")
    still = awaited(order, shipment) if shipment.from_node_ids else {}
    for (node_id, line_id), units in still.items():
        out.print(f"awaited from {escape(node_id)}: {units:,} of line {escape(line_id)}")
    _lines(out, shipment)
    _cartons(out, shipment)
    _steps(out, shipment)


def _lines(out: Console, shipment: Shipment) -> None:
    table = _table()
    for heading in ("line", "product"):
        table.add_column(heading, overflow="fold")
    table.add_column("units", justify="right")
    for line in shipment.lines:
        table.add_row(escape(line.line_id), escape(line.sku), f"{line.quantity:,}")
    _titled(out, "Lines", table)


def _cartons(out: Console, shipment: Shipment) -> None:
    if not shipment.cartons:
        return
    table = _table()
    table.add_column("carton", overflow="fold")
    table.add_column("weight", justify="right")
    table.add_column("holds", overflow="fold")
    table.add_column("tracking number", overflow="fold")
    for each in shipment.cartons:
        holds = ", ".join(f"{line.quantity} × {line.sku}" for line in each.lines)
        name = each.carton or each.carton_id
        table.add_row(escape(name), f"{each.weight_g / 1000:.2f} kg", escape(holds), escape(each.tracking_number))
    _titled(out, "Cartons", table)


def _steps(out: Console, shipment: Shipment) -> None:
    """Show when it reached which state, and what its carrier said, by time."""
    reached: list[tuple[datetime | None, str]] = [
        (shipment.released_at, "released"),
        (shipment.picked_at, "picking"),
        (shipment.packed_at, "packed"),
        (shipment.shipped_at, "shipped"),
        (shipment.delivered_at, f"delivered ({shipment.proof})" if shipment.proof else "delivered"),
    ]
    steps = [(at, text) for at, text in reached if at is not None]
    for event in shipment.events:
        words = (event.event.replace("_", " "), event.place, event.detail)
        steps.append((event.at, f"carrier: {', '.join(word for word in words if word)}"))
    table = _table()
    table.show_header = False
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for at, text in sorted(steps, key=lambda each: each[0]):
        table.add_row(f"{at:%m-%d %H:%M}", escape(text))
    _titled(out, "Steps", table)


def _titled(out: Console, title: str, table: Table) -> None:
    out.print()
    out.print(f"[bold]{title}[/]")
    out.print(table)


def _table() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
