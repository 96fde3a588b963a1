"""Sending a notice that an order asks for: to whom, in which words, over which channels, and what came of it.

Over each channel it goes out once: what has gone out is noted with the order before the effect is done. A process that
dies between the two sends it again under the same Message-ID, or notice id. Not here: what gives a reason (reasons.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr

import msgspec

from engine.availability.reference import Reference
from engine.clock import Clock
from engine.customers.checks import is_email
from engine.customers.model import Profile
from engine.customers.service import CustomerService
from engine.errors import AllotError
from engine.events.actor import actor
from engine.notices.letters import Letter, told, written
from engine.notices.links import OPT_OUT, TRACKING, Links
from engine.notices.mail import Undeliverable
from engine.notices.terms import NoticeTerms
from engine.notices.wording import NoticeTemplates
from engine.orders.changing import Rule
from engine.orders.contact import contact_of
from engine.orders.effecting import without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Notice
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of

EMAIL, WEBHOOK = "email", "webhook"
MOST_TRIES = 20
"""After so many tries in vain, about four hours, a notice is given up."""
LINK_DAYS = 180
_AGAIN = timedelta(minutes=2)


class PostedNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as it is posted: who is to get it, and what it says."""

    notice_id: str
    template: str
    order_id: str
    subject: str
    language: str
    name: str
    email: str
    phone: str
    title: str
    text: str
    tracking_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who is told, and how they want to be."""

    name: str
    email: str
    phone: str
    language: str
    channels: tuple[str, ...]
    opt_outs: tuple[str, ...]


class NoticeSender:
    """The handler of effects `notice.send`."""

    def __init__(
        self,
        *,
        customers: CustomerService,
        templates: NoticeTemplates,
        reference: Reference,
        links: Links,
        clock: Clock,
        terms: NoticeTerms,
    ) -> None:
        self._customers, self._templates, self._reference = customers, templates, reference
        self._links, self._clock, self._terms = links, clock, terms

    async def send(self, order: Order, effect: Effect) -> Rule:
        """Send a notice over each channel that it has not gone out by; raises AllotError if none works now."""
        template, _, subject = effect.subject.partition(":")
        recipient = await self._recipient(order)
        if recipient is None:
            return _noted(effect, [("", "erased")])
        done = {each.channel for each in order.life.notices if each.notice_id == effect.effect_id}
        document = (await self._templates.current()).document
        if template in document.off or "*" in recipient.opt_outs or template in recipient.opt_outs:
            return _noted(effect, [("", "off" if template in document.off else "opted_out")])
        waiting = [channel for channel in recipient.channels if self._serves(channel) and channel not in done]
        if not waiting:
            return _noted(effect, [] if done else [("", "no_channel")])
        links = await self._links_of(order, recipient)
        view = await self._reference.current()
        said = {**told(order, view.catalog, template, subject), "name": recipient.name, **links}
        letter = written(document, template, recipient.language, said)
        found, failed = list[tuple[str, str]](), list[AllotError]()
        for channel in waiting:
            try:
                found.append((channel, await self._out(channel, order, effect, recipient, letter, links)))
            except AllotError as error:
                if effect.tries + 1 >= MOST_TRIES:
                    found.append((channel, "failed"))
                else:
                    failed.append(error)
        if failed and not found:
            raise failed[0]
        return _noted(effect, found, str(failed[0]) if failed else "")

    def _serves(self, channel: str) -> bool:
        return (self._terms.mailer if channel == EMAIL else self._terms.poster) is not None

    async def _out(
        self, channel: str, order: Order, effect: Effect, to: Recipient, letter: Letter, links: dict[str, str]
    ) -> str:
        """Send over one channel; return what came of it."""
        template, _, subject = effect.subject.partition(":")
        if channel == EMAIL:
            if not is_email(to.email):
                return "no_address"
            if await self._customers.has_opted_out(to.email):
                return "opted_out"
            assert self._terms.mailer is not None
            try:
                await self._terms.mailer.send(self._message(effect, to, letter, links))
            except Undeliverable as error:
                return f"refused: {error}"
            return "sent"
        posted = PostedNotice(
            notice_id=effect.effect_id,
            template=template,
            order_id=order.order_id,
            subject=subject,
            language=to.language,
            name=to.name,
            email=to.email,
            phone=to.phone,
            title=letter.subject,
            text=letter.text,
            tracking_url=links["tracking_url"],
        )
        assert self._terms.poster is not None
        await self._terms.poster.post(effect.effect_id, msgspec.json.encode(posted))
        return "sent"

    def _message(self, effect: Effect, to: Recipient, letter: Letter, links: dict[str, str]) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._terms.mail_from
        message["To"] = formataddr((to.name, to.email))
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{effect.effect_id}@{parseaddr(self._terms.mail_from)[1].partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        if links["opt_out_url"]:
            message["List-Unsubscribe"] = f"<{links['opt_out_url']}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(letter.text)
        return message

    async def _recipient(self, order: Order) -> Recipient | None:
        """Return who is told, by what the order says, then by what is known of them; None if they were erased."""
        life = order.life
        personal = await self._customers.seal.opened(life)
        customer = await self._customers.find_one(life.customer_id)
        if customer is None or (personal is None and life.sealed):
            return None
        contact = contact_of(None if personal is None else personal.customer)
        profile: Profile = customer.profile
        language = (personal.customer or {}).get("language") if personal is not None else None
        return Recipient(
            name=" ".join((contact.name or profile.name).split()),
            email=(contact.email or profile.email).strip(),
            phone=contact.phone or profile.phone,
            language=language if isinstance(language, str) else profile.language,
            channels=profile.channels,
            opt_outs=profile.opt_outs,
        )

    async def _links_of(self, order: Order, to: Recipient) -> dict[str, str]:
        base = self._terms.public_url.rstrip("/")
        if not base:
            return {"tracking_url": "", "opt_out_url": ""}
        until = self._clock.now() + timedelta(days=LINK_DAYS)
        tracking = await self._links.signed(TRACKING, order.order_id, until)
        found = {"tracking_url": f"{base}/v1/tracking/{tracking}/page", "opt_out_url": ""}
        if is_email(to.email):
            token = await self._links.signed(OPT_OUT, await self._customers.term_of(to.email), until)
            found["opt_out_url"] = f"{base}/v1/opt-outs/{token}"
        return found


def _noted(effect: Effect, found: list[tuple[str, str]], why: str = "") -> Rule:
    """Return the rule that writes down what came of a notice over each channel; with `why` the rest is tried again."""
    template, _, subject = effect.subject.partition(":")

    def rule(order: Order, at: datetime) -> Revision:
        notices = tuple(
            Notice(
                notice_id=effect.effect_id, template=template, channel=channel, at=at, subject=subject, outcome=outcome
            )
            for channel, outcome in found
        )
        life = without_effect(order.life, effect.effect_id)
        if why:
            later = msgspec.structs.replace(effect, tries=effect.tries + 1, due_at=at + _AGAIN, last_error=why[:200])
            life = msgspec.structs.replace(life, effects=(*life.effects, later))
        life = msgspec.structs.replace(life, notices=(*life.notices, *notices))
        is_sent = any(outcome == "sent" for _, outcome in found)
        reason = ", ".join(" ".join(part for part in pair if part) for pair in found)
        note = Note(
            event="notice_sent" if is_sent else "notice_not_sent",
            by=actor(),
            reason=f"{template}: {reason}" if reason else template,
            subject=subject or None,
        )
        return revision_of(order, replace(order, life=life), note)

    return rule
