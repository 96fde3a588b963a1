"""`allot payments` on a store of its own: books that agree, books that do not, the money of an order, bad arguments."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cli.main import BAD_INPUT, DONE, EXPECTATION_MISSED, main
from engine.bootstrap import allot_engine
from engine.config import read_settings
from engine.orders.facts.money import TenderKind
from engine.payments.provider import NewAuthorisation
from engine.payments.sandbox import SandboxProvider
from engine.storage.documents import RedisDocumentStore
from engine.storage.keys import Keys


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["payments", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


async def authorise_by_hand(data: Path) -> None:
    """Set money aside at the sandbox provider that no order knows of."""
    async with allot_engine(read_settings(data)) as engine:
        assert engine.client is not None
        provider = SandboxProvider(RedisDocumentStore(engine.client, Keys(engine.tenant)), engine.clock)
        await provider.authorise(
            NewAuthorisation(
                key="by_hand",
                order_id="ord_9",
                tender_id="tender_1",
                kind=TenderKind.CARD,
                token="tok_visa",
                amount_cents=70,
                currency="EUR",
            )
        )


def test_a_report_ends_with_3_when_books_do_not_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(tmp_path / "data")
    code, shown, error = run(capsys, "report", "--data", data)
    assert (code, "the books agree" in shown) == (DONE, True), error
    asyncio.run(authorise_by_hand(tmp_path / "data"))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    code, shown, error = run(capsys, "report", "--from", today, "--to", today, "--json", "--data", data)
    assert code == EXPECTATION_MISSED, error
    (found,) = json.loads(shown)["disagreements"]
    assert (found["order_id"], found["provider_cents"], found["reason"]) == ("ord_9", 70, "no order knows it")
    code, _, error = run(capsys, "show", "ord_9", "--data", data)
    assert (code, "ord_9" in error) == (BAD_INPUT, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show",), "ORDER_ID missing; write: allot payments show ORDER_ID"),
        (("report", "ord_1"), "'ord_1' is too much; write: allot payments report"),
        (("report", "--from", "yesterday"), "--from: 'yesterday' is no day; write it as 2026-01-31"),
    ],
)
def test_arguments_that_cannot_be_are_told_with_the_remedy(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run(capsys, *words)
    assert (code, told in error.replace("\n", " ")) == (BAD_INPUT, True), error
