"""Mail through an SMTP server: one message, one connection, off the event loop.

A server that does not answer is left alone for a while, so that what waits behind mail does not wait with it. No error
tells an address. Not here: what is written (letters.py), and trying again (engine/orders/effecting.py).
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from time import monotonic
from typing import Protocol
from urllib.parse import unquote, urlsplit

from engine.errors import Fault, InvalidInput, Unavailable

TIMEOUT_SECONDS = 10.0
REST_SECONDS = 30.0
_PORTS = {"smtp": 25, "smtps": 465}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Undeliverable(Exception):
    """The server refuses a message for good; says why without an address."""


class Mailer(Protocol):
    """Sends messages."""

    async def send(self, message: EmailMessage) -> None:
        """Hand a message over; raises Undeliverable, and Unavailable if it may be tried again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    is_tls: bool = False
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Tell no password."""
        return f"SmtpServer({self.host}:{self.port})"


def smtp_server(url: str) -> SmtpServer:
    """Return the server of `smtp://user:password@host:port`, or `smtps://…`; raises InvalidInput."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise _wrong() from None
    if not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise _wrong()
    return SmtpServer(
        host=parts.hostname,
        port=port,
        is_tls=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


class SmtpMailer:
    """Sends messages through one server, one after another."""

    def __init__(self, server: SmtpServer, seconds: Callable[[], float] = monotonic) -> None:
        self._server, self._seconds = server, seconds
        self._one_at_a_time = asyncio.Lock()
        self._rests_until = 0.0

    async def send(self, message: EmailMessage) -> None:
        """See `Mailer.send`."""
        async with self._one_at_a_time:
            if self._seconds() < self._rests_until:
                raise Unavailable("The mail server did not answer a moment ago.")
            try:
                await asyncio.to_thread(self._hand_over, message)
            except Unavailable:
                self._rests_until = self._seconds() + REST_SECONDS
                raise

    def _hand_over(self, message: EmailMessage) -> None:
        try:
            with self._connected() as smtp:
                smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(min(code for code, _ in error.recipients.values())) from None
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(f"The mail server does not answer ({type(error).__name__}).") from None

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context()
        smtp: smtplib.SMTP
        if server.is_tls:
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
            smtp.ehlo()
            is_near = server.host in _LOOPBACK
            if smtp.has_extn("starttls") and not is_near:
                smtp.starttls(context=context)
            elif server.user and not is_near:
                smtp.close()
                raise Unavailable("The mail server offers no TLS, and a password is not sent without; use smtps://.")
        if server.user:
            smtp.login(server.user, server.password)
        return smtp


def _refused(code: int) -> Exception:
    """Return what a reply of the server comes to: 4xx and failed logins may be tried again, other 5xx may not."""
    if 500 <= code < 600 and code not in (530, 534, 535, 538):
        return Undeliverable(f"the mail server refuses it ({code})")
    return Unavailable(f"The mail server cannot take it now ({code}).")


def _wrong() -> InvalidInput:
    message = "what it holds is no mail server; give smtp://host:25 or smtps://user:password@host:465"
    return InvalidInput(Fault(path="ALLOT_SMTP_URL", message=message))
