"""When a request is sent again: after no answer, or one that is `retryable`, until the time for it is over."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx2

from api.client.calls import Call
from api.client.problems import AllotProblem, NoAnswer

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
_OURS = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
"""What is wrong on this side, and stays so."""


class Patience:
    """How long one call has been tried; it begins when it is made."""

    def __init__(self, call: Call[Any], retry_seconds: float) -> None:
        self._call = call
        self._ends = time.monotonic() + retry_seconds
        self._pause = FIRST_PAUSE_SECONDS

    def after_silence(self, error: httpx2.TransportError) -> float:
        """Return how long to wait before the next try, in seconds; raise NoAnswer if there is to be none."""
        pause = self._next(0.0)
        if pause is None or isinstance(error, _OURS):
            call = self._call
            message = f"{call.method} {call.path}: no answer ({type(error).__name__}: {error})"
            raise NoAnswer(message, call.key) from error
        return pause

    def after_problem(self, problem: AllotProblem) -> float:
        """Return how long to wait before the next try, in seconds; raise the problem if there is to be none."""
        pause = self._next(problem.retry_after_seconds) if problem.retryable else None
        if pause is None:
            raise problem
        return pause

    def _next(self, least_seconds: float) -> float | None:
        """Return a pause that doubles from try to try, less up to half by chance, or None when the time is over."""
        pause = max(least_seconds, self._pause * random.uniform(0.5, 1.0))
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        return pause if time.monotonic() + pause <= self._ends else None
