"""From the bytes of a file to rows: NDJSON line by line, CSV by its header.

Lines of CSV that belong to one order and follow each other are one row. What is wrong with the file as a whole is
raised; what is wrong with a row is told with it. Not here: what rows mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.imports.model import MOST_ROWS, Row

MOST_NESTED = 32
_object = msgspec.json.Decoder(dict[str, Any])
COUNT_COLUMNS = ("node_id", "sku", "on_hand", "safety_stock", "expected_version", "unlimited")
_DESTINATION = ("latitude", "longitude", "postal_code", "country", "time_zone", "residential", "is_po_box")
_LINE = ("sku", "quantity", "line_id", "unit_price_cents", "discount_cents", "tax_code", "unit_cost_cents")
_CUSTOMER = ("name", "company", "email", "phone", "street", "street_2", "city", "region")
_CUSTOMER_COLUMNS = tuple(f"customer_{name}" for name in _CUSTOMER)
_ORDER = (
    *("order_id", "channel", "reservation_id", "service_level", "need_by", "pickup_node_id", "customer_class"),
    *("priority", "channel_order_id", "customer_id", "currency", "shipping_cents", "total_cents"),
)
ORDER_COLUMNS = (*_ORDER, *_DESTINATION, *_LINE, *_CUSTOMER_COLUMNS)
EVENT_COLUMNS = ("tracking_number", "event", "at", "place", "detail", "proof")
_COLUMNS = {"inventory": COUNT_COLUMNS, "orders": ORDER_COLUMNS, "carrier_events": EVENT_COLUMNS}
_NEEDED = {"inventory": ("node_id", "sku"), "carrier_events": ("tracking_number", "event", "at")}
_CENTS = {"unit_price_cents", "discount_cents", "unit_cost_cents", "shipping_cents", "total_cents"}
_NUMBERS = {"on_hand", "safety_stock", "expected_version", "quantity", "priority"} | _CENTS
_FRACTIONS = {"latitude", "longitude"}
_SWITCHES = {"unlimited", "residential", "is_po_box"}


def rows_of_ndjson(body: bytes) -> list[Row]:
    """Return the rows of a file with one JSON object a line; blank lines count, and are left out."""
    rows = []
    for number, line in enumerate(_text(body).split("\n"), start=1):
        if line.strip():
            rows.append(_row_of_json(number, line))
    return _bounded(rows)


def _row_of_json(number: int, line: str) -> Row:
    try:
        fields = _object.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        return Row(number, None, f"is not a JSON object: {error}")
    if line.count("{") + line.count("[") > MOST_NESTED and _is_nested(fields, MOST_NESTED):
        # What can just be read here may be too deep to be kept, or to be read once more.
        return Row(number, None, "is nested too deeply; no row needs that")
    return Row(number, fields)


def _is_nested(value: object, levels: int) -> bool:
    """Return whether a JSON value has more levels than so many."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_nested(each, levels - 1) for each in inner)


def rows_of_csv(body: bytes, kind: str) -> list[Row]:
    """Return the rows of a file of counts, of order lines, or of events of carriers; raises InvalidInput."""
    columns = _COLUMNS[kind]
    reader = csv.reader(io.StringIO(_text(body), newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(header, columns, _NEEDED[kind] if kind in _NEEDED else _needed(header))
        rows = list(_records(reader, header))
    except csv.Error as error:
        raise InvalidInput(Fault(path=f"body:{reader.line_num}", message=f"is not CSV: {error}")) from None
    return _bounded(list(_orders(rows)) if kind == "orders" else rows)


def _records(reader: Any, header: Sequence[str]) -> Iterator[Row]:
    line = reader.line_num + 1
    for cells in reader:
        if cells and len(cells) != len(header):
            yield Row(line, None, f"has {len(cells)} cells, and the header {len(header)}")
        elif cells:
            yield _typed(line, {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""})
        line = reader.line_num + 1


def _typed(line: int, cells: Mapping[str, str]) -> Row:
    fields: dict[str, Any] = {}
    for name, cell in cells.items():
        try:
            if name in _NUMBERS:
                fields[name] = int(cell)
            elif name in _FRACTIONS:
                fields[name] = float(cell)
            elif name in _SWITCHES:
                fields[name] = {"true": True, "false": False}[cell.lower()]
            else:
                fields[name] = cell
        except (ValueError, KeyError):
            what = "true or false" if name in _SWITCHES else "a number"
            return Row(line, dict(cells), f"{name}: {cell[:60]!r} is not {what}")
    return Row(line, fields)


def _orders(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield an order for the lines of one order_id that follow each other; the first says where it goes."""
    group: list[Row] = []
    for row in rows:
        if group and _order_id(row) != _order_id(group[0]):
            yield _order(group)
            group = []
        group.append(row)
    if group:
        yield _order(group)


def _order_id(row: Row) -> tuple[str, str]:
    """Return what lines of one order have in common: its id, or its channel and the channel's."""
    fields = row.fields or {}
    if "order_id" in fields:
        return "", str(fields["order_id"])
    if "channel_order_id" in fields:
        return str(fields.get("channel", "")), str(fields["channel_order_id"])
    return "", f"\0{row.line}"


def _needed(header: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that a file of orders has to have: one of both ids."""
    return ("channel_order_id" if "channel_order_id" in header else "order_id", "sku", "quantity")


def _order(group: Sequence[Row]) -> Row:
    first = group[0]
    fault = next((f"line {row.line}: {row.fault}" for row in group if row.fault), "")
    if first.fields is None or fault:
        return Row(first.line, first.fields, fault)
    order: dict[str, Any] = {name: first.fields[name] for name in _ORDER if name in first.fields}
    place = {name: first.fields[name] for name in _DESTINATION if name in first.fields}
    if place:
        order["destination"] = place
    customer = {
        name: first.fields[at] for name, at in zip(_CUSTOMER, _CUSTOMER_COLUMNS, strict=True) if at in first.fields
    }
    if customer:
        order["customer"] = customer
    order["lines"] = [{name: row.fields[name] for name in _LINE if row.fields and name in row.fields} for row in group]
    return Row(first.line, order)


def _check_header(header: Sequence[str], columns: Sequence[str], needed: Sequence[str]) -> None:
    faults = [
        Fault(path=f"body:1:{name}", message=f"is no column; {nearest(name, columns)}")
        for name in header
        if name not in columns
    ]
    faults += [Fault(path=f"body:1:{name}", message="is there twice") for name in set(header) if header.count(name) > 1]
    faults += [Fault(path="body:1", message=f"lacks the column {name!r}") for name in needed if name not in header]
    if faults:
        raise InvalidInput(faults)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 at byte {error.start}; send UTF-8 text"
        raise InvalidInput(Fault(path="body", message=message)) from None


def _bounded(rows: list[Row]) -> list[Row]:
    if not rows:
        raise InvalidInput(Fault(path="body", message="has no rows"))
    if len(rows) > MOST_ROWS:
        message = f"has {len(rows):,} rows, and may have {MOST_ROWS:,}; send it in several imports"
        raise InvalidInput(Fault(path="body", message=message))
    return rows
