"""Reading a result folder: plan.csv, prices.csv and line_values.csv row by row, summary.json as it stands.

A file that is missing or is not text at all raises InvalidInput; anything else that is wrong with a file is a finding
against the result, and the rows that can be read are still checked.
Not here: whether what the files say is true (plan_checks.py, cost_checks.py, certificate.py).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from engine.errors import Fault, InvalidInput
from engine.verification.verdict import Disagreement

PLAN_HEADER = ["order_id", "sku", "quantity", "node_id", "service"]
PRICES_HEADER = ["node_id", "sku", "resource", "price_millicents"]
VALUES_HEADER = ["order_id", "sku", "value_millicents"]
_NEEDS_QUOTES = frozenset(',"\r\n')


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One row of plan.csv; a blank `node_id` is a backorder. `place` names the row for messages."""

    place: str
    order_id: str
    sku: str
    quantity: int
    node_id: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """One row of prices.csv: the price of one unit of a resource, in thousandths of a cent."""

    place: str
    node_id: str
    sku: str
    resource: str
    price_millicents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """One row of line_values.csv: what it is worth to have a line (or a unit of it) dealt with, in millicents."""

    place: str
    order_id: str
    sku: str
    value_millicents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result folder as it was found; `prices` is None without a prices.csv, `values` may be none at all."""

    plan: list[PlanRow]
    plan_faults: list[Disagreement]
    prices: list[PriceRow] | None
    prices_faults: list[Disagreement]
    values: list[ValueRow]
    values_faults: list[Disagreement]
    summary: dict[str, object]


def read_result(folder: Path) -> Result:
    """Read the result folder; raise InvalidInput if plan.csv or summary.json is missing or unreadable."""
    if not folder.is_dir():
        raise InvalidInput(Fault(path=str(folder), message="is not a folder; give what `allot route --out` wrote"))
    plan_text = _text(folder, "plan.csv")
    summary = _summary(_text(folder, "summary.json"))
    prices: list[PriceRow] | None = None
    plan_faults: list[Disagreement] = []
    prices_faults: list[Disagreement] = []
    plan = list(_plan_rows(plan_text, plan_faults))
    if (folder / "prices.csv").is_file():
        prices = list(_price_rows(_text(folder, "prices.csv"), prices_faults))
    values_faults: list[Disagreement] = []
    values: list[ValueRow] = []
    if (folder / "line_values.csv").is_file():
        values = list(_value_rows(_text(folder, "line_values.csv"), values_faults))
    return Result(
        plan=plan,
        plan_faults=plan_faults,
        prices=prices,
        prices_faults=prices_faults,
        values=values,
        values_faults=values_faults,
        summary=summary,
    )


def _text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(Fault(path=name, message=f"is not UTF-8 at byte {error.start}")) from None
    except FileNotFoundError:
        message = f"is missing in {folder}; give the folder that `allot route --out` wrote"
        raise InvalidInput(Fault(path=name, message=message)) from None
    except OSError as error:
        raise InvalidInput(Fault(path=name, message=f"cannot be read: {error.strerror}")) from None


def _summary(text: str) -> dict[str, object]:
    def refuse(name: str) -> NoReturn:
        raise ValueError(f"{name} is not a number here")

    try:
        document = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(Fault(path="summary.json", message=f"is not JSON: {error}")) from None
    if not isinstance(document, dict):
        raise InvalidInput(Fault(path="summary.json", message="must be one JSON object"))
    return document


def _plan_rows(text: str, faults: list[Disagreement]) -> Iterator[PlanRow]:
    before: tuple[str, str, str] | None = None
    for place, cells in _rows("plan.csv", text, PLAN_HEADER, faults):
        order_id, sku, quantity, node_id, service = cells
        key = (order_id, sku, node_id)
        if before is not None and key <= before:
            wrong = "is there twice" if key == before else "is not in order after the row before it"
            faults.append(Disagreement(place=place, message=f"{_listed(key)} {wrong}"))
        before = key
        if bool(node_id) != bool(service):
            message = f"node {node_id!r} with service {service!r}: both are given, or both blank for a backorder"
            faults.append(Disagreement(place=place, message=message))
        units = _plain_whole(quantity)
        if not units:
            message = f"quantity {quantity!r} is not a whole number from 1 up, written plainly"
            faults.append(Disagreement(place=place, message=message))
            continue
        yield PlanRow(place=place, order_id=order_id, sku=sku, quantity=units, node_id=node_id, service=service)


def _price_rows(text: str, faults: list[Disagreement]) -> Iterator[PriceRow]:
    before: tuple[str, str, str] | None = None
    for place, cells in _rows("prices.csv", text, PRICES_HEADER, faults):
        node_id, sku, resource, price = cells
        key = (node_id, sku, resource)
        if before is not None and key <= before:
            wrong = "is there twice" if key == before else "is not in order after the row before it"
            faults.append(Disagreement(place=place, message=f"{_listed(key)} {wrong}"))
        before = key
        millicents = _plain_whole(price)
        if not millicents:
            message = f"price {price!r} is not a whole number from 1 up, written plainly (rows of price 0 are left out)"
            faults.append(Disagreement(place=place, message=message))
            continue
        yield PriceRow(place=place, node_id=node_id, sku=sku, resource=resource, price_millicents=millicents)


def _value_rows(text: str, faults: list[Disagreement]) -> Iterator[ValueRow]:
    before: tuple[str, str] | None = None
    for place, cells in _rows("line_values.csv", text, VALUES_HEADER, faults):
        order_id, sku, value = cells
        key = (order_id, sku)
        if before is not None and key <= before:
            wrong = "is there twice" if key == before else "is not in order after the row before it"
            faults.append(Disagreement(place=place, message=f"{_listed(key)} {wrong}"))
        before = key
        millicents = _plain_whole(value)
        if not millicents:
            message = f"value {value!r} is not a whole number from 1 up, written plainly (rows of value 0 are left out)"
            faults.append(Disagreement(place=place, message=message))
            continue
        yield ValueRow(place=place, order_id=order_id, sku=sku, value_millicents=millicents)


def _rows(
    file: str, text: str, header: Sequence[str], faults: list[Disagreement]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the rows below the right header, and record where the bytes are not exactly the canonical ones."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    canonical: list[str] = []
    line = 1
    try:
        for row in reader:
            place = f"{file}:{line}"
            line = reader.line_num + 1
            canonical.append(",".join(map(_quoted, row)) + "\n")
            if len(canonical) == 1:
                if row != header:
                    message = f"the header is {','.join(row)}; it must be {','.join(header)}"
                    faults.append(Disagreement(place=place, message=message))
                    return
            elif len(row) != len(header):
                faults.append(Disagreement(place=place, message=f"has {len(row)} cells, not {len(header)}"))
            else:
                yield place, row
    except csv.Error as error:
        faults.append(Disagreement(place=f"{file}:{line}", message=f"is not CSV: {error}"))
        return
    if not canonical:
        faults.append(Disagreement(place=f"{file}:1", message="the file is empty, even of its header"))
    elif text != "".join(canonical):
        faults.append(_first_difference(file, text, canonical))


def _first_difference(file: str, text: str, canonical: Sequence[str]) -> Disagreement:
    start, line = 0, 1
    for expected in canonical:
        if not text.startswith(expected, start):
            break
        start += len(expected)
        line += expected.count("\n")
    found = text[start : start + 60].split("\n", maxsplit=1)[0] + ("\n" if "\n" in text[start : start + 60] else "")
    message = f"{found!r} is not written with LF line ends and only the quotes that are needed"
    return Disagreement(place=f"{file}:{line}", message=message)


def _quoted(cell: str) -> str:
    if _NEEDS_QUOTES.isdisjoint(cell):
        return cell
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


def _plain_whole(cell: str) -> int | None:
    """Return a number written as `str` would write it, None for anything else (or of more than 30 digits)."""
    if len(cell) > 30 or not (cell.isascii() and cell.isdigit()):
        return None
    value = int(cell)
    return value if str(value) == cell else None


def _listed(key: Sequence[str]) -> str:
    return ", ".join(part or "(blank)" for part in key)
