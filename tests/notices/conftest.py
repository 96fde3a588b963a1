"""A shop in memory whose notices go to a mail server of the test.

`postbox`  the server: what it has taken, and how it is to behave
`shop`     an engine that sends there, with a network, a catalog and a clock that stands still
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP

from engine.bootstrap import Engine, allot_engine
from engine.catalog.document import CatalogDocument
from engine.clock import SettableClock
from engine.config import Settings
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder, Order
from tests.api.conftest import CATALOG, NETWORK
from tests.customers.conftest import NOON

ANN = {"name": "Ann Zebrowski", "email": "ann@example.com"}


@dataclass
class Postbox:
    """Messages that came, with who they were for; `answers` are given instead of taking the next ones."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        if self.answers and self.answers[0].startswith("rcpt "):
            return self.answers.pop(0).removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    box, loop = Postbox(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop, hostname="mail.test"), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    await server.wait_closed()


@pytest.fixture
def settings(postbox: Postbox) -> Settings:
    return Settings(
        smtp_url=f"smtp://127.0.0.1:{postbox.port}",
        mail_from="Example Shop <orders@shop.example.com>",
        public_url="https://track.example.com",
    )


@dataclass
class Shop:
    """An engine with short ways to use it."""

    engine: Engine
    clock: SettableClock

    async def order(self, order_id: str, **said: object) -> Order:
        new = NewOrder(
            channel="web",
            destination=Destination(latitude=40.73, longitude=-73.99),
            lines=(NewLine(sku="mug", quantity=2),),
            order_id=order_id,
            **{"customer": ANN, **said},
        )
        return (await self.engine.orders.capture(new)).value

    async def wait(self, seconds: float = 2) -> int:
        """Let time pass, and do what is due then, as the sweeper does."""
        self.clock.advance(timedelta(seconds=seconds))
        return await self.engine.effects.step()

    async def outcomes(self, order_id: str) -> list[tuple[str, str, str]]:
        life = (await self.engine.orders.get(order_id)).life
        return [(each.template, each.channel, each.outcome) for each in life.notices]


@pytest.fixture
def began() -> datetime:
    return NOON


@pytest.fixture
async def shop(settings: Settings, began: datetime) -> AsyncIterator[Shop]:
    clock = SettableClock(began)
    async with allot_engine(settings, memory=True, clock=clock) as engine:
        await engine.network.put(NetworkDocument.model_validate(NETWORK))
        await engine.catalog.put(CatalogDocument.model_validate(CATALOG))
        yield Shop(engine, clock)
