"""The client whose answers are awaited. What it can ask: async_methods.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

import httpx2

from api.client.async_methods import AsyncMethods
from api.client.calls import Call, R
from api.client.client import BASE_URL, RETRY_SECONDS, TIMEOUT_SECONDS, WAIT_SECONDS, headers_with
from api.client.models import FeedReply
from api.client.patience import Patience
from api.client.problems import problem_of


class AsyncAllot(AsyncMethods):
    """A client of one server; use it as a context manager, or close it. Tasks may share one.

    What had no answer, or one that is `retryable`, is sent again for `retry_seconds` (0: never) with the same
    idempotency key, which is made for each call unless one is given: it has one effect. Raises AllotProblem, NoAnswer.
    """

    def __init__(
        self,
        base_url: str = BASE_URL,
        *,
        api_key: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._http = httpx2.AsyncClient(base_url=base_url, headers=headers_with(api_key), timeout=timeout_seconds)
        self._retry_seconds = retry_seconds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def follow_events(
        self, after: str | None = None, *, types: Sequence[str] = (), is_endless: bool = True
    ) -> AsyncIterator[FeedReply]:
        """Yield pages of events, oldest first; keep `next` of one once its events are done, to go on `after` it.

        Without `is_endless` it ends when there are no more now; else it waits for them. Name the types that you know:
        kinds of events that only later servers tell do not come then.
        """
        wait_seconds = WAIT_SECONDS if is_endless else None
        while True:
            page = await self.read_events(
                after=after, limit=100, types=",".join(types) or None, wait_seconds=wait_seconds
            )
            if page.data:
                yield page
            if not is_endless and not page.has_more:
                return
            after = page.next

    async def _send(self, call: Call[R]) -> R:
        patience = Patience(call, self._retry_seconds)
        content, headers, params = call.content(), call.headers(), call.params()
        while True:
            try:
                response = await self._http.request(
                    call.method, call.path, content=content, headers=headers, params=params
                )
            except httpx2.TransportError as error:
                pause = patience.after_silence(error)
            else:
                problem = problem_of(response, call.key)
                if problem is None:
                    return call.answer(response.content)
                pause = patience.after_problem(problem)
            await asyncio.sleep(pause)
