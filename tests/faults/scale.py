"""How much each test of this folder does: the short figures of CI, or those of the table that `make soak` runs.

The tests are the same. ALLOT_SOAK says which share of the full figures to run: 1 is all of them, 0.05 a twentieth.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The figures of one run of the table; counts, unless the name says another unit."""

    attempts: int
    """Holds tried on hot SKUs by processes that are killed."""
    attempts_over_http: int
    """Holds tried through API processes that are killed."""
    crashes: int
    """SIGKILLs of the store under load."""
    cuts: int
    """Moments at which the power fails."""
    keys: int
    """Idempotency keys, each sent one to five times."""
    carts: int
    """Holds of several lines."""
    torn_holds: int
    """Holds whose append-only file is cut behind each write."""
    expiring_holds: int
    """Holds that expire while nobody sweeps."""
    longest_sequence: int
    """Calls in a row, in every order."""
    network_faults: int
    """Disturbances of the network between clients and store."""
    restarts: int
    """Orderly restarts of the store under load."""
    batches: int
    """Batches solved on Ray workers of which three are killed meanwhile."""
    imported_rows: int
    """Rows of an import whose server is killed after every other piece."""
    webhook_events: int
    """Events that wait while their receiver is down for an hour."""
    histories: int
    """Random histories of calls, each checked after every step."""
    steps: int
    """Steps of one such history, at most."""
    lives: int
    """Lives of orders whose servers are killed between effects."""


SHORT = Scale(
    attempts=3_000,
    attempts_over_http=600,
    crashes=5,
    cuts=4,
    keys=150,
    carts=600,
    torn_holds=1,
    expiring_holds=4_000,
    longest_sequence=5,
    network_faults=6,
    restarts=3,
    batches=1,
    imported_rows=900,
    webhook_events=240,
    histories=300,
    steps=14,
    lives=1,
)
FULL = Scale(
    attempts=1_000_000,
    attempts_over_http=100_000,
    crashes=200,
    cuts=100,
    keys=100_000,
    carts=100_000,
    torn_holds=200,
    expiring_holds=100_000,
    longest_sequence=6,
    network_faults=200,
    restarts=50,
    batches=100,
    imported_rows=50_000,
    webhook_events=10_000,
    histories=10_000,
    steps=50,
    lives=200,
)


WHOLE = frozenset(["longest_sequence", "steps"])
"""Figures that a soak takes as they are, whatever its share."""


def chosen(share: float) -> Scale:
    """Return `share` of the full figures, none below its short one; 0 gives the short ones."""
    if not share:
        return SHORT
    figures = {}
    for field in fields(Scale):
        short, full = getattr(SHORT, field.name), getattr(FULL, field.name)
        figures[field.name] = full if field.name in WHOLE else max(short, round(full * share))
    return Scale(**figures)


SHARE = float(os.environ.get("ALLOT_SOAK") or 0)
SCALE = chosen(SHARE)
