"""The real lead times of scenarios/real/scms, divided by time."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from engine.calibration.shipments import EPOCH
from solvers.lead_times import UNKNOWN, History, Ordered

TRAINED = 0.8


def real_lead_times() -> tuple[History, History]:
    """Return the first four fifths of the lines with an order date, and the rest."""
    packed = files("scenarios").joinpath("real", "scms", "shipment_lines.csv.gz").read_bytes()
    found = csv.DictReader(gzip.decompress(packed).decode().splitlines())
    lines = [line for line in found if line["po_sent_date"]]
    lines.sort(key=lambda line: (line["po_sent_date"], int(line["line_id"])))
    cut = int(TRAINED * len(lines))
    ordered = np.array([_day(line["po_sent_date"]) for line in lines])
    delivered = np.array([_day(line["delivered_date"]) for line in lines])
    unknown = np.full(len(lines), np.nan)
    history = History(
        ordered=Ordered(
            node=_codes([line["mfg_site"] for line in lines], cut),
            service=_codes([line["mode"] for line in lines], cut),
            zone=_codes([line["country"] for line in lines], cut),
            ordered_day=ordered,
            has_time=np.zeros(len(lines), dtype=np.bool_),
            distance_km=unknown,
            weight_g=np.array([_grams(line["weight_kg"]) for line in lines]),
        ),
        days=np.maximum(delivered - ordered, 0),
        open=np.zeros(len(lines), dtype=np.bool_),
    )
    return history.take(np.arange(cut)), history.take(np.arange(cut, len(lines)))


def _day(text: str) -> float:
    return float(date.fromisoformat(text).toordinal() - EPOCH)


def _grams(text: str) -> float:
    try:
        return 1000 * float(text)
    except ValueError:
        return float("nan")


def _codes(values: list[str], cut: int) -> NDArray[np.int64]:
    known = {value: code for code, value in enumerate(dict.fromkeys(values[:cut]))}
    return np.array([known.get(value, UNKNOWN) for value in values], np.int64)
