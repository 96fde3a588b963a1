"""Spans of requests and store calls where they are asked for, and nothing of OpenTelemetry loaded where not."""

from __future__ import annotations

import subprocess
import sys

import httpx2
import pytest

from api.app import create_app
from api.reply import WHOLE
from engine.config import Settings

pytest.importorskip("opentelemetry.sdk")


async def test_a_request_leaves_a_span_below_its_callers_and_its_store_calls_below_that(
    store_address: str, tenant: str
) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    app = create_app(Settings(redis_url=store_address, tenant=tenant, durability="memory", traces="otlp"))
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            kept.clear()
            answer = await http.get("/v1/reservations/res_secret", headers={"traceparent": caller})

        async def connected(scope, receive, send) -> None:
            """As a connection of the server does: answers may be written past `send`."""
            scope[WHOLE] = lambda *_: True
            await app(scope, receive, send)

        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=connected), base_url="http://127.0.0.1"
        ) as http:
            assert (await http.get("/v1/health/live")).status_code == 200
    assert answer.status_code == 404
    spans = kept.get_finished_spans()
    (request,) = [span for span in spans if span.name == "GET /v1/reservations/{reservation_id}"]
    assert format(request.context.trace_id, "032x") == "0af7651916cd43dd8448eb211c80319c"
    assert request.attributes["http.response.status_code"] == 404
    assert request.attributes["allot.request_id"] == answer.headers["x-request-id"]
    calls = [span for span in spans if span.parent and span.parent.span_id == request.context.span_id]
    assert calls
    (live,) = [span for span in spans if span.name == "GET /v1/health/live"]
    assert live.attributes["http.response.status_code"] == 200
    assert {span.attributes["db.system.name"] for span in calls} == {"redis"}
    assert all("res_secret" not in f"{span.name} {dict(span.attributes)}" for span in spans)


def test_nothing_of_opentelemetry_is_loaded_unless_asked_for() -> None:
    loaded = "[name for name in sys.modules if name in {'api.tracing', 'opentelemetry.sdk'}]"
    code = f"import sys, api.app, api.cli.serve_one, engine.bootstrap; print({loaded})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
