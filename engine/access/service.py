"""API keys: made, listed, rotated and revoked, and found by the token that a request brings.

Not here: which endpoint needs which scope, and what is remembered between requests (api/door.py).
"""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass

from msgspec.structs import replace

from engine.access.model import ApiKey, Secret
from engine.access.scopes import checked, mask
from engine.access.store import KeyStore
from engine.access.token import digest_of, key_id_of, new_id, new_token
from engine.clock import Clock
from engine.errors import Fault, IllegalState, InvalidInput, NotFound, Refused

GRACE_SECONDS = 86_400.0
MOST_KEYS = 10_000
LONGEST_NAME = 128
TRIES = 5
_MOVED = "The key {} changes while it is changed, or a later version of allot wrote it. Try again, with that version."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A key with the token that was just made for it; the token can be had here and never again."""

    key: ApiKey
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who brings a token: the tenant, who holds what they hold, the set of their scopes, and how long that is so."""

    tenant: str
    holder: str
    mask: int
    seconds_left: float
    requests_per_second: int | None = None
    most_open_holds: int | None = None


class AccessService:
    """The API keys of all tenants of a store."""

    def __init__(self, keys: KeyStore, clock: Clock) -> None:
        self._keys, self._clock = keys, clock

    async def create(
        self,
        *,
        name: str,
        tenant: str,
        scopes: list[str],
        lasts_seconds: float | None = None,
        requests_per_second: int | None = None,
        most_open_holds: int | None = None,
    ) -> NewSecret:
        """Make a key; raises InvalidInput for a name, scope or time that cannot be, Refused beyond MOST_KEYS."""
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise InvalidInput(Fault(path="--name", message=f"{name!r}: give 1 to {LONGEST_NAME} printable characters"))
        allowed = checked(scopes, "--scope")
        now = self._now()
        await self._make_room()
        key_id = new_id()
        token = new_token(key_id)
        key = ApiKey(
            key_id=key_id,
            name=name,
            tenant=tenant,
            scopes=allowed,
            secrets=(Secret(sha256=digest_of(token)),),
            created_at=now,
            expires_at=None if lasts_seconds is None else now + lasts_seconds,
            requests_per_second=requests_per_second,
            most_open_holds=most_open_holds,
        )
        if not await self._keys.change(None, key):
            raise Refused("Another key has that id; try again.")
        return NewSecret(key=key, token=token)

    async def every(self, tenant: str | None = None) -> list[ApiKey]:
        """Return every key, or those of one tenant, the oldest first."""
        return [key for key in await self._keys.all() if tenant in (None, key.tenant)]

    async def rotate(self, key_id: str, grace_seconds: float = GRACE_SECONDS) -> NewSecret:
        """Give a key a new secret; the one it had stays good for `grace_seconds`, and older ones no longer.

        Raises NotFound, IllegalState if the key is revoked or has expired.
        """
        for _ in range(TRIES):
            key, now = await self._active(key_id), self._now()
            token = new_token(key_id)
            old = replace(key.secrets[0], until=now + grace_seconds)
            kept = (old,) if grace_seconds > 0 else ()
            after = replace(key, secrets=(Secret(sha256=digest_of(token)), *kept))
            if await self._keys.change(key, after):
                return NewSecret(key=after, token=token)
        raise Refused(_MOVED.format(key_id))

    async def revoke(self, key_id: str) -> ApiKey:
        """Make a key good for nothing, at once for new callers; raises NotFound. Revoking again changes nothing."""
        for _ in range(TRIES):
            key = await self._found(key_id)
            if key.revoked_at is not None:
                return key
            after = replace(key, revoked_at=self._now())
            if await self._keys.change(key, after):
                return after
        raise Refused(_MOVED.format(key_id))

    async def identify(self, token: str) -> Identity | None:
        """Return who brings a token; None if it is good for nothing."""
        key_id = key_id_of(token)
        key = None if key_id is None else await self._keys.get(key_id)
        if key is None:
            return None
        now, digest = self._now(), digest_of(token)
        fitting = [secret for secret in key.secrets if hmac.compare_digest(secret.sha256, digest)]
        ends = [time for time in (key.expires_at, *(secret.until for secret in fitting)) if time is not None]
        end = min(ends, default=math.inf)
        if not fitting or key.state(now) != "active" or end <= now:
            return None
        return Identity(
            tenant=key.tenant,
            holder=key.key_id,
            mask=mask(key.scopes),
            seconds_left=end - now,
            requests_per_second=key.requests_per_second,
            most_open_holds=key.most_open_holds,
        )

    async def epoch(self) -> int:
        """Return a number that moves with every change of any key."""
        return await self._keys.epoch()

    async def tenants(self) -> list[str]:
        """Return the tenants that have a key which is active, in order."""
        now = self._now()
        return sorted({key.tenant for key in await self._keys.all() if key.state(now) == "active"})

    async def _make_room(self) -> None:
        """Forget keys that were revoked or have expired if there are as many as may be; raises Refused."""
        keys, now = await self._keys.all(), self._now()
        if len(keys) < MOST_KEYS:
            return
        dead = [key.key_id for key in keys if key.state(now) != "active"]
        if not dead:
            raise Refused(f"There are {MOST_KEYS:,} keys, which is as many as there may be. Revoke some.")
        await self._keys.remove(dead[:1000])

    async def _found(self, key_id: str) -> ApiKey:
        key = await self._keys.get(key_id)
        if key is None:
            raise NotFound(f"There is no key {key_id!r}; see: allot keys list")
        return key

    async def _active(self, key_id: str) -> ApiKey:
        key = await self._found(key_id)
        if (state := key.state(self._now())) != "active":
            raise IllegalState(f"The key {key_id} is {state}; make a new one.")
        return key

    def _now(self) -> float:
        return self._clock.now().timestamp()
