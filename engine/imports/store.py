"""Where imports are kept while they are worked on, and for seven days: lua/imports.lua."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files

import msgspec

from engine.imports.model import ROWS_AT_ONCE, Import, Row
from engine.inventory.model import Outcome, Replay
from engine.inventory.redis_records import kept_reply, record_of
from engine.storage.client import Part, StoreClient
from engine.storage.functions import REPLAY, library
from engine.storage.keys import Keys

LIBRARY = library("imports", 1, [REPLAY, files("engine.imports") / "lua" / "imports.lua"])
MOST_OPEN = 10
_PIECES_SECONDS = 7 * 86_400
_FIELDS = ("kind", "created_at", "rows", "pieces", "next", "done", "refused", "status")
_encode = msgspec.json.Encoder().encode
_rows = msgspec.json.Decoder(list[Row]).decode


class ImportStore:
    """The imports of one tenant; needs `LIBRARY` loaded."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys, self._open = client, keys, keys.named("imports_open")

    async def is_answered(self, replay: Replay) -> bool:
        """Return whether an import was answered under its key before; raises IdempotencyConflict."""
        return await kept_reply(self._client, self._keys, replay) is not None

    async def create(
        self, import_id: str, kind: str, created_at: datetime, rows: Sequence[Row], replay: Replay | None
    ) -> Outcome[bool]:
        """Keep the rows of an import in pieces, then the import itself; False if too many are open."""
        key = self._keys.named("import_pieces", import_id)
        starts = range(0, len(rows), ROWS_AT_ONCE)
        for number, start in enumerate(starts):
            await self._client.call("HSET", key, number, _encode(rows[start : start + ROWS_AT_ONCE]))
        await self._client.call("EXPIRE", key, _PIECES_SECONDS)
        record, fingerprint = record_of(self._keys, replay)
        args: list[Part] = [fingerprint, import_id, kind, created_at.isoformat(), len(rows), len(starts), MOST_OPEN]
        replayed, reply = await self._client.fcall("allot_create_import_v1", [record, self._open], args)
        if reply == b"many":
            await self._client.call("DEL", key)
        return Outcome(value=reply == b"created", replayed=bool(replayed))

    async def get(self, import_id: str) -> Import | None:
        """Return an import, None if there is none such, or it is no longer kept."""
        row = await self._client.call("HMGET", self._keys.named("import", import_id), *_FIELDS)
        if row[0] is None:
            return None
        kind, created_at, rows, pieces, at, done, refused, status = (each.decode() for each in row)
        return Import(
            import_id=import_id,
            kind=kind,
            created_at=datetime.fromisoformat(created_at),
            rows=int(rows),
            pieces=int(pieces),
            next_piece=int(at),
            done=int(done),
            refused=int(refused),
            status=status,
        )

    async def open(self) -> list[str]:
        """Return the ids of imports that are not over."""
        return sorted(each.decode() for each in await self._client.call("SMEMBERS", self._open))

    async def forget_open(self, import_id: str) -> None:
        """Stop looking for an import that is no longer kept."""
        await self._client.call("SREM", self._open, import_id)

    async def piece(self, import_id: str, number: int) -> list[Row]:
        """Return the rows of a piece that is not noted yet."""
        found = await self._client.call("HGET", self._keys.named("import_pieces", import_id), number)
        return [] if found is None else _rows(found)

    async def note(self, import_id: str, number: int, done: int, refused: int, lines: str) -> bool:
        """Note what became of a piece, once; False if somebody has."""
        args: list[Part] = [import_id, number, done, refused, lines]
        return bool(await self._client.fcall("allot_note_import_v1", [self._open], args))

    async def report(self, import_id: str) -> list[bytes]:
        """Return the lines of a report so far, by pieces."""
        return list(await self._client.call("LRANGE", self._keys.named("import_report", import_id), 0, -1))
