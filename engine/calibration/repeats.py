"""Shipments that stand in a history more than once with the same values: each counts once.

A file that was exported twice would have thin lanes look certain. Here: which rows to keep. Not here: reading them
(`shipments.py`). One id with different values stays: these may be the parcels of an order.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.calibration.shipments import Shipments

NOT_COMPARED = ("file", "notes", "promised_day")


def each_once(shipments: Shipments) -> Shipments:
    """Return a history without repeated rows, and with a note of how many there were."""
    if len(set(shipments.shipment_id)) == len(shipments):
        return shipments
    columns = {field.name: getattr(shipments, field.name) for field in fields(shipments)}
    kept = _first_of_each([column for name, column in columns.items() if name not in NOT_COMPARED])
    if len(kept) < len(shipments):
        again = len(shipments) - len(kept)
        shipments.notes.append(
            f"{shipments.file}: {again} rows say of a shipment what another row says; it counts once"
        )
    return replace(shipments, **{name: _taken(name, column, kept) for name, column in columns.items()})


def _first_of_each(columns: list[Any]) -> NDArray[np.int64]:
    """Return the first row of each combination of values, in order; NaN is a value like others."""
    values = [np.nan_to_num(one, nan=-1.0).tolist() if isinstance(one, np.ndarray) else one for one in columns]
    first: dict[tuple[Any, ...], int] = {}
    for row, key in enumerate(zip(*values, strict=True)):
        first.setdefault(key, row)
    return np.fromiter(first.values(), np.int64, len(first))


def _taken(name: str, column: Any, rows: NDArray[np.int64]) -> Any:
    if isinstance(column, np.ndarray):
        return column[rows]
    return column if name in NOT_COMPARED else [column[row] for row in rows.tolist()]
