"""The wire form of health: alive, and ready or why not."""

from __future__ import annotations

from typing import Literal

from api.schemas.fields import Reply


class Live(Reply, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(Reply, frozen=True, kw_only=True):
    """The store answers, and keeps what the stated durability promises."""

    durability: str
    status: Literal["ready"] = "ready"
