"""The learned file in use: days for one node, service and zone, by a few look-ups in dictionaries.

Here: reading the file of `allot calibrate --out`, and asking it. Not here: learning (`learning.py`). It needs no numpy.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.calibration.shipments import EPOCH
from engine.errors import Fault, InvalidInput

VERSION = 1
NO_HOUR = 24
EXACT = 1e-9
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The lead time of one shipment: location + scale × z days, z having the quantiles of a shape."""

    location: float
    scale: float
    shape: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Figures of the groups that some fields make, by the values of these fields; see docs/reference/calibration.md."""

    fields: tuple[str, ...]
    effects: dict[Key, tuple[float, ...]]
    unseen_variance: float
    drifts: bool


class LeadTimes:
    """Distributions of lead time that were learned from history."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.levels: list[float] = document["levels"]
        self.center_days: float = document["center_days"]
        self.scale_days: float = document["scale_days"]
        self.spread_ratio: float = document["spread_ratio"]
        self.bins: dict[str, list[float]] = document["bins"]
        self.location = [_groups(term) for term in document["location"]]
        self.scales = [_groups(term) for term in document["scale"]]
        self.shapes = [tuple(shape) for shape in document["shapes"]]
        self.shape_of = [_groups(term) for term in document["shape_of"]]
        self._services = _services(document, self.location)

    @classmethod
    def read(cls, path: Path) -> LeadTimes:
        """Read a learned file; raise InvalidInput if it is none, or of another version."""
        try:
            document = json.loads(path.read_bytes())
            version = document.get("version")
        except OSError as error:
            raise InvalidInput(Fault(path=str(path), message=f"cannot be read: {error.strerror or error}")) from None
        except (ValueError, AttributeError):
            raise InvalidInput(
                Fault(path=path.name, message="is no learned file; make it with allot calibrate")
            ) from None
        if version != VERSION:
            message = f"{version!r} is not version {VERSION}; make the file again with allot calibrate"
            raise InvalidInput(Fault(path=f"{path.name}:$.version", message=message))
        try:
            return cls(document)
        except (KeyError, TypeError, IndexError):
            raise InvalidInput(Fault(path=path.name, message="is not whole; make it with allot calibrate")) from None

    def knows(self, service: str) -> bool:
        """Say whether there is history of a service; any has if the history did not tell services apart."""
        return self._services is None or service in self._services

    def lane(
        self,
        node_id: str,
        service: str,
        zone: str,
        ordered_at: datetime,
        *,
        has_time: bool = True,
        distance_km: float | None = None,
        weight_g: float | None = None,
    ) -> Lane:
        """Return the distribution for one order; ids that history does not have are those of an average lane."""
        day = ordered_at.toordinal() - EPOCH
        values: dict[str, str | int] = {
            "node": node_id,
            "service": service,
            "zone": zone,
            "weekday": day % 7,
            "hour": ordered_at.hour if has_time else NO_HOUR,
            "distance": self._bin("distance_km", distance_km),
            "weight": self._bin("weight_g", weight_g),
        }
        location, steady, unsure = self.center_days, self.center_days, 0.0
        for term in self.location:
            found = term.effects.get(tuple([values[name] for name in term.fields]))
            if found is None:
                unsure += term.unseen_variance
            else:
                location += found[0]
                steady += 0.0 if term.drifts else found[0]
                unsure += found[1]
        values["level"] = self._bin("location_days", steady)
        logarithm = 0.0
        for term in self.scales:
            found = term.effects.get(tuple([values[name] for name in term.fields]))
            logarithm += found[0] if found is not None else 0.0
        shape = self.shapes[0]
        for term in reversed(self.shape_of):
            row = term.effects.get(tuple([values[name] for name in term.fields]))
            if row is not None:
                shape = self.shapes[int(row[0])]
                break
        scale = math.hypot(self.scale_days * math.exp(logarithm), self.spread_ratio * math.sqrt(unsure))
        return Lane(location=location, scale=scale, shape=shape)

    def days(self, lane: Lane, quantile: float) -> int:
        """Return the whole calendar days after the order within which a share of shipments arrives."""
        levels, shape = self.levels, lane.shape
        right = min(max(bisect_left(levels, quantile), 1), len(levels) - 1)
        share = (quantile - levels[right - 1]) / (levels[right] - levels[right - 1])
        share = min(max(share, 0.0), 1.0)
        z = shape[right - 1] * (1 - share) + shape[right] * share
        return max(math.floor(lane.location + lane.scale * z + 0.5 - EXACT), 0)

    def _bin(self, name: str, value: float | None) -> int:
        ends = self.bins[name]
        return len(ends) + 1 if value is None else bisect_left(ends, value)


def _services(document: dict[str, Any], location: list[Groups]) -> frozenset[str] | None:
    """Return the services of the history, None where it has only one without a name."""
    named = document.get("service_ids")
    if named is None:
        named = [key[0] for term in location if term.fields == ("service",) for key in term.effects]
    return frozenset(named) if set(named) - {""} else None


def _groups(term: dict[str, Any]) -> Groups:
    fields = tuple(term["fields"])
    effects = {tuple(group[: len(fields)]): tuple(group[len(fields) :]) for group in term["groups"]}
    return Groups(
        fields=fields,
        effects=effects,
        unseen_variance=term.get("unseen_variance", 0.0),
        drifts=term.get("drifts", False),
    )
