"""The EasyPost adapter, by EasyPost's own SDK against a local server that speaks its API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

pytest.importorskip("easypost")

from engine.errors import InvalidInput, Refused, Unavailable
from engine.fulfillment.addresses import Address
from engine.fulfillment.carriers import WantedLabel
from engine.fulfillment.carrying import CarrierSays
from engine.fulfillment.easypost_carrier import EasyPostCarriers
from engine.fulfillment.easypost_events import events_of
from tests.fulfillment.easypost_server import EasyPostAccount, easypost_server

WANTED = WantedLabel(
    key="shp_o1-1-label-4:shp_o1-1-1",
    carrier="usps",
    service="ground-advantage",
    sender=Address(name="North", street="1 Dock Road", city="Duluth", region="MN", country="US"),
    recipient=Address(name="Ada Byron", street="12 Mill Lane", city="New York", postal_code="10003", country="US"),
    weight_g=1000,
    length_mm=254,
    width_mm=100,
    height_mm=50,
    reference="o1",
)


@pytest.fixture
def account() -> Iterator[EasyPostAccount]:
    with easypost_server() as account:
        yield account


@pytest.fixture
def carriers(account: EasyPostAccount) -> EasyPostCarriers:
    return EasyPostCarriers("EZTK-test", account.url)


async def test_a_label_is_bought_of_the_service_that_the_network_names(
    carriers: EasyPostCarriers, account: EasyPostAccount
) -> None:
    label = await carriers.buy(WANTED)
    assert (label.carrier, label.cents, label.tracking_number) == ("USPS", 510, account.bought[0])
    assert label.url.endswith(f"{account.bought[0]}.png")
    (shipment,) = account.shipments.values()
    assert shipment["parcel"] == {"weight": 35.3, "length": 10.0, "width": 4.0, "height": 2.0}
    assert shipment["to_address"]["zip"] == "10003"


async def test_a_label_is_bought_once_though_the_answer_is_lost(
    carriers: EasyPostCarriers, account: EasyPostAccount
) -> None:
    """Catches a shipment that is made anew each time (seeded): the parcel would be paid twice."""
    account.fails = 2  # the answer to the shipment, then that to buying it
    for _ in range(2):
        with pytest.raises(Unavailable, match="does not answer"):
            await carriers.buy(WANTED)
    label = await carriers.buy(WANTED)
    assert account.bought == [label.tracking_number]
    assert len(account.shipments) == 1


async def test_what_is_not_to_be_had_is_refused_with_what_is(
    carriers: EasyPostCarriers, account: EasyPostAccount
) -> None:
    with pytest.raises(Refused, match=r"no usps Express for this carton; it offers UPS Ground, USPS"):
        await carriers.buy(replace(WANTED, service="Express"))
    nowhere = replace(WANTED, key="k2", recipient=replace(WANTED.recipient, postal_code="00000"))
    with pytest.raises(Refused, match=r"Unable to verify address.; to_address.zip: is no postal code"):
        await carriers.buy(nowhere)
    account.key_is_good = False
    with pytest.raises(Unavailable, match="ALLOT_EASYPOST_KEY"):
        await carriers.buy(replace(WANTED, key="k3"))


async def test_a_label_is_given_back_once(carriers: EasyPostCarriers, account: EasyPostAccount) -> None:
    label = await carriers.buy(WANTED)
    for _ in range(2):
        await carriers.void(label.tracking_number)
    assert account.refunded == [label.tracking_number]
    with pytest.raises(Refused, match="knows no label"):
        await carriers.void("9400")


async def test_an_account_that_cannot_be_reached_is_asked_later() -> None:
    with pytest.raises(Unavailable):
        await EasyPostCarriers("EZTK-test", "http://127.0.0.1:9").buy(WANTED)


def test_what_it_tells_of_parcels_is_understood() -> None:
    details = [
        {"datetime": "2026-11-24T10:00:00Z", "status": "pre_transit", "message": "Label made"},
        {
            "datetime": "2026-11-25T16:00:00Z",
            "status": "delivered",
            "message": "Delivered",
            "tracking_location": {"city": "NEW YORK", "state": "NY", "country": None, "zip": "10003"},
        },
    ]
    tracker = {"object": "Tracker", "tracking_code": "94001", "signed_by": "A BYRON", "tracking_details": details}
    told = events_of(json.dumps({"object": "Event", "description": "tracker.updated", "result": tracker}).encode())
    assert [(each.event, each.place, each.proof) for each in told] == [
        (CarrierSays.INFORMATION, "", ""),
        (CarrierSays.DELIVERED, "NEW YORK, NY", "signed: A BYRON"),
    ]
    assert events_of(b'{"description": "batch.created", "result": {"id": "batch_1"}}') == []
    with pytest.raises(InvalidInput, match="is no event of EasyPost"):
        events_of(b'{"description": "tracker.updated", "result": {}}')
