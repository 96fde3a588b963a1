"""The sets of groups that divide a history, during a fit. Not here: what is fitted to them (`date_fit.py`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.date_model import Term
from solvers.lead_times import groups_of
from solvers.pooling import Floats, Integers, Pooled

PLACES = (
    ("service",),
    ("node",),
    ("zone",),
    ("node", "service"),
    ("service", "zone"),
    ("node", "service", "zone"),
)
LOCATION = (*PLACES[:1], ("weekday",), ("distance",), ("weight",), ("hour",), *PLACES[1:], ("service", "weekday"))
"""The sets of fields whose groups may differ in how long they take; one after the other is fitted."""


@dataclass(slots=True)
class Column:
    """One set of groups during a fit: which group each shipment is in, and the effects so far."""

    names: tuple[str, ...]
    keys: Integers
    group: Integers
    found: Pooled

    def now(self) -> Floats:
        """Return the effect for each shipment."""
        return self.found.effect[self.group]

    def term(self) -> Term:
        """Return what was found, for shipments to come."""
        found = self.found
        return Term(names=self.names, keys=self.keys, effect=found.effect, variance=found.variance, spread=found.spread)


def columns_of(codes: dict[str, Integers], wanted: tuple[tuple[str, ...], ...]) -> list[Column]:
    """Return the sets of groups that divide the history, each only once."""
    columns: list[Column] = []
    for names in wanted:
        keys, group = groups_of(codes, names)
        same = any(set(other.names) <= set(names) and len(other.keys) == len(keys) for other in columns)
        if len(keys) > 1 and not same:
            columns.append(Column(names=names, keys=keys, group=group, found=no_effects(len(keys))))
    return columns


def effects(columns: list[Column], shipments: int) -> Floats:
    """Return the sum of the effects of some columns for each shipment."""
    return sum((column.now() for column in columns), np.zeros(shipments))


def no_effects(groups: int) -> Pooled:
    """Return groups without effects."""
    return Pooled(effect=np.zeros(groups), variance=np.zeros(groups), spread=0.0, half_weight=np.inf)
