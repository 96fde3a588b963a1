"""The compiled catalog: weights and components by SKU, looked up in one step.

Here: products, kits come down to their products. Not here: the document (document.py), its rules (checks.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.catalog.checks import expand_kits
from engine.catalog.document import CatalogDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one unit of a SKU comes down to: itself, or for a kit the products inside; and its weight in grams."""

    components: tuple[tuple[str, int], ...]
    weight_g: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalog:
    """One version of the catalog; `launches` are the first days (ordinals) of products that have one.

    Mappings of rules have only the SKUs that such a rule is for. `handling` has the classes of what a SKU comes down
    to; `sizes` are edges in millimetres, descending; `quantities` the least and the step; `making_days` of those made
    to order; `prices` and `costs` are cents a unit, of kits as of their products unless they have a price.
    """

    version: int
    document: CatalogDocument
    content: Mapping[str, Content]
    kits: frozenset[str]
    substitutes: Mapping[str, tuple[str, ...]]
    launches: Mapping[str, int]
    classes: Mapping[str, str]
    low_stock_units: Mapping[str, int]
    handling: Mapping[str, frozenset[str]]
    sizes: Mapping[str, tuple[int, int, int]]
    ship_alone: frozenset[str]
    quantities: Mapping[str, tuple[int, int]]
    making_days: Mapping[str, int]
    split_kits: frozenset[str]
    prices: Mapping[str, int]
    costs: Mapping[str, int]

    @property
    def has_terms(self) -> bool:
        """Say whether any SKU has a rule for the lines of orders: a kit to split, quantities, substitutes."""
        return bool(self.split_kits or self.quantities or self.substitutes)

    @property
    def products(self) -> tuple[str, ...]:
        """The SKUs that have stock of their own, in document order."""
        return tuple(entry.sku for entry in self.document.products)


def compile_catalog(document: CatalogDocument, version: int) -> Catalog:
    """Turn a checked document into look-ups."""
    content = {entry.sku: Content(components=((entry.sku, 1),), weight_g=entry.weight_g) for entry in document.products}
    for sku, components in expand_kits(document).items():
        weight_g = sum(content[product].weight_g * units for product, units in components.items())
        content[sku] = Content(components=tuple(sorted(components.items())), weight_g=weight_g)
    products = document.products
    classes = {entry.sku: frozenset(entry.handling_classes) for entry in products if entry.handling_classes}
    prices = _summed(content, {e.sku: e.price_cents for e in products if e.price_cents is not None})
    prices.update({kit.sku: kit.price_cents for kit in document.kits if kit.price_cents is not None})
    return Catalog(
        version=version,
        document=document,
        content=MappingProxyType(content),
        kits=frozenset(kit.sku for kit in document.kits),
        substitutes=MappingProxyType({entry.sku: entry.substitutes for entry in document.substitutes}),
        launches=MappingProxyType(
            {entry.sku: entry.launch_on.toordinal() for entry in document.products if entry.launch_on is not None}
        ),
        classes=MappingProxyType({e.sku: e.sku_class for e in document.products if e.sku_class is not None}),
        low_stock_units=MappingProxyType(
            {entry.sku: entry.low_stock_units for entry in document.products if entry.low_stock_units is not None}
        ),
        handling=MappingProxyType(_united(content, classes)),
        sizes=MappingProxyType(dict(_sizes(document))),
        ship_alone=frozenset(entry.sku for entry in products if entry.ship_alone),
        quantities=MappingProxyType(
            {e.sku: (e.min_quantity, e.quantity_step) for e in products if (e.min_quantity, e.quantity_step) != (1, 1)}
        ),
        making_days=MappingProxyType({e.sku: e.made_to_order_days for e in products if e.made_to_order_days}),
        split_kits=frozenset(kit.sku for kit in document.kits if kit.ships_split),
        prices=MappingProxyType(prices),
        costs=MappingProxyType(_summed(content, {e.sku: e.cost_cents for e in products if e.cost_cents is not None})),
    )


def _summed(content: Mapping[str, Content], cents: Mapping[str, int]) -> dict[str, int]:
    """Return cents by SKU, of kits as of their products; only where all of these have some."""
    if not cents:
        return {}
    return {
        sku: sum(cents[part] * units for part, units in found.components)
        for sku, found in content.items()
        if all(part in cents for part, _ in found.components)
    }


def _united(content: Mapping[str, Content], classes: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return handling classes by SKU, of kits those of all their products."""
    if not classes:
        return {}
    united = {
        sku: frozenset().union(*(classes.get(part, ()) for part, _ in found.components))
        for sku, found in content.items()
    }
    return {sku: found for sku, found in united.items() if found}


def _sizes(document: CatalogDocument) -> Iterator[tuple[str, tuple[int, int, int]]]:
    for entry in document.products:
        if entry.length_mm is not None and entry.width_mm is not None and entry.height_mm is not None:
            longest, middle, shortest = sorted((entry.length_mm, entry.width_mm, entry.height_mm), reverse=True)
            yield entry.sku, (longest, middle, shortest)
