"""`problem.json`: the settings of a problem folder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.faults import read_document

Cents = Annotated[int, Field(ge=0, lt=2**53)]


class ProblemSettings(BaseModel):
    """What `problem.json` may say; money in minor units, distances in kilometres, null where there is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    version: Literal[1]
    name: str = ""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    split_cost_cents: Cents = 0
    backorder_cost_cents_per_unit: Cents
    late_day_cost_cents: Cents | None = None
    move_cost_cents: Cents = 0
    line_split: Literal["never", "allowed"] = "never"
    max_nodes_per_order: Annotated[int, Field(ge=0)] | None = None
    max_distance_km: Annotated[float, Field(ge=0, strict=False)] | None = None


def read_settings(body: bytes) -> ProblemSettings:
    """Read `problem.json`; raise InvalidInput with every fault, each a JSON path in that file."""
    return read_document(ProblemSettings, body, "problem.json")
