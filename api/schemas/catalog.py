"""The wire form of the catalog: a page of its products, with kits and substitutes on the first page."""

from __future__ import annotations

from msgspec import Struct
from pydantic import BaseModel

from api.schemas.fields import Identifier, Limit, Reply
from engine.catalog.document import KitDocument, ProductDocument, SubstituteDocument


class CatalogQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of the catalog."""

    limit: Limit = 100
    starting_after: Identifier | None = None


class CatalogPage(BaseModel):
    """Products in the order of the document; kits and substitutes come with the first page only."""

    version: int
    products: tuple[ProductDocument, ...]
    kits: tuple[KitDocument, ...] = ()
    substitutes: tuple[SubstituteDocument, ...] = ()
    has_more: bool


class CatalogVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int
    products: int
