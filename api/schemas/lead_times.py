"""The wire form of learned lead times: the learned file with the version of its put."""

from __future__ import annotations

from pydantic import BaseModel

from api.schemas.fields import Reply
from engine.calibration.learned import LearnedDocument


class LeadTimesReply(BaseModel):
    """The learned file as last put; `version` counts puts, that of the file is its format's."""

    version: int
    lead_times: LearnedDocument


class LeadTimesVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1, and how many shipments were learned from."""

    version: int
    shipments: int
