"""Reads the lines of a UK giftware web shop (Chen 2015, Online Retail, UCI repository 352) as orders and returns.

Here: which rows count, and what is merged. Not here: the world around them (online_retail.py). Rules: codes that are no
goods go (postage, fees, discounts, samples, corrections); of invoices `C…`, quantities below 0 are returns; of the
others, quantities above 0 are ordered, and repeated SKUs of an invoice are one line. `A…` are bookings.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.routing.csv_table import MOST_FAULTS, Column, CsvTable, find_table, read_table

NO_GOODS = frozenset({"AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "m", "PADS", "POST", "S"})
_MOST = 10**6
_LINES = (
    *(Column(name=name) for name in ("invoice", "ts", "sku_no")),
    Column(name="qty", kind=int, least=-_MOST, most=_MOST),
    Column(name="unit_price", kind=float, least=-(10.0**6), most=10.0**6),
    Column(name="customer_no", blank=0),
    Column(name="country"),
)
_SKUS = (
    *(Column(name=name) for name in ("sku_no", "stock_code")),
    Column(name="description", blank=0),
    Column(name="median_price", kind=float, least=-(10.0**6), most=10.0**6),
    Column(name="lines", kind=int),
)


@dataclass(slots=True, kw_only=True)
class Invoice:
    """What one customer ordered at once; `placed_at` is the instant of its first row, on British clocks."""

    invoice: str
    placed_at: datetime
    country: str
    customer: str
    """Blank if it is not known."""
    lines: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Units of a SKU that came back on one invoice."""

    returned_at: datetime
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A SKU with what the shop calls it and its usual price in pounds."""

    sku: str
    name: str
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The orders by instant and number, the returns by instant and SKU, and the products of both."""

    orders: list[Invoice]
    returns: list[Back]
    products: list[Product]


def read_shop(source: Path, from_on: date | None, days: int | None) -> Shop:
    """Read order_lines and skus (`.csv` or `.csv.gz`) in `source`, of so many days from a day on (None: all).

    Raises InvalidInput naming file, line, column, value and remedy.
    """
    tables = {name: _table(source, name, columns) for name, columns in (("order_lines", _LINES), ("skus", _SKUS))}
    products = _products(tables["skus"])
    rows = _rows(tables["order_lines"], products)
    first = from_on or min((at.date() for _, at, *_ in rows), default=date.min)
    orders: dict[str, Invoice] = {}
    back: dict[tuple[str, datetime, str], int] = defaultdict(int)
    for invoice, at, product, quantity, customer, country in rows:
        day = (at.date() - first).days
        if product.sku in NO_GOODS or day < 0 or (days is not None and day >= days):
            continue
        if invoice.startswith("C") and quantity < 0:
            back[invoice, at, product.sku] -= quantity
        elif not invoice.startswith(("C", "A")) and quantity > 0:
            empty = Invoice(invoice=invoice, placed_at=at, country=country, customer=customer, lines={})
            order = orders.setdefault(invoice, empty)
            order.placed_at = min(order.placed_at, at)
            order.lines[product.sku] = order.lines.get(product.sku, 0) + quantity
    if not orders:
        raise InvalidInput(
            Fault(path="--from", message="no order is of these days; the data are of 2010-12 to 2011-12")
        )
    sold = {sku for order in orders.values() for sku in order.lines} | {sku for _, _, sku in back}
    return Shop(
        orders=sorted(orders.values(), key=lambda order: (order.placed_at, order.invoice)),
        returns=[
            Back(returned_at=at, sku=sku, quantity=quantity)
            for (_, at, sku), quantity in sorted(
                back.items(), key=lambda entry: (entry[0][1], entry[0][2], entry[0][0])
            )
        ],
        products=sorted((each for each in products.values() if each.sku in sold), key=lambda each: each.sku),
    )


def _table(source: Path, name: str, columns: tuple[Column, ...]) -> CsvTable:
    found = find_table(source, name) if source.is_dir() else None
    if found is None:
        remedy = "scenarios/real/online-retail/README.md says where the data are and how they are written"
        raise InvalidInput(Fault(path=str(source), message=f"has no {name}.csv or {name}.csv.gz; {remedy}"))
    return read_table(found, columns)


def _products(table: CsvTable) -> dict[str, Product]:
    rows = zip(
        *(table.text[name] for name in ("sku_no", "stock_code", "description")),
        table.number["median_price"].tolist(),
        strict=True,
    )
    return {
        number: Product(sku=code, name=" ".join(description.split()), price=max(price, 0.0))
        for number, code, description, price in rows
    }


def _rows(table: CsvTable, products: dict[str, Product]) -> list[tuple[str, datetime, Product, int, str, str]]:
    """Return the rows with their instants and products."""
    instants, faults = dict[str, datetime](), list[Fault]()
    for row, text in enumerate(table.text["ts"]):
        if text not in instants:
            try:
                instants[text] = datetime.strptime(text, "%Y-%m-%d %H:%M")
            except ValueError:
                faults.append(table.fault(row, "ts", f"{text!r} is not valid; give YYYY-MM-DD HH:MM"))
    faults += [
        table.fault(row, "sku_no", f"{number!r} is not in skus.csv; {nearest(number, products)}")
        for row, number in enumerate(table.text["sku_no"])
        if number not in products
    ][:MOST_FAULTS]
    if faults:
        raise InvalidInput(faults[:MOST_FAULTS])
    columns = (table.text[name] for name in ("invoice", "ts", "sku_no"))
    return [
        (invoice, instants[at], products[number], quantity, customer, country)
        for (invoice, at, number), quantity, customer, country in zip(
            zip(*columns, strict=True),
            table.number["qty"].tolist(),
            table.text["customer_no"],
            table.text["country"],
            strict=True,
        )
    ]
