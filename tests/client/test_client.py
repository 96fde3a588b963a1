"""The Python client against a real server, over a wire that loses answers; it is what the document says, and light."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import assert_type

import httpx2
import pytest
from client.wire import Wire

from api.client import Allot, AllotProblem, AsyncAllot, NoAnswer, models
from api.client.problems import problem_of
from api.client_writer import FOLDER, files
from api.openapi import document
from api.table import ENDPOINTS

SKU = "22727"


@pytest.fixture
def allot(wire: Wire) -> Iterator[Allot]:
    with Allot(wire.url) as client:
        yield client


def stocked_node(allot: Allot) -> str:
    return max(allot.get_inventory(SKU).positions, key=lambda position: position.available).node_id


def on_hand(allot: Allot, node_id: str) -> int:
    found = [one.on_hand for one in allot.get_inventory(SKU).positions if one.node_id == node_id]
    return found[0]


def one_less(node_id: str) -> models.AdjustmentsBody:
    lost = models.AdjustmentBody(node_id=node_id, sku=SKU, delta=-1, reason="broken")
    return models.AdjustmentsBody(adjustments=[lost])


def test_models_and_methods_are_as_the_document_says() -> None:
    """If this fails: python -m api.client_writer."""
    for name, text in files(document(ENDPOINTS, "")).items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, name


def test_the_client_loads_nothing_of_the_server() -> None:
    asked = "import sys, api.client; print({name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert "httpx2" in done.stdout
    for name in ("engine", "solvers", "fastapi", "pydantic", "numpy"):
        assert f"'{name}'" not in done.stdout


def test_a_change_whose_answers_are_lost_happens_once(allot: Allot, wire: Wire) -> None:
    """Catches a key that is made anew for each try."""
    node_id = stocked_node(allot)
    before = on_hand(allot, node_id)
    wire.requests.clear()
    wire.answers_to_lose = 2
    changed = allot.adjust_stock(one_less(node_id))
    assert len(wire.requests) == 3
    assert len(set(wire.keys())) == 1
    assert changed.positions[0].on_hand == on_hand(allot, node_id) == before - 1


def test_two_calls_are_two_changes_unless_they_have_one_key(allot: Allot) -> None:
    node_id = stocked_node(allot)
    before = on_hand(allot, node_id)
    allot.adjust_stock(one_less(node_id))
    for _ in range(2):
        allot.adjust_stock(one_less(node_id), idempotency_key=f"broken-{before}")
    assert on_hand(allot, node_id) == before - 2


def test_an_answer_of_503_is_tried_again_with_the_same_key(allot: Allot, wire: Wire) -> None:
    node_id = stocked_node(allot)
    wire.requests.clear()
    wire.requests_to_refuse = 2
    body = models.ReservationBody(lines=[models.HoldLineBody(sku=SKU, quantity=1, node_id=node_id)])
    held = allot.reserve(body)
    assert held.state == "held"
    assert len(wire.requests) == 3
    assert len(set(wire.keys())) == 1
    assert allot.extend_reservation(held.reservation_id).expires_at is not None
    assert allot.cancel_reservation(held.reservation_id).state == "cancelled"


def test_what_stays_without_an_answer_says_its_key_and_what_is_refused_its_problem(wire: Wire) -> None:
    with Allot(wire.url, retry_seconds=0) as allot:
        wire.answers_to_lose = 1
        with pytest.raises(NoAnswer) as silent:
            allot.unhold_order("ord_nothing")
        assert silent.value.idempotency_key == wire.keys()[-1]
        wire.requests_to_refuse = 1
        with pytest.raises(AllotProblem) as busy:
            allot.get_network()
        assert (busy.value.code, busy.value.status, busy.value.retryable) == ("overloaded", 503, True)


def test_a_refusal_by_the_business_is_raised_at_once_with_all_it_says(allot: Allot, wire: Wire) -> None:
    node_id = stocked_node(allot)
    wire.requests.clear()
    body = models.ReservationBody(lines=[models.HoldLineBody(sku=SKU, quantity=10**6, node_id=node_id)])
    with pytest.raises(AllotProblem) as refused:
        allot.reserve(body)
    problem = refused.value
    assert (problem.code, problem.status, problem.retryable) == ("insufficient_stock", 409, False)
    assert [(line.sku, line.node_id) for line in problem.lines] == [(SKU, node_id)]
    assert problem.errors[0].path == "$.lines[0]"
    assert problem.request_id.startswith("req_")
    assert len(wire.requests) == 1


def test_an_answer_that_is_not_from_allot_is_a_problem_too() -> None:
    problem = problem_of(httpx2.Response(502, text="<html>Bad Gateway</html>"), "key-1")
    assert problem is not None
    assert (problem.code, problem.status, problem.retryable) == ("not_from_allot", 502, True)
    assert problem.idempotency_key == "key-1"


def test_ids_are_quoted_and_pages_follow_each_other(allot: Allot) -> None:
    with pytest.raises(AllotProblem, match="a/b c"):
        allot.get_order("a/b c?d")
    for number in range(3):
        allot.put_policy(f"policy-{number}", {})
    assert [one.policy_id for one in allot.iter_policies()] == [f"policy-{number}" for number in range(3)]
    node_id = stocked_node(allot)
    told = [event.event for event in allot.iter_events(sku=SKU, node_id=node_id)]
    assert len(told) == len(set(told)) > 0


async def test_calls_that_are_awaited_are_sent_again_with_one_key_too(wire: Wire) -> None:
    async with AsyncAllot(wire.url, api_key="allot_secret") as allot:
        positions = (await allot.get_inventory(SKU)).positions
        chosen = max(positions, key=lambda position: position.available)
        wire.requests.clear()
        wire.answers_to_lose = wire.requests_to_refuse = 1
        changed = await allot.adjust_stock(one_less(chosen.node_id))
    assert changed.positions[0].on_hand == chosen.on_hand - 1
    assert len(wire.requests) == 3
    assert len(set(wire.keys())) == 1
    assert all(b"authorization: bearer allot_secret" in request.lower() for request in wire.requests)


async def test_trying_again_ends_with_the_time_for_it(wire: Wire) -> None:
    """Catches a client that tries for ever, and one that waits a pause that it has no time for."""
    wire.answers_to_lose = 10**6
    began = time.monotonic()
    async with AsyncAllot(wire.url, retry_seconds=0.5) as allot:
        with pytest.raises(NoAnswer):
            await allot.get_inventory(SKU)
    assert len(wire.requests) > 2
    assert time.monotonic() - began < 2


async def test_tasks_share_a_client_and_read_what_they_did_from_the_feed(address: str) -> None:
    async with AsyncAllot(address) as allot:
        begins = (await allot.read_events(after="now")).next
        line = models.WantedLine(sku=SKU, quantity=1)
        to = models.Destination(postal_code="07306", country="US")
        promise = await allot.promise(models.PromiseRequest(destination=to, lines=[line]))
        assert_type(promise, models.Promise)
        body = models.ReservationBody(promise_id=promise.promise_id, option_id=promise.options[0].option_id)
        reservation = await allot.reserve(body)
        await allot.confirm_reservation(reservation.reservation_id)
        seen: list[models.Event] = []
        async for page in allot.follow_events(begins, types=["reservation.*"], is_endless=False):
            assert_type(page, models.FeedReply)
            seen += page.data
    assert [event.type for event in seen] == ["reservation.held", "reservation.confirmed"]
    assert {event.data.reservation_id for event in seen if isinstance(event.data, models.ReservationData)} == {
        reservation.reservation_id
    }


def test_an_endless_reader_gets_an_event_when_it_happens(address: str) -> None:
    with Allot(address) as allot:
        node_id = stocked_node(allot)
        begins = allot.read_events(after="now").next
        later = threading.Timer(0.3, allot.adjust_stock, [one_less(node_id)])
        later.start()
        began = time.monotonic()
        page = next(allot.follow_events(begins, types=["inventory.changed"]))
        later.join()
    assert [event.type for event in page.data] == ["inventory.changed"]
    assert time.monotonic() - began < 5
