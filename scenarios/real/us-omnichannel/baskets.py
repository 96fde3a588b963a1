"""The web shop's real baskets of November 2011, cleaned; and weights for its products, which are ours."""

from __future__ import annotations

import csv
import gzip
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

MONTH = "2011-11"
MOST_LINES = 8
# Codes of the shop's books that are no goods: postage, fees, discounts, samples, corrections.
NO_GOODS = {"AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "m", "PADS", "POST", "S"}
HEAVY = re.compile(r"METAL|IRON|CERAMIC|GLASS|MUG|BOWL|LANTERN|PLATE|JAR|POT\b|BOTTLE|TILE|STONE|CANDLE")
LIGHT = re.compile(r"PAPER|CARD|STICKER|TISSUE|WRAP|RIBBON|NAPKIN|BUNTING|TAG|POSTCARD|DOILY|DOILIES|GARLAND")
LARGE = re.compile(r"LARGE|GIANT|JUMBO|CABINET|TABLE|CHAIR|DOORMAT|DRAWER|STOOL|SHELF|TRUNK|BENCH")
SMALL = re.compile(r"MINI|SMALL|CHARM|EARRING|NECKLACE|BRACELET|KEY RING|KEYRING|HAIR|PENCIL|PEN\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """One invoice after cleaning: `lines` maps SKU to units."""

    invoice: str
    lines: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What we take from the shop, and the counts that its README states."""

    baskets: list[Basket]
    names: dict[str, str]
    prices: dict[str, float]
    counts: dict[str, int]


def read_shop(source: Path) -> Shop:
    """Read the month's baskets of up to MOST_LINES lines.

    Cleaning: cancellations (`C…`) and quantities ≤ 0 go, then the codes that are no goods, then repeated SKUs of one
    invoice are merged. Longer baskets are counted, not taken.
    """
    with gzip.open(source / "online_retail" / "skus.csv.gz", "rt", encoding="utf-8", newline="") as file:
        products = {row["sku_no"]: row for row in csv.DictReader(file)}
    lines: dict[str, dict[str, int]] = defaultdict(dict)
    with_codes: dict[str, set[str]] = defaultdict(set)
    cancelled: set[str] = set()
    with gzip.open(source / "online_retail" / "order_lines.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["ts"].startswith(MONTH):
                continue
            invoice, units = row["invoice"], int(row["qty"])
            if invoice.startswith("C"):
                cancelled.add(invoice)
            elif units > 0:
                code = products[row["sku_no"]]["stock_code"]
                with_codes[invoice].add(code)
                if code not in NO_GOODS:
                    lines[invoice][code] = lines[invoice].get(code, 0) + units
    baskets = [
        Basket(invoice=invoice, lines=dict(sorted(basket.items())))
        for invoice, basket in sorted(lines.items())
        if len(basket) <= MOST_LINES
    ]
    sold = {sku for basket in baskets for sku in basket.lines}
    by_code = {row["stock_code"]: row for row in products.values()}
    return Shop(
        baskets=baskets,
        names={sku: " ".join(by_code[sku]["description"].split()) for sku in sold},
        prices={sku: float(by_code[sku]["median_price"]) for sku in sold},
        counts={
            "cancellations": len(cancelled),
            "invoices with goods": len(lines),
            "baskets taken": len(baskets),
            "longer baskets left out": len(lines) - len(baskets),
            "up to 8 lines before codes are dropped": sum(len(codes) <= MOST_LINES for codes in with_codes.values()),
            "invoices without goods": len(with_codes) - len(lines),
        },
    )


def weight_g(name: str, price: float) -> int:
    """Return an invented but plausible weight: 160 g × price^0.6, by what the name says; 10 g … 12 kg, whole tens."""
    factor = 1.0
    for pattern, times in ((HEAVY, 1.6), (LIGHT, 0.35), (LARGE, 2.2), (SMALL, 0.5)):
        if pattern.search(name.upper()):
            factor *= times
    grams = 160.0 * max(price, 0.1) ** 0.6 * factor
    return int(min(max(round(grams / 10) * 10, 10), 12_000))


def variants(skus: list[str]) -> dict[str, list[str]]:
    """Return for each SKU the other colours of the same article: codes with equal digits (85123A, 85123C)."""
    by_digits: dict[str, list[str]] = defaultdict(list)
    for sku in sorted(skus):
        by_digits[sku[:5]].append(sku)
    families = [family for family in by_digits.values() if len(family) > 1 and family[0][:5].isdigit()]
    return {sku: [other for other in family if other != sku][:4] for family in families for sku in family}
