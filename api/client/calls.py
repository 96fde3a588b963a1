"""One request of a client, before it is sent, and who sends it. Not here: how (client.py, async_client.py)."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

R = TypeVar("R")
Value = str | int | float | bool | date | None


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """What is asked, and the type of the answer; `key` is the same however often it is sent."""

    method: str
    path: str
    reply: type[R]
    query: Mapping[str, Value] = field(default_factory=dict)
    body: msgspec.Struct | dict[str, Any] | bytes | None = None
    media_type: str = "application/json"
    key: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that are this request's own."""
        typed = {} if self.body is None else {"Content-Type": self.media_type}
        return typed if self.key is None else {**typed, "Idempotency-Key": self.key}

    def params(self) -> dict[str, str]:
        """Return the query, without what was not given."""
        return {name: str(value) for name, value in self.query.items() if value is not None}

    def content(self) -> bytes | None:
        """Return the body as it is sent."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return msgspec.json.encode(self.body)

    def answer(self, content: bytes) -> R:
        """Return the answer of a request that was done; what a later server says beyond its type is left out."""
        if self.reply is str:
            return content.decode()  # type: ignore[return-value]
        if self.reply is bytes:
            return content  # type: ignore[return-value]
        return msgspec.json.decode(content, type=self.reply)


class Sender(ABC):
    """Sends calls and waits."""

    @abstractmethod
    def _send(self, call: Call[R]) -> R: ...


class AsyncSender(ABC):
    """Sends calls, to be awaited."""

    @abstractmethod
    async def _send(self, call: Call[R]) -> R: ...


def new_key() -> str:
    """Return an idempotency key for one intended change."""
    return str(uuid.uuid4())


def part(value: str) -> str:
    """Return an id as a part of a path."""
    return quote(value, safe="")
