"""What the customer pays for an order: each line's units at their price, less its discount, with tax.

Pure; all amounts are whole minor units of one currency, and each line is rounded by itself. Not here: rates
(taxes.py), what a part of a line is worth (values.py), who pays (tendering.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.orders.destination import Destination
from engine.orders.facts.money import LinePrice, Prices
from engine.orders.paying.taxes import STANDARD, LocalTaxes, Taxes
from engine.routing.model import OrderLine

MOST_CENTS = 2**53 - 1
"""The largest amount: what every reader of JSON takes for the same whole number."""


class StatedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The price of a line as the channel states it: of one unit, and the discount on all of them together.

    A blank tax code is `standard`.
    """

    unit_price_cents: int
    discount_cents: int = 0
    tax_code: str = ""
    unit_cost_cents: int | None = None


def priced(
    lines: Sequence[OrderLine],
    stated: Sequence[StatedPrice],
    *,
    currency: str,
    destination: Destination,
    taxes: Taxes | None = None,
    shipping_cents: int = 0,
) -> Prices:
    """Return the prices of an order's lines, one stated for each; without `taxes` nothing is taxed.

    Raises InvalidInput with every fault, by the line's place (`$.lines[0].discount_cents`).
    """
    assert len(lines) == len(stated), "one price is stated for each line"
    local = None if taxes is None else taxes.at(destination)
    faults = [*_faults(currency, shipping_cents)]
    for index, (line, price) in enumerate(zip(lines, stated, strict=True)):
        faults += _line_faults(f"$.lines[{index}]", line, price, local)
    if faults:
        raise InvalidInput(faults)
    found = tuple(_line_price(line, price, local) for line, price in zip(lines, stated, strict=True))
    shipping_tax = local.tax_cents(shipping_cents, local.shipping_code) if local is not None else 0
    is_included = local is not None and local.is_included
    total = sum(each.total_cents for each in found) + shipping_cents + (0 if is_included else shipping_tax)
    if total > MOST_CENTS:
        message = f"the prices come to {total} cents; the most is {MOST_CENTS}"
        raise InvalidInput(Fault(path="$.lines", message=message))
    return Prices(
        currency=currency,
        lines=found,
        total_cents=total,
        shipping_cents=shipping_cents,
        shipping_tax_cents=shipping_tax,
        is_tax_included=is_included,
    )


def shipping_total_cents(prices: Prices) -> int:
    """Return what the customer pays for shipping, with tax."""
    return prices.shipping_cents + (0 if prices.is_tax_included else prices.shipping_tax_cents)


def tax_total_cents(prices: Prices) -> int:
    """Return the tax on an order, that on its shipping too."""
    return sum(line.tax_cents for line in prices.lines) + prices.shipping_tax_cents


def _line_price(line: OrderLine, price: StatedPrice, local: LocalTaxes | None) -> LinePrice:
    amount = line.quantity * price.unit_price_cents - price.discount_cents
    tax = 0 if local is None else local.tax_cents(amount, price.tax_code or STANDARD)
    return LinePrice(
        line_id=line.line_id,
        quantity=line.quantity,
        unit_price_cents=price.unit_price_cents,
        total_cents=amount if local is None or local.is_included else amount + tax,
        discount_cents=price.discount_cents,
        tax_code=price.tax_code or STANDARD,
        tax_cents=tax,
        unit_cost_cents=price.unit_cost_cents,
    )


def _faults(currency: str, shipping_cents: int) -> list[Fault]:
    faults = list[Fault]()
    if not re.fullmatch("[A-Z]{3}", currency):
        message = f"{currency!r} is no currency; give three capital letters of ISO 4217, such as EUR"
        faults.append(Fault(path="$.currency", message=message))
    faults += _amount_faults("$.shipping_cents", shipping_cents)
    return faults


def _line_faults(path: str, line: OrderLine, price: StatedPrice, local: LocalTaxes | None) -> list[Fault]:
    faults = _amount_faults(f"{path}.unit_price_cents", price.unit_price_cents)
    faults += _amount_faults(f"{path}.discount_cents", price.discount_cents)
    faults += _amount_faults(f"{path}.unit_cost_cents", price.unit_cost_cents or 0)
    amount = line.quantity * price.unit_price_cents
    if not faults and price.discount_cents > amount:
        message = f"{price.discount_cents} is more than the {amount} cents of the line; give at most that"
        faults.append(Fault(path=f"{path}.discount_cents", message=message))
    if local is not None and (price.tax_code or STANDARD) not in local.rates:
        remedy = f"add one to the tax rates, or correct it: {nearest(price.tax_code or STANDARD, local.rates)}"
        message = f"{price.tax_code or STANDARD!r} has no rate in {local.place}; {remedy}"
        faults.append(Fault(path=f"{path}.tax_code", message=message))
    return faults


def _amount_faults(path: str, cents: int) -> list[Fault]:
    if 0 <= cents <= MOST_CENTS:
        return []
    message = f"{cents} is no amount; give a whole number of cents from 0 to {MOST_CENTS}"
    return [Fault(path=path, message=message)]
