"""What the process has counted, as Prometheus reads it at /metrics.

Requests, holds, runs and calls of the store are counted in plain integers where they happen (traffic.py,
engine/counts.py); they get names and labels here, when somebody asks. Labels have few values: routes, not paths, and
never SKUs, orders or keys. Not here: the metrics of several processes in one answer (siblings.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from api.siblings import Place, ask_others, merged
from api.traffic import Traffic
from engine.counts import COUNTS, Counts
from engine.histogram import Histogram


class Collected(Collector):
    """Everything of ours, made anew for each look."""

    def __init__(self, traffic: Traffic, counts: Counts, version: str) -> None:
        self._traffic, self._counts, self._version = traffic, counts, version

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        yield InfoMetricFamily("allot_build", "The version that runs.", value={"version": self._version})
        yield from self._http()
        yield from self._stock()
        yield from self._runs()
        yield from self._store()

    def _http(self) -> Iterator[Metric]:
        traffic = self._traffic
        about = "Time from the first byte of a request until its answer is handed over, by route and class of status."
        latency = HistogramMetricFamily(
            "allot_http_request_duration_seconds", about, labels=("method", "route", "status")
        )
        for way in traffic.ways:
            for hundreds, histogram in enumerate(way.statuses):
                if any(histogram.counts):
                    labels = (way.method, way.route, f"{hundreds}xx")
                    latency.add_metric(labels, histogram.cumulative(), histogram.total)
        yield latency
        yield _gauge("allot_http_requests_in_flight", "Requests that are being served.", traffic.in_flight)
        yield _gauge("allot_http_promises_waiting", "Promises that wait for others to be made.", traffic.waiting)
        about = "Requests that were refused or failed, by the code of the problem document: conflicts among them."
        yield _counter("allot_http_problems", about, "code", dict(traffic.problems))
        about = "Callers who went before their request had arrived."
        yield CounterMetricFamily("allot_http_disconnects", about, value=traffic.disconnects)
        about = "How late the event loop was, ten times a second."
        yield _histogram("allot_event_loop_lag_seconds", about, traffic.lags)

    def _stock(self) -> Iterator[Metric]:
        counts = self._counts
        outcomes = {"made": counts.holds_made, "refused": counts.holds_refused, "expired": counts.holds_expired}
        yield _counter("allot_holds", "Holds on stock, by what became of them here.", "outcome", outcomes)
        about = "Time since everything that had expired was last given back."
        yield _gauge("allot_sweeper_lag_seconds", about, counts.sweeper_lag_seconds())

    def _runs(self) -> Iterator[Metric]:
        counts = self._counts
        yield _counter("allot_routing_runs", "Routing runs that ended here, by their status.", "status", counts.runs)
        about = "Time of a routing run from its first to its last record."
        yield _histogram("allot_routing_run_duration_seconds", about, counts.run_seconds)
        about = "How far a run's plan may be from the best possible, as a share of the proven bound."
        yield _histogram("allot_routing_run_gap_ratio", about, counts.run_gaps)

    def _store(self) -> Iterator[Metric]:
        about = "Time from a call of the store until its reply."
        yield _histogram("allot_store_call_duration_seconds", about, self._counts.store_seconds)
        about = "Connections to the store that broke, or were given up because a reply was overdue."
        yield CounterMetricFamily("allot_store_broken_connections", about, value=self._counts.store_breaks)


class Labelled(Collector):
    """What other collectors yield, with one more label."""

    def __init__(self, inner: Iterable[Collector], name: str, value: str) -> None:
        self._inner, self._name, self._value = tuple(inner), name, value

    def collect(self) -> Iterator[Metric]:
        """Yield the families of all, each sample with the label."""
        for collector in self._inner:
            for family in collector.collect():
                for sample in family.samples:
                    sample.labels[self._name] = self._value
                yield family


class Metrics:
    """The endpoint /metrics of one process; with a `place` among several it answers for all of them."""

    def __init__(self, traffic: Traffic, version: str, *, place: Place | None = None) -> None:
        self._place = place
        collectors = [
            Collected(traffic, COUNTS, version),
            ProcessCollector(registry=None),
            PlatformCollector(registry=None),
            GCCollector(registry=CollectorRegistry()),
        ]
        self._registry = CollectorRegistry()
        for collector in collectors if place is None else [Labelled(collectors, "worker", str(place.number))]:
            self._registry.register(collector)

    def text(self) -> bytes:
        """Return the exposition; it takes some milliseconds, so not on the event loop."""
        return generate_latest(self._registry)

    async def answer(self, _: Request) -> Response:
        """Answer a scrape."""
        if self._place is None:
            return Response(await self.own(), media_type=CONTENT_TYPE_LATEST)
        own, others = await asyncio.gather(self.own(), ask_others(self._place))
        return Response(merged([own, *others]), media_type=CONTENT_TYPE_LATEST)

    async def own(self) -> bytes:
        """Return the exposition of this process."""
        return await asyncio.to_thread(self.text)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _counter(name: str, about: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, about, labels=(label,))
    for value, count in sorted(values.items()):
        family.add_metric((value,), count)
    return family


def _histogram(name: str, about: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, about)
    family.add_metric((), histogram.cumulative(), histogram.total)
    return family
