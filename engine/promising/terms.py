"""What the catalog says of an order's lines: kits that may be split, least quantities, substitutes with consent.

Here: rules of products, before any stock is looked at. Not here: handling classes (goods.py), days to make something
(making.py), which substitute is taken (substituting.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.catalog.model import Catalog, Content
from engine.network.freight import NO_AREA
from engine.promising.model import PromiseLine, PromiseRequest, Reason
from solvers.problem import IntArray
from solvers.promise_options import MASK_LINES


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """What goes for the lines of an order beside their quantities.

    `whole` are sets of lines to be served together or not at all, the products of a kit, and `kit_quantities` how
    many such kits each line is of; `barred` are lines that are not served, and why; `substitutes` are the SKUs that
    may be offered instead of each line, best first, empty if there are none at all; `prices` are cents that a unit
    of a line is sold for, where the request says so; `area` is what each carton to the place costs more by service.
    """

    whole: tuple[frozenset[int], ...]
    kit_quantities: Mapping[int, int]
    barred: Mapping[int, Reason]
    substitutes: tuple[tuple[str, ...], ...]
    prices: Mapping[int, int]
    area: IntArray


PLAIN = Terms(whole=(), kit_quantities={}, barred={}, substitutes=(), prices={}, area=NO_AREA)
"""The terms of an order for which the catalog has no rules, to a place without surcharges."""


def terms_of(
    request: PromiseRequest,
    lines: tuple[PromiseLine, ...],
    contents: Sequence[Content],
    catalog: Catalog,
    area: IntArray,
) -> tuple[tuple[PromiseLine, ...], tuple[Content, ...], Terms]:
    """Return the lines of an order, with kits that may be split as their products, and their terms."""
    opened, parts, origin = open_kits(lines, contents, catalog)
    wanted = request.lines
    terms = Terms(
        whole=_kits_of(origin),
        kit_quantities={i: wanted[origin[i]].quantity for i, line in enumerate(opened) if line.kit is not None},
        barred=barred(opened, catalog),
        substitutes=_consented(request, catalog, origin),
        prices={i: price for i, line in enumerate(origin) if (price := wanted[line].price_cents) is not None},
        area=area,
    )
    return opened, tuple(parts), terms


def open_kits(
    lines: tuple[PromiseLine, ...], contents: Sequence[Content], catalog: Catalog
) -> tuple[tuple[PromiseLine, ...], Sequence[Content], Sequence[int]]:
    """Return the lines with kits that may ship from several nodes as one line for each product; and whose each is.

    If that makes more lines than are planned exactly, the kits stay whole, and ship from one node.
    """
    origin: Sequence[int] = range(len(lines))
    if not any(line.sku in catalog.split_kits for line in lines):
        return lines, contents, origin
    opened: list[PromiseLine] = []
    owners: list[int] = []
    for number, (line, content) in enumerate(zip(lines, contents, strict=True)):
        if line.sku not in catalog.split_kits:
            opened.append(line)
            owners.append(number)
            continue
        for sku, each in content.components:
            opened.append(PromiseLine(line_id=line.line_id, sku=sku, quantity=line.quantity * each, kit=line.sku))
            owners.append(number)
    if len(opened) > MASK_LINES:
        return lines, contents, origin
    return tuple(opened), [catalog.content[line.sku] for line in opened], owners


def _kits_of(origin: Sequence[int]) -> tuple[frozenset[int], ...]:
    """Return the sets of lines that come from one line of the request, where there are several."""
    if isinstance(origin, range):
        return ()
    counted = Counter(origin)
    return tuple(
        frozenset(line for line, owner in enumerate(origin) if owner == number)
        for number, count in counted.items()
        if count > 1
    )


def barred(lines: Sequence[PromiseLine], catalog: Catalog) -> Mapping[int, Reason]:
    """Return the lines of which too few or an odd number are asked; lines of one SKU count together."""
    if not catalog.quantities:
        return {}
    asked = Counter[str]()
    for line in lines:
        asked[line.sku] += line.quantity if line.kit is None else 0
    found: dict[int, Reason] = {}
    for number, line in enumerate(lines):
        if line.kit is None and line.sku in catalog.quantities:
            least, step = catalog.quantities[line.sku]
            if asked[line.sku] < least:
                found[number] = "below_minimum"
            elif asked[line.sku] % step:
                found[number] = "not_a_multiple"
    return found


def _consented(request: PromiseRequest, catalog: Catalog, origin: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """Return the substitutes that may be offered for each line, best first; none for kits that are split."""
    if not catalog.substitutes:
        return ()
    split = {owner for owner, count in Counter(origin).items() if count > 1}
    found = []
    for owner in origin:
        line = request.lines[owner]
        is_wanted = request.substitutes if line.substitutes is None else line.substitutes
        found.append(catalog.substitutes.get(line.sku, ()) if is_wanted and owner not in split else ())
    return tuple(found) if any(found) else ()
