"""Runs over hubs against all ways there are, added up in plain Python over the documents: small random worlds.

Catches a hub pattern that is priced wrongly or not looked at, and a bound that forgets what hubs can save. Nor does a
hub ever make a plan dearer.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from engine.network.document import NetworkDocument
from engine.routing.run_model import RunRequest

if TYPE_CHECKING:
    from conftest import World

TODAY, GRAMS, SKUS = date(2026, 11, 20), 400, ("MUG", "TEA", "POT")
Way = tuple[str, str | None] | None
"""The node that has a line, and the hub that packs it; None: it waits."""
Orders = dict[str, tuple[dict[str, int], date | None]]


def network(seed: int) -> dict[str, Any]:
    """Return a network of four nodes around the customers, one or two of them hubs, that work every day."""
    draw = Random(seed)
    hubs = ["a", "b"][: draw.choice((1, 2))]
    rates = [
        {"zone": zone, "max_weight_g": most, "cost_cents": cents + draw.randrange(0, 200, 10), "transit_days": days}
        for zone, days, steps in (("near", 1, ((800, 300), (9000, 450))), ("far", 3, ((800, 700), (9000, 800))))
        for most, cents in steps
    ]
    nodes = [
        {
            "node_id": node_id,
            "kind": "dc",
            "calendar": "daily",
            "cut_off": "15:00",
            "time_zone": "America/New_York",
            "latitude": 40.7 if draw.random() < 0.5 else 30.0,
            "longitude": -74.0,
            "parcel_cost_cents": draw.choice((0, 40, 90)),
            "unit_cost_cents": draw.choice((0, 7)),
        }
        for node_id in "abcd"
    ]
    for node in nodes[: len(hubs)]:
        node["hub"] = {"unit_cost_cents": draw.choice((0, 3)), "processing_days": draw.choice((0, 1))}
    transfers = [
        {
            "from_node_id": node_id,
            "to_node_id": hub,
            "calendar": "daily",
            "transit_days": draw.choice((1, 2)),
            "arrives_at": "07:00",
            "cost_cents": draw.choice((0, 60, 200)),
            "kg_cost_cents": draw.choice((0, 50)),
            "unit_cost_cents": draw.choice((0, 5)),
        }
        for hub in hubs
        for node_id in "abcd"
        if node_id != hub and draw.random() < 0.8
    ]
    return {
        "nodes": nodes,
        "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
        "zones": [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": None}],
        "services": [
            {"service": "ground", "carrier": "c", "service_level": "standard", "calendar": "daily", "rates": rates}
        ],
        "transfers": transfers,
        "policy": {
            "backorder_cost_cents_per_unit": 2500,
            "split_cost_cents": draw.choice((0, 50)),
            "max_nodes_per_order": draw.choice((None, None, 2)),
        },
    }


class Oracle:
    """Adds up what ways cost."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._nodes = {node["node_id"]: node for node in document["nodes"]}
        self._transfers = {(t["from_node_id"], t["to_node_id"]): t for t in document["transfers"]}
        self._rates, self._policy = document["services"][0]["rates"], document["policy"]

    def cheapest(self, orders: Orders, stock: Counter[tuple[str, str]]) -> int:
        """Return the least that all orders cost together."""
        best: dict[tuple[tuple[tuple[str, str], int], ...], int] = {(): 0}
        for lines, need_by in orders.values():
            found: dict[Any, int] = {}
            for taken, cents in best.items():
                for used, more in self._ways(lines, need_by):
                    all_used = Counter(dict(taken)) + used
                    if all(stock[cell] >= units for cell, units in all_used.items()):
                        key = tuple(sorted(all_used.items()))
                        found[key] = min(found.get(key, cents + more), cents + more)
            best = found
        return min(best.values())

    def _ways(self, lines: dict[str, int], need_by: date | None) -> Iterator[tuple[Counter[tuple[str, str]], int]]:
        nodes = list(self._nodes)
        single: list[Way] = [None, *((n, None) for n in nodes), *self._transfers]
        hubs = {hub for _, hub in self._transfers}
        single += [(hub, hub) for hub in hubs]
        for ways in itertools.product(single, repeat=len(lines)):
            cents = self._cents(dict(zip(lines, ways, strict=True)), lines, need_by)
            if cents is not None:
                pairs = zip(lines, ways, strict=True)
                yield Counter({(sku, way[0]): lines[sku] for sku, way in pairs if way is not None}), cents

    def _cents(self, way_of: dict[str, Way], lines: dict[str, int], need_by: date | None) -> int | None:
        parcels: dict[tuple[str, bool], list[str]] = {}
        for sku, way in way_of.items():
            if way is not None:
                parcels.setdefault((way[1] or way[0], way[1] is not None), []).append(sku)
        shippers = [node_id for node_id, _ in parcels]
        most = self._policy["max_nodes_per_order"]
        if len(set(shippers)) < len(shippers) or sum(packed for _, packed in parcels) > 1:
            return None
        if most is not None and len(shippers) > most:
            return None
        cents = sum(2500 * lines[sku] for sku, way in way_of.items() if way is None)
        cents += self._policy["split_cost_cents"] * max(0, len(shippers) - 1)
        for (node_id, packed), skus in parcels.items():
            sent = {sku: str(way_of[sku][0]) for sku in skus if way_of[sku][0] != node_id}  # type: ignore[index]
            if packed and not sent:
                return None
            leaves = TODAY
            for source in set(sent.values()):
                transfer, units = self._transfers[source, node_id], sum(lines[s] for s in sent if sent[s] == source)
                hub = self._nodes[node_id]["hub"]
                there = TODAY + timedelta(transfer["transit_days"] + hub["processing_days"])
                leaves = max(leaves, there)
                cents += transfer["cost_cents"] + (units * GRAMS * transfer["kg_cost_cents"] + 500) // 1000
                cents += units * (transfer["unit_cost_cents"] + hub["unit_cost_cents"])
            units = sum(lines[sku] for sku in skus)
            zone = "near" if self._nodes[node_id]["latitude"] > 40 else "far"
            step = next((r for r in self._rates if r["zone"] == zone and r["max_weight_g"] >= units * GRAMS), None)
            if step is None or (need_by is not None and leaves + timedelta(step["transit_days"]) > need_by):
                return None
            cents += step["cost_cents"] + self._nodes[node_id]["parcel_cost_cents"]
            cents += sum(lines[s] * self._nodes[sent.get(s, node_id)]["unit_cost_cents"] for s in skus)
        return int(cents)


async def routed(
    world: World, seed: int, document: dict[str, Any], orders: Orders, stock: Counter[tuple[str, str]]
) -> dict[str, Any]:
    await world.networks.put(NetworkDocument.model_validate(document))
    for node_id in "abcd":
        await world.count(**{node_id: {sku: stock[sku, node_id] for sku in SKUS}})
    ids = []
    for name, (lines, need_by) in orders.items():
        await world.order(f"{seed}-{name}", lines, need_by=need_by)
        ids.append(f"{seed}-{name}")
    run = await world.runs().execute(RunRequest(order_ids=tuple(ids), dry_run=True))
    assert run.summary, run
    return run.summary


@pytest.mark.parametrize("contended", [False, True])
async def test_no_way_over_hubs_is_cheaper(world: World, contended: bool) -> None:
    exact = over_hubs = 0
    rounds = 30
    for seed in range(rounds):
        draw, document = Random(seed), network(seed)
        orders: Orders = {
            f"o{number}": (
                {sku: draw.choice((1, 1, 2)) for sku in draw.sample(SKUS, 2 if contended else draw.choice((2, 2, 3)))},
                draw.choice((None, None, TODAY + timedelta(draw.choice((2, 3, 5))))),
            )
            for number in range(1 + contended)
        }
        stock = Counter(
            {(sku, n): draw.choice((0, 0, 1, 2, 3) if contended else (0, 0, 5)) for sku in SKUS for n in "abcd"}
        )
        best = Oracle(document).cheapest(orders, stock)
        summary = await routed(world, seed, document, orders, stock)
        without = await routed(world, seed + rounds, document | {"transfers": []}, orders, stock)
        assert summary["total_cost_cents"] <= without["total_cost_cents"], seed
        assert summary["lower_bound_cents"] <= best <= summary["total_cost_cents"], (seed, best, summary)
        exact += summary["total_cost_cents"] == best
        over_hubs += summary.get("hub_parcels", 0)
        if not contended:
            assert summary["total_cost_cents"] == best, (seed, best, summary)
            assert summary["solve_status"] == "optimal", (seed, best, summary)
    assert over_hubs > 5
    assert exact >= 0.85 * rounds
