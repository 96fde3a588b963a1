"""A multiplexed client for the store: one connection shared by every caller of an event loop.

Commands issued in one turn of the loop leave in one write, and replies resolve futures in order. It never re-sends a
command that may have been executed: a connection that breaks, or a reply that is overdue, fails every call in flight
with `Unavailable`, and the next call connects anew. It speaks RESP2, so no push message can come between replies.

Not here: the connection itself (link.py, fenced_link.py), how addresses are written (address.py), what commands mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import hiredis

from engine.errors import (
    DocumentsMoved,
    IdempotencyConflict,
    IncompatibleStore,
    StoreReplyError,
    TooManyHolds,
    Unavailable,
)
from engine.storage.address import Address, parse_address
from engine.storage.fenced_link import FencedLink
from engine.storage.link import Link, pack
from engine.storage.link import Part as Part  # noqa: PLC0414  # belongs to the port below

# Replies that say the command was not executed and that a later try may succeed.
_RETRYABLE = frozenset(
    ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "READONLY", "NOREPLICAS", "MISCONF", "OOM"]
)
_MINIMUM = {"redis": (7, 2), "valkey": (8, 0)}


class StoreClient(Protocol):
    """What the engine needs of a connection to the store; replies are bytes, ints, None and lists of these."""

    async def call(self, *parts: Part) -> Any:
        """Run one command; raises Unavailable, StoreReplyError."""
        ...

    async def pipeline(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Run independent commands in one round trip; all are sent, then the first error is raised."""
        ...

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        """Call a function; raises IdempotencyConflict too when its record has another fingerprint."""
        ...

    def on_missing_function(self, reload: Callable[[], Awaitable[None]]) -> None:
        """Let `reload` run when the server has lost a function (FUNCTION FLUSH, a restart without persistence)."""
        ...

    async def close(self) -> None:
        """Close the connection; calls in flight fail with Unavailable."""
        ...


def connect(
    url_or_socket: str, *, deadline_seconds: float = 5.0, revive: Callable[[], None] | None = None
) -> MultiplexedClient:
    """Return a client for `unix:///path.sock`, a bare socket path, `redis://` or `rediss://`; connects on first use.

    `deadline_seconds` bounds every call, and connecting. `revive` (`EmbeddedServer.revive`) is run in a thread when
    nobody answers, before one more try. Raises InvalidInput if the address cannot be read.
    """
    return MultiplexedClient(parse_address(url_or_socket), deadline_seconds=deadline_seconds, revive=revive)


class MultiplexedClient:
    """The StoreClient on one hiredis reader; close it before its event loop ends, then another loop may use it.

    With `replicas`, a call that is not on the disk of so many of them in time fails with Unavailable, though it ran;
    then `fence_key` names a key that may be written with every batch of calls.
    """

    def __init__(
        self,
        address: Address,
        *,
        deadline_seconds: float,
        revive: Callable[[], None] | None = None,
        replicas: int = 0,
        fence_key: str = "",
    ) -> None:
        self._address = address
        self._revive = revive
        self._replicas = replicas
        self._fence_key = fence_key
        self._deadline_seconds = deadline_seconds
        self._link: Link | None = None
        self._connecting: asyncio.Task[Link] | None = None
        self._reloads: list[Callable[[], Awaitable[None]]] = []

    async def call(self, *parts: Part) -> Any:
        """Run one command; raises Unavailable, StoreReplyError."""
        link = self._link
        if link is None or not link.usable():
            link = await self._connect()
        return _raised(await link.send(pack(parts)), self._address)

    async def pipeline(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Run independent commands in one round trip; all are sent, then the first error is raised."""
        if not commands:
            return []
        link = self._link
        if link is None or not link.usable():
            link = await self._connect()
        futures = [link.send(pack(parts)) for parts in commands]
        replies = await asyncio.gather(*futures, return_exceptions=True)
        return [_raised(reply, self._address) for reply in replies]

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        """Call a function, loading it again first if the server has lost it."""
        try:
            return await self.call("FCALL", function, len(keys), *keys, *args)
        except StoreReplyError as error:
            if not self._reloads or "Function not found" not in str(error):
                raise
        for reload in tuple(self._reloads):
            await reload()
        return await self.call("FCALL", function, len(keys), *keys, *args)

    def on_missing_function(self, reload: Callable[[], Awaitable[None]]) -> None:
        """Let `reload` run when the server has lost a function."""
        self._reloads.append(reload)

    async def close(self) -> None:
        """Close the connection; calls in flight fail with Unavailable, a later call connects again."""
        link, self._link = self._link, None
        if link is not None and link.usable():
            link.break_off("the client was closed")
            await asyncio.sleep(0)

    async def _connect(self) -> Link:
        """Return a usable link; callers that arrive while one is being made wait for the same one."""
        task = self._connecting
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = self._connecting = asyncio.get_running_loop().create_task(self._open())
            task.add_done_callback(_retrieve)
        # Shielded: a caller that gives up must not take the connection away from the others.
        return await asyncio.shield(task)

    async def _open(self) -> Link:
        """Open a link, sign in, and check the server's version; a server that can be revived gets a second try."""
        try:
            link = await self._dial()
        except Unavailable:
            if self._revive is None:
                raise
            await asyncio.to_thread(self._revive)
            link = await self._dial()
        try:
            await self._sign_in(link)
        except BaseException:
            link.break_off("signing in failed")
            raise
        if isinstance(link, FencedLink):
            link.begin_fencing()
        self._link = link
        return link

    async def _dial(self) -> Link:
        """Open the transport; raises Unavailable when nobody answers."""
        loop, address = asyncio.get_running_loop(), self._address

        def make() -> Link:
            if self._replicas:
                return FencedLink(
                    loop, address, self._deadline_seconds, replicas=self._replicas, fence_key=self._fence_key
                )
            return Link(loop, address, self._deadline_seconds)

        try:
            async with asyncio.timeout(self._deadline_seconds):
                if address.socket_path is not None:
                    return (await loop.create_unix_connection(make, address.socket_path))[1]
                host, tls = address.host or "127.0.0.1", address.tls_context()
                return (await loop.create_connection(make, host=host, port=address.port, ssl=tls))[1]
        except (OSError, TimeoutError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else (error.strerror or str(error))
            raise Unavailable(f"No store answers at {address}: {reason}. {address.remedy}") from error

    async def _sign_in(self, link: Link) -> None:
        """Say HELLO, check the version, choose the database."""
        address = self._address
        hello: list[Part] = ["HELLO", "2"]
        if address.password is not None:
            hello += ["AUTH", address.username or "default", address.password]
        reply = await link.send(pack([*hello, "SETNAME", "allot"]))
        if isinstance(reply, hiredis.ReplyError) and str(reply).split(" ", 1)[0] not in _RETRYABLE:
            if str(reply).startswith(("WRONGPASS", "NOAUTH", "NOPERM")):
                raise Unavailable(f"The store at {address} refuses the credentials given: {reply}")
            raise IncompatibleStore(f"The store at {address} is too old (HELLO: {reply}). {_WANTED}")
        fields = _raised(reply, address)
        hello_map = {fields[i]: fields[i + 1] for i in range(0, len(fields), 2)}
        check_version(hello_map[b"server"].decode(), hello_map[b"version"].decode(), address)
        if address.database:
            _raised(await link.send(pack(["SELECT", address.database])), address)


_WANTED = "allot needs Redis 7.2 or later, or Valkey 8 or later."


def check_version(server: str, version: str, address: Address) -> None:
    """Refuse a server older than Redis 7.2 or Valkey 8; raises IncompatibleStore."""
    found = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if found < _MINIMUM.get(server, _MINIMUM["redis"]):
        raise IncompatibleStore(f"The store at {address} is {server} {version}. {_WANTED}")


def _raised(reply: Any, address: Address) -> Any:
    """Return `reply`, or raise the error it stands for."""
    if isinstance(reply, hiredis.ReplyError):
        text = str(reply)
        word = text.split(" ", 1)[0]
        if word == "REPLAYCONFLICT":
            raise IdempotencyConflict
        if word == "DOCUMENTSMOVED":
            raise DocumentsMoved
        if word == "TOOMANYHOLDS":
            _, open_holds, most, holder = text.split(" ", 3)
            raise TooManyHolds(holder, int(open_holds), int(most))
        if word in _RETRYABLE:
            raise Unavailable(f"The store at {address} cannot serve this now: {text}")
        raise StoreReplyError(f"The store at {address} refused a command: {text}")
    if isinstance(reply, BaseException):
        raise reply
    return reply


def _retrieve(task: asyncio.Task[Link]) -> None:
    """Mark the failure of a connection attempt as seen: whoever waits for it raises it."""
    if not task.cancelled():
        task.exception()
