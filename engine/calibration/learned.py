"""The learned file as a document: what `PUT /v1/lead-times` takes, which is what `allot calibrate --out` writes.

Here: its shape and the rules of its arrays, each fault with path and remedy. Not here: what the keys mean
(docs/reference/calibration.md), asking it (lead_times.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import Fault
from engine.faults import read_document
from engine.iso_day import Day

Name = Literal["node", "service", "zone", "weekday", "hour", "distance", "weight", "level"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]
Cell = str | int | Number
IDS = ("node", "service", "zone")
"""Fields whose values are ids; those of the others are whole numbers."""
TOGETHER: frozenset[tuple[str, ...]] = frozenset(
    {
        (),
        *((name,) for name in IDS),
        ("node", "service"),
        ("service", "zone"),
        ("node", "service", "zone"),
        ("service", "weekday"),
        *((name,) for name in ("weekday", "hour", "distance", "weight")),
    }
)
"""The sets of fields that may make groups."""
MEDIAN, NINETIETH = 0.5, 0.9
SHAPED = (("service",), ("node", "service"), ("node", "service", "zone"))
"""The sets of fields that may choose a shape, in this order."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BinsDocument(_Part):
    """Upper ends of bins."""

    distance_km: tuple[Number, ...] = ()
    weight_g: tuple[Number, ...] = ()
    location_days: tuple[Number, ...] = ()


class EffectsDocument(_Part):
    """Groups by some fields: each is its values of the fields, then days and variance."""

    fields: tuple[Name, ...]
    drifts: bool = False
    unseen_variance: Annotated[float, Field(ge=0)] = 0.0
    groups: tuple[tuple[Cell, ...], ...] = ()


class FactorsDocument(_Part):
    """Groups by some fields: each is its values of the fields, then one figure."""

    fields: tuple[Name, ...]
    groups: tuple[tuple[Cell, ...], ...] = ()


class LearnedDocument(_Part):
    """Distributions of lead time, learned by `allot calibrate` from recorded shipments."""

    version: Literal[1]
    shipments: Count
    lanes: Count = 0
    nodes: Count = 0
    zones: Count = 0
    first_ordered_on: Day | None = None
    last_ordered_on: Day | None = None
    memory_days: Number | None = None
    half_life_days: Number | None = None
    trend_ahead_days: Annotated[float | None, Field(ge=0)] = None
    service_ids: tuple[str, ...] | None = Field(default=None, description="The services of the history.")
    levels: Annotated[tuple[Number, ...], Field(min_length=2, max_length=1_000)]
    center_days: Number
    scale_days: Annotated[float, Field(ge=0)]
    spread_ratio: Annotated[float, Field(ge=0)]
    bins: BinsDocument
    location: tuple[EffectsDocument, ...]
    scale: tuple[FactorsDocument, ...]
    shapes: Annotated[tuple[tuple[Number, ...], ...], Field(min_length=1)]
    shape_of: tuple[FactorsDocument, ...] = ()


def parse_learned(body: bytes, source: str | None = None) -> LearnedDocument:
    """Read and check a learned file; raise `InvalidInput` with every fault, `source` (a file) before each path."""
    return read_document(LearnedDocument, body, source, check=check_learned)


def check_learned(document: LearnedDocument) -> list[Fault]:
    """Return every breach of the rules that span keys; an empty list means the document is sound."""
    return [
        *_rising("$.levels", document.levels),
        *(fault for name in BinsDocument.model_fields for fault in _rising(f"$.bins.{name}", _bins(document, name))),
        *_shapes(document),
        *_groups("location", document.location, 2),
        *_groups("scale", document.scale, 1),
        *_groups("shape_of", document.shape_of, 1, rows=len(document.shapes)),
    ]


def _bins(document: LearnedDocument, name: str) -> Sequence[float]:
    ends: Sequence[float] = getattr(document.bins, name)
    return ends


def _rising(path: str, values: Sequence[float]) -> Iterator[Fault]:
    for index, (before, value) in enumerate(pairwise(values), start=1):
        if value <= before:
            yield Fault(path=f"{path}[{index}]", message=f"{value} comes after {before}; give rising numbers")
    if path == "$.levels" and values and not (0 < values[0] <= MEDIAN and NINETIETH <= values[-1] < 1):
        message = f"run from {values[0]} to {values[-1]}; give probabilities that include 0.5 and 0.9"
        yield Fault(path=path, message=message)


def _shapes(document: LearnedDocument) -> Iterator[Fault]:
    for index, shape in enumerate(document.shapes):
        if len(shape) != len(document.levels):
            message = f"has {len(shape)} numbers; give one for each of the {len(document.levels)} levels"
            yield Fault(path=f"$.shapes[{index}]", message=message)
        elif any(later < before for before, later in pairwise(shape)):
            yield Fault(path=f"$.shapes[{index}]", message="falls; give quantiles that do not fall with their level")


def _groups(
    key: str, terms: Sequence[EffectsDocument | FactorsDocument], figures: int, rows: int | None = None
) -> Iterator[Fault]:
    allowed = frozenset(SHAPED) if rows is not None else TOGETHER | {("level",)} if key == "scale" else TOGETHER
    for place, term in enumerate(terms):
        path = f"$.{key}[{place}]"
        earlier = [SHAPED.index(before.fields) for before in terms[:place] if before.fields in SHAPED]
        is_late = rows is not None and term.fields in SHAPED and SHAPED.index(term.fields) <= max(earlier, default=-1)
        if term.fields not in allowed or is_late:
            message = f"{list(term.fields)} do not make groups here; make the file with allot calibrate"
            yield Fault(path=f"{path}.fields", message=message)
            continue
        for index, group in enumerate(term.groups):
            problem = _problem(term.fields, group, figures, rows)
            if problem is not None:
                yield Fault(path=f"{path}.groups[{index}]", message=f"{list(group)!r:.80} {problem}")
                break


def _problem(fields: tuple[str, ...], group: tuple[Cell, ...], figures: int, rows: int | None) -> str | None:
    """Return what is wrong with a group and what to do, None if it is sound."""
    if len(group) != len(fields) + figures:
        return f"has {len(group)} values; give {len(fields) + figures}: {', '.join(fields) or 'no field'}, then figures"
    for name, value in zip(fields, group, strict=False):
        if isinstance(value, str) != (name in IDS):
            return f"has {value!r} as {name}; give {'a text' if name in IDS else 'a whole number'}"
        if not isinstance(value, str) and (not isinstance(value, int) or value < 0):
            return f"has {value!r} as {name}; give a whole number of 0 or more"
    for value in group[len(fields) :]:
        if isinstance(value, str):
            return f"has {value!r} as a figure; give a number"
        if rows is not None and (not isinstance(value, int) or not 0 <= value < rows):
            return f"names row {value!r} of shapes, which has {rows}; give a row from 0 to {rows - 1}"
    if figures == 2 and isinstance(group[-1], (int, float)) and group[-1] < 0:
        return f"has a variance of {group[-1]}; give 0 or more"
    return None
