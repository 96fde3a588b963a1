"""What may happen to stock in a random history: lines, quotas and conditions as strategies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import hypothesis.strategies as st

from engine.inventory.conditions import Condition, ConditionChange
from engine.inventory.model import HoldLine
from engine.inventory.quotas import Quota

TODAY = date(2026, 3, 2)
SKUS, NODES = ("cup", "mug"), ("berlin", "rome")
DAYS = dict.fromkeys(NODES, TODAY.toordinal())

# Most of what happens happens in one place, so that histories get somewhere.
sku, node_id = st.sampled_from((*SKUS, "mug")), st.sampled_from((*NODES, "berlin", "berlin"))
name = st.sampled_from([f"r{i}" for i in range(5)])
day = st.integers(-1, 3).map(lambda number: TODAY + timedelta(days=number))
supply_id = st.sampled_from("ppq")
line = st.builds(HoldLine, sku=sku, node_id=node_id, quantity=st.integers(1, 10), ship_on=st.none() | day)
pegged = st.builds(HoldLine, sku=sku, node_id=node_id, quantity=st.integers(1, 4), supply_id=supply_id)
line = line | line | pegged
lines = st.lists(line, min_size=1, max_size=2).map(tuple)
condition = st.sampled_from((*Condition, Condition.SELLABLE))
channel = st.sampled_from((None, "web", "web", "shop"))
at = st.sampled_from((None, None, datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)))
reserve = st.builds(Quota, channel=channel, reserve=st.integers(0, 8), overflow=st.booleans(), release_at=at)
share = st.builds(Quota, channel=channel, share=st.integers(0, 50), overflow=st.booleans(), release_at=at)
quota = (reserve | reserve | share).filter(lambda built: built.channel is not None)
quotas = st.lists(quota, max_size=2, unique_by=lambda built: built.channel).map(tuple)
turn = st.builds(
    ConditionChange,
    sku=sku,
    node_id=node_id,
    quantity=st.integers(1, 6),
    from_condition=condition,
    to_condition=condition,
    reason=st.just("test"),
).filter(lambda turned: turned.from_condition != turned.to_condition)
