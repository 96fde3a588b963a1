"""The wire form of the network: its document with a version."""

from __future__ import annotations

from api.schemas.fields import Reply
from engine.network.document import NetworkDocument


class NetworkReply(NetworkDocument):
    """The network as last put, and its version."""

    version: int


class NetworkVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int
    nodes: int
