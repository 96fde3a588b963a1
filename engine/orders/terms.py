"""The terms that an order is to have: lines, what nodes have to ship for them, where it goes, and what it costs.

Pure: the network, the catalog and taxes are handed in. Not here: whether it may still be changed (modifying.py), and by
when it can be there (modifications.py).
"""

from __future__ import annotations

import msgspec

from engine.catalog.model import Catalog
from engine.errors import Fault, InvalidInput
from engine.network.model import Network
from engine.orders.capture import MOST_LINES, MOST_UNITS, check_quantities, demand_of_lines
from engine.orders.delivery import check_level, destination_of
from engine.orders.facts.money import LinePrice, Prices
from engine.orders.life import Amendment
from engine.orders.model import Order
from engine.orders.modifying import ModifiedLine, NewModification, Terms, check_lines
from engine.orders.paying.pricing import StatedPrice, priced
from engine.orders.paying.taxes import STANDARD, Taxes
from engine.routing.model import OrderLine


def new_terms(
    order: Order, new: NewModification, network: Network, catalog: Catalog, taxes: Taxes | None = None
) -> Terms:
    """Return what an order is to be like; raises InvalidInput with every fault."""
    check_lines(order, new)
    faults: list[Fault] = []
    lines = _lines(order, new, catalog, faults)
    check_quantities(lines, catalog, faults)
    destination = order.destination
    if new.destination is not None:
        destination = destination_of(new.destination, network, faults)
    if new.service_level is not None:
        check_level(new.service_level, network, faults, is_pickup=order.captured.picked_up_at is not None)
    if faults:
        raise InvalidInput(faults)
    known = {line.sku: line.line_id for line in order.demand}
    demand, whole = demand_of_lines(lines, catalog, known)
    for line in demand:
        if line.quantity > MOST_UNITS:
            message = f"comes to {line.quantity} units of {line.sku!r} with its kits; the most is {MOST_UNITS}"
            raise InvalidInput(Fault(path="$.lines", message=message))
    amendment = Amendment(
        lines=lines,
        demand=demand,
        whole=whole,
        destination=destination,
        service_level=new.service_level or order.wanted_level,
        need_by=new.need_by or order.need_by,
        promised_on=order.promised_on,
    )
    return Terms(amendment=amendment, prices=_prices(order, new, amendment, catalog, taxes))


def _lines(order: Order, new: NewModification, catalog: Catalog, faults: list[Fault]) -> tuple[OrderLine, ...]:
    """Return the customer's lines as they are to be, noting every fault."""
    found = {line.line_id: line for line in order.lines}
    for index, line in enumerate(new.lines):
        path = f"$.lines[{index}]"
        if line.quantity > MOST_UNITS:
            message = f"{line.quantity} is not a quantity; give a whole number from 0 to {MOST_UNITS}"
            faults.append(Fault(path=f"{path}.quantity", message=message))
        if line.line_id in found:
            kept = found[line.line_id]
            found[kept.line_id] = msgspec.structs.replace(kept, quantity=line.quantity)
        elif line.sku is not None and line.sku not in catalog.content:
            message = f"unknown SKU {line.sku!r}; correct it, or put it into the catalog first"
            faults.append(Fault(path=f"{path}.sku", message=message))
        elif line.sku is not None:
            line_id = name_of_added(order, new, index)
            found[line_id] = OrderLine(line_id=line_id, sku=line.sku, quantity=line.quantity)
    lines = tuple(line for line in found.values() if line.quantity)
    if not 1 <= len(lines) <= MOST_LINES:
        remedy = "cancel the order instead" if not lines else f"the most is {MOST_LINES}"
        faults.append(Fault(path="$.lines", message=f"leaves {len(lines)} lines; {remedy}"))
    return lines


def name_of_added(order: Order, new: NewModification, index: int) -> str:
    """Return the id of a line that is added: its own, or the first number from those of the order on that is free."""
    line = new.lines[index]
    if line.line_id is not None:
        return line.line_id
    taken = {each.line_id for each in order.lines} | {each.line_id for each in order.captured.lines}
    taken |= {each.line_id for each in new.lines if each.line_id is not None}
    number = len(order.captured.lines)
    for added in [each for each in new.lines[: index + 1] if each.line_id is None]:
        number += 1
        while str(number) in taken:
            number += 1
        if added is line:
            break
    return str(number)


def _prices(
    order: Order, new: NewModification, amendment: Amendment, catalog: Catalog, taxes: Taxes | None
) -> Prices | None:
    """Return what the lines are to cost; None for an order without prices."""
    before = order.life.money.prices
    if before is None:
        return None
    known = {price.line_id: price for price in before.lines}
    said = {line.line_id: (index, line) for index, line in enumerate(new.lines) if line.line_id is not None}
    said.update(
        {
            name_of_added(order, new, index): (index, line)
            for index, line in enumerate(new.lines)
            if line.line_id is None
        }
    )
    faults: list[Fault] = []
    stated = [
        _stated(line, known.get(line.line_id), said.get(line.line_id), catalog, faults) for line in amendment.lines
    ]
    if faults:
        raise InvalidInput(faults)
    shipping = before.shipping_cents if new.shipping_cents is None else new.shipping_cents
    return priced(
        amendment.lines,
        stated,
        currency=before.currency,
        destination=amendment.destination,
        taxes=taxes,
        shipping_cents=shipping,
    )


def _stated(
    line: OrderLine,
    before: LinePrice | None,
    said: tuple[int, ModifiedLine] | None,
    catalog: Catalog,
    faults: list[Fault],
) -> StatedPrice:
    """Return the price of a line: as it is said now, else as it was, else as in the catalog."""
    index, asked = said or (0, ModifiedLine(quantity=line.quantity))
    unit = asked.unit_price_cents
    if unit is None:
        unit = before.unit_price_cents if before is not None else catalog.prices.get(line.sku)
    if unit is None:
        message = f"{line.sku!r} has no price in the catalog; give one"
        faults.append(Fault(path=f"$.lines[{index}].unit_price_cents", message=message))
        unit = 0
    discount = asked.discount_cents
    if discount is None:
        discount = before.discount_cents * line.quantity // before.quantity if before is not None else 0
    code = asked.tax_code or (before.tax_code if before is not None else "") or STANDARD
    cost = asked.unit_cost_cents
    if cost is None:
        cost = before.unit_cost_cents if before is not None else catalog.costs.get(line.sku)
    return StatedPrice(unit_price_cents=unit, discount_cents=discount, tax_code=code, unit_cost_cents=cost)
