"""The exact cheapest pattern of one order at given prices: which lines leave from where, and which are backordered.

Here: the subset dynamic programmes, in integers (thousandths of a cent). Not here: where the costs come from
(menu.py), orders too large for this (relaxation.py). Notation as in docs/reference/bounds.md: a set of lines is a
bit mask, f(S) the cheapest parcel holding exactly S, F(M) the cheapest way to deal with the lines M.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from engine.verification.tariffs import IMPOSSIBLE, Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One node that may serve some lines of the order, all costs in millicents.

    `fixed` is paid once per parcel, `line_costs[i]` if line i leaves from here (absent: it cannot), and `held[i]` is
    how many units of its SKU the node has.
    """

    node_id: str
    fixed: int
    line_costs: dict[int, int]
    held: dict[int, int]
    capacity_units: int | None
    tariff: Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """Everything one order may choose from; lists are by line, costs in millicents, `most_parcels` None if free.

    Lines of one SKU are units of a line that may be split.
    """

    skus: list[str]
    backorder: list[int]
    quantity: list[int]
    weight_g: list[int]
    split: int
    most_parcels: int | None
    sources: list[Source]


def cheapest_pattern(menu: Menu) -> int:
    """Return the cost in millicents of the cheapest pattern in which every node ships at most one parcel."""
    everything = sum(menu.backorder)
    if menu.most_parcels == 0 or not menu.sources:
        return everything
    parcels = _parcels(menu)
    value, used = _relaxed(menu, *_cheapest_parcels(menu, parcels, ()))
    limit = len(menu.backorder) if menu.most_parcels is None else menu.most_parcels
    if len(used) <= limit and len(set(used)) == len(used):
        return value
    return _one_parcel_per_node(menu, parcels, min(limit, len(menu.backorder)))


@cache
def _subsets(mask: int) -> list[int]:
    """Return all subsets of a mask, each bit doubling the list, the empty set first."""
    found = [0]
    while mask:
        low = mask & -mask
        found += [subset | low for subset in found]
        mask ^= low
    return found


def _sums(values: list[int]) -> list[int]:
    """Return the sum of the values in every subset, indexed by its mask."""
    sums = [0]
    for value in values:
        sums += [total + value for total in sums]
    return sums


def _parcels(menu: Menu) -> list[list[tuple[int, int]]]:
    """Return for every source its possible parcels as (lines, cost), leaving out what backorders beat."""
    weights, units, backorder = _sums(menu.weight_g), _sums(menu.quantity), _sums(menu.backorder)
    carriage: dict[int, list[int]] = {}
    found: list[list[tuple[int, int]]] = []
    for source in menu.sources:
        tariff = source.tariff
        carried = carriage.get(id(tariff))
        if carried is None:
            carried = carriage[id(tariff)] = [1000 * cost for cost in tariff.costs(weights)]
        costs, mask = [source.fixed], 0
        for line in sorted(source.line_costs):
            extra = source.line_costs[line]
            costs += [cost + extra for cost in costs]
            mask |= 1 << line
        subsets = _subsets(mask)
        room = source.capacity_units
        parcels = [
            (subset, total)
            for subset, cost in zip(subsets, costs, strict=True)
            if (total := cost + carried[subset]) < backorder[subset] and subset
        ]
        if room is not None and units[mask] > room:
            parcels = [(subset, total) for subset, total in parcels if units[subset] <= room]
        for alike, held in _scarce(menu, source):
            parcels = [(subset, total) for subset, total in parcels if (subset & alike).bit_count() <= held]
        found.append(parcels)
    return found


def _scarce(menu: Menu, source: Source) -> list[tuple[int, int]]:
    """Return (lines of one SKU, how many of them the source has) where it has not enough for all of them."""
    alike: dict[str, int] = {}
    for line, sku in enumerate(menu.skus):
        alike[sku] = alike.get(sku, 0) | 1 << line
    several = [(mask, (mask & -mask).bit_length() - 1) for mask in alike.values() if mask & (mask - 1)]
    found = [(mask, source.held.get(line, 0)) for mask, line in several]
    return [(mask, held) for mask, held in found if held < mask.bit_count()]


def _cheapest_parcels(
    menu: Menu, parcels: list[list[tuple[int, int]]], leaving_out: tuple[int, ...]
) -> tuple[list[int], list[int]]:
    """Return f(S) and the source that gives it, for every S, over all sources but those left out."""
    size = 1 << len(menu.backorder)
    cost, source_of = [IMPOSSIBLE] * size, [-1] * size
    for source, found in enumerate(parcels):
        if source in leaving_out:
            continue
        for subset, total in found:
            if total < cost[subset]:
                cost[subset] = total
                source_of[subset] = source
    return cost, source_of


def _relaxed(menu: Menu, parcel: list[int], source_of: list[int]) -> tuple[int, list[int]]:
    """Return the optimum when a node may ship several parcels of the order, and the sources of that optimum.

    F(M) = min(backorder of M's lowest line + F(rest), min over S ∋ lowest line of f(S) + split + F(M \\ S)); the first
    parcel of the order bears no split cost, so it is chosen last, over the lines that are not backordered before it.
    """
    lines, split = len(menu.backorder), menu.split
    full = (1 << lines) - 1
    best, first, chosen = [0] * (full + 1), [IMPOSSIBLE] * (full + 1), [0] * (full + 1)
    shippable = [subset for subset in range(1, full + 1) if parcel[subset] < IMPOSSIBLE]
    for mask in (*range(2, full, 2), full):
        low = mask & -mask
        rest = mask ^ low
        least, choice = IMPOSSIBLE, 0
        if 1 << rest.bit_count() > len(shippable):
            candidates = [subset for subset in shippable if subset & low and not subset & ~mask]
        else:
            candidates = [low | subset for subset in _subsets(rest)]
        for subset in candidates:
            cost = parcel[subset] + best[mask ^ subset]
            if cost < least:
                least, choice = cost, subset
        first[mask], chosen[mask] = least, choice
        best[mask] = min(menu.backorder[low.bit_length() - 1] + best[rest], least + split)
    value, mask, begin = sum(menu.backorder), full, -1
    skipped = 0
    for line in range(lines):  # lines before the first parcel's lowest line are backordered
        if skipped + first[mask] < value:
            value, begin = skipped + first[mask], mask
        skipped += menu.backorder[line]
        mask &= mask - 1
    return value, [] if begin < 0 else _sources_used(menu, best, chosen, source_of, begin)


def _sources_used(menu: Menu, best: list[int], chosen: list[int], source_of: list[int], mask: int) -> list[int]:
    used = [source_of[chosen[mask]]]
    mask ^= chosen[mask]
    while mask:
        low = mask & -mask
        if best[mask] == menu.backorder[low.bit_length() - 1] + best[mask ^ low]:
            mask ^= low
            continue
        used.append(source_of[chosen[mask]])
        mask ^= chosen[mask]
    return used


def _one_parcel_per_node(menu: Menu, parcels: list[list[tuple[int, int]]], most: int) -> int:
    """Return the optimum of at most `most` parcels, each from a node of its own.

    Nodes are taken one by one only where the rest would use them twice: the programme is solved with a growing set of
    single-parcel nodes until its optimum uses no other node twice, which is then the true optimum.
    """
    single: tuple[int, ...] = ()
    while True:
        cost, source_of = _cheapest_parcels(menu, parcels, single)
        value, used = _layered(menu, cost, source_of, [parcels[source] for source in single], most)
        twice = {source for source in used if used.count(source) > 1}
        if not twice:
            return value
        single += tuple(sorted(twice))


def _layered(
    menu: Menu, parcel: list[int], source_of: list[int], single: list[list[tuple[int, int]]], most: int
) -> tuple[int, list[int]]:
    """Return the optimum over 0 … most parcels, and the sources it uses outside `single`.

    `layers[0][k][M]` deals with the lines M in exactly k parcels of any source but the single ones; each further
    layer adds one single-parcel source, used at most once.
    """
    full = (1 << len(menu.backorder)) - 1
    layers = [_exactly(menu, parcel, most)]
    for found in single:
        before = layers[-1]
        after = [list(row) for row in before]
        for count in range(1, most + 1):
            row, fewer = after[count], before[count - 1]
            for subset, cost in found:
                for rest in _subsets(full ^ subset):
                    row[rest | subset] = min(row[rest | subset], cost + fewer[rest])
        layers.append(after)
    totals = [layers[-1][count][full] + menu.split * max(0, count - 1) for count in range(most + 1)]
    value = min(totals)
    count, mask = totals.index(value), full
    for layer in range(len(single), 0, -1):
        if layers[layer][count][mask] == layers[layer - 1][count][mask]:
            continue
        for subset, cost in single[layer - 1]:
            if subset & ~mask:
                continue
            if layers[layer][count][mask] == cost + layers[layer - 1][count - 1][mask ^ subset]:
                count, mask = count - 1, mask ^ subset
                break
    used: list[int] = []
    while count:
        low = mask & -mask
        if layers[0][count][mask] == menu.backorder[low.bit_length() - 1] + layers[0][count][mask ^ low]:
            mask ^= low
            continue
        for rest in _subsets(mask ^ low):
            subset = rest | low
            if layers[0][count][mask] == parcel[subset] + layers[0][count - 1][mask ^ subset]:
                used.append(source_of[subset])
                count, mask = count - 1, mask ^ subset
                break
    return value, used


def _exactly(menu: Menu, parcel: list[int], most: int) -> list[list[int]]:
    """Return the cost of every set of lines in exactly 0 … most parcels, without split costs."""
    size = 1 << len(menu.backorder)
    rows = [_sums(menu.backorder)]
    for _ in range(most):
        fewer, row = rows[-1], [IMPOSSIBLE] * size
        for mask in range(1, size):
            low = mask & -mask
            least = menu.backorder[low.bit_length() - 1] + row[mask ^ low]
            for rest in _subsets(mask ^ low):
                cost = parcel[rest | low] + fewer[mask ^ low ^ rest]
                least = min(least, cost)
            row[mask] = min(least, IMPOSSIBLE)
        rows.append(row)
    return rows
