"""What an import is: rows of a file, taken one by one, each done or refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

MOST_ROWS = 100_000
ROWS_AT_ONCE = 200
COLUMNS = "row,status,id,code,message\r\n"
"""What a line of a report holds."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A row: the line of the file where it begins, and its fields; None, and why, if it cannot be read."""

    line: int
    fields: dict[str, Any] | None
    fault: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a row: done, or refused by a code and a message."""

    line: int
    identifier: str
    code: str = ""
    message: str = ""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """An import: how far it has come, in rows."""

    import_id: str
    kind: str
    created_at: datetime
    rows: int
    pieces: int
    next_piece: int
    done: int
    refused: int
    status: str
