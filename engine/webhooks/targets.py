"""Where events may be sent: to public addresses only, checked after the name is resolved, and then connected to.

A name is resolved once for each attempt. If any of its addresses is not public, nothing is sent; else the request goes
to one of those that were checked, with the name in its Host header and its TLS handshake. So a name that is resolved
anew in between (DNS rebinding) leads nowhere else. Not here: the request.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
MOST_CHARACTERS = 2000
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_RESOLVE_SECONDS = 3.0


class TargetRefused(Exception):
    """Nothing may be sent there; says why."""


class TargetUnknown(TargetRefused):
    """Its name cannot be resolved now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL taken apart, and the checked address to connect to."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address

    @property
    def url(self) -> str:
        """The URL to connect to, by address."""
        shown = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.scheme}://{shown}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        """What the Host header says."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == {"http": 80, "https": 443}[self.scheme] else f"{name}:{self.port}"


def is_public(address: Address) -> bool:
    """Return whether an address is one of the public internet, also the one that it stands for."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is None and any(address in network for network in _NAT64):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not is_public(inner):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def by_system(host: str, port: int) -> list[str]:
    """Return the addresses of a host by the system's resolver; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


class Targets:
    """Says where events may be sent: with `allow_private`, anywhere, and without TLS (for development only)."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolve = by_system,
        is_allowed: Callable[[Address], bool] = is_public,
    ) -> None:
        self._allow_private, self._resolve, self._is_allowed = allow_private, resolve, is_allowed

    async def check(self, url: str) -> Target:
        """Return where a URL leads now; raises TargetRefused."""
        scheme, host, port, path = self._parts(url)
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                found = list(dict.fromkeys(await self._resolve(host, port)))
        except (OSError, UnicodeError, TimeoutError) as error:
            raise TargetUnknown(f"the name {host!r} cannot be resolved") from error
        if not found:
            raise TargetRefused(f"the name {host!r} has no address")
        addresses = [ip_address(each.partition("%")[0]) for each in found]
        if not self._allow_private and not all(map(self._is_allowed, addresses)):
            raise TargetRefused(f"{host!r} leads to an address that is not public")
        return Target(scheme=scheme, host=host, port=port, path=path, address=addresses[0])

    def _parts(self, url: str) -> tuple[str, str, int, str]:
        if len(url) > MOST_CHARACTERS or not url.isascii() or any(mark.isspace() or mark < " " for mark in url):
            raise TargetRefused(f"a URL is up to {MOST_CHARACTERS} ASCII characters without blanks")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise TargetRefused("it is not a URL") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise TargetRefused("give a URL as https://example.com/path")
        if parts.scheme == "http" and not self._allow_private:
            raise TargetRefused("events are sent by https only")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise TargetRefused("a URL with a user, a password or a fragment is not taken")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}[parts.scheme], path
