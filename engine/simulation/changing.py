"""What happens to the world in the course of a story: changes, supplies that come, a policy that is taken up.

Not here: when (agenda.py), the world as it is put first (world.py).
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from engine.bootstrap import Engine
from engine.network.document import NetworkDocument
from engine.scenarios.story import (
    DAY_SECONDS,
    AdjustStock,
    CloseNode,
    Dated,
    OpenNode,
    PlannedSupply,
    PutNetwork,
    Story,
    StoryPolicy,
)
from engine.simulation.agenda import Agenda, Rank
from engine.simulation.books import Books
from engine.simulation.delivering import Delivering
from engine.simulation.floor import Floor
from engine.simulation.luck import Luck
from engine.simulation.orders import SimOrder
from engine.simulation.releasing import Releasing
from engine.simulation.times import StoryTime
from engine.simulation.world import adjust, put_supply, receive, under


class Changing:
    """Lets the changes of a story happen; `follow` has all parts work by the network of now."""

    def __init__(
        self,
        engine: Engine,
        story: Story,
        policy: StoryPolicy,
        luck: Luck,
        times: StoryTime,
        agenda: Agenda,
        books: Books,
        open_orders: dict[str, SimOrder],
        parts: tuple[Floor, Releasing, Delivering],
        follow: Callable[[], Awaitable[None]],
    ) -> None:
        self._engine, self._story, self._policy, self._luck = engine, story, policy, luck
        self._times, self._agenda, self._books, self._open = times, agenda, books, open_orders
        self._floor, self._releasing, self._delivering = parts
        self._follow = follow
        self._network = story.world.network
        self.in_force: StoryPolicy | None = None
        """The policy of the story, None as long as the network's own policy counts."""

    async def begin(self) -> None:
        """Put the network, take the policy up unless it comes later, and have all that is to happen happen."""
        if self._policy.from_s > 0:
            await self._put(self._network)
            self._agenda.schedule(self._policy.from_s, Rank.CHANGE, self._take_policy_up, None)
        else:
            await self._go_by_the_policy()
        for change in self._story.changes:
            self._agenda.schedule(change.at_s, Rank.CHANGE, self._changed, change)
        for number, planned in enumerate(self._story.world.supplies):
            self._plan(number, planned)

    async def _put(self, network: NetworkDocument) -> None:
        self._network = network
        await self._engine.network.put(under(self.in_force, network))

    async def _go_by_the_policy(self) -> None:
        self.in_force = self._policy
        await self._put(self._network)
        if self._policy.run is not None:
            await self._engine.policies.put(self._policy.name, self._policy.run)

    async def _take_policy_up(self, _now_s: int, _: None) -> None:
        await self._go_by_the_policy()
        await self._follow()

    async def _changed(self, now_s: int, dated: Dated) -> None:
        """Let a change of the story happen."""
        action = dated.action
        if isinstance(action, PutNetwork):
            await self._put(action.network)
        elif isinstance(action, CloseNode):
            await self._close(action)
        elif isinstance(action, OpenNode):
            await self._engine.closures.reopen(action.node_id)
            self._floor.open(now_s, action.node_id)
        elif isinstance(action, AdjustStock):
            came, went = await adjust(self._engine, action.adjustments)
            self._books.units.found += came
            self._books.units.lost += went
        else:
            self._delivering.change_transit(action)
        await self._follow()

    async def _close(self, action: CloseNode) -> None:
        """Switch a node off; what it has to ship of orders of which nothing has left goes elsewhere."""
        closure = await self._engine.closures.close(action.node_id, action.reason)
        self._floor.close(action.node_id)
        await self._engine.closures.drain(closure)
        for order in list(self._open.values()):
            if any(parcel.node_id == action.node_id and parcel.shipped_s < 0 for parcel in order.parcels):
                await self._releasing.look_again(order)

    def _plan(self, number: int, planned: PlannedSupply) -> None:
        """Have a supply come: when it was drawn or said to."""
        arrives_s, mean = planned.arrives_s, self._story.operations.supply_delay_days
        if arrives_s is None:
            arrives_s = planned.expected_s
            if mean > 0:
                arrives_s += math.floor(-math.log1p(-self._luck.of("supplies", number)) * mean) * DAY_SECONDS
        if planned.told_s is not None:
            self._agenda.schedule(planned.told_s, Rank.SUPPLY, self._supply_is_late, (planned, arrives_s))
        self._agenda.schedule(arrives_s, Rank.SUPPLY, self._supply_comes, planned)

    async def _supply_comes(self, _: int, planned: PlannedSupply) -> None:
        await receive(self._engine, planned)
        self._books.units.received += planned.quantity

    async def _supply_is_late(self, _: int, late: tuple[PlannedSupply, int]) -> None:
        planned, arrives_s = late
        await put_supply(self._engine, planned, arrives_s, self._times)
