"""Spans for calls of the store, where tracing is on: `allot[otel]` is imported here and in api/tracing.py only.

A span names the command or the function, and never a key, since keys hold SKUs and ids.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from engine.storage.client import MultiplexedClient, Part, StoreClient

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


def trace_calls(client: StoreClient) -> None:
    """Have every call of a client leave a span from now on."""
    from opentelemetry import trace

    tracer = trace.get_tracer("allot")
    setattr(client, "call", _traced_call(tracer, client.call))  # noqa: B010 - of this client, not of its class
    setattr(client, "pipeline", _traced_pipeline(tracer, client.pipeline))  # noqa: B010
    if not isinstance(client, MultiplexedClient):  # whose functions are calls
        setattr(client, "fcall", _traced_function(tracer, client.fcall))  # noqa: B010


def _traced_call(tracer: Tracer, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def traced(*parts: Part) -> Any:
        with _span(tracer, _name(parts)):
            return await call(*parts)

    return traced


def _traced_pipeline(
    tracer: Tracer, pipeline: Callable[[Sequence[Sequence[Part]]], Awaitable[list[Any]]]
) -> Callable[[Sequence[Sequence[Part]]], Awaitable[list[Any]]]:
    async def traced(commands: Sequence[Sequence[Part]]) -> list[Any]:
        names = " ".join(dict.fromkeys(_name(parts) for parts in commands))
        with _span(tracer, names, db_operation_batch_size=len(commands)):
            return await pipeline(commands)

    return traced


def _traced_function(tracer: Tracer, fcall: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def traced(function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        with _span(tracer, f"FCALL {function}"):
            return await fcall(function, keys, args)

    return traced


def _name(parts: Sequence[Part]) -> str:
    return f"FCALL {parts[1]!s}" if parts[0] == "FCALL" else str(parts[0])


def _span(tracer: Tracer, name: str, *, db_operation_batch_size: int = 1) -> Any:
    from opentelemetry.trace import SpanKind

    attributes: dict[str, str | int] = {"db.system.name": "redis", "db.operation.name": name}
    if db_operation_batch_size > 1:
        attributes["db.operation.batch.size"] = db_operation_batch_size
    return tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes)
