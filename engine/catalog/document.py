"""The catalog document: what `PUT /v1/catalog` and a catalog file hold, in one frozen pydantic model.

Here: the shape and ranges of every field. Not here: rules that span fields (checks.py), the compiled form (model.py).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from engine.iso_day import Day

Sku = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Grams = Annotated[int, Field(strict=True, ge=0, le=10**9)]
Millimetres = Annotated[int, Field(strict=True, ge=1, le=10**5)]
Cents = Annotated[int, Field(strict=True, ge=0, le=10**10)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=10**6)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, serialize_by_alias=True)


class ProductDocument(_Part):
    """Something that is stocked, weighed and shipped in whole units."""

    sku: Sku
    name: str | None = None
    weight_g: Grams
    length_mm: Millimetres | None = Field(default=None, description="Give all three edges, in any order, or none.")
    width_mm: Millimetres | None = None
    height_mm: Millimetres | None = None
    handling: str | None = Field(default=None, description="Free text for the floor, such as fragile.")
    handling_classes: tuple[Sku, ...] = Field(
        default=(), max_length=20, description="Such as hazmat: nodes and services say which they take or refuse."
    )
    ship_alone: bool = Field(default=False, description="Each unit travels in a box of its own, its own packaging.")
    min_quantity: Quantity = Field(default=1, description="The least that an order may have of it.")
    quantity_step: Quantity = Field(default=1, description="What an order has of it is a multiple of this.")
    made_to_order_days: Annotated[int, Field(strict=True, ge=0, le=365)] = Field(
        default=0, description="Working days that the node needs to make it, before it may ship."
    )
    price_cents: Cents | None = Field(default=None, description="What a unit is sold for.")
    cost_cents: Cents | None = Field(default=None, description="What a unit cost us.")
    launch_on: Day | None = Field(
        default=None, description="The first day, at its node, on which a unit may ship; before it, all are preorders."
    )
    sku_class: Sku | None = Field(default=None, alias="class", description="What rules of the network's policy name.")
    low_stock_units: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = Field(
        default=None, description="Stock at a node is low from so many available units down; null leaves it to rules."
    )


class ComponentDocument(_Part):
    """How many units of a product, or of another kit, one kit holds."""

    sku: Sku
    quantity: Quantity


class KitDocument(_Part):
    """A SKU that has no stock of its own: it is its components, shipped from one node unless it `ships_split`."""

    sku: Sku
    name: str | None = None
    components: tuple[ComponentDocument, ...] = Field(min_length=1, max_length=100)
    ships_split: bool = Field(default=False, description="Its products may ship from several nodes.")
    price_cents: Cents | None = Field(default=None, description="What a kit is sold for; null: as its products.")


class SubstituteDocument(_Part):
    """What may be offered instead of `sku`, best first."""

    sku: Sku
    substitutes: tuple[Sku, ...] = Field(min_length=1)


class CatalogDocument(_Part):
    """The whole catalog: products, kits and substitutes."""

    products: tuple[ProductDocument, ...] = Field(min_length=1)
    kits: tuple[KitDocument, ...] = ()
    substitutes: tuple[SubstituteDocument, ...] = ()
