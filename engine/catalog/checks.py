"""The rules of a catalog document that span fields: references, duplicates, kits that hold themselves.

Here: every rule, each collecting all its faults. Not here: the shape of single fields (document.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalog.document import CatalogDocument
from engine.errors import Fault
from engine.faults import nearest, read_document

KIT_UNITS_LIMIT = 10**6


def parse_catalog(body: bytes, source: str | None = None) -> CatalogDocument:
    """Read and check a catalog document; raise `InvalidInput` with every fault, `source` (a file) before each path."""
    return read_document(CatalogDocument, body, source, check=check_catalog)


def check_catalog(document: CatalogDocument) -> list[Fault]:
    """Return every breach of the rules that span fields; an empty list means the document is sound."""
    faults = [
        *_skus(document),
        *_products(document),
        *_components(document),
        *_cycles(document),
        *_substitutes(document),
    ]
    return faults or list(_sizes(document))


def expand_kits(document: CatalogDocument) -> dict[str, dict[str, int]]:
    """Return, for each kit, the products it comes down to and how many of each (kits inside kits resolved).

    The kits must be free of cycles; `check_catalog` says so.
    """
    waiting = {kit.sku: kit for kit in document.kits}
    done: dict[str, dict[str, int]] = {}
    while waiting:
        ready = [k for k in waiting.values() if not any(part.sku in waiting for part in k.components)]
        for kit in ready:
            total: dict[str, int] = {}
            for part in kit.components:
                for product, units in done.get(part.sku, {part.sku: 1}).items():
                    total[product] = total.get(product, 0) + units * part.quantity
            done[kit.sku] = total
        for kit in ready:
            del waiting[kit.sku]
    return done


def _skus(document: CatalogDocument) -> Iterator[Fault]:
    first: dict[str, str] = {}
    places = [(f"$.products[{i}]", entry.sku) for i, entry in enumerate(document.products)]
    places += [(f"$.kits[{i}]", kit.sku) for i, kit in enumerate(document.kits)]
    for place, sku in places:
        seen = first.setdefault(sku, place)
        if seen != place:
            yield Fault(path=f"{place}.sku", message=f"{sku!r} is already at {seen}; remove one of them")


def _products(document: CatalogDocument) -> Iterator[Fault]:
    for index, entry in enumerate(document.products):
        path, edges = f"$.products[{index}]", (entry.length_mm, entry.width_mm, entry.height_mm)
        for name, edge in zip(("length_mm", "width_mm", "height_mm"), edges, strict=True):
            if edge is None and any(edges):
                yield Fault(path=f"{path}.{name}", message="is missing; give all three edges, or none")
        for place, name in enumerate(entry.handling_classes):
            if name in entry.handling_classes[:place]:
                message = f"{name!r} stands twice; remove one of them"
                yield Fault(path=f"{path}.handling_classes[{place}]", message=message)


def _components(document: CatalogDocument) -> Iterator[Fault]:
    known = {entry.sku for entry in document.products} | {kit.sku for kit in document.kits}
    for index, kit in enumerate(document.kits):
        first: dict[str, int] = {}
        for place, component in enumerate(kit.components):
            path = f"$.kits[{index}].components[{place}].sku"
            if component.sku not in known:
                message = f"unknown SKU {component.sku!r}; {nearest(component.sku, known)}"
                yield Fault(path=path, message=message)
            seen = first.setdefault(component.sku, place)
            if seen != place:
                message = f"{component.sku!r} is already at components[{seen}]; add its quantity there"
                yield Fault(path=path, message=message)


def _cycles(document: CatalogDocument) -> Iterator[Fault]:
    """Depth first over kits; each cycle is named once, at the kit that closes it."""
    kits = {kit.sku: (index, kit) for index, kit in enumerate(document.kits)}
    finished: set[str] = set()
    for start in kits:
        if start in finished:
            continue
        trail = [start]
        pending = [iter(kits[start][1].components)]
        while pending:
            component = next(pending[-1], None)
            if component is None:
                pending.pop()
                finished.add(trail.pop())
            elif component.sku in trail:
                loop = " → ".join([*trail[trail.index(component.sku) :], component.sku])
                path = f"$.kits[{kits[trail[-1]][0]}].components"
                yield Fault(path=path, message=f"the kit holds itself: {loop}; take {component.sku!r} out")
            elif component.sku in kits and component.sku not in finished:
                trail.append(component.sku)
                pending.append(iter(kits[component.sku][1].components))


def _sizes(document: CatalogDocument) -> Iterator[Fault]:
    expanded = expand_kits(document)
    for index, kit in enumerate(document.kits):
        units = sum(expanded[kit.sku].values())
        if units > KIT_UNITS_LIMIT:
            message = f"the kit comes down to {units} units; at most {KIT_UNITS_LIMIT} are allowed"
            yield Fault(path=f"$.kits[{index}].components", message=message)


def _substitutes(document: CatalogDocument) -> Iterator[Fault]:
    known = {entry.sku for entry in document.products} | {kit.sku for kit in document.kits}
    first: dict[str, int] = {}
    for index, entry in enumerate(document.substitutes):
        path = f"$.substitutes[{index}]"
        seen = first.setdefault(entry.sku, index)
        if seen != index:
            message = f"{entry.sku!r} is already at $.substitutes[{seen}]; join the two lists"
            yield Fault(path=f"{path}.sku", message=message)
        places = [(f"{path}.sku", entry.sku)]
        places += [(f"{path}.substitutes[{i}]", sku) for i, sku in enumerate(entry.substitutes)]
        for place, sku in places:
            if sku not in known:
                yield Fault(path=place, message=f"unknown SKU {sku!r}; {nearest(sku, known)}")
        if entry.sku in entry.substitutes:
            yield Fault(path=f"{path}.substitutes", message=f"{entry.sku!r} cannot replace itself; take it out")
