"""The open alerts of all orders in one list, the worst first; what orders say of themselves is what counts.

An order is written first, and its line here after that: who dies in between leaves it to the next look at the order,
which puts it right. Not here: the alerts (alerting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engine.exceptions.policy import SEVERITIES, rank
from engine.orders.facts.links import Alert
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

_AT_ONCE = 200
_DAY_MS = 2**43
"""More than any time in ms: the severity comes first, then the time."""


class ListedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An open alert, and the order that it is about."""

    order_id: str
    channel: str
    alert: Alert


class AlertIndex(Protocol):
    """Keeps the open alerts of a tenant."""

    async def put(self, order_id: str, alerts: Sequence[ListedAlert]) -> None:
        """List the open alerts of an order in place of those before."""
        ...

    async def page(
        self, limit: int, *, severity: str | None = None, after: str | None = None
    ) -> tuple[list[ListedAlert], bool] | None:
        """Return open alerts, the worst and then the oldest first, and whether there are more.

        None if `after` is not open any more.
        """
        ...

    async def orders(self) -> list[str]:
        """Return the orders that have open alerts."""
        ...

    async def put_nodes(self, nodes: bytes) -> None:
        """Keep how nodes are doing, as the watch has seen it."""
        ...

    async def nodes(self) -> bytes | None:
        """Return how nodes are doing, None if nobody has looked."""
        ...


class MemoryAlertIndex:
    """The open alerts of one process, gone with it; for tests and simulations."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[ListedAlert, ...]] = {}
        self._nodes: bytes | None = None

    async def put(self, order_id: str, alerts: Sequence[ListedAlert]) -> None:
        """List the open alerts of an order."""
        if alerts:
            self._of[order_id] = tuple(alerts)
        else:
            self._of.pop(order_id, None)

    async def page(
        self, limit: int, *, severity: str | None = None, after: str | None = None
    ) -> tuple[list[ListedAlert], bool] | None:
        """Return open alerts."""
        found = sorted((each for some in self._of.values() for each in some), key=_sorted_by)
        if after is not None:
            at = next((place for place, each in enumerate(found) if each.alert.alert_id == after), None)
            if at is None:
                return None
            found = found[at + 1 :]
        found = [each for each in found if severity in (None, each.alert.severity)]
        return found[:limit], len(found) > limit

    async def orders(self) -> list[str]:
        """Return the orders that have open alerts."""
        return sorted(self._of)

    async def put_nodes(self, nodes: bytes) -> None:
        """Keep how nodes are doing."""
        self._nodes = nodes

    async def nodes(self) -> bytes | None:
        """Return how nodes are doing."""
        return self._nodes


class RedisAlertIndex:
    """The open alerts of a tenant in its store."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._ranked, self._alerts = keys.named("open_alerts"), keys.named("alert_details")
        self._of, self._nodes = keys.named("alerts_of"), keys.named("watched_nodes")

    async def put(self, order_id: str, alerts: Sequence[ListedAlert]) -> None:
        """List the open alerts of an order."""
        before = await self._client.call("HGET", self._of, order_id)
        known = set(msgspec.json.decode(before, type=list[str])) if before else set[str]()
        if not known and not alerts:
            return
        ids = [each.alert.alert_id for each in alerts]
        for each in alerts:
            await self._client.call("HSET", self._alerts, each.alert.alert_id, msgspec.json.encode(each))
            await self._client.call("ZADD", self._ranked, str(_score(each)), each.alert.alert_id)
        if alerts:
            await self._client.call("HSET", self._of, order_id, msgspec.json.encode(ids))
        gone = sorted(known - set(ids))
        if gone:
            await self._client.call("ZREM", self._ranked, *gone)
            await self._client.call("HDEL", self._alerts, *gone)
        if not alerts:
            await self._client.call("HDEL", self._of, order_id)

    async def page(
        self, limit: int, *, severity: str | None = None, after: str | None = None
    ) -> tuple[list[ListedAlert], bool] | None:
        """Return open alerts."""
        first = 0
        if severity is not None:
            low = (len(SEVERITIES) - 1 - rank(severity)) * _DAY_MS
            first = int(await self._client.call("ZCOUNT", self._ranked, "-inf", f"({low}"))
        if after is not None:
            at = await self._client.call("ZRANK", self._ranked, after)
            if at is None:
                return None
            first = max(first, int(at) + 1)
        ids = await self._client.call("ZRANGE", self._ranked, first, first + limit)
        found = [] if not ids else await self._client.call("HMGET", self._alerts, *ids)
        alerts = [msgspec.json.decode(each, type=ListedAlert) for each in found if each is not None]
        alerts = [each for each in alerts if severity in (None, each.alert.severity)]
        return alerts[:limit], len(alerts) > limit

    async def orders(self) -> list[str]:
        """Return the orders that have open alerts."""
        found, cursor = dict[str, None](), b"0"
        while True:
            cursor, pairs = await self._client.call("HSCAN", self._of, cursor, "COUNT", _AT_ONCE)
            found.update(dict.fromkeys(each.decode() for each in pairs[::2]))
            if cursor == b"0":
                return list(found)

    async def put_nodes(self, nodes: bytes) -> None:
        """Keep how nodes are doing."""
        await self._client.call("SET", self._nodes, nodes)

    async def nodes(self) -> bytes | None:
        """Return how nodes are doing."""
        found: bytes | None = await self._client.call("GET", self._nodes)
        return found


def _score(listed: ListedAlert) -> int:
    worst = len(SEVERITIES) - 1 - rank(listed.alert.severity)
    return worst * _DAY_MS + int(listed.alert.at.timestamp() * 1000)


def _sorted_by(listed: ListedAlert) -> tuple[int, str]:
    return _score(listed), listed.alert.alert_id
