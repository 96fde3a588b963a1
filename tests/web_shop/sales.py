"""The recorded business of the real web shop as money: what each invoice sold, what each credit note took back.

Chen 2015, Online Retail, UCI repository 352: every row is read, and every penny of it is either an order's, a credit's,
or told apart by its code. Independent of the engine's own reader: this is what its books are compared with.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

SOURCE = Path(os.environ.get("ALLOT_WEB_SHOP", Path(__file__).parents[2] / "scenarios" / "real" / "online-retail"))
POSTAGE = frozenset({"POST", "DOT"})
NO_GOODS = frozenset({"AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "M", "m", "PADS", "S"}) | POSTAGE


@dataclass(slots=True, kw_only=True)
class Sale:
    """An invoice: units and pence of each SKU, and postage."""

    invoice: str
    at: datetime
    customer: str
    country: str
    units: Counter[str] = field(default_factory=Counter)
    pence: Counter[str] = field(default_factory=Counter)
    dearest: dict[str, int] = field(default_factory=dict)
    postage: int = 0

    @property
    def total(self) -> int:
        """What the customer was asked for."""
        return sum(self.pence.values()) + self.postage


@dataclass(slots=True, kw_only=True)
class Credit:
    """A credit note: units and pence of each SKU that it takes back."""

    invoice: str
    at: datetime
    customer: str
    units: Counter[str] = field(default_factory=Counter)
    pence: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Books:
    """All of some days; `beside` are pence of rows that are neither goods nor postage of an order, by their code."""

    sales: list[Sale]
    credits: list[Credit]
    beside: Counter[str]
    recorded: int
    """The sum of all rows."""


def books(first: date, days: int) -> Books:
    """Return what was recorded on some days."""
    codes = {row["sku_no"]: row["stock_code"] for row in _rows("skus")}
    sales, back, beside, recorded = dict[str, Sale](), dict[str, Credit](), Counter[str](), 0
    last = (first + timedelta(days=days)).isoformat()
    for row in _rows("order_lines"):
        if not first.isoformat() <= row["ts"] < last:
            continue
        invoice, code, units = row["invoice"], codes[row["sku_no"]], int(row["qty"])
        pence = round(units * float(row["unit_price"]) * 100)
        at = datetime.strptime(row["ts"], "%Y-%m-%d %H:%M")
        recorded += pence
        if invoice.startswith("C") and units < 0 and code not in NO_GOODS:
            credit = back.setdefault(invoice, Credit(invoice=invoice, at=at, customer=row["customer_no"]))
            credit.units[code] -= units
            credit.pence[code] -= pence
        elif invoice[0].isdigit() and units > 0 and (code in POSTAGE or code not in NO_GOODS):
            head = Sale(invoice=invoice, at=at, customer=row["customer_no"], country=row["country"])
            sale = sales.setdefault(invoice, head)
            if code in POSTAGE:
                sale.postage += pence
                continue
            sale.units[code] += units
            sale.pence[code] += pence
            sale.dearest[code] = max(sale.dearest.get(code, 0), -(-pence // units))
        else:
            beside[code] += pence
    for invoice in [invoice for invoice, sale in sales.items() if not sale.units]:
        beside["POST"] += sales.pop(invoice).postage
    return Books(
        sales=sorted(sales.values(), key=lambda sale: (sale.at, sale.invoice)),
        credits=sorted(back.values(), key=lambda credit: (credit.at, credit.invoice)),
        beside=beside,
        recorded=recorded,
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(SOURCE / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)
