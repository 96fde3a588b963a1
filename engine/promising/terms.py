"""What the catalog says of an order's lines: kits that may be split, least quantities, substitutes with consent.

Here: rules of products, before any stock is looked at. Not here: handling classes (goods.py), days to make something
(making.py), which substitute is taken (substituting.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from engine.catalog.model import Catalog, Content
from engine.promising.model import PromiseLine, PromiseRequest, Reason
from solvers.promise_options import MASK_LINES

NOTHING: Mapping[int, Reason] = {}


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


def kits_of(origin: Sequence[int]) -> tuple[frozenset[int], ...]:
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
        return NOTHING
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


def consented(request: PromiseRequest, catalog: Catalog, origin: Sequence[int]) -> tuple[tuple[str, ...], ...]:
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
