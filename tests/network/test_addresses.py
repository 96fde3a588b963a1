"""The table of addresses against the rule itself: of all prefixes that a service names, the longest counts."""

from __future__ import annotations

import random
from typing import Any

import pytest

from engine.network.addresses import compile_addresses
from engine.network.document import NetworkDocument

COUNTRIES, CODES = ["US", "CA"], ["", "1", "2", "11", "12", "112", "1 2"]


def random_services(rng: random.Random) -> list[dict[str, Any]]:
    services = []
    for number in range(rng.randint(1, 3)):
        named = [(country, code) for country in COUNTRIES for code in CODES if rng.random() < 0.4]
        lists: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for country, code in named:
            lists[rng.random() < 0.5].append({"country": country, "postal_prefixes": [code] if code else None})
        services.append(
            {
                "service": f"s{number}",
                "carrier": "c",
                "service_level": "standard",
                "calendar": "daily",
                "rates": [{"zone": "all", "max_weight_g": 1, "cost_cents": 0, "transit_days": 0}],
                "served_areas": lists[True] or rng.choice([[], None]),
                "unserved_areas": lists[False],
                "delivers_to_po_boxes": rng.random() < 0.5,
            }
        )
    return services


def is_served(service: dict[str, Any], country: str | None, code: str | None, is_po_box: bool) -> bool:
    """The rule, word by word."""
    if is_po_box and not service["delivers_to_po_boxes"]:
        return False
    fits = [(-1, service["served_areas"] is None)]
    for areas, verdict in ((service["served_areas"] or [], True), (service["unserved_areas"], False)):
        for area in areas:
            prefixes = area["postal_prefixes"] or [""] if area["country"] == country else []
            fits += [(len(prefix), verdict) for prefix in prefixes if (code or "").startswith(prefix)]
    return max(fits)[1]


@pytest.mark.parametrize("seed", range(100))
def test_the_longest_prefix_decides(seed: int) -> None:
    rng = random.Random(seed)
    services = random_services(rng)
    document = NetworkDocument.model_validate(
        {
            "nodes": [
                {
                    "node_id": "n",
                    "kind": "dc",
                    "latitude": 0.0,
                    "longitude": 0.0,
                    "time_zone": "UTC",
                    "calendar": "daily",
                }
            ],
            "calendars": [{"calendar": "daily", "working_days": ["mon"]}],
            "zones": [{"zone": "all"}],
            "services": services,
        }
    )
    table = compile_addresses(document)
    for country in (*COUNTRIES, "MX", None):
        for code in ("1", "12", "1123", "2", "1 23", "3", None):
            for is_po_box in (False, True):
                refused = {} if table is None else table.not_served_by(country, code, is_po_box=is_po_box)
                expected = {s for s, entry in enumerate(services) if not is_served(entry, country, code, is_po_box)}
                assert set(refused) == expected
