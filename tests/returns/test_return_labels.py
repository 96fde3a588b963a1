"""The label of a return: bought once from the cheapest service's carrier, paid by whom the policy says, given back."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import Refused, Unavailable
from engine.fulfillment.sandbox_carrier import SandboxCarriers, is_number
from engine.orders.facts.returns import LabelPaidBy, Return
from engine.returns.policy import ReturnPolicy, Terms
from tests.returns.return_desk import Desk


class Counter:
    """What the sandbox carrier was asked for, by key; it fails as a test wants."""

    def __init__(self) -> None:
        self.bought, self.voided, self.fails = dict[str, int](), list[str](), list[Exception]()


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter, buy, void = Counter(), SandboxCarriers.buy, SandboxCarriers.void

    async def bought(self: SandboxCarriers, wanted: Any) -> Any:
        counter.bought[wanted.key] = counter.bought.get(wanted.key, 0) + 1
        label = await buy(self, wanted)
        if counter.fails:
            raise counter.fails.pop()
        return label

    async def voided(self: SandboxCarriers, tracking_number: str) -> None:
        counter.voided.append(tracking_number)
        await void(self, tracking_number)

    monkeypatch.setattr(SandboxCarriers, "buy", bought)
    monkeypatch.setattr(SandboxCarriers, "void", voided)
    return counter


async def announced(desk: Desk, paid_by: LabelPaidBy = LabelPaidBy.SELLER) -> Return:
    await desk.policy(ReturnPolicy(usual=Terms(label_paid_by=paid_by)))
    await desk.delivered("ord_1", MUG=3000)
    await desk.announce("ord_1", ("1", 3))
    return await desk.found("ret_1_ord_1")


async def test_a_return_has_a_label_of_the_cheapest_service_and_who_pays_keeps_its_price(
    desk: Desk, carrier: Counter
) -> None:
    found = await announced(desk, LabelPaidBy.CUSTOMER)
    assert (found.carrier, found.service, found.weight_g, found.label_cents) == ("C", "ground", 900, 510)
    assert is_number(found.tracking_number)
    await desk.receive(found.return_id, ("MUG", 3))
    found = await desk.inspect(found.return_id, ("MUG", 3, "restock"))
    assert (found.label_fee_cents, found.refund_cents, carrier.voided) == (510, 2490, [])


async def test_where_nobody_pays_for_a_label_there_is_none(desk: Desk, carrier: Counter) -> None:
    assert ((await announced(desk, LabelPaidBy.NOBODY)).tracking_number, carrier.bought) == ("", {})


async def test_a_label_that_was_bought_when_the_carrier_was_not_heard_is_bought_once(
    desk: Desk, carrier: Counter
) -> None:
    """Catches a label that is asked for under a new key the second time."""
    carrier.fails.append(Unavailable("The carrier does not answer."))
    found = await announced(desk)
    assert found.tracking_number == ""
    await desk.later(seconds=2)
    assert (carrier.bought, (await desk.found(found.return_id)).label_cents) == ({"ret_1_ord_1:label": 2}, 510)
    steps = await desk.engine.orders.history("ord_1")
    assert sum(step.note is not None and step.note.event == "return_label_bought" for step in steps) == 1


async def test_a_label_that_is_not_to_be_had_is_told_and_the_return_may_come_without(
    desk: Desk, carrier: Counter
) -> None:
    carrier.fails.append(Refused("C does not fetch there."))
    found = await announced(desk)
    assert (found.problem, found.tracking_number) == ("C does not fetch there.", "")
    assert (await desk.receive(found.return_id, ("MUG", 1))).received == 1


@pytest.mark.parametrize("how", ["cancelled", "expired"])
async def test_a_label_that_nobody_uses_is_given_back(desk: Desk, carrier: Counter, how: str) -> None:
    found = await announced(desk)
    if how == "cancelled":
        await desk.engine.returns.cancel(found.return_id, "anna")
    else:
        await desk.later(days=15)
    assert ((await desk.found(found.return_id)).state, carrier.voided) == (how, [found.tracking_number])
    assert (await desk.engine.orders.get("ord_1")).life.effects == ()
