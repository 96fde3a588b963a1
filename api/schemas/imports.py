"""The wire form of imports."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from api.schemas.fields import Reply


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the rows are: counts of positions, orders, or events of carriers."""

    kind: Literal["inventory", "orders", "carrier_events"]


class AcceptedImport(Reply, frozen=True, kw_only=True):
    """An import that was taken, and how many rows it has."""

    import_id: str
    status: str


class ImportReply(Reply, frozen=True, kw_only=True):
    """How far an import has come, in rows: `queued`, `running` or `done`."""

    import_id: str
    kind: str
    status: str
    created_at: datetime
    rows: int
    rows_done: int
    rows_refused: int


class ImportLine(Reply, frozen=True, kw_only=True):
    """A line of a report: the line of the file, `done` or `refused`, what it was of, and why it was refused."""

    row: int
    status: str
    id: str
    code: str
    message: str
