"""Routing an order of which an alternative was accepted: a run of that order alone, once, whoever starts it.

The run has its id from the effect, so that a process which dies behind starting it starts no second one; the run itself
is taken up by others if who works on it dies (engine/routing/runs.py). Not here: what was accepted (accepting.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from engine.events.actor import actor
from engine.inventory.model import Replay
from engine.orders.changing import Rule
from engine.orders.effecting import Handler, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of
from engine.routing.run_model import RunRequest
from engine.routing.runs import RoutingRuns


def rerouting(runs: RoutingRuns, tenant: str) -> Handler:
    """Return who starts the run that an accepted alternative asks for."""

    async def handler(order: Order, effect: Effect) -> Rule:
        said = f"{tenant} {order.order_id} {effect.effect_id}"
        replay = Replay(digest=sha256(said.encode()).hexdigest(), fingerprint=effect.effect_id)
        run = (await runs.start(RunRequest(order_ids=(order.order_id,)), replay=replay)).value

        def rule(now: Order, _: datetime) -> Revision:
            note = Note(event="rerouted", by=actor(), reason=run.run_id, subject=effect.subject)
            return revision_of(now, replace(now, life=without_effect(now.life, effect.effect_id)), note)

        return rule

    return handler
