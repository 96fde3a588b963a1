"""What a client raises: the problem document of an answer, or that there was no answer."""

from __future__ import annotations

import httpx2
import msgspec

from api.client.models import Problem, ProblemError, ProblemLine, Promise

_RETRYABLE = {408, 429, 502, 503, 504}


class NoAnswer(Exception):
    """No answer came, as often as it was tried: whether a change has happened is not known.

    The same call with `idempotency_key` again has one effect; without it, it is another change.
    """

    def __init__(self, message: str, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class AllotProblem(Exception):
    """An answer of 4xx or 5xx; programs go by `code`, people by `detail` (docs/reference/http.md, Errors)."""

    def __init__(self, problem: Problem, idempotency_key: str | None = None, retry_after_seconds: float = 0.0) -> None:
        super().__init__(f"{problem.code} ({problem.status}): {problem.detail}")
        self.problem = problem
        self.idempotency_key = idempotency_key
        self.retry_after_seconds = retry_after_seconds

    @property
    def code(self) -> str:
        """Return what programs go by, such as `insufficient_stock`."""
        return self.problem.code

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.problem.status

    @property
    def detail(self) -> str:
        """Return what people read."""
        return self.problem.detail

    @property
    def errors(self) -> tuple[ProblemError, ...]:
        """Return the places of the request that are wrong, each with its remedy."""
        return self.problem.errors

    @property
    def lines(self) -> tuple[ProblemLine, ...]:
        """Return the lines that are short."""
        return self.problem.lines or ()

    @property
    def promise(self) -> Promise | None:
        """Return a fresh promise, where an option of another could not be reserved."""
        return self.problem.promise

    @property
    def request_id(self) -> str:
        """Return the id under which the server's log has it."""
        return self.problem.request_id

    @property
    def retryable(self) -> bool:
        """Return whether the same request may go well later."""
        return self.problem.retryable


def problem_of(response: httpx2.Response, idempotency_key: str | None) -> AllotProblem | None:
    """Return what an answer says is wrong, if anything; one that is not allot's has the code `not_from_allot`."""
    if response.is_success:
        return None
    try:
        problem = msgspec.json.decode(response.content, type=Problem)
    except msgspec.DecodeError:
        problem = Problem(
            type="about:blank",
            title=response.reason_phrase,
            status=response.status_code,
            detail=response.text[:500] or response.reason_phrase,
            code="not_from_allot",
            request_id=response.headers.get("X-Request-Id", ""),
            retryable=response.status_code in _RETRYABLE,
            errors=(),
        )
    return AllotProblem(problem, idempotency_key, _seconds(response.headers.get("Retry-After", "")))


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0
