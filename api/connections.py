"""Connections that a client opens and does not use: uvicorn's, with bounds on heads without end and answers not read.

What uvicorn leaves open for ever, and here is ended: a connection on which
nothing ever comes, a head that comes a byte a minute or has no end, an answer that nobody takes. Looking costs a
request some tenths of a microsecond. Not here: bodies, which come within the time limit of a request (api/traffic.py).

An answer of an endpoint is written at once (`send_whole`), where uvicorn looks at each header and writes twice; and a
connection that waits for its next request is looked at too, where uvicorn sets a timer after each.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.reply import WHOLE

MOST_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 10.0
ANSWER_SECONDS = 30.0
IDLE_SECONDS = 5.0
LOOK_SECONDS = 1.0
LONG_ANSWER_BYTES = 2**18
"""An answer of more is not copied to be written with its head."""

_TOO_LARGE = b"431 Request Header Fields Too Large"
_TOO_SLOW = b"408 Request Timeout"


class Connection(HttpToolsProtocol):
    """One connection of a client."""

    in_head = False
    head_bytes = 0
    looks = 0
    """How many looks in a row have found it as it is."""
    seen: tuple[object, int] | None = None
    server_headers: tuple[object, bytes] = (None, b"")
    """What the server adds to each answer, and how it is written; all connections share it."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.in_head, self.head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End the head of a request."""
        self.in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that has become too long ends the connection."""
        super().data_received(data)
        if self.in_head:
            self.head_bytes += len(data)
            if self.head_bytes > MOST_HEAD_BYTES:
                self.end(_TOO_LARGE)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        cycle.scope[WHOLE] = partial(self.send_whole, cycle)
        super()._start_asgi_task(cycle, app)

    def send_whole(self, cycle: Any, status: int, head: bytes, body: bytes) -> bool:
        """Write a whole answer; False if it is no plain case and has to go by `send`, which knows them all.

        `head` are the headers but for those of the server, each with its end, and the end of all.
        """
        if self.flow.write_paused or cycle.disconnected or cycle.response_started or not cycle.keep_alive:
            return False
        cycle.response_started = cycle.response_complete = True
        if len(body) > LONG_ANSWER_BYTES:
            self.transport.write(b"".join((STATUS_LINE[status], self._server_headers(), head)))
            self.transport.write(body)
        else:
            self.transport.write(b"".join((STATUS_LINE[status], self._server_headers(), head, body)))
        cycle.message_event.set()
        cycle.on_response()
        return True

    def _server_headers(self) -> bytes:
        """Return the headers that the server adds, which are others once a second."""
        headers, (known, written) = self.server_state.default_headers, Connection.server_headers
        if headers is not known:
            written = b"".join(b"%s: %s\r\n" % each for each in headers)
            Connection.server_headers = headers, written
        return written

    def on_response_complete(self) -> None:
        """Go on with what is in line, or wait for the next request."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()

    def look(self) -> None:
        """Be looked at, every LOOK_SECONDS: end if this has waited for its client for too long."""
        cycle: Any = self.cycle
        is_waiting = self.in_head or cycle is None
        is_stuck = self.flow.write_paused
        is_idle = not (is_waiting or is_stuck) and cycle.response_complete
        state = (cycle, self.transport.get_write_buffer_size() if is_stuck else -1)
        if not (is_waiting or is_stuck or is_idle) or state != self.seen:
            self.seen, self.looks = state, 0
            return
        self.looks += 1
        seconds = self.looks * LOOK_SECONDS
        if is_idle and seconds >= IDLE_SECONDS:
            self.transport.close()
        elif not is_idle and seconds >= (ANSWER_SECONDS if is_stuck else HEAD_SECONDS):
            self.end(None if is_stuck else _TOO_SLOW)

    def end(self, status: bytes | None) -> None:
        """Close the connection, saying why if the client may still listen."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if status is None or is_answering:
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()


async def keep_looking(connections: set[Any]) -> None:
    """Look at all connections of a server until cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for connection in tuple(connections):
            if isinstance(connection, Connection):
                connection.look()
