"""Logs: one line for each thing worth knowing, JSON for machines and words for people, and never a secret or a body.

The access log is a share of the requests, gathered and written ten times a second: a line costs its request a
microsecond, and the loop some four when it is written. Failures (5xx) are always in it once it is on.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from time import time
from typing import Any, Literal, TextIO

import msgspec
import structlog

from api.deps import request_id_of
from api.traffic import Flight
from engine.events.actor import actor
from engine.events.holder import holder

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "text"]
_SECRET = re.compile(
    r"(allot_[a-z0-9]{12}_|[Bb]earer\s+|whsec_)[^\s\"'@,]+"
    r"|(://[^/@\s:]*:)(?:[^\s@]+(?=@)|(?!\d{1,5}(?!\w))[^\s\"'@,]+)"
)
"""What follows `://…:` is a password, unless it is a port and no `@` comes behind it."""


def set_up_logs(level: Level, form: Format, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to a stream, standard error unless said otherwise."""
    out = sys.stderr if stream is None else stream
    is_json = form == "json" or (form == "auto" and not out.isatty())
    before: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request,
        structlog.stdlib.ExtraAdder(),
    ]
    shown: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if not is_json:  # never with the values of variables, as it would by default: those may be secrets
        plain = structlog.dev.plain_traceback
        shown = structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain)
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _without_secrets,
        shown,
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=last))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())


def _add_request(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the request that a line is about, and the key of its caller."""
    if (who := actor()).startswith("req_"):
        event.setdefault("request_id", who)
        event.setdefault("key_id", holder())
    return event


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out what looks like a key, a token or a password, wherever it came from."""
    for name, value in event.items():
        if isinstance(value, str) and _SECRET.search(value):
            event[name] = _SECRET.sub(r"\1\2…", value)
    return event


class AccessLog:
    """Lines of a share of the requests; `keep_writing` writes them."""

    def __init__(self, share: float, form: Format, stream: TextIO | None = None) -> None:
        self._share = share
        self._out = sys.stderr if stream is None else stream
        self._is_json = form == "json" or (form == "auto" and not self._out.isatty())
        self._noted: list[tuple[float, Flight, int, float, str]] = []

    def note(self, flight: Flight, status: int, seconds: float) -> None:
        """Keep a request for the next flush, if it is of the share or failed."""
        if status >= 500 or random.random() < self._share:
            self._noted.append((time(), flight, status, seconds, holder()))

    async def keep_writing(self) -> None:
        """Write what was kept ten times a second until cancelled, and what is left then."""
        try:
            while True:
                await asyncio.sleep(0.1)
                self.flush()
        finally:
            self.flush()

    def flush(self) -> None:
        """Write what was kept."""
        if self._noted:
            noted, self._noted = self._noted, []
            self._out.write("".join(self._line(*each) for each in noted))
            self._out.flush()

    def _line(self, at: float, flight: Flight, status: int, seconds: float, key_id: str) -> str:
        row = {
            "timestamp": datetime.fromtimestamp(at, UTC).isoformat(),
            "level": "info",
            "logger": "allot.access",
            "event": "request",
            "request_id": request_id_of(flight.asgi[0]),
            "method": flight.way.method,
            "route": flight.way.route,
            "status": status or 499,
            "code": flight.code,
            "duration_ms": round(seconds * 1000, 2),
            "key_id": key_id,
        }
        if self._is_json:
            return msgspec.json.encode(row).decode() + "\n"
        return "{timestamp} {method} {route} {status} {duration_ms} ms {request_id} {key_id}\n".format(**row)
