"""Orders of which very much is said stay short, and runs keep to all of it."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from engine.orders.folding import MOST_OVERRIDES, MOST_REJECTIONS, folded_overrides, folded_rejections
from engine.orders.steering import Override, RejectedLine, Rejection, RejectionKind, Steering
from engine.routing.model import LineNode

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NODES = [f"n{number}" for number in range(6)]
LINES = ["1", "2", "3"]


def override(dice: random.Random) -> Override:
    pins = [LineNode(line_id=line, node_id=dice.choice(["", *NODES])) for line in LINES if dice.random() < 0.3]
    forbidden = tuple(dice.sample(NODES, dice.randint(0, 2))) if dice.random() < 0.2 else None
    priority = dice.randint(0, 9) if dice.random() < 0.1 else None
    return Override(reason="r", at=NOON, by="bo", pins=tuple(pins), forbidden_node_ids=forbidden, priority=priority)


def rejection(dice: random.Random) -> Rejection:
    lines = tuple(RejectedLine(line_id=line, quantity=1) for line in dice.sample(LINES, dice.randint(1, 3)))
    kind = dice.choice([RejectionKind.REJECTED, RejectionKind.TIME_OUT, RejectionKind.CLOSED])
    return Rejection(node_id=dice.choice(NODES), kind=kind, reason="r", lines=lines, at=NOON, by="bo")


def test_whatever_is_said_how_often_an_order_stays_short_and_runs_keep_to_the_same() -> None:
    """Seeded bugs this catches: the oldest simply left out; pins that were taken away in force again."""
    for seed in range(20):
        dice, said, kept = random.Random(seed), Steering(), Steering()
        for _ in range(80):
            new, refused = override(dice), rejection(dice)
            said = Steering(overrides=(*said.overrides, new), rejections=(*said.rejections, refused))
            kept = Steering(
                overrides=folded_overrides((*kept.overrides, new)),
                rejections=folded_rejections((*kept.rejections, refused)),
            )
            for name in ("pins", "forbidden_node_ids", "priority"):
                assert getattr(kept, name) == getattr(said, name), (seed, name)
            assert set(kept.refused) == set(said.refused), seed
            assert len(kept.overrides) <= MOST_OVERRIDES
            assert len(kept.rejections) <= MOST_REJECTIONS
        assert (kept.overrides[-1], len(kept.overrides)) == (new, MOST_OVERRIDES)


def test_nodes_that_refused_are_never_forgotten_however_many_there_are() -> None:
    line = (RejectedLine(line_id="1", quantity=1),)
    many = tuple(
        Rejection(node_id=f"n{n}", kind=RejectionKind.REJECTED, reason="r", lines=line, at=NOON, by="bo")
        for n in range(MOST_REJECTIONS + 5)
    )
    assert folded_rejections(many) == many
