"""The transfers between nodes and hubs that a network document names, as arrays.

Not here: their days (hubs.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.network.document import HubDocument, NetworkDocument
from engine.network.time_of_day import minutes_of

NO_TIME = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hubs:
    """The hubs that any node sends to, and the transfers that do, in the order of the document.

    `node` (hubs,) are node numbers; `processing_days` and `unit_cost_cents` (hubs,) what packing takes there. Of each
    transfer: the node number `source`, the row `hub`, `calendar`, `cut_off_minutes` and `arrives_minutes` after
    midnight (`NO_TIME`: none), `transit_days`, and `cost_cents` (transfers, 3): of each, of a kilogram, of a unit.
    """

    node: NDArray[np.int64]
    processing_days: NDArray[np.int64]
    unit_cost_cents: NDArray[np.int64]
    source: NDArray[np.int64]
    hub: NDArray[np.int64]
    calendar: NDArray[np.int64]
    cut_off_minutes: NDArray[np.int64]
    arrives_minutes: NDArray[np.int64]
    transit_days: NDArray[np.int64]
    cost_cents: NDArray[np.int64]

    def transfer_of(self, source: int, hub_node: int) -> int | None:
        """Return the number of the transfer from a node to a hub, both by node number; None if there is none."""
        found = np.flatnonzero((self.source == source) & (self.node[self.hub] == hub_node))
        return int(found[0]) if len(found) else None


def compile_hubs(document: NetworkDocument, index: Mapping[str, int], calendars: Mapping[str, int]) -> Hubs | None:
    """Turn what a checked document says of transfers into arrays; None if it has none."""
    transfers = document.transfers
    if not transfers:
        return None
    nodes = list(dict.fromkeys(index[entry.to_node_id] for entry in transfers))
    hubs = [document.nodes[node].hub or HubDocument() for node in nodes]
    row = {node: place for place, node in enumerate(nodes)}
    return Hubs(
        node=_integers(nodes),
        processing_days=_integers([hub.processing_days for hub in hubs]),
        unit_cost_cents=_integers([hub.unit_cost_cents for hub in hubs]),
        source=_integers([index[entry.from_node_id] for entry in transfers]),
        hub=_integers([row[index[entry.to_node_id]] for entry in transfers]),
        calendar=_integers([calendars[entry.calendar] for entry in transfers]),
        cut_off_minutes=_integers([_minutes(entry.cut_off) for entry in transfers]),
        arrives_minutes=_integers([_minutes(entry.arrives_at) for entry in transfers]),
        transit_days=_integers([entry.transit_days for entry in transfers]),
        cost_cents=np.array(
            [(entry.cost_cents, entry.kg_cost_cents, entry.unit_cost_cents) for entry in transfers], dtype=np.int64
        ),
    )


def _minutes(time_of_day: str | None) -> int:
    return NO_TIME if time_of_day is None else minutes_of(time_of_day)


def _integers(values: list[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)
