"""One HTML page about a routed day: what it cost, how far from the best possible, and where it shipped from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from engine.reporting.flow_map import Flow, Place, flow_map

_PARTS = ("shipping", "handling", "units", "split", "late", "backorder", "moves")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedDay:
    """What the page tells; `summaries` are those of routing runs on the same orders, the committed one last."""

    title: str
    currency: str
    summaries: Sequence[Mapping[str, Any]]
    places: Sequence[Place]
    flows: Sequence[Flow]
    notes: Sequence[str]


def routing_report(day: RoutedDay) -> str:
    """Return the page; it refers to nothing outside itself."""
    best = day.summaries[-1]
    bound = best["lower_bound_cents"]
    dearest = max(summary["total_cost_cents"] for summary in day.summaries)
    rows = [
        {
            "name": "allot" if summary["method"] == "auto" else summary["method"].replace("_", " "),
            "summary": summary,
            "above": (summary["total_cost_cents"] - bound) / bound if bound else None,
            "bars": [
                (part, 100 * summary["costs"][part] / dearest)
                for part in _PARTS
                if dearest and summary["costs"].get(part)
            ],
        }
        for summary in day.summaries
    ]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["money"] = lambda cents: f"{cents / 100:,.2f}"
    page = environment.from_string((files("engine.reporting") / "routing_report.html").read_text(encoding="utf-8"))
    return page.render(
        day=day, best=best, bound=bound, dearest=dearest, rows=rows, map=Markup(flow_map(day.places, day.flows))
    )
