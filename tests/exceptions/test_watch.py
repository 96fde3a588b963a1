"""Stories in which a node falls behind, a carrier is slow, a parcel does not come: the alert, its day, its odds."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from watched_world import FRIDAY, Watched, learned_document, network_document

from engine.calibration.lead_times import LeadTimes
from engine.exceptions.leaving import Leaving, Sighting
from engine.exceptions.node_tally import NodeTally
from engine.exceptions.parcels import Parcel
from engine.exceptions.policy import AlertPolicyDocument
from engine.network.document import NetworkDocument
from engine.routing.model import UsedCapacity

LEVELS = [0.05, 0.25, 0.5, 0.75, 0.9, 0.97]
SHAPE = [-1.4, -0.6, 0.0, 0.9, 2.2, 4.1]


def on(day: int) -> date:
    return date(2026, 11, day)


async def test_an_order_on_its_way_as_planned_has_no_alert(world: Watched) -> None:
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    assert await world.alerts("o1") == ()
    await world.ship("o1")
    assert await world.alerts("o1") == ()


async def test_a_node_that_falls_behind_is_noticed_on_the_day_on_which_it_is_too_late(world: Watched) -> None:
    """Ground needs a working day: what has not left on Friday arrives on Tuesday, and was promised for Monday."""
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    world.at(20, hour=23)
    assert await world.alerts("o1") == ()
    world.at(21)
    (alert,) = await world.alerts("o1")
    assert (alert.cause, alert.severity, alert.subject) == ("node_late", "critical", "east")
    assert (alert.promised_on, alert.predicted_on, alert.delay_days) == (on(23), on(24), 1)
    assert alert.late_probability == 1
    world.at(24)
    (later,) = await world.alerts("o1")
    assert (later.alert_id, later.at, later.predicted_on) == (alert.alert_id, alert.at, on(25))


async def test_parcels_that_are_due_later_are_seen_to_be_late_at_a_node_that_is_behind(world: Watched) -> None:
    """Most of what was due is two days late: so is what is due today, though nothing of it is late yet."""
    await world.count(east={"MUG": 9})
    for number in range(3):
        await world.order(f"o{number}", due=30)
    await world.route()
    world.at(24)
    await world.order("new", due=25)
    await world.route()
    (alert,) = await world.alerts("new")
    assert (alert.cause, alert.subject) == ("node_late", "east")
    assert alert.predicted_on == on(30)  # left on Saturday, so on Monday, with Thanksgiving in between
    for number in range(3):
        await world.ship(f"o{number}")
        await world.deliver(f"o{number}")


async def test_a_full_node_works_off_what_is_overdue_before_what_is_due(world: Watched) -> None:
    """Four units a day, eight are overdue on Tuesday: what is due then leaves on Friday, behind Thanksgiving."""
    await world.engine.network.put(NetworkDocument.model_validate(network_document(capacity_units=4)))
    world.at(24)
    view, now = await world.engine.reference.current(), world.clock.now()
    overdue = [Sighting("east", on(day).toordinal(), None, 4) for day in (20, 23)]
    used = [UsedCapacity(node_id="east", ship_on=on(24), units=3, parcels=1)]
    tally = NodeTally()
    tally.begin(used, now)
    tally.add(overdue)
    assert await tally.count(view, now) == {"east"}
    nodes = tally.nodes
    assert nodes.done_on["east"][on(24).toordinal()] == on(27).toordinal()
    parcel = Parcel(node_id="east", service="ground", ship_on=on(24), units={"1": 3})
    assert Leaving(view, now, nodes).leaves(parcel) == on(27).toordinal()


@pytest.mark.parametrize("days_under_way", [0, 1, 4])
async def test_the_probability_is_that_of_counting_the_quantile_table(days_under_way: int, world: Watched) -> None:
    """Before it leaves, and the later it is without having arrived: of the levels that are still possible.

    Catches a watch that reads another level, lane or day of the table than promises do, or forgets what has not come.
    """
    await world.engine.alert_policy.put(AlertPolicyDocument(minor_probability=0.1))
    await world.count(east={"MUG": 5})
    await world.order("o1", due=24)
    await world.route()
    document = learned_document(2.8, SHAPE, LEVELS)
    await world.engine.lead_times.put(document)
    if days_under_way:
        await world.ship("o1")
        world.at(20 + days_under_way)
    (alert,) = await world.alerts("o1")
    counted = _late_share(document.model_dump(), on(24), not_before=on(20) if not days_under_way else _today(world))
    assert alert.late_probability == pytest.approx(counted, abs=0.002)
    assert (0.45 if days_under_way == 4 else 0.1) < counted < 0.6
    assert alert.cause == "carrier_late"
    assert alert.subject == ("shp_o1.1" if days_under_way else "east")


async def test_what_a_carrier_has_not_brought_by_the_promised_day_is_late(world: Watched) -> None:
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    await world.ship("o1")
    world.at(23)
    assert await world.alerts("o1") == ()
    world.at(24)
    (alert,) = await world.alerts("o1")
    assert (alert.cause, alert.predicted_on, alert.late_probability) == ("carrier_late", on(24), 1)
    await world.deliver("o1")
    assert await world.alerts("o1") == ()
    (over,) = (await world.engine.orders.get("o1")).life.alerts
    assert over.outcome == "over"
    assert [event for event in await world.events("o1") if "alert" in event] == ["alert_opened", "alert_closed"]


def _today(world: Watched) -> date:
    return world.clock.now().date()


def _late_share(document: dict[str, Any], due: date, not_before: date) -> float:
    """Count, at 10,000 levels, the days of the learned file that are after the due day, moved to weekdays."""
    times = LeadTimes(document)
    lane = times.lane("east", "ground", "near", FRIDAY)
    late = possible = 0
    for level in (np.arange(10_000) + 0.5) / 10_000:
        day = date.fromordinal(on(20).toordinal() + times.days(lane, float(level)))
        while day.weekday() > 4 or day == on(26):
            day = date.fromordinal(day.toordinal() + 1)
        possible += day >= not_before
        late += day >= not_before and day > due
    return late / possible
