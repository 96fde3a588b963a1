"""One connection of a tool to a server: asks and waits, and hears which keys were changed meanwhile (RESP3).

For backup and restore, which run in a process of their own. Not here: the client of the service (client.py).
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import hiredis

from engine.errors import StoreReplyError, Unavailable
from engine.storage.address import Address
from engine.storage.client import Part, check_version
from engine.storage.link import pack

TIMEOUT_SECONDS = 60.0


class DirectLink:
    """A connection; `changed` collects the keys that the server says were changed, once `follow` was called."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.changed: set[bytes] = set()
        self.is_flushed = False
        self.server = ""
        self._reader = hiredis.Reader()
        try:
            self._socket = self._dial()
        except OSError as error:
            raise Unavailable(f"No store answers at {address}: {error}. {address.remedy}") from error
        self._sign_in()

    def __enter__(self) -> DirectLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, *parts: Part) -> Any:
        """Run one command; raises Unavailable, StoreReplyError."""
        return self.ask_all([parts])[0]

    def ask_all(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Run commands in one round trip; raises Unavailable, and the first StoreReplyError after all were run."""
        replies: list[Any] = []
        try:
            self._socket.sendall(b"".join(pack(parts) for parts in commands))
            while len(replies) < len(commands):
                reply = self._reader.gets()
                if reply is False:
                    self._feed()
                elif isinstance(reply, hiredis.PushNotification):
                    self._hear(reply)
                else:
                    replies.append(reply)
        except OSError as error:
            raise Unavailable(f"The store at {self._address} stopped answering: {error}.") from error
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                raise StoreReplyError(f"The store at {self._address} refused a command: {reply}")
        return replies

    def follow(self, prefix: str) -> None:
        """Collect in `changed` every key that is changed from now on and begins with a prefix."""
        self.ask("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix)

    def _dial(self) -> socket.socket:
        address = self._address
        if address.socket_path is not None:
            connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connected.settimeout(TIMEOUT_SECONDS)
            connected.connect(address.socket_path)
            return connected
        host = address.host or "127.0.0.1"
        connected = socket.create_connection((host, address.port), TIMEOUT_SECONDS)
        context = address.tls_context()
        return connected if context is None else context.wrap_socket(connected, server_hostname=host)

    def _sign_in(self) -> None:
        address = self._address
        hello: list[Part] = ["HELLO", "3"]
        if address.password is not None:
            hello += ["AUTH", address.username or "default", address.password]
        said = self.ask(*hello, "SETNAME", "allot-tool")
        name, version = said[b"server"].decode(), said[b"version"].decode()
        check_version(name, version, address)
        self.server = f"{name} {version}"
        if address.database:
            self.ask("SELECT", address.database)

    def _feed(self) -> None:
        received = self._socket.recv(2**20)
        if not received:
            raise ConnectionResetError("it closed the connection")
        self._reader.feed(received)

    def _hear(self, push: Sequence[Any]) -> None:
        if push and push[0] == b"invalidate":
            if push[1] is None:
                self.is_flushed = True
            else:
                self.changed.update(push[1])
