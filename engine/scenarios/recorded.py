"""Recorded orders and returns as the tables that a story takes; the clock is the one on the wall of the story's place.

Days have 86,400 seconds each: where a clock was set forward or back, an order keeps the hour that it was placed at.
Not here: the documents (recorded_document.py), reading files (recorded_files.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from engine.catalog.document import CatalogDocument
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.network.document import NetworkDocument
from engine.scenarios.demand import RecordedDemand
from engine.scenarios.destinations import Gazetteer, code_numbers
from engine.scenarios.order_tables import in_time, rows, starts
from engine.scenarios.orders import OrderTable, ReturnTable
from engine.scenarios.recorded_document import RecordedDocument, RecordedOrderDocument, RecordedReturnDocument
from engine.scenarios.recorded_files import ReadOrders, ReadReturns, read_orders, read_returns
from engine.scenarios.story import DAY_SECONDS

_MOST_FAULTS = 20


def recorded_demand(
    document: RecordedDocument,
    *,
    folder: Path = Path(),
    starts_on: date,
    time_zone: str,
    network: NetworkDocument,
    catalog: CatalogDocument,
) -> RecordedDemand:
    """Return the demand of recorded days from `starts_on` on; files are named from `folder`.

    What was recorded before the story starts is left out. Raises InvalidInput with paths from `$`, or of a file.
    """
    listed = [f"$.orders[{number}]" for number in range(len(document.orders))]
    orders = ReadOrders(orders=document.orders, paths=listed, sha256="")
    if document.orders_file is not None:
        orders = read_orders(folder / document.orders_file)
    clock = WallClock(starts_on, time_zone)
    table = orders_table(orders.orders, orders.paths, clock, network, catalog)
    inputs = {} if document.orders_file is None else {document.orders_file: orders.sha256}
    returned = None
    if document.returns is not None or document.returns_file is not None:
        found = document.returns or ()
        listed = [f"$.returns[{number}]" for number in range(len(found))]
        returns = ReadReturns(returns=found, paths=listed, sha256="")
        if document.returns_file is not None:
            returns = read_returns(folder / document.returns_file)
            inputs[document.returns_file] = returns.sha256
        returned = returns_table(returns.returns, returns.paths, clock, catalog)
    return RecordedDemand(table=table, returned=returned, inputs=inputs)


class WallClock:
    """Turns instants into seconds since the midnight on which a story starts."""

    def __init__(self, starts_on: date, time_zone: str) -> None:
        self._midnight, self._zone = datetime.combine(starts_on, time()), ZoneInfo(time_zone)

    def seconds(self, instant: datetime) -> int:
        """Return the seconds of an instant; one without an offset is in the story's time zone."""
        on_the_wall = instant if instant.tzinfo is None else instant.astimezone(self._zone).replace(tzinfo=None)
        return int((on_the_wall - self._midnight).total_seconds() // 1)


def orders_table(
    orders: Sequence[RecordedOrderDocument],
    paths: Sequence[str],
    clock: WallClock,
    network: NetworkDocument,
    catalog: CatalogDocument,
) -> OrderTable:
    """Return recorded orders by instant; raises InvalidInput with every fault, each at the path of its order."""
    faults: list[Fault] = []
    _check_ids(orders, paths, faults)
    known = _skus_of(catalog)
    number = {sku: index for index, sku in enumerate(sorted({line.sku for order in orders for line in order.lines}))}
    for order, path in zip(orders, paths, strict=True):
        _check_lines(order, path, known, faults)
    gazetteer = Gazetteer(network)
    places = [order.destination or order for order in orders]
    at = [
        gazetteer.coordinates(place.latitude, place.longitude, place.country, place.postal_code, path, faults)
        for place, path in zip(places, paths, strict=True)
    ]
    placed_s = _placed(orders, clock)
    need_by = [
        _need_by(order, second, clock, path, faults)
        for order, second, path in zip(orders, placed_s, paths, strict=True)
    ]
    if faults:
        raise InvalidInput(faults[:_MOST_FAULTS])
    postal, codes = code_numbers([(place.country, place.postal_code) for place in places])
    channels = {name: index for index, name in enumerate(sorted({order.channel for order in orders}))}
    ids = [order.order_id or f"#{index}" for index, order in enumerate(orders, 1)]
    table = OrderTable(
        key=np.array([_key(order_id) for order_id in ids], np.int64),
        placed_s=np.array(placed_s, np.int64),
        latitude=np.array([latitude for latitude, _ in at], float),
        longitude=np.array([longitude for _, longitude in at], float),
        place=np.array(postal, np.int64),
        channel=np.array([channels[order.channel] for order in orders], np.int64),
        need_by_days=np.array(need_by, np.int64),
        first_line=starts(np.array([len(order.lines) for order in orders], np.int64)),
        sku=np.array([number[line.sku] for order in orders for line in order.lines], np.int64),
        quantity=np.array([line.quantity for order in orders for line in order.lines], np.int64),
        skus=tuple(number),
        channels=tuple(channels),
        postal_codes=codes,
        order_ids=tuple(ids),
    )
    return in_time(rows(table, np.flatnonzero(table.placed_s >= 0)))


def returns_table(
    returns: Sequence[RecordedReturnDocument], paths: Sequence[str], clock: WallClock, catalog: CatalogDocument
) -> ReturnTable:
    """Return recorded returns by instant; raises InvalidInput with every fault, each at the path of its row."""
    known = _skus_of(catalog)
    pairs = zip(returns, paths, strict=True)
    faults = [_unknown(entry.sku, path, known) for entry, path in pairs if entry.sku not in known]
    if faults:
        raise InvalidInput(faults[:_MOST_FAULTS])
    number = {sku: index for index, sku in enumerate(sorted({entry.sku for entry in returns}))}
    returned_s = np.array([clock.seconds(entry.returned_at) for entry in returns], np.int64)
    order = np.argsort(returned_s, kind="stable")
    order = order[returned_s[order] >= 0]
    return ReturnTable(
        returned_s=returned_s[order],
        sku=np.array([number[entry.sku] for entry in returns], np.int64)[order],
        quantity=np.array([entry.quantity for entry in returns], np.int64)[order],
        skus=tuple(number),
    )


def _placed(orders: Sequence[RecordedOrderDocument], clock: WallClock) -> list[int]:
    """Return when orders were placed; those that do not say, evenly over the first day in their order."""
    undated = sum(order.placed_at is None for order in orders)
    evenly = iter((DAY_SECONDS * (2 * place + 1)) // (2 * undated) for place in range(undated))
    return [next(evenly) if order.placed_at is None else clock.seconds(order.placed_at) for order in orders]


def _need_by(order: RecordedOrderDocument, placed_s: int, clock: WallClock, path: str, faults: list[Fault]) -> int:
    if order.need_by is None:
        return -1 if order.need_by_days is None else order.need_by_days
    days = clock.seconds(datetime.combine(order.need_by, time())) // DAY_SECONDS - placed_s // DAY_SECONDS
    if days < 0:
        faults.append(Fault(path=path, message=f"need_by {order.need_by} is before the day of the order"))
    return days


def _check_ids(orders: Sequence[RecordedOrderDocument], paths: Sequence[str], faults: list[Fault]) -> None:
    seen: dict[str, str] = {}
    for order, path in zip(orders, paths, strict=True):
        if order.order_id is not None and seen.setdefault(order.order_id, path) != path:
            faults.append(
                Fault(path=path, message=f"order_id {order.order_id!r} is that of {seen[order.order_id]} too")
            )


def _check_lines(order: RecordedOrderDocument, path: str, known: Collection[str], faults: list[Fault]) -> None:
    skus = [line.sku for line in order.lines]
    faults += [_unknown(sku, path, known) for sku in dict.fromkeys(skus) if sku not in known]
    if len(set(skus)) < len(skus):
        twice = next(sku for place, sku in enumerate(skus) if sku in skus[:place])
        faults.append(Fault(path=path, message=f"{twice!r} stands twice in the order; make one line of it"))


def _unknown(sku: str, path: str, known: Collection[str]) -> Fault:
    return Fault(path=path, message=f"SKU {sku!r} is not in the catalog; {nearest(sku, known)}")


def _skus_of(catalog: CatalogDocument) -> dict[str, None]:
    return dict.fromkeys([*(product.sku for product in catalog.products), *(kit.sku for kit in catalog.kits)])


def _key(order_id: str) -> int:
    """Return the key of an order by its name, so that other orders of the file do not change its luck."""
    return int.from_bytes(blake2b(order_id.encode(), digest_size=8).digest()) >> 1
