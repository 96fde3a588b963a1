"""Spans for requests by OpenTelemetry, where `ALLOT_TRACES` asks for them; imported only then.

Not here: spans of the store's calls (engine/storage/traced.py), where they are sent to: the usual OTEL_… variables say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import request_id_of
from api.reply import WHOLE
from engine.errors import Fault, InvalidInput

try:
    from opentelemetry import propagate, trace
    from opentelemetry.trace import SpanKind, StatusCode
except ImportError:
    message = "'otlp' needs OpenTelemetry, which is not installed: pip install 'allot[otel]'"
    raise InvalidInput(Fault(path="ALLOT_TRACES", message=message)) from None


class Traced:
    """An endpoint whose requests leave spans, each a child of its caller's if that says so (`traceparent`)."""

    def __init__(self, inner: ASGIApp, method: str, route: str) -> None:
        self._inner, self._method, self._route = inner, method, route
        self._tracer = trace.get_tracer("allot")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        heads = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        attributes = {"http.request.method": self._method, "http.route": self._route}
        with self._tracer.start_as_current_span(
            f"{self._method} {self._route}",
            context=propagate.extract(heads),
            kind=SpanKind.SERVER,
            attributes=attributes,
        ) as span:

            async def send_noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    span.set_attribute("allot.request_id", request_id_of(scope))
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            scope.pop(WHOLE, None)  # an answer that is written at once is not seen here
            await self._inner(scope, receive, send_noted)


@contextmanager
def exporting() -> Iterator[None]:
    """Send spans by OTLP over HTTP as long as the block lasts; raises InvalidInput without `allot[otel]`."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        message = "'otlp' needs OpenTelemetry, which is not installed: pip install 'allot[otel]'"
        raise InvalidInput(Fault(path="ALLOT_TRACES", message=message)) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "allot"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
