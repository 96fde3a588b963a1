"""What a network says of freight beside rates: handling classes, volume, surcharges, cartons; as arrays for kernels.

Here: the compiled form, and what a destination costs more. Not here: the document (document.py), what a parcel costs
(solvers/promise_freight.py), into which cartons it goes (solvers/cartons.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engine.network.document import NetworkDocument, OversizeDocument, ServiceDocument
from solvers.cartons import sort_boxes
from solvers.problem import IntArray
from solvers.promise_freight import NO_LIMIT, REMOTE_CENTS, RESIDENTIAL_CENTS

_OTHER = 1
"""The bit of every class that the network does not name: barred where only named ones are taken."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Freight:
    """The rules of freight; arrays of nodes and services are in the network's order.

    `bits` has the bit of each handling class that the network names. `service` has the columns of
    `solvers.promise_freight.Rules.service`. `boxes` (cartons, 6) are sorted as kernels
    need them, `box_rows` are the same, `box_ids` name them.
    If `is_plain`, nothing is paid beside rates; if `is_sized`, the size of products matters.
    """

    bits: Mapping[str, int]
    node_bars: IntArray
    service: IntArray
    residential_cents: IntArray
    remote: Mapping[str, tuple[tuple[str, int, int], ...]]
    boxes: IntArray
    box_rows: tuple[tuple[int, ...], ...]
    box_ids: tuple[str, ...]
    is_plain: bool
    is_sized: bool

    def bits_of(self, classes: Iterable[str]) -> int:
        """Return handling classes as bits; 0 where the network names none at all."""
        if not self.bits:
            return 0
        union = 0
        for name in classes:
            union |= self.bits.get(name, _OTHER)
        return union

    def area(self, country: str | None, postal_code: str | None, *, is_residential: bool) -> IntArray:
        """Return what each carton to a destination costs more, shape (2, services); without columns if nothing."""
        by_service = self._remote_cents(country, postal_code)
        if not by_service and not (is_residential and self.residential_cents.any()):
            return NO_AREA
        area = np.zeros((2, len(self.residential_cents)), dtype=np.int64)
        if is_residential:
            area[RESIDENTIAL_CENTS] = self.residential_cents
        for service, cents in by_service.items():
            area[REMOTE_CENTS, service] = cents
        return area

    def _remote_cents(self, country: str | None, postal_code: str | None) -> dict[int, int]:
        """Return by service what the longest prefix of a postal code costs."""
        if country is None or postal_code is None or country not in self.remote:
            return {}
        code = postal_code.strip().upper()
        found: dict[int, tuple[int, int]] = {}
        for prefix, service, cents in self.remote[country]:
            if code.startswith(prefix) and len(prefix) >= found.get(service, (0, 0))[0]:
                found[service] = (len(prefix), cents)
        return {service: cents for service, (_, cents) in found.items()}


NO_AREA = np.zeros((2, 0), dtype=np.int64)


def compile_freight(document: NetworkDocument) -> Freight:
    """Turn what a checked document says of freight into arrays."""
    nodes, services = document.nodes, document.services
    named = [node.handles or () for node in nodes] + [node.refuses for node in nodes]
    named += [entry.carries or () for entry in services] + [entry.refuses for entry in services]
    bits = {name: _OTHER << (1 + i) for i, name in enumerate(dict.fromkeys(name for names in named for name in names))}
    remote: dict[str, list[tuple[str, int, int]]] = {}
    for s, entry in enumerate(services):
        for area in entry.remote_areas:
            remote.setdefault(area.country, []).extend((prefix, s, area.cents) for prefix in area.postal_prefixes)
    boxes = np.array(
        [
            (
                *sorted((c.length_mm, c.width_mm, c.height_mm), reverse=True),
                c.max_weight_g,
                c.tare_weight_g,
                c.cost_cents,
            )
            for c in document.cartons
        ],
        dtype=np.int64,
    ).reshape(-1, 6)
    order = sort_boxes(boxes)
    return Freight(
        bits=MappingProxyType(bits),
        node_bars=_integers([_bars(node.handles, node.refuses, bits) for node in nodes]),
        service=np.array([_service(entry, bits) for entry in services], dtype=np.int64).reshape(-1, 7),
        residential_cents=_integers([entry.residential_cents for entry in services]),
        remote=MappingProxyType({country: tuple(found) for country, found in remote.items()}),
        boxes=boxes[order],
        box_rows=tuple(map(tuple, boxes[order].tolist())),
        box_ids=tuple(document.cartons[i].carton for i in order.tolist()),
        is_plain=not document.cartons and not any(_adds(entry) for entry in services),
        is_sized=bool(document.cartons) or any(entry.dim_divisor or entry.oversize for entry in services),
    )


def _adds(entry: ServiceDocument) -> bool:
    """Say whether a service ever takes anything beside its rates by weight."""
    return bool(
        entry.dim_divisor or entry.fuel_basis_points or entry.residential_cents or entry.oversize or entry.remote_areas
    )


def _bars(taken: Sequence[str] | None, refused: Sequence[str], bits: Mapping[str, int]) -> int:
    bars = 0
    if taken is not None:
        bars = _OTHER + sum(bits.values()) - sum(bits[name] for name in taken)
    for name in refused:
        bars |= bits[name]
    return bars


def _service(entry: ServiceDocument, bits: Mapping[str, int]) -> tuple[int, ...]:
    rule = entry.oversize or OversizeDocument(cents=0)
    limits = (rule.longest_mm, rule.length_and_girth_mm, rule.weight_g)
    return (
        entry.dim_divisor or 0,
        entry.fuel_basis_points,
        *(NO_LIMIT if limit is None else limit for limit in limits),
        rule.cents,
        _bars(entry.carries, entry.refuses, bits),
    )


def _integers(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)
