"""The reconciler of several partitions: each by itself, since each books what its own reservations and parts keep.

Not here: one partition (redis_reconcile.py), and parts that lag behind their homes (followers.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.inventory.drift import Reconciliation
from engine.inventory.redis_reconcile import Reconciler
from engine.storage.client import StoreClient
from engine.storage.keys import Keys


class PartitionedReconciler:
    """Compares, and repairs if asked to, the positions and reservations of a tenant in all its partitions."""

    def __init__(self, client: StoreClient, tenant: str, number: int) -> None:
        self._all = [Reconciler(client, Keys(tenant, each)) for each in range(number)]

    async def reconcile(self, *, repair: bool = False) -> Reconciliation:
        """Return where positions and reservations disagree, in any partition; see Reconciler."""
        return _joined([await each.reconcile(repair=repair) for each in self._all])


def _joined(found: Sequence[Reconciliation]) -> Reconciliation:
    return Reconciliation(
        reservations=sum(each.reservations for each in found),
        positions=sum(each.positions for each in found),
        drifts=tuple(
            sorted((drift for each in found for drift in each.drifts), key=lambda drift: (drift.sku, drift.node_id))
        ),
        lost_deadlines=tuple(lost for each in found for lost in each.lost_deadlines),
        unsettled=sum(each.unsettled for each in found),
        open_holds=tuple(drift for each in found for drift in each.open_holds),
        dated_index=tuple(drift for each in found for drift in each.dated_index),
        are_open_holds_judged=all(each.are_open_holds_judged for each in found),
    )
