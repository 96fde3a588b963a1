"""A typed client of the HTTP API; what goes over the wire is in `api.client.models`.

It loads msgspec and httpx2, and nothing of the server.
"""

from __future__ import annotations

from api.client.async_client import AsyncAllot
from api.client.client import Allot
from api.client.problems import AllotProblem, NoAnswer

__all__ = ["Allot", "AllotProblem", "AsyncAllot", "NoAnswer"]
