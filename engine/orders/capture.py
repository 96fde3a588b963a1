"""The rules of capture: from a request to what is kept, or every fault with its JSON path.

Pure: the network and the catalog are handed in. Not here: where an order goes (delivery.py), storing (the stores), ids
and time (service.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from engine.catalog.model import Catalog
from engine.delivery.promised import PromisedTerms
from engine.errors import Fault, InvalidInput
from engine.network.model import Network
from engine.orders.delivery import check_level, destination_at, destination_of, picked_up_at
from engine.orders.model import MOST_PRIORITY, Captured, NewLine, NewOrder
from engine.routing.model import OrderLine

MOST_LINES = 1000
MOST_UNITS = 10**6
MOST_PERSONAL_BYTES = 16_384
_LONGEST_ID = 128


def capture(
    order: NewOrder,
    order_id: str,
    captured_at: datetime,
    network: Network,
    catalog: Catalog,
    promised: PromisedTerms | None = None,
) -> Captured:
    """Return what to keep of `order`; raises InvalidInput with every fault.

    `promised` are the terms that its reservation was made by; where the order says nothing they hold.
    """
    faults: list[Fault] = []
    for name in ("order_id", "reservation_id", "channel", "customer_class", "channel_order_id", "customer_id"):
        value = getattr(order, name)
        if value is not None and not _is_identifier(value):
            faults.append(_identifier_fault(f"$.{name}", value))
    _check_personal(order, faults)
    if order.channel_order_id is not None and order.order_id is not None:
        message = "the order is named by its channel_order_id; leave one of both out"
        faults.append(Fault(path="$.order_id", message=message))
    store = picked_up_at(order, promised, network, faults)
    check_level(order.service_level, network, faults, is_pickup=store is not None)
    if store is None:
        destination = destination_of(order.destination, network, faults)
    else:
        destination = destination_at(store, order.destination, network, faults)
    lines = _lines(order.lines, catalog, faults)
    check_quantities(lines, catalog, faults)
    demand, whole = ((), ()) if faults else demand_of_lines(lines, catalog)
    if not 0 <= order.priority <= MOST_PRIORITY:
        message = f"{order.priority} is no priority; give 0 (usual) to {MOST_PRIORITY} (first)"
        faults.append(Fault(path="$.priority", message=message))
    for line in demand:
        if line.quantity > MOST_UNITS:
            message = f"comes to {line.quantity} units of {line.sku!r} with its kits; the most is {MOST_UNITS}"
            faults.append(Fault(path="$.lines", message=message))
    if faults:
        raise InvalidInput(faults)
    return Captured(
        order_id=order_id,
        channel=order.channel,
        destination=destination,
        lines=lines,
        demand=demand,
        captured_at=captured_at,
        reservation_id=order.reservation_id,
        service_level=order.service_level,
        need_by=order.need_by,
        payment=_copy(order.payment),
        priority=order.priority,
        pickup_node_id=order.pickup_node_id,
        promised=promised,
        whole=whole,
        customer_class=order.customer_class,
    )


def _lines(wanted: tuple[NewLine, ...], catalog: Catalog, faults: list[Fault]) -> tuple[OrderLine, ...]:
    """Return the lines with their ids, noting every fault."""
    if not 1 <= len(wanted) <= MOST_LINES:
        faults.append(Fault(path="$.lines", message=f"has {len(wanted)} lines; give 1 to {MOST_LINES}"))
        return ()
    lines: list[OrderLine] = []
    first_with_id: dict[str, int] = {}
    first_with_sku: dict[str, int] = {}
    for index, line in enumerate(wanted):
        line_id, sku = str(index + 1) if line.line_id is None else line.line_id, line.sku
        if not _is_identifier(line_id):
            faults.append(_identifier_fault(f"$.lines[{index}].line_id", line_id))
        if sku not in catalog.content:
            message = f"unknown SKU {sku!r}; correct it, or put it into the catalog first"
            faults.append(Fault(path=f"$.lines[{index}].sku", message=message))
        if not 1 <= line.quantity <= MOST_UNITS:
            message = f"{line.quantity} is not a quantity; give a whole number from 1 to {MOST_UNITS}"
            faults.append(Fault(path=f"$.lines[{index}].quantity", message=message))
        if (first := first_with_id.setdefault(line_id, index)) != index:
            faults.append(_repeated(index, first, "line_id", line_id))
        if (first := first_with_sku.setdefault(sku, index)) != index:
            faults.append(_repeated(index, first, "sku", sku))
        lines.append(OrderLine(line_id=line_id, sku=sku, quantity=line.quantity))
    return tuple(lines)


def _repeated(index: int, first: int, name: str, value: str) -> Fault:
    message = f"{value!r} repeats $.lines[{first}].{name}; send one line for each SKU, with its own line_id"
    return Fault(path=f"$.lines[{index}].{name}", message=message)


def check_quantities(lines: tuple[OrderLine, ...], catalog: Catalog, faults: list[Fault]) -> None:
    """Note lines of which less is asked than a product's least quantity, or no multiple of its step."""
    for index, line in enumerate(lines):
        rule = catalog.quantities.get(line.sku)
        if rule is None:
            continue
        (least, step), path = rule, f"$.lines[{index}].quantity"
        if 1 <= line.quantity < least:
            message = f"{line.quantity} of {line.sku!r} is less than its least quantity; ask for {least} or more"
            faults.append(Fault(path=path, message=message))
        elif line.quantity >= 1 and line.quantity % step:
            below = line.quantity - line.quantity % step
            message = f"{line.quantity} of {line.sku!r} is no multiple of {step}; ask for {below + step}"
            faults.append(Fault(path=path, message=message if below < least else f"{message}, or {below}"))


def demand_of_lines(
    lines: tuple[OrderLine, ...], catalog: Catalog, known: Mapping[str, str] = MappingProxyType({})
) -> tuple[tuple[OrderLine, ...], tuple[tuple[str, ...], ...]]:
    """Return one line per product, in the order in which the products appear, and the lines that stay together.

    Kits come down to their products; those of a kit that may not be split ship from one node, also where a line asks
    for more of one of them. `known` are the ids that lines of products had before, and keep.
    """
    quantities: dict[str, int] = {}
    line_ids = {line.sku: line.line_id for line in lines if line.sku not in catalog.kits}
    line_ids.update(known)
    for line in lines:
        for sku, units in catalog.content[line.sku].components:
            quantities[sku] = quantities.get(sku, 0) + units * line.quantity
            line_ids.setdefault(sku, f"{line.line_id}/{sku}")
    demand = tuple(OrderLine(line_id=line_ids[sku], sku=sku, quantity=quantity) for sku, quantity in quantities.items())
    kits = [line.sku for line in lines if line.sku in catalog.kits and line.sku not in catalog.split_kits]
    whole = tuple(tuple(line_ids[sku] for sku, _ in catalog.content[kit].components) for kit in kits)
    return demand, tuple(together for together in whole if len(together) > 1)


def _check_personal(order: NewOrder, faults: list[Fault]) -> None:
    """Note an id that is personal itself, and more about a customer than an order has to carry; neither is shown."""
    if "@" in (order.customer_id or ""):
        message = "has an @: ids are kept in the clear, so an e-mail address cannot be one. Give a number of your own"
        faults.append(Fault(path="$.customer_id", message=message))
    size = 0 if order.customer is None else len(msgspec.json.encode(order.customer))
    if size > MOST_PERSONAL_BYTES:
        message = f"has {size} bytes; give what the order needs, {MOST_PERSONAL_BYTES} at most"
        faults.append(Fault(path="$.customer", message=message))


def _is_identifier(value: str) -> bool:
    return 1 <= len(value) <= _LONGEST_ID and value.isprintable()


def _identifier_fault(path: str, value: str) -> Fault:
    shown = repr(value if len(value) <= 60 else value[:57] + "…")
    return Fault(path=path, message=f"{shown} is not valid here; give 1 to {_LONGEST_ID} printable characters")


def _copy(document: Mapping[str, object] | None) -> dict[str, object] | None:
    return None if document is None else dict(document)
