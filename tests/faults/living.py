"""The life of an order over HTTP, from its hold to its refund, by a client that sends again what was not answered.

The same request has the same key; what the client waits for it looks at, as people and other programs do. At the end
everything is asked for again: each key has one answer. Not here: who dies (life_server.py).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from faults.life_shop import CATALOG, CUSTOMER, LINES, NETWORK, ORDER, STOCK

PATIENCE_SECONDS = 60.0
PATH = f"/v1/orders/{ORDER['order_id']}"
AT_REST = {"payment.renew"}
"""Effects that wait for a day that does not come in a test."""


@dataclass(kw_only=True)
class Life:
    """One order in a shop of its own; `answers` are what each request was told, by its key."""

    http: httpx2.AsyncClient
    broken_calls: int = 0
    answers: dict[str, tuple[str, Any, bytes]] = field(default_factory=dict)

    async def live(self) -> None:
        """Let the order live to its end, and ask for everything again."""
        await self.furnish()
        held = await self.do("/v1/reservations", {"lines": LINES, "ttl_seconds": 3600})
        await self.do("/v1/orders", {**ORDER, "reservation_id": held["reservation_id"]})
        await self.until(PATH, lambda order: order["state"] == "captured", "paid and confirmed")
        run = await self.do("/v1/routing-runs", {"order_ids": [ORDER["order_id"]], "method": "one_by_one"})
        await self.until(
            f"/v1/routing-runs/{run['run_id']}", lambda found: found["status"] == "committed", "a run that ends"
        )
        await self.do(f"{PATH}/release")
        shipments = (await self.get(PATH))["shipments"]
        for shipment in shipments:
            await self.ship(f"/v1/shipments/{shipment['shipment_id']}")
        for shipment in shipments:
            await self.do(f"/v1/shipments/{shipment['shipment_id']}/deliver", {"proof": "signed"})
        await self.give_back()
        for key, (path, body, first) in self.answers.items():
            again = await self.insist("POST", path, body, key)
            assert again.content == first, f"{path} was answered in two ways: {first!r}, {again.content!r}"

    async def furnish(self) -> None:
        for path, document in (
            ("network", NETWORK),
            ("catalog", CATALOG),
            ("inventory/positions", STOCK),
            (f"customers/{ORDER['customer_id']}", CUSTOMER),
        ):
            answer = await self.insist("PUT", f"/v1/{path}", document)
            assert answer.is_success, answer.text

    async def ship(self, path: str) -> None:
        """Pick and pack, wait for the labels, print the slip, and hand over."""
        await self.do(f"{path}/pick")
        await self.do(f"{path}/pack")
        await self.until(path, lambda found: found["tracking_number"], "labels")
        slip = await self.insist("GET", f"{path}/packing-slip")
        assert slip.content.startswith(b"%PDF"), slip.text
        await self.do(f"{path}/documents", {"document": "packing_slip", "act": "printed"})
        await self.do(f"{path}/ship")

    async def give_back(self) -> None:
        """Send a mug back, which is received, looked at and put on the shelf, and paid back."""
        said = {"lines": [{"line_id": "1", "quantity": 1, "reason": "unwanted"}]}
        back = await self.do(f"{PATH}/returns", said)
        path = f"/v1/returns/{back['return_id']}"
        await self.do(f"{path}/receipts", {"lines": [{"sku": "mug", "quantity": 1}], "is_all": True})
        found = {"lines": [{"sku": "mug", "quantity": 1, "disposition": "restock"}]}
        await self.do(f"{path}/inspections", found)
        await self.until(path, lambda told: told["state"] == "closed", "the end of the return")

    async def do(self, path: str, body: Any = None) -> Any:
        """Do something once, however often it has to be sent."""
        key = f"key-{len(self.answers)}"
        answer = await self.insist("POST", path, body, key)
        assert answer.is_success, f"{path}: {answer.text}"
        self.answers[key] = path, body, answer.content
        return answer.json()

    async def get(self, path: str) -> Any:
        return (await self.insist("GET", path)).json()

    async def until(self, path: str, has_come: Callable[[Any], Any], what: str) -> None:
        """Look until something has come."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not has_come(found := await self.get(path)):
            assert time.monotonic() < end, f"{what} never came: {found}"
            await asyncio.sleep(0.1)

    async def insist(self, method: str, path: str, body: Any = None, key: str = "") -> httpx2.Response:
        """Send a request until it is answered."""
        headers = {"Idempotency-Key": key} if key else {}
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self.http.request(method, path, json=body, headers=headers)
                if answer.status_code < 500:
                    return answer
            except httpx2.TransportError:
                self.broken_calls += 1
            assert time.monotonic() < end, f"{path} is never answered"
            await asyncio.sleep(0.02)

    async def outcome(self) -> dict[str, Any]:
        """Return what is left by the life, all of which is the same whoever died."""
        order, money = await self.get(PATH), await self.get(f"{PATH}/payments")
        report = await self.get("/v1/payments/report")
        history = (await self.get(f"{PATH}/history"))["data"]
        events = Counter(each["event"] for each in history if each["event"])
        del events["effect_put_off"], events["document_seen"]
        documents = (await self.get(f"{PATH}/documents"))["data"]
        shipments = [await self.get(f"/v1/shipments/{each['shipment_id']}") for each in order["shipments"]]
        stock = [await self.get(f"/v1/inventory/{sku}") for sku in ("mug", "tea")]
        return {
            "state": order["state"],
            "ledger": [(each["kind"], each["amount_cents"]) for each in money["ledger"]],
            "provider": [(each["captured_cents"], each["refunded_cents"]) for each in report["totals"]],
            "agrees": (report["agrees"], report["open_matters"]),
            "events": dict(events),
            "documents": sorted((e["shipment_id"], e["act"]) for e in documents if e["act"] != "seen"),
            "parcels": [[c["label_cents"] for c in each["cartons"]] for each in shipments],
            "numbers": len({carton["tracking_number"] for each in shipments for carton in each["cartons"]}),
            "stock": [
                (position["on_hand"], position["held"], position["confirmed"], position["conditions"])
                for each in stock
                for position in each["positions"]
            ],
        }
