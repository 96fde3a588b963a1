"""Who may come in: from the `Authorization` header of a request to its tenant, its holder and what it may do.

What a header stands for is looked up once and remembered under its raw bytes, so that a request costs a lookup in a
dict and one `&`. A change of any key moves an epoch in the store, which is asked for every POLL_SECONDS; what was not
compared with it for TRUST_SECONDS is looked up again, so a revoked key is good for no longer than that in any process,
whether the store answers or not. Not here: what a key is (engine/access), which endpoint needs which scope.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from starlette.types import Scope

from api.allowance import Allowance
from api.deps import LIMITS
from api.errors import MissingScope, Unauthenticated
from engine.access.bearer import BearerTokens
from engine.access.buckets import Buckets
from engine.access.scopes import ALL
from engine.access.service import AccessService, Identity
from engine.access.token import PREFIX
from engine.bootstrap import Engine
from engine.errors import AllotError

log = logging.getLogger("allot.door")

POLL_SECONDS = 1.0
TRUST_SECONDS = 4.0
"""How long what was looked up is believed without news of the store: a second below what is promised."""
REMEMBERED_SECONDS = 300.0
MOST_REMEMBERED = 10_000
LONGEST_HEADER = 8192
_HEADER = b"authorization"


class Caller:  # not frozen: attributes of it are read on every request
    """Who sends a request: whose engine serves it, whose holds it makes, and what it may do until when."""

    __slots__ = ("allowance", "engine", "holder", "mask", "most_open_holds", "until")

    def __init__(
        self,
        engine: Engine,
        holder: str,
        mask: int,
        until: float,
        *,
        allowance: Allowance | None = None,
        most_open_holds: int | None = None,
    ) -> None:
        self.engine, self.holder, self.mask, self.until = engine, holder, mask, until
        self.allowance, self.most_open_holds = allowance, most_open_holds


class Door:
    """Lets callers in; without `access` everybody may do everything, as the one who is `anonymous`."""

    def __init__(
        self,
        house: Engine,
        access: AccessService | None = None,
        engine_of: Callable[[str], Awaitable[Engine]] | None = None,
        requests_per_second: int = 0,
        tokens: BearerTokens | None = None,
        running: Callable[[str], Engine | None] | None = None,
    ) -> None:
        """Serve open endpoints by the engine of the `house`, and others by what `engine_of` returns for a tenant.

        Keys without a limit of their own may send `requests_per_second`; 0: any number.
        """
        self._buckets: Buckets = house.buckets
        self._allowances: dict[str, Allowance] = {}
        self._requests_per_second, self._tokens = requests_per_second, tokens
        self._running = running
        self._anyone = Caller(house, "anonymous", ALL, float("inf"))
        self._access, self._engine_of = access, engine_of
        self._known: dict[bytes, Caller] = {}
        self._epoch = -1
        self._trusted_until = 0.0

    @property
    def house(self) -> Engine:
        """Return the engine that serves open endpoints."""
        return self._anyone.engine

    def running(self, tenant: str) -> Engine | None:
        """Return the engine of a tenant if it runs here; none is started for somebody without a key."""
        if tenant == self.house.tenant:
            return self.house
        return None if self._running is None else self._running(tenant)

    def admit(self, scope: Scope, needed: int) -> Caller | None:
        """Return who sends a request that needs the scope of this bit (0: none); None if that has to be looked up.

        It is also None if the store has to be asked whether they may send one more.

        Raises Unauthenticated, MissingScope.
        """
        if not needed or self._access is None:
            return self._anyone
        caller = self._known.get(_header(scope))
        if caller is None or (now := time.monotonic()) >= caller.until or now >= self._trusted_until:
            return None
        if not caller.mask & needed:
            raise MissingScope(needed)
        if (allowance := caller.allowance) is not None:
            if allowance.credit <= 0 or now >= allowance.until:
                return None
            allowance.credit -= 1
            if allowance.credit == allowance.low:
                allowance.take_more()
            scope[LIMITS] = allowance
        return caller

    async def look_up(self, scope: Scope, needed: int) -> Caller:
        """Return what `admit` could not say, and remember it.

        Raises Unauthenticated, MissingScope, TooManyRequests, Unavailable.
        """
        raw = _header(scope)
        if time.monotonic() >= self._trusted_until:
            await self._compare()
        caller = self._known.get(raw)
        if caller is None or time.monotonic() >= caller.until:
            epoch = self._epoch
            caller = await self._identified(raw)
            if epoch == self._epoch:  # else it may have changed while it was read
                while len(self._known) >= MOST_REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[raw] = caller
        if not caller.mask & needed:
            raise MissingScope(needed)
        if caller.allowance is not None:
            scope[LIMITS] = caller.allowance
            await caller.allowance.spend()
        return caller

    async def keep_watch(self) -> None:
        """Ask for changes of keys until cancelled."""
        is_failing = False
        while self._access is not None:
            try:
                await self._compare()
                is_failing = False
            except AllotError as error:
                if not is_failing:
                    log.warning("looking for changes of keys does not work now, trying again: %s", error)
                is_failing = True
            except Exception:
                log.exception("looking for changes of keys failed, trying again")
            await asyncio.sleep(POLL_SECONDS)

    async def _compare(self) -> None:
        """Forget what is remembered if any key has changed; what is remembered is then good from when we asked."""
        assert self._access is not None
        asked = time.monotonic()
        epoch = await self._access.epoch()
        if epoch != self._epoch:
            self._known.clear()
            self._epoch = epoch
        self._trusted_until = asked + TRUST_SECONDS

    async def _identified(self, raw: bytes) -> Caller:
        assert self._access is not None
        assert self._engine_of is not None
        kind, _, token = raw.decode("latin-1").partition(" ")
        if kind.lower() != "bearer" or len(raw) > LONGEST_HEADER:
            raise Unauthenticated("The Authorization header is no bearer token; send Authorization: Bearer <API key>.")
        token = token.strip()
        found = await self._access.identify(token) if self._tokens is None or token.startswith(PREFIX) else None
        if found is None and self._tokens is not None:
            found = self._tokens.identify(token)
        if found is None:
            raise Unauthenticated("The key or token is not known, has expired, or was revoked.", is_bad=True)
        until = time.monotonic() + min(REMEMBERED_SECONDS, found.seconds_left)
        return Caller(
            await self._engine_of(found.tenant),
            found.holder,
            found.mask,
            until,
            allowance=self._allowance(found),
            most_open_holds=found.most_open_holds,
        )

    def _allowance(self, found: Identity) -> Allowance | None:
        """Return what a holder may send, whichever of their secrets they show."""
        chosen = found.requests_per_second
        limit = self._requests_per_second if chosen is None else chosen
        if not limit:
            return None
        allowance = self._allowances.get(found.holder)
        if allowance is None or allowance.per_second != limit:
            while len(self._allowances) >= MOST_REMEMBERED:
                del self._allowances[next(iter(self._allowances))]
            allowance = self._allowances[found.holder] = Allowance(self._buckets, found.holder, limit)
        return allowance


def _header(scope: Scope) -> bytes:
    """Return the raw value of the header; raises Unauthenticated if it is not there."""
    for name, value in scope["headers"]:
        if name == _HEADER:
            found: bytes = value
            return found
    raise Unauthenticated("Who are you? Send Authorization: Bearer <API key>; see: allot keys create")
