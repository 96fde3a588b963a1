"""Any sequence of what can happen to orders, from capture to return, keeps stock, money and states.

A state machine over the services in memory, on a clock of its own. After every step, for every order and position:

* units: the states of a line's units sum to its demand; what it is to get from nodes is reserved;
* stock: on hand = what was there − what has left − what nodes did not find + what was put back on the shelf;
* money: the sandbox provider's books and the order's ledger say the same; once nothing is under way, what has left is
  paid for, and nothing else but what was lost and is sent again;
* reservations: what positions hold and have confirmed is what reservations say, and nobody else's;
* history: its moves, played back from the beginning, end in the states that the order is in, its last step in the
  state of the whole, and its amounts in its ledger; the journal of each position, played likewise, in its quantities.

The seeded bugs, each of which it finds: units that are cancelled after their release stay in the shipment; a lost
shipment that is sent again is charged twice; a return is refunded once for each receipt; a short pick of a part of a
shipment takes all of its row off on_hand; a revision whose note tells no moves; moves of returns in stock that the
journal does not tell.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from faults.scale import SHARE
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from life.checks import check_history, check_money, check_numbers, check_provider, check_reservations, check_units
from life.journal import Journal

from engine.bootstrap import Engine, allot_engine
from engine.catalog.document import CatalogDocument
from engine.clock import SettableClock
from engine.config import Settings
from engine.errors import AllotError, NotFound
from engine.fulfillment.carrying import Loss, Remedy
from engine.inventory.conditions import Condition
from engine.inventory.model import HoldLine, PositionCount
from engine.network.document import NetworkDocument
from engine.orders.cancelling import NewCancellation
from engine.orders.destination import Destination
from engine.orders.facts.money import TenderKind
from engine.orders.facts.returns import Disposition
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.holding import NewHold
from engine.orders.model import NewLine, NewOrder, NewTender, Order, OrderState
from engine.orders.modifying import ModifiedLine, NewModification
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind
from engine.payments.sandbox import SandboxProvider
from engine.returns.authorising import NewReturn, NewReturnLine
from engine.returns.inspecting import Inspected, NewInspection
from engine.returns.receiving import NewReceipt
from engine.returns.refurbishing import NewRefurbishment, Refurbished, RefurbishedAs
from engine.routing.run_model import RunRequest
from engine.stores import memory_stores

S = OrderState
BEGIN = datetime(2026, 11, 23, 15, tzinfo=UTC)
SKUS, NODES, ON_HAND = ("MUG", "TEA"), ("north", "south"), 6
GOOD, LATE, DECLINED = "tok_visa", "tok_timeout", "tok_declined"
TOKENS = (None, GOOD, GOOD, LATE, DECLINED)
_PLACE = {"kind": "dc", "time_zone": "UTC", "calendar": "daily", "parcel_cost_cents": 100, "unit_cost_cents": 10}
_RATE = {"zone": "all", "max_weight_g": 100_000, "cost_cents": 500, "transit_days": 2}
NETWORK = NetworkDocument.model_validate(
    {
        "nodes": [
            {"node_id": "north", "latitude": 45.0, "longitude": -93.0, **_PLACE},
            {"node_id": "south", "latitude": 30.0, "longitude": -95.0, **_PLACE},
        ],
        "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
        "zones": [{"zone": "all", "max_km": None}],
        "services": [
            {"service": "ground", "carrier": "C", "service_level": "standard", "calendar": "daily", "rates": [_RATE]}
        ],
        "policy": {"line_split": "allowed"},
    }
)
CATALOG = CatalogDocument.model_validate({"products": [{"sku": sku, "weight_g": 300} for sku in SKUS]})
SAID_BY_NODES = (RejectionKind.REJECTED, RejectionKind.SHORT_PICK, RejectionKind.DAMAGED)
number, few = st.integers(0, 9), st.integers(1, 4)


class Lives(RuleBasedStateMachine):
    """Orders in every state of their lives, and what people, nodes and carriers do with them in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner, self.stack = asyncio.Runner(), AsyncExitStack()
        self.clock = SettableClock(BEGIN)
        self.order_ids: list[str] = []
        self.not_found = Counter[tuple[str, str]]()
        self.held_ids: list[str] = []
        self.journal = Journal()
        self.engine = self.runner.run(self._opened())

    async def _opened(self) -> Engine:
        chosen = Settings.model_construct(explanation_days=0, most_rejections=0)
        stores = memory_stores(self.clock, 0)
        self.sandbox = SandboxProvider(stores.documents, self.clock)
        engine = await self.stack.enter_async_context(allot_engine(chosen, memory=stores, clock=self.clock))
        await engine.network.put(NETWORK)
        await engine.catalog.put(CATALOG)
        await engine.inventory.put_positions(
            [PositionCount(node_id=node, sku=sku, on_hand=ON_HAND) for node in NODES for sku in SKUS]
        )
        return engine

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    @initialize(
        mugs=few,
        token=st.sampled_from((None, GOOD)),
        steps=st.integers(0, 8),
        disposition=st.sampled_from(list(Disposition)),
    )
    def begin(self, mugs: int, token: str | None, steps: int, disposition: Disposition) -> None:
        """Begin with an order, often one that has gone far: else many histories have none, and few a return."""
        self.capture(mugs, 1, token, holds=False)
        if steps:
            self.go_far(0, steps, disposition)

    @rule(mugs=few, teas=st.integers(0, 3), token=st.sampled_from(TOKENS), holds=st.booleans())
    def capture(self, mugs: int, teas: int, token: str | None, holds: bool) -> None:
        async def act() -> None:
            lines = [(sku, units) for sku, units in (("MUG", mugs), ("TEA", teas)) if units]
            reservation_id = None
            if holds:
                wanted = [HoldLine(sku=sku, quantity=units, node_id="north") for sku, units in lines]
                reservation_id = (await self.engine.inventory.hold(wanted)).value.reservation_id
                self.held_ids.append(reservation_id)
            prices = {"MUG": 999, "TEA": 333}
            order = NewOrder(
                channel="web",
                order_id=f"o{len(self.order_ids)}",
                destination=Destination(latitude=44.0, longitude=-93.0),
                lines=tuple(
                    NewLine(
                        sku=sku,
                        quantity=units,
                        unit_price_cents=prices[sku] if token else None,
                        discount_cents=50 if token and units > 1 else 0,
                    )
                    for sku, units in lines
                ),
                currency="USD" if token else None,
                shipping_cents=495 if token else 0,
                reservation_id=reservation_id,
                tenders=(NewTender(kind=TenderKind.CARD, token=token),) if token else (),
            )
            self.order_ids.append((await self.engine.orders.capture(order)).value.order_id)

        self._do(act)

    @rule(at=number, line=st.sampled_from([None, "1", "2"]), units=few)
    def cancel(self, at: int, line: str | None, units: int) -> None:
        lines = () if line is None else ((line, units),)
        self._with(at, lambda order: self.engine.cancellations.cancel(order.order_id, NewCancellation(lines=lines)))

    @rule(at=number, quantity=st.integers(1, 6))
    def modify(self, at: int, quantity: int) -> None:
        new = NewModification(lines=(ModifiedLine(line_id="1", quantity=quantity),))
        self._with(at, lambda order: self.engine.modifications.modify(order.order_id, new))

    @rule(at=number, stops=st.booleans())
    def hold(self, at: int, stops: bool) -> None:
        steering = self.engine.steering
        if stops:
            self._with(at, lambda order: steering.stop(order.order_id, NewHold(reason="to be checked")))
        else:
            self._with(at, lambda order: steering.release(order.order_id))

    @rule()
    def route(self) -> None:
        self._do(lambda: self.engine.routing_runs.execute(RunRequest(method="one_by_one")))

    @rule(at=number, node=st.sampled_from(NODES), units=few, kind=st.sampled_from(SAID_BY_NODES))
    def refuse(self, at: int, node: str, units: int, kind: RejectionKind) -> None:
        async def act(order: Order) -> None:
            new = NewRejection(node_id=node, reason="no", kind=kind, lines=(("1", units),))
            there = await self._on_hand(node, "MUG")
            await self.engine.steering.reject(order.order_id, new)
            if kind.takes_stock:
                self.not_found[node, "MUG"] += min(units, there)

        self._with(at, act)

    @rule(at=number)
    def release(self, at: int) -> None:
        self._with(at, lambda order: self.engine.fulfillment.release(order.order_id))

    @rule(at=number, steps=st.integers(1, 8), disposition=st.sampled_from(list(Disposition)))
    def go_far(self, at: int, steps: int, disposition: Disposition) -> None:
        """Most that is worth testing lies behind a shipment that has left, and some behind units that came back."""

        async def act() -> None:
            await self.engine.routing_runs.execute(RunRequest(method="one_by_one"))
            order_id = self.order_ids[at % len(self.order_ids)]
            done = self.engine.fulfillment
            with suppress(AllotError):
                await done.release(order_id)
            order = await self.engine.orders.get(order_id)
            for step in (done.pick, done.pack, done.ship, done.deliver)[: steps - 1]:
                for shipment in order.life.shipments:
                    with suppress(AllotError):
                        await step(shipment.shipment_id)
            if steps > 5:
                await self._bring_back(order_id, steps - 5, disposition)

        if self.order_ids:
            self._do(act)

    async def _bring_back(self, order_id: str, steps: int, disposition: Disposition) -> None:
        """Announce, receive and inspect a mug, as far as it gets."""
        returns, units = self.engine.returns, (Inspected(sku="MUG", quantity=1, disposition=disposition),)
        new = NewReturn(lines=(NewReturnLine(line_id="1", quantity=1, reason="unwanted"),), by="anna")
        return_id = (await returns.authorise(order_id, new)).value.life.returns[-1].return_id
        if steps > 1:
            await returns.receive(return_id, NewReceipt(units=(("MUG", 1),), by="bea", is_all=True))
        if steps > 2:
            await returns.inspect(return_id, NewInspection(units=units, by="bea"))

    @rule(at=number)
    def recall(self, at: int) -> None:
        recall = self.engine.fulfillment.recall
        self._with_shipment(at, lambda each: each.is_with_node, lambda each: recall(each.shipment_id, "wrong label"))

    @rule(at=number, steps=st.integers(1, 3))
    def move_on(self, at: int, steps: int) -> None:
        done = self.engine.fulfillment
        next_ = {
            ShipmentState.RELEASED: done.pick,
            ShipmentState.PICKING: done.pack,
            ShipmentState.PACKED: done.ship,
        }
        for _ in range(steps):
            self._with_shipment(at, lambda each: each.state in next_, lambda each: next_[each.state](each.shipment_id))

    @rule(at=number)
    def deliver(self, at: int) -> None:
        deliver = self.engine.fulfillment.deliver
        self._with_shipment(at, is_on_its_way, lambda each: deliver(each.shipment_id))

    @rule(at=number, remedy=st.sampled_from(list(Remedy)))
    def lose(self, at: int, remedy: Remedy) -> None:
        lose, loss = self.engine.fulfillment.lose, Loss(reason="gone", remedy=remedy)
        self._with_shipment(at, is_on_its_way, lambda each: lose(each.shipment_id, loss))

    @rule(at=number, units=few)
    def announce_return(self, at: int, units: int) -> None:
        new = NewReturn(lines=(NewReturnLine(line_id="1", quantity=units, reason="unwanted"),), by="anna")
        self._with(at, lambda order: self.engine.returns.authorise(order.order_id, new))

    @rule(at=number, units=few, is_all=st.booleans())
    def receive(self, at: int, units: int, is_all: bool) -> None:
        new = NewReceipt(units=(("MUG", units),), by="bea", is_all=is_all)
        self._with_return(at, lambda return_id: self.engine.returns.receive(return_id, new))

    @rule(at=number, units=few, disposition=st.sampled_from(list(Disposition)))
    def inspect(self, at: int, units: int, disposition: Disposition) -> None:
        new = NewInspection(units=(Inspected(sku="MUG", quantity=units, disposition=disposition),), by="bea")
        self._with_return(at, lambda return_id: self.engine.returns.inspect(return_id, new))

    @rule(at=number, units=few, outcome=st.sampled_from(list(RefurbishedAs)))
    def refurbish(self, at: int, units: int, outcome: RefurbishedAs) -> None:
        new = NewRefurbishment(units=(Refurbished(sku="MUG", quantity=units, outcome=outcome),), by="bea")
        self._with_return(at, lambda return_id: self.engine.returns.refurbish(return_id, new))

    @rule(minutes=st.sampled_from([0, 1, 70, 3 * 24 * 60]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

        async def sweep() -> None:
            await self.engine.inventory.sweep(100)
            for _ in range(5):
                await self.engine.effects.step()

        self._do(sweep)

    @invariant()
    def everything_is_kept(self) -> None:
        self.runner.run(self._check())

    async def _check(self) -> None:
        orders = [await self.engine.orders.get(order_id) for order_id in self.order_ids]
        for order in orders:
            check_units(order)
            check_money(order)
            await self._check_reserved(order)
            await check_history(self.engine, order)
        check_numbers(orders)
        await self._check_stock(orders)
        await check_reservations(self.engine, orders, self.held_ids, SKUS)
        await self.journal.play_on(self.engine, [(sku, node) for sku in SKUS for node in NODES])
        await check_provider(self.sandbox, orders, BEGIN)

    async def _check_stock(self, orders: list[Order]) -> None:
        left, back = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for order in orders:
            for shipment in order.life.shipments:
                for line in shipment.lines if shipment.has_left else ():
                    left[shipment.node_id, line.sku] += line.quantity
            for each in order.life.returns:
                for move in each.moves:
                    if move.done_at is not None:
                        place = each.node_id, move.sku
                        back[place] += move.quantity * (move.to_condition == Condition.SELLABLE)
                        back[place] -= move.quantity * (move.from_condition == Condition.SELLABLE)
        for node in NODES:
            for sku in SKUS:
                place = node, sku
                expected = ON_HAND - left[place] - self.not_found[place] + back[place]
                assert await self._on_hand(node, sku) == expected, place

    async def _check_reserved(self, order: Order) -> None:
        """Assert that an order has reserved what its allocation says; what waits keeps what it had; at last nothing."""
        placed = Counter[tuple[str, str | None]]()
        for row in order.allocation:
            placed[row.sku, row.node_id] += row.quantity if row.node_id else 0
        kept = Counter[tuple[str, str | None]]()
        with suppress(NotFound):  # it is long over
            reservation = await self.engine.stock.get_reservation(order.reservation_id or "none")
            if reservation.state in {"held", "confirmed"}:
                for line in reservation.lines:
                    kept[line.sku, line.node_id] += line.quantity
        assert all(kept[place] >= units for place, units in placed.items()), "an allocation that is not reserved"
        if order.state in {S.SHIPPED, S.CANCELLED}:
            assert not +kept, "nothing is left to ship, and something is reserved"

    async def _on_hand(self, node: str, sku: str) -> int:
        view = await self.engine.stock.read([sku])
        return view.position(0, view.node_ids.index(node)).on_hand

    def _do(self, act: Callable[[], Awaitable[object]]) -> None:
        """Do something that may be refused, and what it asks for elsewhere."""

        async def tried() -> None:
            try:
                await act()
            except AllotError:
                return
            for order_id in self.order_ids:
                await self.engine.effects.settle(order_id)

        self.runner.run(tried())

    def _with(self, at: int, act: Callable[[Order], Awaitable[object]]) -> None:
        if self.order_ids:
            order_id = self.order_ids[at % len(self.order_ids)]

            async def with_order() -> None:
                await act(await self.engine.orders.get(order_id))

            self._do(with_order)

    def _with_shipment(self, at: int, suits: Callable[..., bool], act: Callable[..., Awaitable[object]]) -> None:
        async def with_first() -> None:
            found = []
            for order_id in self.order_ids:
                found += [each for each in (await self.engine.orders.get(order_id)).life.shipments if suits(each)]
            if found:
                await act(found[at % len(found)])

        self._do(with_first)

    def _with_return(self, at: int, act: Callable[[str], Awaitable[object]]) -> None:
        async def with_first() -> None:
            found = [
                each.return_id
                for order_id in self.order_ids
                for each in (await self.engine.orders.get(order_id)).life.returns
            ]
            if found:
                await act(found[at % len(found)])

        self._do(with_first)


def is_on_its_way(shipment: Shipment) -> bool:
    return shipment.state is ShipmentState.SHIPPED


def test_any_life_keeps_stock_money_and_states() -> None:
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=max(30, round(10_000 * SHARE)),
            stateful_step_count=50 if SHARE else 30,
            deadline=None,
            derandomize=not SHARE,
            suppress_health_check=list(HealthCheck),
        ),
    )
