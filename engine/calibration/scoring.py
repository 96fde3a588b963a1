"""How good promised dates were, against what was delivered and what had been promised: figures, no files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.calibration.shipments import Shipments
from solvers.quantiles import pinball_loss

Days = NDArray[np.float64] | NDArray[np.int64]


def score(tests: Shipments, promised: NDArray[np.int64], quantile: float) -> dict[str, Any]:
    """Return the figures of `allot calibrate --score`; only shipments with a delivery are scored.

    `recorded` holds the same figures of the recorded promise, and `same_shipments` ours on the shipments that have one;
    null where there is none.
    """
    arrived = ~np.isnan(tests.delivered_day)
    recorded = tests.promised_day - np.floor(tests.ordered_day)
    both = arrived & ~np.isnan(recorded)
    return {
        "version": 1,
        "quantile": quantile,
        "shipments": len(tests),
        **figures(tests.days[arrived], promised[arrived], quantile),
        "recorded": figures(tests.days[both], recorded[both], quantile) if both.any() else None,
        "same_shipments": figures(tests.days[both], promised[both], quantile) if both.any() else None,
    }


def figures(days: Days, promised: Days, quantile: float) -> dict[str, Any]:
    """Return how many are scored, the share on time by calendar day, mean days promised, mean pinball loss."""
    if not len(days):
        return {"scored": 0, "on_time_rate": None, "mean_promised_days": None, "pinball_loss": None}
    return {
        "scored": len(days),
        "on_time_rate": round(float(np.mean(days <= promised)), 6),
        "mean_promised_days": round(float(np.mean(promised)), 6),
        "pinball_loss": round(pinball_loss(np.asarray(days, float), np.asarray(promised, float), quantile), 6),
    }
