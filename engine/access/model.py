"""An API key as it is kept: everything but its secret.

Not here: how its secret is written (token.py), where it is kept (store.py).
"""

from __future__ import annotations

import msgspec


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """One secret of a key: the SHA-256 of the token, and until when it is good, in seconds since 1970."""

    sha256: str
    until: float | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a tenant; times are seconds since 1970, limits are of this key alone and None where it has none."""

    key_id: str
    name: str
    tenant: str
    scopes: tuple[str, ...]
    secrets: tuple[Secret, ...]
    """The newest first; after a rotation two, for a while."""
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    requests_per_second: int | None = None
    """0: any number."""
    most_open_holds: int | None = None

    def state(self, now: float) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


_decoder = msgspec.json.Decoder(ApiKey)


def encoded(key: ApiKey) -> bytes:
    """Return a key as it is kept."""
    return msgspec.json.encode(key)


def decoded(body: bytes) -> ApiKey:
    """Return a key that was kept; fields of later versions are passed over."""
    return _decoder.decode(body)
