"""Availability as a use case: what can be promised of some SKUs, now and on each of the next days.

Not here: the formula (atp.py), its days (days.py), the form of the answer (answer.py). The answer holds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.availability.answer import Found, availability_of, document_of, line_texts
from engine.availability.days import line_days
from engine.availability.model import MOST_DAY_ENTRIES, MOST_SKUS, Availability, AvailabilityRequest
from engine.availability.reference import Reference, View
from engine.availability.selection import check_channel, select_contents, select_nodes, skus_of
from engine.availability.stock import StockReader
from engine.availability.texts import Texts
from engine.catalog.model import Content
from engine.clock import Clock
from engine.errors import Fault, InvalidInput
from engine.inventory.model import StockView
from engine.inventory.store import InventoryStore

T = TypeVar("T")
Meant = tuple[list[Content], list[int]]
"""What each line comes down to, and the nodes asked for."""
_CELLS_IN_LOOP = 3_000
"""More SKUs × nodes than that are worked on in a thread, as they take longer than a loop should be held up."""


class AvailabilityService:
    """Answers from live stock; the network and the catalog are checked for news beside the stock read."""

    def __init__(self, *, reference: Reference, inventory: InventoryStore, clock: Clock) -> None:
        self._reference = reference
        self._inventory = inventory
        self._clock = clock
        self._reader = StockReader()
        self._texts = Texts()

    async def availability(self, request: AvailabilityRequest) -> Availability:
        """Return ATP by SKU, day and node; `InvalidInput` names unknown SKUs, nodes and groups."""
        view, meant, stock = await self._read(request)
        now = self._clock.now()
        local_day = view.days.at(now).local_day
        skus = [line.sku for line in request.lines]
        return await self._worked_out(
            meant, lambda: availability_of(self._found(request, skus, meant, stock, view, now, local_day))
        )

    async def document(self, request: AvailabilityRequest) -> bytes:
        """Return the same as JSON: what is as it was at the last answer is not written again."""
        view, meant, stock = await self._read(request)
        now = self._clock.now()
        local_day = view.days.at(now).local_day
        skus, (contents, nodes) = [line.sku for line in request.lines], meant
        asked = (request.horizon_days, request.by_node, request.group, request.node_ids)
        lines = self._texts.of(list(zip(skus, contents, strict=True)), asked, stock, view, local_day)
        texts: Sequence[bytes] = ()
        if lines.missing:
            left = [sku for sku, _ in lines.contents]
            of = [content for _, content in lines.contents], nodes
            texts = await self._worked_out(
                of, lambda: line_texts(self._found(request, left, of, stock, view, now, local_day))
            )
        return document_of(now, lines.written(texts), request.channel)

    async def _read(self, request: AvailabilityRequest) -> tuple[View, Meant, StockView]:
        return await self._reference.beside(
            lambda view: _understand(request, view), lambda meant: self._inventory.read(skus_of(meant[0]))
        )

    def _found(
        self,
        request: AvailabilityRequest,
        skus: Sequence[str],
        of: Meant,
        stock: StockView,
        view: View,
        now: datetime,
        local_day: NDArray[np.int64],
    ) -> Found:
        contents, nodes = of
        table = self._reader.read(stock, view, local_day, now=now, channel=request.channel)
        return Found(
            as_of=now,
            channel=request.channel,
            skus=skus,
            lines=line_days(contents, nodes, table, request.horizon_days),
            node_ids=view.network.node_ids,
            local_day=local_day.tolist(),
            horizon_days=request.horizon_days,
            by_node=request.by_node,
        )

    async def _worked_out(self, of: Meant, work: Callable[[], T]) -> T:
        """Do some work, in a thread if it is long."""
        contents, nodes = of
        if len(contents) * len(nodes) <= _CELLS_IN_LOOP:
            return work()
        return await asyncio.to_thread(work)


def _understand(request: AvailabilityRequest, view: View) -> Meant:
    """Return what each line comes down to and the nodes asked for; raises InvalidInput with every fault."""
    faults: list[Fault] = []
    if len(request.lines) > MOST_SKUS:
        message = f"has {len(request.lines)} lines; a call takes at most {MOST_SKUS}, make several"
        raise InvalidInput(Fault(path="$.lines", message=message))
    contents = select_contents([line.sku for line in request.lines], view.catalog, faults)
    if not 1 <= request.horizon_days <= 365:
        message = f"{request.horizon_days} is out of range; give 1 to 365 days"
        faults.append(Fault(path="$.horizon_days", message=message))
    nodes = select_nodes(view.network, request.group, request.node_ids, faults)
    check_channel(view.network, request.channel, faults)
    entries = len(request.lines) * len(nodes) * request.horizon_days
    if request.by_node and entries > MOST_DAY_ENTRIES:
        message = (
            f"{len(request.lines)} SKUs × {len(nodes)} nodes × {request.horizon_days} days are {entries:,}; a call "
            f"answers at most {MOST_DAY_ENTRIES:,}; ask for fewer, or only for sums with by_node false"
        )
        faults.append(Fault(path="$", message=message))
    if faults:
        raise InvalidInput(faults)
    return contents, nodes
