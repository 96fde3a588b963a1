"""The learned file: a calibration as JSON, version 1, as docs/reference/calibration.md describes it.

Here: writing it, and what `allot calibrate` says of it. Not here: using it (`lead_times.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.calibration.learning import Calibration, Vocabulary
from engine.calibration.predictions import write_text
from engine.calibration.shipments import EPOCH
from solvers.date_model import LEVELS, Term
from solvers.lead_times import UNKNOWN, Ordered, parts_of

VERSION = 1
DIGITS = 12


def write(learned: Calibration, path: Path) -> None:
    """Write the learned file; raise InvalidInput if that cannot be done."""
    write_text(path, json.dumps(document(learned), ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n")


def document(learned: Calibration) -> dict[str, Any]:
    """Return a calibration as the JSON document that is kept."""
    model, ids = learned.model, learned.vocabulary
    return {
        "version": VERSION,
        **_header(learned),
        "service_ids": list(ids.services),
        "levels": LEVELS.tolist(),
        "center_days": round(model.center, DIGITS),
        "scale_days": round(model.scale, DIGITS),
        "spread_ratio": round(model.spread_ratio, DIGITS),
        "bins": {
            "distance_km": model.edges.distance_km.tolist(),
            "weight_g": model.edges.weight_g.tolist(),
            "location_days": _rounded(model.level_edges),
        },
        "location": [
            {
                "fields": list(term.names),
                "drifts": term.drifts,
                "unseen_variance": round(term.spread, DIGITS),
                "groups": _groups(ids, term, _rounded(term.effect), _rounded(term.variance)),
            }
            for term in model.location
        ],
        "scale": [
            {"fields": list(term.names), "groups": _groups(ids, term, _rounded(term.effect))} for term in model.scales
        ],
        "shapes": [_rounded(row) for row in model.shapes.table],
        "shape_of": [
            {"fields": list(names), "groups": _rows(ids, names, keys, rows.tolist())}
            for names, keys, rows in zip(model.shapes.names, model.shapes.keys, model.shapes.rows, strict=True)
        ],
    }


def summary(learned: Calibration) -> dict[str, Any]:
    """Return what was learned in short: how much history, and for each service the days of a lane never seen."""
    services = learned.vocabulary.services
    never = np.full(len(services), UNKNOWN)
    unknown = np.full(len(services), np.nan)
    typical = Ordered(
        node=never,
        service=np.arange(len(services)),
        zone=never,
        ordered_day=np.full(len(services), float(learned.last_ordered_day)),
        has_time=np.zeros(len(services), bool),
        distance_km=unknown,
        weight_g=unknown,
    )
    p50, p90, p98 = (learned.model.days(typical, level).tolist() for level in (0.5, 0.9, 0.98))
    return {
        "version": VERSION,
        **_header(learned),
        "services": [
            {"service": name, "p50": p50[at], "p90": p90[at], "p98": p98[at]} for at, name in enumerate(services)
        ],
    }


def _header(learned: Calibration) -> dict[str, Any]:
    ids, model = learned.vocabulary, learned.model
    return {
        "shipments": learned.shipments,
        "lanes": learned.lanes,
        "nodes": len(ids.nodes),
        "zones": len(ids.zones),
        "first_ordered_on": date.fromordinal(learned.first_ordered_day + EPOCH).isoformat(),
        "last_ordered_on": date.fromordinal(learned.last_ordered_day + EPOCH).isoformat(),
        "memory_days": _or_null(model.memory_days),
        "half_life_days": _or_null(model.half_life_days),
        "trend_ahead_days": model.ahead_days,
    }


def _or_null(days: float) -> float | None:
    return None if math.isinf(days) else round(days, DIGITS)


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(value) for value in np.round(values, DIGITS).tolist()]


def _groups(ids: Vocabulary, term: Term, *figures: Sequence[float]) -> list[list[Any]]:
    """Return [value of each field …, figure …] of each group."""
    return _rows(ids, term.names, term.keys, *figures)


def _rows(
    ids: Vocabulary, names: tuple[str, ...], keys: NDArray[np.int64], *figures: Sequence[float]
) -> list[list[Any]]:
    known = {"node": ids.nodes, "service": ids.services, "zone": ids.zones}
    columns: list[Sequence[Any]] = []
    for name, codes in zip(names, parts_of(keys, names), strict=True):
        columns.append([known[name][code] for code in codes.tolist()] if name in known else codes.tolist())
    return [list(row) for row in zip(*columns, *figures, strict=True)]
