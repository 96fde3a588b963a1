"""One request with one event, within limits: no redirects, no proxies, a time-out, and little of the answer is read."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

import httpx2

from engine.webhooks.targets import TargetRefused, Targets

TIMEOUT_SECONDS = 15.0
MOST_ANSWER_BYTES = 2**14
_SHOWN_CHARACTERS = 200
_LONGEST_WAIT_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of a request."""

    duration_ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""
    retry_after_seconds: int | None = None


class Sender:
    """Sends to one webhook; its connections are its own, since they are opened for one name."""

    def __init__(self, targets: Targets, tls: ssl.SSLContext, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._targets, self._timeout_seconds = targets, timeout_seconds
        self._client = httpx2.AsyncClient(
            verify=tls, trust_env=False, follow_redirects=False, timeout=timeout_seconds, http2=False
        )

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """Send a body to a URL; whatever goes wrong is told, not raised."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                sent = await self._post(url, headers, body)
        except TargetRefused as error:
            sent = Sent(duration_ms=0, error=f"refused: {error}")
        except TimeoutError:
            sent = Sent(duration_ms=0, error=f"no answer within {self._timeout_seconds:g} s")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ssl.SSLError) as error:
            text = str(error) or type(error).__name__
            sent = Sent(duration_ms=0, error=text[:_SHOWN_CHARACTERS])
        return Sent(
            duration_ms=round(1000 * (time.monotonic() - began)),
            status=sent.status,
            error=sent.error,
            answer=sent.answer,
            retry_after_seconds=sent.retry_after_seconds,
        )

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        target = await self._targets.check(url)
        named = {
            **headers,
            "Host": target.host_header,
            "Content-Type": "application/json",
            "User-Agent": "allot-webhooks/1",
            "Accept-Encoding": "identity",
        }
        extensions = {"sni_hostname": target.host}
        request = self._client.build_request(
            "POST", target.url, headers=named, content=body, extensions=extensions, timeout=self._timeout_seconds
        )
        response = await self._client.send(request, stream=True)
        try:
            answer = await _beginning(response)
        finally:
            await response.aclose()
        error = "redirects are not followed" if 300 <= response.status_code < 400 else None
        return Sent(
            duration_ms=0,
            status=response.status_code,
            error=error,
            answer=answer,
            retry_after_seconds=_retry_after(response.headers.get("retry-after", "")),
        )


async def _beginning(response: httpx2.Response) -> str:
    """Return what an answer begins with; a long one is not read to its end."""
    found = b""
    async for piece in response.aiter_raw():
        found += piece
        if len(found) > MOST_ANSWER_BYTES:
            break
    text = found.decode("utf-8", "replace")[:_SHOWN_CHARACTERS]
    return "".join(mark if mark.isprintable() else " " for mark in text)


def _retry_after(text: str) -> int | None:
    return min(int(text), _LONGEST_WAIT_SECONDS) if text.isascii() and text.isdigit() and len(text) < 9 else None
