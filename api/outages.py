"""What is logged of requests that fail since a part does not work: that it began, then how many, once a minute at most.

During an outage every request fails in the same way, and a line for each would fill the log. Each failure is counted in
the metrics (`allot_http_problems_total`), and is in the access log where that is on. Not here: mistakes of ours, which
are logged one by one with their traceback (served.py).
"""

from __future__ import annotations

import asyncio
import logging

from engine.errors import AllotError

log = logging.getLogger("allot.api")

TELL_SECONDS = 60.0


class Outages:
    """The failures of one process, by the code of their problem; one that has not come for a minute is over."""

    __slots__ = ("_since", "tell_seconds")

    def __init__(self, tell_seconds: float = TELL_SECONDS) -> None:
        self.tell_seconds = tell_seconds
        self._since: dict[str, int] = {}

    def note(self, error: AllotError, request_id: str) -> None:
        """Log the first failure of its kind, and count those after it."""
        since = self._since.get(error.code)
        if since is not None:
            self._since[error.code] = since + 1
            return
        log.warning("request %s: %s: %s (more like it are counted)", request_id, type(error).__name__, error)
        self._since[error.code] = 0
        self._tell_later(error.code)

    def _tell_later(self, code: str) -> None:
        asyncio.get_running_loop().call_later(self.tell_seconds, self._tell, code)

    def _tell(self, code: str) -> None:
        """Log how many there were since the last line; after none, the next one is the first again."""
        since = self._since.pop(code)
        if since:
            log.warning("%d more requests failed in %g s: %s", since, self.tell_seconds, code)
            self._since[code] = 0
            self._tell_later(code)
