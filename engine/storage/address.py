"""How the address of a store is written: `unix://`, `redis://`, `rediss://`, or a bare socket path."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from engine.errors import Fault, InvalidInput

_FORMS = "Write unix:///path/to.sock, redis://host:6379/0 or rediss://user:password@host:6379/0."


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a store listens; either `socket_path`, or `host` and `port`. Its text never shows the password."""

    socket_path: str | None = None
    host: str | None = None
    port: int = 6379
    is_tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0

    def __str__(self) -> str:
        if self.socket_path is not None:
            return f"unix://{self.socket_path}"
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host
        return f"{'rediss' if self.is_tls else 'redis'}://{host}:{self.port}"

    @property
    def remedy(self) -> str:
        """Return the sentence that says what to do when nobody answers."""
        if self.socket_path is not None:
            return "Start the server that owns this socket, or unset ALLOT_REDIS_URL to use the embedded one."
        return "Start the server, correct ALLOT_REDIS_URL, or unset it to use the embedded store."

    def tls_context(self) -> ssl.SSLContext | None:
        """Return the verifying context of `rediss://`, else None."""
        return ssl.create_default_context() if self.is_tls else None


def parse_address(text: str) -> Address:
    """Return the address written in `text`; raises InvalidInput with path `ALLOT_REDIS_URL`."""
    if "://" not in text and text.startswith(("/", "./", "../")):
        return Address(socket_path=text)
    try:
        url = urlsplit(text)
        port = url.port or 6379
    except ValueError as error:
        raise _wrong(f"{error}. {_FORMS}") from error
    username = unquote(url.username) if url.username else None
    password = unquote(url.password) if url.password is not None else None
    if url.scheme == "unix" and url.path:
        return Address(socket_path=unquote(url.path), username=username, password=password)
    if url.scheme not in {"redis", "rediss"} or not url.hostname:
        raise _wrong(f"{url.scheme or text.partition(':')[0]!r} is no store address. {_FORMS}")
    database = url.path.strip("/") or "0"
    if not database.isdigit():
        raise _wrong(f"the database must be a number, got {database!r}. {_FORMS}")
    return Address(
        host=url.hostname,
        port=port,
        is_tls=url.scheme == "rediss",
        username=username,
        password=password,
        database=int(database),
    )


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(Fault(path="ALLOT_REDIS_URL", message=message))
