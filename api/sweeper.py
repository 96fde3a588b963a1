"""The task that gives the units of expired reservations back, for as long as the application runs."""

from __future__ import annotations

import asyncio
import logging

from engine.bootstrap import Engine
from engine.errors import AllotError
from engine.events.actor import acting_as

log = logging.getLogger("allot.sweeper")

BATCH = 1000


async def keep_sweeping(engine: Engine, interval_seconds: float = 1.0) -> None:
    """Sweep until cancelled: at once again while there is a full batch to do, else every `interval_seconds`.

    A store that does not answer is asked again; the sweeper never gives up.
    """
    is_failing = False
    while True:
        swept = 0
        try:
            with acting_as("sweeper"):
                swept = await engine.inventory.sweep(BATCH)
            is_failing = False
        except AllotError as error:
            if not is_failing:
                log.warning("expired reservations cannot be given back now, trying again: %s", error)
            is_failing = True
        except Exception:
            log.exception("giving back expired reservations failed, trying again")
        if swept < BATCH:
            await asyncio.sleep(interval_seconds)
