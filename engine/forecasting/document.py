"""The forecast of demand as a document, and as the CSV file that people have.

Here: shape and rules. Not here: how a forecast is made, and what follows from it (bid_prices.py).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from io import StringIO
from typing import Annotated, Any, Self, cast

from msgspec import Meta, MsgspecError, Struct
from msgspec.json import Decoder, encode
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from engine.errors import Fault, InvalidInput
from engine.faults import faults_of, repeated_keys
from engine.iso_day import Day
from engine.storage.long_json import pieces_of, pieces_of_any, written

Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Degrees = Annotated[float, Field(allow_inf_nan=False)]
MOST_ROWS = 500_000
MOST_HORIZON_DAYS = 365
COLUMNS = ("sku", "quantity", "first_on", "last_on", "latitude", "longitude", "country", "postal_code")


class ForecastRow(BaseModel):
    """How many units of a SKU a place is expected to ask for, evenly over some days."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sku: Identifier
    quantity: Annotated[float, Field(gt=0, le=10**9)] = Field(description="Expected units, over all of the days.")
    first_on: Day
    last_on: Day = Field(description="The last day, included.")
    latitude: Annotated[Degrees, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[Degrees, Field(ge=-180, le=180)] | None = None
    country: Annotated[str, Field(min_length=2, max_length=2)] | None = None
    postal_code: Annotated[str, Field(min_length=1, max_length=16)] | None = Field(
        default=None, description="With the country, in place of coordinates; of a place that the network knows."
    )


class ForecastDocument(BaseModel):
    """Expected demand by SKU, place and days."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rows: Annotated[tuple[ForecastRow, ...], Field(min_length=1, max_length=MOST_ROWS)]

    @classmethod
    def in_pieces(cls, body: bytes) -> Self | None:
        """Return a document read piece by piece, so that no other thread waits long; None if it may have faults.

        Its rows are structs: as many objects as pydantic makes would be gone through by the next search for garbage.
        """
        rows = list[Any]()
        try:
            for piece in pieces_of_any(body, "rows") or ():
                rows += _decode_sent(piece)
                if repeated_keys(piece):
                    return None
        except (MsgspecError, ValueError):
            return None
        if not 1 <= len(rows) <= MOST_ROWS:
            return None
        return cast("Self", cls.model_construct(rows=tuple(rows)))


def check_forecast(document: ForecastDocument) -> list[Fault]:
    """Return every breach of the rules that span keys; an empty list means the document is sound."""
    return [fault for number, row in enumerate(document.rows) for fault in _row_faults(row, f"$.rows[{number}]")]


def _row_faults(row: ForecastRow, path: str) -> Iterator[Fault]:
    days = (row.last_on - row.first_on).days + 1
    if days < 1:
        yield Fault(path=f"{path}.last_on", message=f"{row.last_on} is before {row.first_on}; give the last day")
    if days > MOST_HORIZON_DAYS:
        message = f"{days} days from first_on; a row has at most {MOST_HORIZON_DAYS}"
        yield Fault(path=f"{path}.last_on", message=message)
    by_place = (row.latitude is not None) + (row.longitude is not None)
    by_code = (row.country is not None) + (row.postal_code is not None)
    if (by_place, by_code) not in {(2, 0), (0, 2), (2, 2)}:
        yield Fault(path=path, message="has no place; give latitude and longitude, or country and postal_code")


class StoredRow(Struct, frozen=True):
    """A row of a stored forecast, which was checked before; see `ForecastRow`."""

    sku: str
    quantity: float
    first_on: date
    last_on: date
    latitude: float | None = None
    longitude: float | None = None
    country: str | None = None
    postal_code: str | None = None


class SentRow(StoredRow, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A row as it is sent, within the limits of `ForecastRow`."""

    sku: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
    quantity: Annotated[float, Meta(gt=0, le=10**9)]
    first_on: date
    last_on: date
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    country: Annotated[str, Meta(min_length=2, max_length=2)] | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=16)] | None = None


Row = ForecastRow | StoredRow


def write_forecast(document: ForecastDocument) -> bytes:
    """Return a forecast as it is stored."""
    is_sent = isinstance(document.rows[0], SentRow)
    dump = encode if is_sent else partial(_dump_rows, exclude_none=True)
    return written(_BEGINNING + b"]}", _BEGINNING, document.rows, dump)


def read_forecast(body: bytes) -> tuple[StoredRow, ...]:
    """Return the rows of a stored forecast, which are not checked again, as there may be very many."""
    return tuple([row for piece in pieces_of(body, _BEGINNING) for row in _decode_rows(piece)])


_BEGINNING = b'{"rows":['
_decode_rows = Decoder(list[StoredRow]).decode
_dump_rows = TypeAdapter(Sequence[ForecastRow]).dump_json
_decode_sent = Decoder(list[SentRow]).decode


def read_forecast_csv(text: str, source: str) -> ForecastDocument:
    """Return the forecast of a CSV file; raises InvalidInput that names file, line and column."""
    reader = csv.DictReader(StringIO(text))
    unknown = [name for name in reader.fieldnames or () if name not in COLUMNS]
    if unknown or not reader.fieldnames:
        names = ", ".join(map(repr, unknown)) or "nothing"
        message = f"the header has {names}; the columns are {', '.join(COLUMNS)}"
        raise InvalidInput(Fault(path=f"{source}:1", message=message))
    rows, faults = list[ForecastRow](), list[Fault]()
    for line, cells in enumerate(reader, start=2):
        try:
            rows.append(_row(cells))
        except InvalidInput as error:
            faults += [Fault(path=f"{source}:{line}:{fault.path}", message=fault.message) for fault in error.faults]
    if not rows and not faults:
        faults = [Fault(path=source, message="has no rows; give at least one")]
    if faults:
        raise InvalidInput(faults)
    return ForecastDocument(rows=tuple(rows))


def _row(cells: dict[str | Any, str | Any]) -> ForecastRow:
    """Return one row; raises InvalidInput with the column as path."""
    from pydantic import ValidationError

    given = {name: value for name, value in cells.items() if value not in {None, ""}}
    if None in given:
        raise InvalidInput(Fault(path="", message="has more cells than the header; quote cells with commas"))
    try:
        row = ForecastRow.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(
            [
                Fault(path=fault.path.removeprefix("$."), message=fault.message)
                for fault in faults_of(error, ForecastRow)
            ]
        ) from None
    faults = list(_row_faults(row, "$"))
    if faults:
        raise InvalidInput(
            [Fault(path=fault.path.removeprefix("$").removeprefix("."), message=fault.message) for fault in faults]
        )
    return row
