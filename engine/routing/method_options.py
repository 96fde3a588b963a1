"""Options of routing methods, as a request or a command names them: `daily_orders` of `cascade`, weights of `weighted`.

Here: names, ranges, and what solvers make of them. Not here: the methods (solvers/cascade.py, solvers/weighted.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from engine.errors import Fault
from engine.faults import nearest
from solvers.params import Method, Params
from solvers.problem import IntArray
from solvers.rival_options import Cascade, Weights

RANKS = {"dc": 1, "third_party": 1, "store": 2, "vendor": 3}
"""Of node kinds in a cascade, the first lowest; others come last."""
_MOST = 10.0**9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    least: float = 0.0
    is_whole: bool = False

    def holds(self, value: float) -> bool:
        return self.least <= value <= _MOST and (value == int(value) or not self.is_whole)

    def __str__(self) -> str:
        return f"a {'whole ' if self.is_whole else ''}number from {self.least:g} to {_MOST:g}"


_OPTIONS: dict[Method, dict[str, _Range]] = {
    Method.CASCADE: {
        "daily_orders": _Range(is_whole=True),
        "near_km": _Range(),
        **{f"rank_{kind}": _Range(is_whole=True) for kind in RANKS},
    },
    Method.WEIGHTED: {name: _Range() for name in asdict(Weights())},
}


def option_faults(method: Method, options: Mapping[str, float], path: str) -> list[Fault]:
    """Return every fault of the options of a method; each is told at `path` and its name."""
    known = _OPTIONS.get(method, {})
    if options and not known:
        return [Fault(path=path, message=f"{method} has no options; leave them out")]
    faults = []
    for name, value in options.items():
        if name not in known:
            faults.append(Fault(path=f"{path}.{name}", message=f"is no option of {method}; {nearest(name, known)}"))
        elif not known[name].holds(value):
            faults.append(Fault(path=f"{path}.{name}", message=f"{value:g} is not valid; give {known[name]}"))
    if method == Method.WEIGHTED and not faults and not any((asdict(Weights()) | dict(options)).values()):
        faults.append(Fault(path=path, message="all weights are 0; give one above 0"))
    return faults


def with_options(
    params: Params, options: Mapping[str, float], kinds: Sequence[str], orders_before: IntArray | None = None
) -> Params:
    """Return params with the options of their method, which were checked.

    `kinds` are those of the problem's nodes, `orders_before` how many orders each was given on this day.
    """
    if params.method == Method.WEIGHTED:
        return replace(params, weights=Weights(**options))
    if params.method != Method.CASCADE:
        return params
    ranks = {kind: int(options.get(f"rank_{kind}", rank)) for kind, rank in RANKS.items()}
    last = max(ranks.values()) + 1
    cascade = Cascade(
        daily_orders=int(options["daily_orders"]) if "daily_orders" in options else None,
        near_km=options.get("near_km", float("inf")),
        rank=np.array([ranks.get(kind, last) for kind in kinds], np.int64),
        orders_before=orders_before,
    )
    return replace(params, cascade=cascade)
