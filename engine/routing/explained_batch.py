"""A solved batch as it is kept to be explained: with what its plan left, and units that it could not use.

Not here: keeping it (explained_runs.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.routing.batch import Batch
from engine.routing.decision import Withheld, left_by, prices_of
from engine.routing.explained_runs import Solved
from engine.routing.hub_plan import HubPlan
from engine.routing.hub_story import over_hubs
from engine.routing.kits import Kept, kits_of
from engine.routing.relaxing import Relaxed
from engine.routing.ways import refused_stock


def explained_batch(
    batch: Batch,
    mended: Kept,
    view: View,
    atp: AtpTable,
    now: datetime,
    relaxed: Sequence[Relaxed] = (),
    hubs: HubPlan | None = None,
) -> Solved:
    """Return a solved batch as it is kept; `view` and `atp` are what it was built from."""
    result, plan = mended.result, mended.result.plan
    rows = (plan.line, plan.node, plan.quantity)
    return Solved(
        at=now,
        problem=batch.told,
        line_ids=batch.line_ids,
        rows=rows,
        hand_over=batch.hand_over,
        left=left_by(batch.problem, *rows),
        prices=prices_of(batch.problem, result.prices),
        withheld=_withheld(batch, view, atp),
        kits=kits_of(batch, mended),
        relaxed=relaxed,
        over_hub={} if hubs is None else over_hubs(batch, hubs),
    )


def _withheld(batch: Batch, view: View, atp: AtpTable) -> dict[tuple[int, int], Withheld]:
    """Return them by (SKU, node) of the problem.

    They are refused for handling or as the node refuses many, kept for other channels, or due on a later day.
    """
    skus, node = batch.problem.skus, batch.node
    place = np.argsort(node).tolist()
    number = {atp.rows[sku]: k for k, sku in enumerate(skus)}
    found: dict[tuple[int, int], Withheld] = {}
    for (row, at), steps in atp.later.items():
        if row in number and len(steps) > 1:
            day, level = next((step for step in steps if step[1] > max(0, steps[0][1])), (0, 0))
            if day:
                found[number[row], place[at]] = Withheld(kind="later", units=int(level), day=int(day))
    for (row, at), quotas in atp.quotas.items():
        kept = quotas.available - max(0, int(atp.today[row, at]))
        if row in number and kept > 0:
            found[number[row], place[at]] = Withheld(kind="quota", units=kept)
    if batch.refused:
        refused = refused_stock(view.catalog, view.network, skus)
        for k in batch.refused:
            today = atp.today[atp.rows[skus[k]]]
            for at in np.flatnonzero(refused[k] & (today > 0)).tolist():
                found[k, place[at]] = Withheld(kind="handling", units=int(today[at]))
    acceptance = view.network.acceptance or ()
    unlikely = {n for n, each in enumerate(acceptance) if each < view.network.policy.min_acceptance}
    for row, k in number.items():
        for at in sorted(unlikely):
            if atp.today[row, at] > 0:
                found[k, place[at]] = Withheld(kind="acceptance", units=int(atp.today[row, at]))
    return found
