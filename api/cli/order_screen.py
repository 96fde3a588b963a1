"""The whole life of an order on one screen of a terminal, 80 columns wide; parts that it does not have are left out.

Not here: reading the order (order.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from engine.orders.facts.amounts import bare_amount, shown_amount
from engine.orders.facts.money import EntryKind, LinePrice, Prices
from engine.orders.facts.shipments import CarrierEvent, Shipment, ShipmentLine
from engine.orders.model import HistoryEntry, Note, NotedMove, Order, OrderState
from engine.orders.states import PROGRESS, customer_lines, state_of

_ROUTED = frozenset({OrderState.SOURCED, OrderState.BACKORDERED})


def print_screen(out: Console, order: Order, history: Sequence[HistoryEntry], *, is_archived: bool = False) -> None:
    """Print an order, what has happened to it, and what it waits for."""
    _head(out, order, is_archived=is_archived)
    _lines(out, order)
    _allocation(out, order)
    _shipments(out, order)
    _returns(out, order)
    _money(out, order)
    _said(out, order)
    _history(out, order, history)


def _head(out: Console, order: Order, *, is_archived: bool) -> None:
    captured, life = order.captured, order.life
    state = f"[bold]{state_of(order).value}[/]" + ", archived" * is_archived
    number = f" ({escape(life.channel_order_id)})" if life.channel_order_id else ""
    out.print(f"Order [bold]{escape(order.order_id)}[/]{number}: {state}")
    said = [
        captured.channel,
        f"captured {captured.captured_at:%Y-%m-%d %H:%M}",
        *_if("promised", captured.promised_on),
        *_if("needed by", captured.need_by),
        captured.wanted_level or "",
        *_if("picked up at", captured.picked_up_at),
        *_if("customer", life.customer_id),
        *_if("class", captured.customer_class),
        *_if("priority", order.priority),
        _place(order),
    ]
    out.print(escape(" · ".join(each for each in said if each)), style="dim")
    for hold in order.steering.order_holds:
        until = f", until {hold.release_at:%m-%d %H:%M}" if hold.release_at else ""
        until += f", until {hold.release_on}" if hold.release_on else ""
        out.print(f"[bold red]On hold[/] ({escape(hold.kind)}) since {_time(hold.at)}{until}: {escape(hold.reason)}")
    for link in life.links:
        out.print(f"{link.kind.replace('_', ' ')} {escape(link.order_id)}")


def _place(order: Order) -> str:
    to = order.captured.destination if order.life.amendment is None else order.life.amendment.destination
    place = " ".join(each for each in (to.country, to.postal_code) if each)
    return f"to {place}" if place else ""


def _lines(out: Console, order: Order) -> None:
    prices = order.life.money.prices
    priced = {} if prices is None else {line.line_id: line for line in prices.lines}
    table = _table(out, "Lines")
    table.add_column("line", no_wrap=True)
    table.add_column("product", overflow="fold")
    table.add_column("units", justify="right", no_wrap=True)
    table.add_column("where they stand")
    if prices is not None:
        table.add_column(f"total ({prices.currency})", justify="right", no_wrap=True)
    for line, (_, units) in zip(order.lines, customer_lines(order), strict=True):
        stand = ", ".join(f"{units[state]:,} {state.value}" for state in PROGRESS if units.get(state))
        row = [line.line_id, line.sku, f"{line.quantity:,}", stand]
        table.add_row(*map(escape, row), *([] if prices is None else [_price(priced.get(line.line_id), prices)]))
    _show(out, table)


def _price(line: LinePrice | None, prices: Prices) -> str:
    return "–" if line is None else bare_amount(line.total_cents, prices.currency)


def _allocation(out: Console, order: Order) -> None:
    """Show where units that have not been released are to come from."""
    if not order.allocation or state_of(order) not in _ROUTED:
        return
    table = _table(out, "Routed" + (f" by {escape(order.run_id)}" if order.run_id else ""))
    for heading in ("line", "node", "service", "leaves"):
        table.add_column(heading, overflow="fold")
    table.add_column("units", justify="right")
    for row in order.allocation:
        if row.node_id is None:
            table.add_row(escape(row.line_id), "backordered", "", "", f"{row.quantity:,}", style="red")
        else:
            day = f"{row.ship_on:%m-%d}" if row.ship_on else ""
            table.add_row(*map(escape, (row.line_id, row.node_id, row.service or "", day, f"{row.quantity:,}")))
    _show(out, table)


def _shipments(out: Console, order: Order) -> None:
    if not order.life.shipments:
        return
    table = _table(out, "Shipments")
    table.show_header = False
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for each in order.life.shipments:
        told = [f"{each.state.value} {_reached(each)}"]
        told += [" ".join(word for word in (each.carrier or each.service, each.tracking_number) if word)]
        told += [_latest(each.events)] if each.events else []
        table.add_row(escape(each.shipment_id), escape(f"{each.node_id}: {_units(each.lines)}\n{' · '.join(told)}"))
    _show(out, table)


def _reached(shipment: Shipment) -> str:
    times = (shipment.delivered_at, shipment.shipped_at, shipment.packed_at, shipment.picked_at, shipment.released_at)
    return _time(next(at for at in times if at is not None))


def _latest(events: Sequence[CarrierEvent]) -> str:
    event = events[-1]
    return f"{event.event.replace('_', ' ')} {_time(event.at)}{f', {event.place}' if event.place else ''}"


def _returns(out: Console, order: Order) -> None:
    if not order.life.returns:
        return
    currency = _currency(order)
    table = _table(out, "Returns")
    table.add_column("return", overflow="fold")
    table.add_column("to", overflow="fold")
    table.add_column("state")
    table.add_column("units, and why", overflow="fold")
    table.add_column("refund", justify="right", no_wrap=True)
    for each in order.life.returns:
        units = ", ".join(f"{line.received}/{line.quantity} × {line.sku} ({line.reason})" for line in each.lines)
        if each.events:
            units += f"; {_latest(each.events)}"
        if each.exchange is not None:
            units += f", in exchange for order {each.exchange.order_id}"
        row = (each.return_id, each.node_id, f"{each.state.value} {_time(each.received_at or each.authorised_at)}")
        table.add_row(*map(escape, (*row, units, bare_amount(each.refund_cents, currency))))
    _show(out, table)


def _money(out: Console, order: Order) -> None:
    money = order.life.money
    currency = _currency(order)
    if money.prices is not None:
        prices = money.prices
        tax = sum(line.tax_cents for line in prices.lines) + prices.shipping_tax_cents
        parts = [f"shipping {bare_amount(prices.shipping_cents, currency)}"] if prices.shipping_cents else []
        parts += [f"tax {bare_amount(tax, currency)}{' included' * prices.is_tax_included}"] if tax else []
        _title(out, f"Total {shown_amount(prices.total_cents, currency)}", ", ".join(parts))
    elif money.tenders:
        _title(out, "Payment", "")
    for tender in money.tenders:
        sums = {
            kind: sum(
                entry.amount_cents
                for entry in money.ledger
                if (entry.tender_id, entry.kind) == (tender.tender_id, kind)
            )
            for kind in EntryKind
        }
        done = ", ".join(f"{kind.value} {bare_amount(cents, currency)}" for kind, cents in sums.items() if cents)
        name = f"{tender.kind.value.replace('_', ' ')} ({tender.provider})"
        out.print(escape(f"  {name} up to {bare_amount(tender.amount_cents, currency)}: {done or 'nothing done yet'}"))


def _said(out: Console, order: Order) -> None:
    """Show what was found, said, made and sent, a line each."""
    life = order.life
    checks = life.checks
    if checks is not None and (checks.findings or checks.approvals):
        score = f"fraud score {checks.fraud_score}" if checks.fraud_score else ""
        _title(out, "Checks", score)
        _rows(out, (f"{each.rule}: {each.message}" for each in checks.findings))
        verdict = {True: "approved", False: "refused"}
        _rows(
            out,
            (f"{each.rule}: {verdict[each.is_approved]} by {each.by} {_time(each.at)}" for each in checks.approvals),
        )
    if life.alerts:
        _title(out, "Alerts", "")
        _rows(out, (f"{each.severity}, {each.cause}: {each.message or each.outcome}" for each in life.alerts))
    if life.notices:
        _title(out, "Notices", "")
        _rows(out, (f"{_time(e.at)}  {e.template} by {e.channel}: {e.outcome or 'sent'}" for e in life.notices))
    if life.documents:
        _title(out, "Documents", "")
        _rows(out, (f"{_time(e.at)}  {e.document} {e.subject} {e.act}{_by(e.by)}" for e in life.documents))
    if life.effects:
        _title(out, "Still to be done elsewhere", "")
        tried = (f", tried {each.tries} times: {each.last_error}" if each.tries else "" for each in life.effects)
        _rows(
            out,
            (f"{e.kind} {e.subject}, due {_time(e.due_at)}{why}" for e, why in zip(life.effects, tried, strict=True)),
        )


def _history(out: Console, order: Order, history: Sequence[HistoryEntry]) -> None:
    currency = _currency(order)
    table = _table(out, "History (UTC)")
    table.add_column("", no_wrap=True, style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    table.show_header = False
    before = None
    for entry in history:
        note = entry.note
        what = entry.state.value if note is None else note.event.replace("_", " ")
        told = [f"by {entry.run_id}"] if entry.run_id else []
        told += [] if note is None else _note(note, currency)
        if note is not None and entry.state != before and not note.moves:
            told.append(f"→ {entry.state.value}")
        before = entry.state
        table.add_row(f"{entry.at:%m-%d %H:%M:%S}", escape(what), escape("; ".join(told)))
    _show(out, table)


def _note(note: Note, currency: str) -> list[str]:
    told = [note.subject or "", f"at {note.node_id}" if note.node_id else ""]
    told.append("" if note.amount_cents is None else shown_amount(note.amount_cents, currency))
    moved = {(move.line_id, move.quantity) for move in note.moves}
    stayed = [line for line in note.lines if (line.line_id, line.quantity) not in moved]
    told.append(", ".join(f"{line.quantity} of line {line.line_id}" for line in stayed))
    told += [_moved(move) for move in note.moves]
    told += [note.reason or "", "" if note.by == note.node_id else _by(note.by).strip()]
    return [each for each in told if each]


def _by(name: str) -> str:
    """Tell who did it, unless a request named nobody: its id says nothing to a reader."""
    return "" if name == "" or name.startswith("req_") else f" by {name}"


def _moved(move: NotedMove) -> str:
    return f"{move.quantity} of line {move.line_id}: {move.before} → {move.after}"


def _units(lines: Iterable[ShipmentLine]) -> str:
    return ", ".join(f"{line.quantity} × {line.sku}" for line in lines)


def _currency(order: Order) -> str:
    prices = order.life.money.prices
    return "" if prices is None else prices.currency


def _if(word: str, value: object) -> list[str]:
    return [f"{word} {value}"] if value else []


def _time(at: datetime) -> str:
    return f"{at:%m-%d %H:%M}"


def _title(out: Console, title: str, more: str) -> None:
    out.print()
    out.print(f"[bold]{escape(title)}[/]" + (f" ({escape(more)})" if more else ""))


def _rows(out: Console, rows: Iterable[str]) -> None:
    for row in rows:
        out.print(Padding(escape(row), (0, 0, 0, 2)))


def _table(out: Console, title: str) -> Table:
    _title(out, title, "")
    return Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)


def _show(out: Console, table: Table) -> None:
    out.print(Padding(table, (0, 0, 0, 2)))
