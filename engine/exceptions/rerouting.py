"""Routing an order of which an alternative was accepted: a run of that order alone, once, whoever starts it.

The run has its id from the effect, so that a process which dies behind starting it starts no second one; the run itself
is taken up by others if who works on it dies (engine/routing/runs.py). When it is over, the lines are free again to go
elsewhere, should their node refuse them. Not here: what was accepted (accepting.py).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from engine.errors import Unavailable
from engine.events.actor import actor
from engine.inventory.model import Replay
from engine.orders.changing import Rule
from engine.orders.effecting import Handler, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.folding import folded_overrides
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of
from engine.orders.steering import Override
from engine.routing.model import LineNode
from engine.routing.run_model import Run, RunRequest
from engine.routing.runs import RoutingRuns

_LOOKS, _PAUSE_SECONDS = 100, 0.05
"""So often it is looked whether a run is over; one that takes longer is looked at again later."""


def reason_of(alternative_id: str) -> str:
    """Return the reason of the override that pins lines as an alternative proposes."""
    return f"alternative {alternative_id}"


def rerouting(runs: RoutingRuns, tenant: str) -> Handler:
    """Return who has the run done that an accepted alternative asks for; raises Unavailable while it goes on."""

    async def handler(order: Order, effect: Effect) -> Rule:
        said = f"{tenant} {order.order_id} {effect.effect_id}"
        replay = Replay(digest=sha256(said.encode()).hexdigest(), fingerprint=effect.effect_id)
        request = RunRequest(order_ids=(order.order_id,))
        run = await _over(runs, (await runs.start(request, replay=replay)).value)

        def rule(now: Order, at: datetime) -> Revision:
            note = Note(event="rerouted", by=actor(), reason=run.run_id, subject=effect.subject)
            steering = replace(now.steering, overrides=_unpinned(now, effect.subject, at))
            life = without_effect(now.life, effect.effect_id)
            return revision_of(now, replace(now, life=life, steering=steering), note)

        return rule

    return handler


async def _over(runs: RoutingRuns, run: Run) -> Run:
    """Return a run when it is over; raises Unavailable if that takes long."""
    for _ in range(_LOOKS):
        if run.status.over:
            return run
        await asyncio.sleep(_PAUSE_SECONDS)
        run = await runs.get(run.run_id)
    raise Unavailable(f"The run {run.run_id} is not over yet.")


def _unpinned(order: Order, alternative_id: str, at: datetime) -> tuple[Override, ...]:
    """Return the overrides of an order with what an alternative has pinned free again, if nobody pinned it since."""
    reason, pins = reason_of(alternative_id), order.steering.pins
    free = tuple(
        LineNode(line_id=pin.line_id, node_id="")
        for override in order.steering.overrides
        if override.reason == reason
        for pin in override.pins
        if pins.get(pin.line_id) == pin.node_id
    )
    if not free:
        return order.steering.overrides
    return folded_overrides((*order.steering.overrides, Override(reason=reason, at=at, by=actor(), pins=free)))
