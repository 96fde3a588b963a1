"""The compiled catalog: weights and components by SKU, looked up in one step.

Here: products, kits come down to their products. Not here: the document (document.py), its rules (checks.py).
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """One version of the catalog; `launches` are the first days (ordinals) of products that have one."""

    version: int
    document: CatalogDocument
    content: Mapping[str, Content]
    kits: frozenset[str]
    substitutes: Mapping[str, tuple[str, ...]]
    launches: Mapping[str, int]
    classes: Mapping[str, str]
    low_stock_units: Mapping[str, int]

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
    )
