"""Signed links: what somebody without a key may see or do with one order or address, until a day.

    <tenant>.<what it is for, of what, until when>.<signature>

Nothing personal is in them. They are signed with a key of the tenant, which is kept with those of customers.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256

import msgspec

from engine.errors import NotFound

TRACKING, OPT_OUT = "t", "o"
LONGEST = 1024
_SIGNED_BYTES = 18
_decode = msgspec.json.Decoder(tuple[str, str, int]).decode
Root = Callable[[], Awaitable[bytes]]


class Links:
    """Makes and reads the signed links of a tenant."""

    def __init__(self, tenant: str, root: Root) -> None:
        self._tenant, self._root = tenant, root

    async def signed(self, purpose: str, what: str, until: datetime) -> str:
        """Return a token by which `what` may be seen or done until then."""
        payload = _text(msgspec.json.encode((purpose, what, int(until.timestamp()))))
        return f"{self._tenant}.{payload}.{await self._signature(payload)}"

    async def read(self, purpose: str, token: str, now: datetime) -> str:
        """Return what a token is of; raises NotFound for one that was not signed here, or is past its time."""
        tenant, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        if tenant != self._tenant or len(token) > LONGEST or not token.isascii():
            raise not_valid()
        if not hmac.compare_digest(signature, await self._signature(payload)):
            raise not_valid()
        its_purpose, what, until = _decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if its_purpose != purpose or now.timestamp() >= until:
            raise not_valid()
        return what

    async def _signature(self, payload: str) -> str:
        key = hmac.new(await self._root(), b"links", sha256).digest()
        return _text(hmac.new(key, f"{self._tenant}.{payload}".encode(), sha256).digest()[:_SIGNED_BYTES])


def tenant_of(token: str) -> str:
    """Return the tenant that a token says it is of."""
    return token.partition(".")[0]


def not_valid() -> NotFound:
    """Return the error of a link that is good for nothing, which says no more."""
    return NotFound("The link is not valid, or its time is over. Ask for a new one.")


def _text(said: bytes) -> str:
    return urlsafe_b64encode(said).rstrip(b"=").decode()
