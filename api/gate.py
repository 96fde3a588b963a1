"""What every request comes to first: whether it is addressed to us, and what serves it.

FastAPI and its layers serve the document, the pages, and what has no endpoint; a request of an endpoint goes straight
to what serves it, which is most of what a request costs. Not here: serving one (served.py).
"""

from __future__ import annotations

import re

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.deps import request_id_of
from api.errors import HostNotAllowed, problem_reply
from api.paths import Paths
from api.reply import naming, send_reply

MOST_SEEN = 1_000
"""So many Host headers are remembered as ours."""
_PORT = re.compile(r":\d*$")


class Application(FastAPI):
    """FastAPI for the document and the pages; requests of endpoints go straight to what serves them.

    Lets in what is addressed to one of `hosts`, if there are any, and names every answer.
    """

    served: Paths[ASGIApp]
    hosts: Hosts | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif self.hosts is not None and (refusal := self.hosts.refusal(scope)) is not None:
            await send_reply(problem_reply(refusal, request_id_of(scope)), scope, send)
        elif (found := self.served.find(scope["method"], scope["path"])) is not None:
            served, scope["path_params"] = found
            await served(scope, receive, send)
        else:
            await super().__call__(scope, receive, naming(scope, send))


class Hosts:
    """The names this service is addressed by."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._seen = set[bytes]()

    def refusal(self, scope: Scope) -> HostNotAllowed | None:
        """Return why a request is not for us, None if it is."""
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        if host in self._seen:
            return None
        shown = host.decode("latin-1")
        if _PORT.sub("", shown).lower() not in self._names:
            return HostNotAllowed(f"The Host header {shown!r} is not one of: {', '.join(sorted(self._names))}.")
        if len(self._seen) < MOST_SEEN:
            self._seen.add(host)
        return None
