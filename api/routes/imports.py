"""Imports over HTTP: a file of counts or orders is taken at once, and worked on beside the requests."""

from __future__ import annotations

import asyncio
import secrets
from codecs import BOM_UTF8
from hashlib import sha256

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import imports as wire
from engine.bootstrap import Engine
from engine.errors import Fault, InvalidInput, NotFound, Refused, Unavailable
from engine.imports.edi import is_x12, rows_of_x12
from engine.imports.model import COLUMNS, Import, Row
from engine.imports.reading import rows_of_csv, rows_of_ndjson
from engine.imports.store import MOST_OPEN, ImportStore
from engine.inventory.model import Replay

CSV, NDJSON, X12 = "text/csv", "application/x-ndjson", "application/edi-x12"
MOST_BYTES = 16 * 2**20
X12_HEAD = "ISA*00*          *00*          *ZZ*SHOP           *ZZ*ALLOT          *261122*1200*U*00401*000000001*0*P*>~"


async def create_import(call: Call[bytes, wire.ImportQuery]) -> Answer:
    """Takes a file of up to 100,000 rows and 16 MiB: CSV with a header, one JSON object a line, or X12 orders (850).

    Each row is done or refused by itself, and once, however often servers die meanwhile; `GET /v1/imports/{import_id}`
    tells how far it has come, its report what became of each row.
    """
    kind, replay, store = call.query.kind, call.replay, _store(call.engine)
    import_id = f"imp_{secrets.token_hex(12) if replay is None else _name_of(replay)}"
    accepted = wire.AcceptedImport(import_id=import_id, status="queued")
    if replay is not None and await store.is_answered(replay):
        created = await store.create(import_id, kind, call.engine.clock.now(), (), replay)
    else:
        rows = await asyncio.to_thread(_rows, call.body, kind)
        created = await store.create(import_id, kind, call.engine.clock.now(), rows, replay)
    if not created.value:
        error = Refused(f"{MOST_OPEN} imports are being worked on, and there may not be more. Wait for one.")
        error.replayed = created.replayed
        raise error
    return Answer(value=accepted, status=202, is_replayed=created.replayed)


def _rows(body: bytes, kind: str) -> list[Row]:
    """Return the rows of a file, whatever it was declared as; raises InvalidInput."""
    if is_x12(body):
        if kind != "orders":
            raise InvalidInput(Fault(path="query.kind", message="an X12 file has orders; give kind=orders"))
        return rows_of_x12(body)
    # A row of CSV begins with no brace, and its header has no quote before the first name.
    is_lines = body.removeprefix(BOM_UTF8).lstrip()[:1] == b"{"
    return rows_of_ndjson(body) if is_lines else rows_of_csv(body, kind)


async def get_import(call: Call[None, NoQuery]) -> Answer:
    """How many rows are done, and how many refused; kept for seven days."""
    found = await _found(call.engine, call.path["import_id"])
    return Answer(
        value=wire.ImportReply(
            import_id=found.import_id,
            kind=found.kind,
            status=found.status,
            created_at=found.created_at,
            rows=found.rows,
            rows_done=found.done,
            rows_refused=found.refused,
        )
    )


async def get_import_report(call: Call[None, NoQuery]) -> Answer:
    """What became of each row so far, as CSV: `row` is the line of the file at which it begins."""
    import_id = call.path["import_id"]
    await _found(call.engine, import_id)
    lines = await _store(call.engine).report(import_id)
    return Answer(value=b"".join([COLUMNS.encode(), *lines]), media_type=CSV)


def _name_of(replay: Replay) -> str:
    """Return the name of an import by its key and its file: rows of two files never come together."""
    return sha256(f"{replay.digest}\0{replay.fingerprint}".encode()).hexdigest()[:24]


def _store(engine: Engine) -> ImportStore:
    if engine.imports is None:
        raise Unavailable("there are no imports where everything is in memory")
    return engine.imports


async def _found(engine: Engine, import_id: str) -> Import:
    found = await _store(engine).get(import_id)
    if found is None:
        raise NotFound(f"There is no import {import_id!r}, or it is no longer kept.")
    return found


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/imports",
        scope="imports:write",
        summary="Import counts or orders from a file",
        handler=create_import,
        body=bytes,
        takes={
            CSV: "node_id,sku,on_hand\nchicago-dc,MUG-RED,20\n",
            NDJSON: '{"node_id": "chicago-dc", "sku": "MUG-RED", "on_hand": 20}\n',
            X12: X12_HEAD,
        },
        query=wire.ImportQuery,
        reply=wire.AcceptedImport,
        status=202,
        refusals=(Refused,),
        is_keyed=True,
        max_body_bytes=MOST_BYTES,
    ),
    Endpoint(
        method="GET",
        path="/v1/imports/{import_id}",
        scope="imports:read",
        summary="Show how far an import has come",
        handler=get_import,
        reply=wire.ImportReply,
        refusals=(NotFound,),
    ),
    Endpoint(
        method="GET",
        path="/v1/imports/{import_id}/report",
        scope="imports:read",
        summary="Download what became of each row",
        handler=get_import_report,
        reply=wire.ImportLine,
        answers=CSV,
        refusals=(NotFound,),
    ),
)
