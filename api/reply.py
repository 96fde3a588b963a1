"""An answer as the server takes it, and the names that every answer has: its request id, not to be kept or guessed at.

Starlette's responses do the same in several layers; an answer of an endpoint goes through none. Not here: what is
answered (routes/), how errors look (errors.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from starlette.types import Message, Scope, Send

from api.deps import LIMITS, request_id_of
from engine.counts import COUNTS

Header = tuple[bytes, bytes]
JSON: Header = (b"content-type", b"application/json")
IS_REPLAYED: Header = (b"idempotent-replayed", b"true")
SAFE: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
_NO_CONTENT: Header = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_GOING: Header = (b"connection", b"close")
_PLAIN: dict[tuple[Header, ...], bytes] = {
    headers: b"".join(b"%s: %s\r\n" % each for each in (*headers, *SAFE, _NO_CONTENT))
    for headers in ((JSON,), (JSON, IS_REPLAYED))
}
"""The headers of nearly all answers, as they are written."""
WHOLE = "allot.whole"
"""Where in the scope of a request its connection leaves what writes a whole answer at once (api/connections.py)."""
_OWN_POLICY = "/docs"
"""The page that says for itself what it shows."""


class Reply(NamedTuple):
    """Status, headers without those that every answer has, and body."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


def raw_headers(headers: Iterable[tuple[str, str]]) -> tuple[Header, ...]:
    """Return headers as bytes, their names in lower case."""
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers)


def names_of(scope: Scope, own: tuple[Header, ...] = ()) -> list[Header]:
    """Return the headers that every answer has, but for a policy of content that it has of its `own`."""
    headers = [(b"x-request-id", request_id_of(scope).encode()), *SAFE]
    if scope["path"] != _OWN_POLICY and all(name != _NO_CONTENT[0] for name, _ in own):
        headers.append(_NO_CONTENT)
    if COUNTS.is_stopping:
        headers.append(_GOING)
    limits = scope.get(LIMITS)
    if limits is not None:
        headers += limits.policy, limits.header()
    return headers


async def send_reply(reply: Reply, scope: Scope, send: Send) -> None:
    """Send a reply with its length and the names of every answer."""
    status, headers, body = reply
    # What stays in there leads back to the scope, so that only the collector would find them both.
    whole, plain = scope.pop(WHOLE, None), _PLAIN.get(headers)
    if whole is not None and plain is not None and scope["method"] != "HEAD" and not COUNTS.is_stopping:
        limits = scope.get(LIMITS)
        more = b"" if limits is None else b"%s: %s\r\n%s: %s\r\n" % (*limits.policy, *limits.header())
        named = plain, request_id_of(scope).encode(), len(body), more
        if whole(status, b"%sx-request-id: %s\r\ncontent-length: %d\r\n%s\r\n" % named, body):
            return
    sent = [*headers, (b"content-length", b"%d" % len(body)), *names_of(scope, headers)]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


def naming(scope: Scope, send: Send) -> Send:
    """Return a `send` that gives the answer of somebody else the names of every answer."""

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *names_of(scope)]
        await send(message)

    return send_named
