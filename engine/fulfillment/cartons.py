"""Into which cartons of the network a shipment goes, unit by unit, and what these weigh closed.

By the packing that promises are priced with (solvers/cartons.py), so a node that packs so pays what was promised. Not
here: what the node has really packed (packing.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from engine.catalog.model import Catalog
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.fulfillment.packing import NewCarton
from engine.network.document import CartonDocument, NetworkDocument
from engine.network.freight import Freight
from engine.orders.facts.shipments import Shipment
from solvers.cartons import BOX_GRAMS, BOX_TARE, orders_of, pack

MOST_PIECES = 200
"""Units that are packed one by one; of a shipment of more, nobody is told how."""
Unit = tuple[str, str]
"""The line and the SKU of a unit."""


def proposed(shipment: Shipment, catalog: Catalog, freight: Freight) -> list[NewCarton]:
    """Return cartons for a shipment: what ships alone or fits into none by itself, the rest packed.

    One carton of no kind holds all of it where the network names no cartons, or there is too much to try.
    """
    units = [(line.line_id, line.sku) for line in shipment.lines for _ in range(min(line.quantity, MOST_PIECES + 1))]
    if not freight.box_ids or len(units) > MOST_PIECES:
        return [_plain(shipment, catalog)]
    alone = [unit for unit in units if not _fits(unit, catalog, freight)]
    packed = [unit for unit in units if _fits(unit, catalog, freight)]
    cartons = [NewCarton(lines=((line_id, 1),), weight_g=_grams(sku, catalog)) for line_id, sku in alone]
    return [*cartons, *_packed(packed, catalog, freight)]


def weighed(
    shipment: Shipment,
    network: NetworkDocument,
    catalog: Catalog,
    said: Sequence[tuple[str | None, tuple[tuple[str, int], ...] | None, int | None]],
) -> list[NewCarton]:
    """Return cartons as a node says them (kind, lines, grams) with what it leaves out.

    A carton without lines holds all of the shipment, one without a weight weighs what its lines and itself do. Raises
    InvalidInput for kinds that the network does not have.
    """
    kinds = {each.carton: each for each in network.cartons}
    sku_of = {line.line_id: line.sku for line in shipment.lines}
    everything = tuple((line.line_id, line.quantity) for line in shipment.lines)
    faults, found = list[Fault](), list[NewCarton]()
    for index, (kind, lines, grams) in enumerate(said):
        if kind is not None and kind not in kinds:
            message = f"unknown carton {kind!r}; {nearest(kind, kinds)}" if kinds else "the network has no cartons"
            faults.append(Fault(path=f"$.cartons[{index}].carton", message=message))
            continue
        box = None if kind is None else kinds[kind]
        held = everything if lines is None else lines
        sum_g = sum(_grams(sku_of[line_id], catalog) * n for line_id, n in held if line_id in sku_of)
        found.append(_carton(held, sum_g + (box.tare_weight_g if box else 0) if grams is None else grams, box))
    if faults:
        raise InvalidInput(faults)
    return found


def _carton(lines: tuple[tuple[str, int], ...], weight_g: int, box: CartonDocument | None) -> NewCarton:
    if box is None:
        return NewCarton(lines=lines, weight_g=weight_g)
    return NewCarton(
        lines=lines,
        weight_g=weight_g,
        carton=box.carton,
        length_mm=box.length_mm,
        width_mm=box.width_mm,
        height_mm=box.height_mm,
    )


def _plain(shipment: Shipment, catalog: Catalog) -> NewCarton:
    return NewCarton(
        lines=tuple((line.line_id, line.quantity) for line in shipment.lines),
        weight_g=sum(_grams(line.sku, catalog) * line.quantity for line in shipment.lines),
    )


def _fits(unit: Unit, catalog: Catalog, freight: Freight) -> bool:
    if unit[1] in catalog.ship_alone or unit[1] not in catalog.content:
        return False
    x, y, z, grams = _piece(unit, catalog)
    return any(grams <= row[BOX_GRAMS] and x <= row[0] and y <= row[1] and z <= row[2] for row in freight.box_rows)


def _packed(units: Sequence[Unit], catalog: Catalog, freight: Freight) -> Iterable[NewCarton]:
    if not units:
        return
    pieces = np.array([_piece(unit, catalog) for unit in units], dtype=np.int64).reshape(-1, 4)
    into, kind = np.zeros(len(units), dtype=np.int64), np.zeros(len(units), dtype=np.int64)
    count = pack(pieces, orders_of(pieces), freight.boxes, np.ones(len(units), dtype=np.bool_), into, kind)
    for carton in range(count):
        inside = [units[piece] for piece in np.flatnonzero(into == carton).tolist()]
        row, name = freight.box_rows[kind[carton]], freight.box_ids[kind[carton]]
        counted: dict[str, int] = {}
        for line_id, _ in inside:
            counted[line_id] = counted.get(line_id, 0) + 1
        yield NewCarton(
            lines=tuple(counted.items()),
            weight_g=sum(_grams(sku, catalog) for _, sku in inside) + row[BOX_TARE],
            carton=name,
            length_mm=row[0],
            width_mm=row[1],
            height_mm=row[2],
        )


def _piece(unit: Unit, catalog: Catalog) -> tuple[int, int, int, int]:
    x, y, z = catalog.sizes.get(unit[1], (0, 0, 0))
    return x, y, z, _grams(unit[1], catalog)


def _grams(sku: str, catalog: Catalog) -> int:
    found = catalog.content.get(sku)
    return 0 if found is None else found.weight_g
