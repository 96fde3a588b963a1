"""What is looked at of a scenario before it is taken: its shape, that it names no files, how large it is said to be.

In milliseconds for those of usual size; longer texts, worlds and orders are judged by the process that simulates.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.extending import written_of
from engine.scenarios.validating import Findings, validated

LOOKED_AT_BYTES = 2**16
"""Longer texts take seconds to read."""
MOST_CELLS = 10_000_000
"""Of nodes times products, where a world is drawn."""
_FILES = ("network", "products", "stock", "supplies", "orders", "returns")


def checked_name(text: str, policies: Sequence[str], replications: int | None, *, most_orders: int) -> str:
    """Return the name of a scenario, empty if the text is too long to look at; raises InvalidInput."""
    if len(text) > LOOKED_AT_BYTES:
        return ""
    scenario, findings = validated(written_of(text, "scenario", None))
    _note_files(scenario, findings)
    generate = scenario.generate
    cells = 0 if generate is None else (generate.nodes or 0) * (generate.skus or 0)
    if cells > MOST_CELLS:
        findings.note(("generate",), f"{cells:,} nodes × products are too many here; the most is {MOST_CELLS:,}")
    named = [policy.name for policy in scenario.policies] or [str(scenario.routing.router)]
    runs = len(policies or named) * (replications or scenario.replications)
    listed = len(scenario.orders) if isinstance(scenario.orders, tuple) else 0
    orders = runs * (listed if generate is None else round(generate.orders_per_day * scenario.days))
    if orders > most_orders:
        message = f"{orders:,} orders in {scenario.days} days × {runs} replications of its policies are too many"
        findings.note((), f"{message}; the most is {most_orders:,}: ask for fewer days, replications or policies")
    findings.raise_any()
    for name in policies:
        if name not in named:
            raise InvalidInput(Fault(path="$.policies", message=f"{name!r} is none of it; {nearest(name, named)}"))
    return scenario.name


def _note_files(scenario: ScenarioDocument, findings: Findings) -> None:
    for key in _FILES:
        name = getattr(scenario, key)
        if isinstance(name, str):
            findings.note((key,), f"{name!r} is a file, which cannot be named here; write it out")
    if scenario.generate is not None and isinstance(scenario.generate.places, str):
        message = f"{scenario.generate.places!r} is a file, which cannot be named here; write it out"
        findings.note(("generate", "places"), message)
