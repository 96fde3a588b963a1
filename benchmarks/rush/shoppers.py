"""The shoppers of the peak hour, in a process of their own: promises at a steady rate, some reserved and bought.

Every promise is asked for when it is due, whether those before are answered or not, and its time counts from then. Of
`SHARE_RESERVED` of them the cheapest option is reserved; most of these are confirmed and captured as an order, the rest
given back. What was asked, when, and how long it took goes to a file when a line comes on standard input, or it ends.

    python -m benchmarks.rush.shoppers ADDRESS CARTS_FILE RATE OUT_FILE
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.rush.keep_alive import KeepAlive, Reply

SHARE_RESERVED, SHARE_BOUGHT = 0.3, 0.8
PROMISE, RESERVE, CONFIRM, CAPTURE, CANCEL = "promise", "reserve", "confirm", "capture", "cancel"


class Asked(msgspec.Struct, frozen=True):
    """One request: its kind, when it was due (seconds since the epoch), how long it took, and its status."""

    kind: str
    at: float
    seconds: float
    status: int


class Kept(msgspec.Struct, frozen=True):
    """A reservation as the shopper knows it: lines are [sku, node_id, quantity], the order is "" if none is kept."""

    reservation_id: str
    state: str
    lines: list[tuple[str, str, int]]
    order_id: str = ""


class Bought(msgspec.Struct):
    """All that the shoppers did; `lost` are requests without an answer."""

    asked: list[Asked] = []
    kept: list[Kept] = []
    lost: int = 0


class Shoppers:
    """Asks for promises at a rate, and follows some of them up."""

    def __init__(self, http: KeepAlive, carts: list[dict[str, Any]], rate: float) -> None:
        self._http, self._carts, self._rate = http, carts, rate
        self._dice = random.Random(7)
        self.bought = Bought()

    async def shop(self, closing: asyncio.Event) -> None:
        """Go on until `closing`, then wait for those who are in the shop."""
        inside, began, number = set[asyncio.Task[None]](), time.time(), 0
        while not closing.is_set():
            due = began + number / self._rate
            if due > time.time():
                with suppress(TimeoutError):
                    await asyncio.wait_for(closing.wait(), due - time.time())
                continue
            cart = self._carts[number % len(self._carts)]
            task = asyncio.create_task(self._visit(number, cart, due, self._dice.random(), self._dice.random()))
            inside.add(task)
            task.add_done_callback(inside.discard)
            number += 1
        await asyncio.gather(*inside)

    async def _visit(self, number: int, cart: dict[str, Any], due: float, wish: float, resolve: float) -> None:
        try:
            status, promise = await self._timed(PROMISE, "/v1/promises", cart, due=due)
            if status == 200 and promise["options"] and wish < SHARE_RESERVED:
                await self._buy(number, cart, promise, buys=resolve < SHARE_BOUGHT)
        except (OSError, EOFError):
            self.bought.lost += 1

    async def _buy(self, number: int, cart: dict[str, Any], promise: dict[str, Any], *, buys: bool) -> None:
        wanted = {"promise_id": promise["promise_id"], "option_id": promise["options"][0]["option_id"]}
        status, held = await self._timed(RESERVE, "/v1/reservations", wanted, f"reserve-{number}")
        if status != 201:
            return
        name = held["reservation_id"]
        lines = [(line["sku"], line["node_id"], line["quantity"]) for line in held["lines"]]
        if not buys:
            status, _ = await self._timed(CANCEL, f"/v1/reservations/{name}/cancel", {}, f"cancel-{number}")
            self._note(Kept(name, "cancelled" if status == 200 else "held", lines))
            return
        status, _ = await self._timed(CONFIRM, f"/v1/reservations/{name}/confirm", {}, f"confirm-{number}")
        if status != 200:
            self._note(Kept(name, "held", lines))
            return
        order = {
            "order_id": f"shopper-{number}",
            "channel": cart["channel"],
            "lines": [{"sku": line["sku"], "quantity": line["quantity"]} for line in cart["lines"]],
            "destination": cart["destination"],
            "reservation_id": name,
        }
        status, _ = await self._timed(CAPTURE, "/v1/orders", order, f"capture-{number}")
        self._note(Kept(name, "confirmed", lines, f"shopper-{number}" if status == 201 else ""))

    def _note(self, kept: Kept) -> None:
        self.bought.kept.append(kept)

    async def _timed(
        self, kind: str, path: str, body: object, key: str | None = None, due: float | None = None
    ) -> Reply:
        began = time.time() if due is None else due
        status, found = await self._http.post(path, body, key)
        self.bought.asked.append(Asked(kind, began, time.time() - began, status))
        return status, found


async def shop(address: str, carts: list[dict[str, Any]], rate: float) -> Bought:
    """Shop until standard input says so."""
    http, closing, loop = KeepAlive(address), asyncio.Event(), asyncio.get_running_loop()
    shoppers = Shoppers(http, carts, rate)
    loop.add_reader(sys.stdin.fileno(), closing.set)
    await shoppers.shop(closing)
    await http.close()
    return shoppers.bought


def main(address: str, carts: str, rate: str, out: str) -> None:
    """Shop, then write what was bought."""
    bought = asyncio.run(shop(address, msgspec.json.decode(Path(carts).read_bytes()), float(rate)))
    Path(out).write_bytes(msgspec.json.encode(bought))


if __name__ == "__main__":
    main(*sys.argv[1:5])
