"""The alert policy: from when on an order is in jeopardy, and what follows without people; a versioned document.

Not here: applying it (judging.py, alerting.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import Fault, InvalidInput
from engine.storage.documents import DocumentStore

COLLECTION, NAME = "alert_policy", "current"
Severity = Literal["minor", "major", "critical"]
SEVERITIES: tuple[Severity, ...] = ("minor", "major", "critical")
"""From the least to the worst."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Days = Annotated[int, Field(strict=True, ge=0, le=365)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class From(_Part):
    """From when on something is done: an alert has to be so severe, so likely, and so many days late, all of it."""

    severity: Severity = "major"
    probability: Share = 0.0
    delay_days: Days = 1


class AlertPolicyDocument(_Part):
    """From which probability of being late alerts are of which severity, and from when on what is done."""

    minor_probability: Share = 0.25
    major_probability: Share = 0.5
    critical_probability: Share = 0.9
    critical_delay_days: Days = Field(default=3, description="late by so many days, it is critical if it is major")
    re_promise: From | None = Field(default=None, description="when the promised day is moved; null: never by itself")
    notify: From | None = Field(default=None, description="when the customer is told; null: never by itself")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """A version of it; 0 is what holds before the first."""

    version: int
    document: AlertPolicyDocument


class AlertPolicyService:
    """Puts and serves the alert policy."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def put(self, document: AlertPolicyDocument) -> AlertPolicy:
        """Check and store a document as the next version; `InvalidInput` with every fault, nothing stored."""
        faults = list(_faults(document))
        if faults:
            raise InvalidInput(faults)
        version = await self._documents.add(COLLECTION, NAME, document.model_dump_json().encode())
        return AlertPolicy(version=version, document=document)

    async def current(self) -> AlertPolicy:
        """Return the latest version, or what holds without one."""
        found = await self._documents.find(COLLECTION, NAME)
        if found is None:
            return AlertPolicy(version=0, document=AlertPolicyDocument())
        document = AlertPolicyDocument.model_validate_json(found.body)
        return AlertPolicy(version=found.version, document=document)


def rank(severity: str) -> int:
    """Return the place of a severity, 0 for the least."""
    return SEVERITIES.index(severity)


def _faults(document: AlertPolicyDocument) -> Iterator[Fault]:
    pairs = (("major", "minor"), ("critical", "major"))
    for higher, lower in pairs:
        value, least = getattr(document, f"{higher}_probability"), getattr(document, f"{lower}_probability")
        if value < least:
            message = f"{value} is below the {lower}_probability {least}; give that or more"
            yield Fault(path=f"$.{higher}_probability", message=message)
