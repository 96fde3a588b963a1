"""Notices: sent for what has happened, once, to whom they are for, through a real mail server on loopback."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from engine.customers.model import Profile
from engine.errors import InvalidInput
from engine.notices.document import NoticeDocument, NoticeTemplate
from engine.notices.links import OPT_OUT, TRACKING
from engine.notices.sending import MOST_TRIES
from engine.orders.facts.money import EntryKind, LedgerEntry, Money, Prices
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.holding import NewHold
from engine.orders.model import Note
from engine.orders.revising import Revision, revision_of
from engine.routing.model import AllocationRow


def with_life(event: str, rows: tuple[AllocationRow, ...] = (), **changes: object):
    """Return a rule that changes what has happened to an order."""

    def rule(order, at) -> Revision:
        life = msgspec.structs.replace(order.life, **changes)
        return revision_of(order, replace(order, life=life, allocation=rows), Note(event=event, by="test"))

    return rule


def shipment(state: ShipmentState, at) -> Shipment:
    return Shipment(
        shipment_id="shp_1",
        node_id="east",
        service="ground",
        ship_on=at.date(),
        lines=(ShipmentLine(line_id="1", sku="mug", quantity=2),),
        state=state,
        released_at=at,
        carrier="acme",
        tracking_number="1Z999",
    )


async def test_a_customer_is_told_of_each_step_once(shop, postbox):
    """Each by the effect of its step, under an id of its own, and noted before it is done."""
    await shop.order("o-1")
    assert postbox.letters == []
    await shop.wait()
    today = shop.clock.now().date()
    row = AllocationRow(line_id="1", sku="mug", quantity=2, node_id="east", service="ground", ship_on=today)
    await shop.engine.changes.change("o-1", with_life("sourced", (row,)))
    for state in (ShipmentState.RELEASED, ShipmentState.SHIPPED, ShipmentState.SHIPPED, ShipmentState.DELIVERED):
        rows = () if state is not ShipmentState.RELEASED else (row,)
        rule = with_life("shipment", rows, shipments=(shipment(state, shop.clock.now()),))
        await shop.engine.changes.change("o-1", rule)
        await shop.wait()
    refund = LedgerEntry(
        entry_id="led_1", kind=EntryKind.REFUNDED, tender_id="t", amount_cents=1250, at=shop.clock.now()
    )
    money = Money(prices=Prices(currency="USD", lines=(), total_cents=2500), ledger=(refund,))
    await shop.engine.changes.change("o-1", with_life("payment_refunded", money=money))
    await shop.wait()
    assert [letter["Subject"] for letter in postbox.letters] == [
        "Your order o-1 is confirmed",
        "Your order o-1 is on its way",
        "Your order o-1 has arrived",
        "12.50 USD of your order o-1 come back to you",
    ]
    assert postbox.recipients == ["ann@example.com"] * 4
    first, sent = postbox.letters[0], postbox.letters[1].get_content()
    assert first["To"] == "Ann Zebrowski <ann@example.com>"
    assert first["From"] == "Example Shop <orders@shop.example.com>"
    assert "Hello Ann Zebrowski," in sent
    assert "  2 × mug" in sent.splitlines()
    assert "Tracking number: 1Z999" in sent
    assert len({letter["Message-ID"] for letter in postbox.letters}) == 4
    assert [row[1:] for row in await shop.outcomes("o-1")] == [("email", "sent")] * 4
    events = [entry.note.event for entry in await shop.engine.orders.history("o-1") if entry.note is not None]
    assert events.count("notice_sent") == 4


async def test_links_in_a_letter_lead_to_the_order_and_out_of_all_letters(shop, postbox):
    await shop.order("o-1")
    await shop.wait()
    (letter,) = postbox.letters
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = letter["List-Unsubscribe"].strip("<>")
    assert link.startswith("https://track.example.com/v1/opt-outs/main.")
    term = await shop.engine.links.read(OPT_OUT, link.rpartition("/")[2], shop.clock.now())
    assert "ann" not in link
    tracking = next(word for word in letter.get_content().split() if "/v1/tracking/" in word)
    token = tracking.split("/")[-2]
    assert await shop.engine.links.read(TRACKING, token, shop.clock.now()) == "o-1"
    await shop.engine.customers.opt_out(term)
    await shop.order("o-2", customer={"name": "A", "email": " ANN@example.com"})
    await shop.wait()
    assert len(postbox.letters) == 1
    assert await shop.outcomes("o-2") == [("order_confirmed", "email", "opted_out")]


@pytest.mark.parametrize(
    ("profile", "outcome"),
    [
        (Profile(email="ann@example.com", opt_outs=("order_confirmed",)), ("order_confirmed", "", "opted_out")),
        (Profile(email="ann@example.com", opt_outs=("*",)), ("order_confirmed", "", "opted_out")),
        (Profile(email="ann@example.com", channels=()), ("order_confirmed", "", "no_channel")),
        (Profile(email="ann@example.com", opt_outs=("shipped",)), ("order_confirmed", "email", "sent")),
        (Profile(name="Ann"), ("order_confirmed", "email", "no_address")),
    ],
)
async def test_nobody_is_told_what_they_do_not_want_to_hear(shop, postbox, profile, outcome):
    await shop.engine.customers.put("cus-1", profile)
    await shop.order("o-1", customer_id="cus-1", customer=None)
    await shop.wait()
    assert await shop.outcomes("o-1") == [outcome]
    assert len(postbox.letters) == (outcome[2] == "sent")


async def test_an_erased_customer_is_told_nothing(shop, postbox):
    """Catches a letter that was written before the erasure and is sent after it."""
    await shop.order("o-1", customer_id="cus-1")
    await shop.engine.customers.erase("cus-1", even_with_open_orders=True)
    await shop.wait()
    assert (postbox.letters, await shop.outcomes("o-1")) == ([], [("order_confirmed", "", "erased")])


async def test_an_order_that_is_stopped_and_released_is_confirmed_once(shop, postbox):
    await shop.order("o-1")
    await shop.engine.steering.stop("o-1", NewHold(reason="look at it"))
    await shop.wait()
    await shop.engine.steering.release("o-1")
    await shop.wait()
    assert len(postbox.letters) == 1


async def test_a_server_that_cannot_take_it_now_is_asked_again(shop, postbox):
    """Catches an effect that is done before the letter is out, and one that is forgotten after a failure."""
    postbox.answers += ["451 later ann@example.com", "rcpt 450 greylisted ann@example.com"]
    await shop.order("o-1")
    for _ in range(4):
        await shop.wait()
        rested(shop)
        shop.clock.advance(timedelta(minutes=1))
    assert len(postbox.letters) == 1
    assert await shop.outcomes("o-1") == [("order_confirmed", "email", "sent")]
    notes = [entry.note for entry in await shop.engine.orders.history("o-1") if entry.note is not None]
    assert [note.event for note in notes] == ["effect_put_off", "effect_put_off", "notice_sent"]
    assert all("example" not in (note.reason or "") for note in notes)


def rested(shop) -> None:
    """Let the mail server be asked again at once."""
    shop.engine.effects._handlers["notice.send"].__self__._terms.mailer._rests_until = 0.0


async def test_a_server_that_does_not_answer_is_left_alone_for_a_while(shop, postbox):
    """Catches a sweeper that waits for a dead mail server once for each order, and holds up payments behind it."""
    postbox.answers += ["451 later"]
    for name in ("o-1", "o-2", "o-3"):
        await shop.order(name)
    await shop.wait()
    assert postbox.answers == []
    assert postbox.letters == [], "the server was asked for the first, and not for the others"
    rested(shop)
    await shop.wait(60)
    assert len(postbox.letters) == 3


async def test_what_a_server_refuses_for_good_is_not_sent_again(shop, postbox):
    postbox.answers += ["rcpt 550 no such user ann@example.com"]
    await shop.order("o-1")
    await shop.wait()
    assert await shop.outcomes("o-1") == [("order_confirmed", "email", "refused: the mail server refuses it (550)")]
    assert (await shop.engine.orders.get("o-1")).life.effects == ()


async def test_a_process_that_dies_between_the_letter_and_its_note_sends_it_under_the_same_message_id(shop, postbox):
    """Seeded bug that it catches: a Message-ID of chance, by which nobody knows the second letter for the first."""
    order = await shop.order("o-1")
    shop.clock.advance(timedelta(seconds=2))
    (effect,) = order.life.effects
    await shop.engine.effects._handlers["notice.send"](order, effect)  # and the rule that it returns is never asked
    await shop.wait()
    first, second = postbox.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert await shop.outcomes("o-1") == [("order_confirmed", "email", "sent")]


async def test_a_notice_that_never_goes_out_is_given_up(shop, postbox):
    order = await shop.order("o-1")
    postbox.answers += ["451 later"]
    (effect,) = order.life.effects
    tried = msgspec.structs.replace(effect, tries=MOST_TRIES - 1)
    await shop.engine.changes.change("o-1", with_life("tried", effects=(tried,)))
    await shop.wait()
    assert await shop.outcomes("o-1") == [("order_confirmed", "email", "failed")]


async def test_words_of_the_shop_stand_in_place_of_ours_by_language(shop, postbox):
    german = NoticeTemplate(
        template="order_confirmed", language="de", subject="Bestellung {{ order }}", text="Danke, {{ name }}!"
    )
    await shop.engine.notices.put(NoticeDocument(shop_name="Beispiel", templates=(german,), off=("cancelled",)))
    await shop.order("o-1", customer={"name": "Änn", "email": "ann@example.com", "language": "de-AT"})
    await shop.order("o-2")
    await shop.wait()
    assert [letter["Subject"] for letter in postbox.letters] == ["Bestellung o-1", "Your order o-2 is confirmed"]
    assert postbox.letters[0].get_content().splitlines()[0] == "Danke, Änn!"
    assert "Beispiel" in postbox.letters[1].get_content()


async def test_templates_that_cannot_be_filled_are_refused_with_their_place(shop):
    def template(text: str) -> NoticeTemplate:
        return NoticeTemplate(template="shipped", subject="s", text=text)

    for text, words in (
        ("{{ customer.email }}", r"templates\[0\].text: cannot be filled: 'customer' is undefined; it may use: amount"),
        ("a\n{% if %}", r"templates\[0\].text: cannot be filled in line 2"),
        ("{{ shipment.__class__.__mro__ }}", "cannot be filled"),
        ("{{ 1 / 0 }}", "cannot be filled: division by zero"),
    ):
        with pytest.raises(InvalidInput, match=words):
            await shop.engine.notices.put(NoticeDocument(templates=(template(text),)))
    with pytest.raises(InvalidInput, match=r"repeats .*one for each language"):
        await shop.engine.notices.put(NoticeDocument(templates=(template("a"), template("b"))))


async def test_a_name_cannot_put_headers_into_a_letter(shop, postbox):
    await shop.order("o-1", customer={"name": "Ann\nBcc: all@example.com", "email": "ann@example.com"})
    await shop.wait()
    (letter,) = postbox.letters
    assert letter["Bcc"] is None
    assert postbox.recipients == ["ann@example.com"]
