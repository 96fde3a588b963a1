"""Recorded orders and returns as a document: in a scenario file itself, or in JSON files beside it.

Here: shape and ranges. Not here: CSV files (recorded_files.py), the tables that are made of them (recorded.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from engine.iso_day import Day
from engine.network.document import Identifier, Latitude, Longitude
from engine.scenarios.list_or_file import OrFile, files_apart

Quantity = Annotated[int, Field(strict=True, ge=1, le=10**6)]


def _instant(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) > len("YYYY-MM-DD"):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("give an instant as 'YYYY-MM-DDTHH:MM', with an offset or in the story's time zone")


def _line_list(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple({"sku": sku, "quantity": quantity} for sku, quantity in value.items())
    return tuple(value) if isinstance(value, list) else value


class _OrBySku:
    """Says in the schema that quantities by SKU may stand in place of the list of lines."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the list, or of an object."""
        quantity = {"type": "integer", "minimum": 1, "maximum": 10**6}
        return {"anyOf": [handler(schema), {"type": "object", "additionalProperties": quantity, "minProperties": 1}]}


Instant = Annotated[datetime, BeforeValidator(_instant)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RecordedPlaceDocument(_Part):
    """Where an order goes, by coordinates or by a postal code that the network knows."""

    latitude: Latitude | None = None
    longitude: Longitude | None = None
    country: str | None = None
    postal_code: str | None = None
    time_zone: str | None = None
    residential: bool = False
    is_po_box: bool = False


class RecordedLineDocument(_Part):
    """How much of a SKU."""

    sku: Identifier
    quantity: Quantity
    line_id: str | None = None


class RecordedOrderDocument(_Part):
    """An order that was placed; its last five keys mean nothing here, but files for `allot load` have them."""

    order_id: Identifier | None = None
    placed_at: Instant | None = Field(
        default=None, description="null: orders without are spread evenly over the story's first day."
    )
    channel: Identifier = "web"
    destination: RecordedPlaceDocument | None = None
    latitude: Latitude | None = Field(default=None, description="In place of a destination, with the longitude.")
    longitude: Longitude | None = None
    country: str | None = Field(default=None, description="In place of a destination, with the postal code.")
    postal_code: str | None = None
    need_by: Day | None = None
    need_by_days: Annotated[int, Field(ge=0, le=365)] | None = Field(default=None, description="In place of need_by.")
    lines: Annotated[tuple[RecordedLineDocument, ...], Field(min_length=1), BeforeValidator(_line_list), _OrBySku()] = (
        Field(description="A list of {sku, quantity}, or quantities by SKU.")
    )
    reservation_id: str | None = None
    service_level: str | None = None
    pickup_node_id: str | None = None
    customer: Mapping[str, Any] | None = None
    payment: Mapping[str, Any] | None = None


class RecordedReturnDocument(_Part):
    """Units that came back."""

    returned_at: Instant
    sku: Identifier
    quantity: Quantity


class RecordedDocument(_Part):
    """What was recorded: lists, or the names of files (.csv, .json, each plain or .gz) in their place."""

    orders: Annotated[tuple[RecordedOrderDocument, ...], OrFile()] = ()
    returns: Annotated[tuple[RecordedReturnDocument, ...], OrFile()] | None = Field(
        default=None, description="null: returns are drawn from deliveries, as the operations say."
    )
    orders_file: str | None = Field(default=None, description="The same as its name at orders.")
    returns_file: str | None = Field(default=None, description="The same as its name at returns.")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return files_apart(value, "orders", "returns")


class OrdersFile(_Part):
    """A JSON file of orders."""

    orders: tuple[RecordedOrderDocument, ...]


class ReturnsFile(_Part):
    """A JSON file of returns."""

    returns: tuple[RecordedReturnDocument, ...]
