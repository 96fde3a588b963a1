"""What notices are sent by, as the settings say: mail through an SMTP server, posts to a service of the shop.

A channel that nothing serves is not used; where there is none at all, no notices are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr
from typing import Protocol

from engine.config import Settings
from engine.customers.checks import is_email
from engine.errors import Fault, InvalidInput
from engine.notices.mail import Mailer, SmtpMailer, smtp_server


class Poster(Protocol):
    """Posts notices to a service that sends them on, such as by text message."""

    async def post(self, notice_id: str, body: bytes) -> None:
        """Post a notice; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTerms:
    """By whom mails come, where links lead to, and what sends; a channel that nothing serves is not used."""

    mail_from: str = ""
    public_url: str = ""
    mailer: Mailer | None = None
    poster: Poster | None = None


def notice_terms(settings: Settings, poster: Poster | None) -> NoticeTerms:
    """Return the terms of the settings; raises InvalidInput, naming those that are missing or do not fit."""
    if settings.notices_url is not None and poster is None:
        message = "is needed to sign what is posted to ALLOT_NOTICES_URL; give whsec_ and 32 bytes in base64"
        raise InvalidInput(Fault(path="ALLOT_NOTICES_SECRET", message=message))
    base = settings.public_url or ""
    if base and not base.startswith(("https://", "http://")):
        raise InvalidInput(Fault(path="ALLOT_PUBLIC_URL", message=f"{base!r}: begin it with https://"))
    if settings.smtp_url is None:
        return NoticeTerms(public_url=base, poster=poster)
    sender = settings.mail_from or ""
    if not is_email(parseaddr(sender)[1]):
        message = f"{sender!r} is no sender of mails; give one such as Example Shop <orders@shop.example.com>"
        raise InvalidInput(Fault(path="ALLOT_MAIL_FROM", message=message))
    mailer = SmtpMailer(smtp_server(settings.smtp_url.get_secret_value()))
    return NoticeTerms(mail_from=sender, public_url=base, mailer=mailer, poster=poster)
