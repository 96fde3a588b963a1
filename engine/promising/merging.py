"""Long orders: lines that travel together, so that the subset programme stays small.

Up to `most` lines nothing is merged and the programme is exact. Beyond that, lines are merged into groups: first those
that the same nodes can serve, then, again and again, the two groups with the most nodes in common, as long as some node
can serve both together. The plans are then the best among those that keep every group whole: true, deliverable plans,
but perhaps not the cheapest. If no two groups can travel together and there are still too many, the order needs more
than `most` parcels; the groups of the most units are kept, and the lines of the others are over the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from engine.promising.gathering import alone_by_hub
from engine.promising.programme import Programme, grouped
from solvers.promise_parcels import INFINITE, days_alone, days_covered, price_parcels

Group = tuple[int, ...]


def merge_lines(programme: Programme, alone: Sequence[Group], most: int) -> list[Group]:
    """Return at most `most` groups of line numbers, each of which some node can serve whole, in line order.

    `alone` are the lines that may be served, each a group.
    """
    groups: dict[Group, frozenset[int]] = {}
    for line in alone:
        nodes = nodes_for(programme, line)
        if nodes:
            groups[line] = nodes
    if len(groups) <= most:
        return sorted(groups)
    for nodes in set(groups.values()):
        alike = sorted(group for group in groups if groups[group] == nodes)
        _merge_chain(programme, alike, groups)
    while len(groups) > most and _merge_best_pair(programme, groups):
        pass
    ranked = sorted(groups, key=lambda group: (-int(programme.ask.units[list(group)].sum()), group))
    return sorted(ranked[:most])


def nodes_for(programme: Programme, group: Sequence[int]) -> frozenset[int]:
    """Return the nodes that can ship these lines as one parcel that arrives in time, or send them to a hub for one."""
    ask, demand = grouped(programme, [tuple(group)])
    alone = days_alone(demand, ask.nodes, programme.local_day, programme.atp)
    covered = days_covered(alone, demand, ask.nodes, programme.local_day, programme.atp)
    parcels = price_parcels(False, ask.need_by, covered, ask.nodes, ask, programme.cards, programme.days)
    nodes = frozenset(ask.nodes[np.flatnonzero(parcels.cost[:, 1] < INFINITE)].tolist())
    if programme.consolidation is None:
        return nodes
    source, _, arrival = alone_by_hub(programme, ask, demand)
    return nodes | frozenset(source[(arrival <= ask.need_by).any(axis=1)].tolist())


def _merge_chain(programme: Programme, alike: list[Group], groups: dict[Group, frozenset[int]]) -> None:
    """Merge groups of the same nodes one after another, as long as all those nodes can serve them together."""
    whole = alike[0]
    for group in alike[1:]:
        joined = tuple(sorted(whole + group))
        nodes = nodes_for(programme, joined)
        if nodes == groups[group]:
            del groups[whole], groups[group]
            groups[joined] = nodes
            whole = joined


def _merge_best_pair(programme: Programme, groups: dict[Group, frozenset[int]]) -> bool:
    """Merge the two groups that keep the most nodes; False if no node can serve any two together."""
    pairs = [(len(groups[a] & groups[b]), a, b) for a, b in combinations(sorted(groups), 2)]
    for common, a, b in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if common == 0:
            return False
        joined = tuple(sorted(a + b))
        nodes = nodes_for(programme, joined)
        if nodes:
            del groups[a], groups[b]
            groups[joined] = nodes
            return True
    return False
