"""The compiled programme against the enumeration of every assignment of lines to nodes and services.

In half of the cases units are worth something to later demand, by line and node: plans are then ranked by that too, and
what they are told to cost is without it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from engine.delivery.day_tables import no_load
from engine.delivery.learned import nothing_learned
from solvers.promise_dates import NEVER, Days
from solvers.promise_freight import NO_LIMIT, Cards, Goods, Rules, plain_goods, plain_rules
from solvers.promise_options import (
    ARRIVAL_DAY,
    COST,
    FUEL,
    MASK,
    NODE,
    OVERSIZE,
    PACKAGING,
    RATE,
    REMOTE,
    RESIDENTIAL,
    SERVICE,
    promise_order,
)
from solvers.promise_parcels import Ask, Atp

FIRST_DAY, HORIZON = 100, 60


@dataclass(frozen=True)
class Case:
    demand: np.ndarray
    atp: Atp
    steps: dict[tuple[int, int], list[tuple[int, int]]]
    ask: Ask
    cards: Cards
    days: Days
    local_day: np.ndarray
    works: np.ndarray
    serving: np.ndarray


def random_rules(rng: np.random.Generator, nodes: int, services: int) -> Rules:
    """Every node and service refuses some of three handling classes; every service has all its surcharges, or few."""
    refused = rng.integers(0, 8, nodes + services) * (rng.random(nodes + services) < 0.4)
    columns = [
        rng.choice([0, 3, 10], services),
        rng.choice([0, 5, 1250], services),
        rng.choice([6, 12, NO_LIMIT], services),
        rng.choice([20, 40, NO_LIMIT], services),
        rng.choice([5, NO_LIMIT], services),
        rng.choice([0, 17], services),
        refused[nodes:],
    ]
    return Rules(refused[:nodes], np.ascontiguousarray(np.stack(columns, axis=1)), False)


def random_goods(rng: np.random.Generator, lines: int, services: int) -> Goods:
    """Handling classes of lines, none to three cartons for every mask, surcharges of the place, a kit to keep whole."""
    goods = plain_goods()._replace(plain=False)
    if rng.random() < 0.5:
        goods = goods._replace(handling=rng.integers(0, 8, lines) * (rng.random(lines) < 0.5))
    if rng.random() < 0.5:
        goods = goods._replace(area=rng.integers(0, 9, (2, services)))
    if rng.random() < 0.4 and lines > 1:
        goods = goods._replace(whole=np.array([0b11]))
    if rng.random() < 0.7:
        counts = np.concatenate([[0], rng.integers(0, 4, (1 << lines) - 1)])
        rows = [
            (rng.integers(1, 3), *rng.integers(1, 8, 1), *rng.integers(1, 60, 1), *rng.integers(1, 50, 2), -1)
            for _ in range(counts.sum())
        ]
        goods = goods._replace(
            carton_start=np.concatenate([[0], np.cumsum(counts)]),
            cartons=np.array(rows, dtype=np.int64).reshape(-1, 6),
            packaging=rng.integers(0, 9, 1 << lines),
        )
    return goods


def random_case(seed: int, *, is_plain: bool) -> Case:
    """Few lines, nodes and services, with weight steps that a joint parcel may exceed and products that lines share."""
    rng = np.random.default_rng(seed)
    lines, nodes, services, zones = (
        int(rng.integers(1, 5)),
        int(rng.integers(1, 5)),
        int(rng.integers(1, 4)),
        2,
    )
    products = int(rng.integers(1, lines + 1)) if rng.random() < 0.4 else lines
    demand = np.zeros((lines, products), dtype=np.int64)
    for line in range(lines):
        demand[line, line % products] = rng.integers(1, 4)
        if rng.random() < 0.2:
            demand[line, rng.integers(products)] += 1
    local_day = FIRST_DAY + rng.integers(1, 3, nodes)
    steps, offsets, step_day, step_atp = {}, [0], [], []
    today = np.zeros(products * nodes, dtype=np.int64)
    for product in range(products):
        for node in range(nodes):
            level, day = int(rng.integers(-1, 6)), int(local_day[node])
            row = [(day, level)]
            for _ in range(int(rng.integers(0, 3))):
                day, level = day + int(rng.integers(1, 6)), level + int(rng.integers(1, 4))
                row.append((day, level))
            steps[product, node] = row
            today[product * nodes + node] = row[0][1]
            step_day += [d for d, _ in row[1:]]
            step_atp += [a for _, a in row[1:]]
            offsets.append(len(step_day))
    rate_offset, weight, cost, transit = [0], [], [], []
    for _ in range(services * zones):
        heaviest = sorted(set(rng.integers(1, 12, int(rng.integers(0, 4))).tolist()))
        weight += heaviest
        cost += rng.integers(0, 30, len(heaviest)).tolist()
        transit += rng.integers(0, 4, len(heaviest)).tolist()
        rate_offset.append(len(weight))
    works = rng.random((services, HORIZON)) < 0.7
    node_works = rng.random((nodes, HORIZON)) < 0.8
    before = np.zeros((services, HORIZON + 1), dtype=np.int64)
    before[:, 1:] = np.cumsum(works, axis=1)
    nth = np.full((services, HORIZON), NEVER, dtype=np.int64)
    common = np.full((services * nodes, HORIZON), NEVER, dtype=np.int64)
    pair = np.arange(services * nodes, dtype=np.int64).reshape(services, nodes)
    for service in range(services):
        open_days = np.flatnonzero(works[service])
        nth[service, : len(open_days)] = open_days + FIRST_DAY
        for node in range(nodes):
            for day in range(HORIZON - 1, -1, -1):
                later = common[pair[service, node], day + 1] if day + 1 < HORIZON else NEVER
                both = works[service, day] and node_works[node, day]
                common[pair[service, node], day] = FIRST_DAY + day if both else later
    goods = plain_goods() if is_plain else random_goods(rng, lines, services)
    of_values = np.random.default_rng(10_000 + seed)
    values = of_values.integers(0, 40, (nodes, lines)) if seed % 2 else np.zeros((0, 0), dtype=np.int64)
    return Case(
        demand=demand,
        atp=Atp(today, ints(offsets), ints(step_day), ints(step_atp)),
        steps=steps,
        ask=Ask(
            units=demand.sum(axis=1),
            weight_g=rng.integers(1, 7, lines),
            nodes=np.flatnonzero(rng.random(nodes) < 0.9).astype(np.int64),
            services=rng.permutation(services).astype(np.int64),
            zone=rng.integers(0, zones, nodes),
            distance_km=np.zeros(nodes),
            shift=rng.integers(-1, 2, nodes),
            need_by=int(FIRST_DAY + rng.integers(3, 15)) if rng.random() < 0.3 else NEVER - 1,
            most_parcels=int(rng.integers(0, 4)) if rng.random() < 0.4 else 10,
            split_cost=int(rng.choice([0, 0, 5, 40])),
            complete=bool(rng.random() < 0.2),
            goods=goods,
            values=values,
        ),
        cards=Cards(
            rng.integers(0, 12, nodes),
            rng.integers(0, 3, nodes),
            rng.random((services, nodes)) < 0.85,
            ints(rate_offset),
            ints(weight),
            ints(cost),
            ints(transit),
            zones,
            plain_rules(nodes, services) if is_plain else random_rules(rng, nodes, services),
        ),
        days=Days(
            FIRST_DAY,
            local_day[None, :] + rng.integers(0, 3, (services, nodes)),
            pair,
            common,
            np.arange(services, dtype=np.int64),
            before,
            nth,
            nothing_learned(services, nodes, zones, services),
            no_load(nodes),
        ),
        local_day=local_day,
        works=works,
        serving=node_works,
    )


def ints(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def parcel(case: Case, node: int, service: int, lines: tuple[int, ...]) -> tuple[int, int] | None:
    """Cost and arrival of one parcel by the book, in plain Python."""
    if not case.cards.serves[service, node]:
        return None
    ready = int(case.days.ready[service, node])
    for product in range(case.demand.shape[1]):
        needed = sum(int(case.demand[line, product]) for line in lines)
        if needed:
            day = next((d for d, atp in case.steps[product, node] if atp >= needed), None)
            if day is None:
                return None
            ready = max(ready, day)
    paid = freight(case, node, service, lines)
    if paid is None:
        return None
    parts, transit_days = paid
    day = ready
    while not (works_on(case.works[service], day) and works_on(case.serving[node], day)):
        day += 1
        if day >= FIRST_DAY + HORIZON:
            return None
    day += int(case.ask.shift[node])
    left = transit_days
    if left == 0:
        while not works_on(case.works[service], day):
            day += 1
            if day >= FIRST_DAY + HORIZON:
                return None
    while left > 0:
        day += 1
        if day >= FIRST_DAY + HORIZON:
            return None
        left -= works_on(case.works[service], day)
    units = sum(int(case.ask.units[line]) for line in lines)
    cost = sum(parts) + int(case.cards.parcel_cost[node]) + int(case.cards.unit_cost[node]) * units
    return (cost, day) if day <= case.ask.need_by else None


def freight(case: Case, node: int, service: int, lines: tuple[int, ...]) -> tuple[list[int], int] | None:
    """Rate, residential, remote, oversize, fuel and packaging of a parcel, and its transit days, by the book."""
    goods, rule = case.ask.goods, case.cards.rules.service[service].tolist()
    dim_divisor, fuel_points, most_mm, most_girth_mm, most_g, oversize_cents, refused = rule
    classes = {c for line in lines if len(goods.handling) for c in range(3) if goods.handling[line] >> c & 1}
    if any(int(case.cards.rules.node_bars[node]) >> c & 1 or refused >> c & 1 for c in classes):
        return None
    cartons, packaging = [(1, sum(int(case.ask.weight_g[line]) for line in lines), 0, 0, 0)], 0
    if len(goods.carton_start):
        mask = sum(1 << line for line in lines)
        first, last = goods.carton_start[mask : mask + 2]
        cartons, packaging = [tuple(row[:5]) for row in goods.cartons[first:last].tolist()], int(goods.packaging[mask])
    cell = service * case.cards.zones + int(case.ask.zone[node])
    card = range(case.cards.offset[cell], case.cards.offset[cell + 1])
    rate, oversize, number, days = 0, 0, 0, 0
    for count, grams, volume, longest, girth in cartons:
        counted = max(grams, math.ceil(volume / dim_divisor)) if dim_divisor else grams
        step = next((i for i in card if case.cards.max_weight_g[i] >= counted), None)
        if step is None:
            return None
        rate += count * int(case.cards.cost[step])
        days = max(days, int(case.cards.transit_days[step]))
        number += count
        oversize += oversize_cents * count * (longest > most_mm or girth > most_girth_mm or grams > most_g)
    area = [number * int(cents) for cents in goods.area[:, service]] if goods.area.size else [0, 0]
    fuel = Fraction((rate + sum(area) + oversize) * fuel_points, 10_000)
    return [rate, *area, oversize, math.floor(fuel + Fraction(1, 2)), packaging], days


def worth(case: Case, node: int, lines: tuple[int, ...]) -> int:
    """What the units of some lines are worth at a node."""
    return sum(int(case.ask.values[node, line]) for line in lines) if case.ask.values.size else 0


def works_on(works: np.ndarray, day: int) -> bool:
    return 0 <= day - FIRST_DAY < HORIZON and bool(works[day - FIRST_DAY])


def every_plan(case: Case) -> list[tuple[frozenset[int], int, int, int]]:
    """(lines served, cost with splits and values, last arrival, parcels) of every assignment of lines and services."""
    lines = len(case.ask.units)
    plans = []
    for assigned in itertools.product([None, *case.ask.nodes.tolist()], repeat=lines):
        used = sorted({node for node in assigned if node is not None})
        if not used or len(used) > case.ask.most_parcels:
            continue
        groups = [(node, tuple(i for i in range(lines) if assigned[i] == node)) for node in used]
        for chosen in itertools.product(case.ask.services.tolist(), repeat=len(used)):
            parcels = [
                parcel(case, node, service, group) for (node, group), service in zip(groups, chosen, strict=True)
            ]
            if any(found is None for found in parcels):
                continue
            cost = sum(found[0] for found in parcels) + case.ask.split_cost * (len(parcels) - 1)
            cost += sum(worth(case, node, group) for node, group in groups)
            served = frozenset(i for i in range(lines) if assigned[i] is not None)
            if case.ask.goods.whole.size and len(served & {0, 1}) == 1:
                continue
            plans.append((served, cost, max(found[1] for found in parcels), len(parcels)))
    return plans


def front(worths: set[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
    """(cost, last arrival, parcels) that no other is at least as good as in all three."""
    return {one for one in worths if not any(other != one and all(map(int.__le__, other, one)) for other in worths)}


@pytest.mark.parametrize("block", range(8))
def test_every_option_equals_the_best_of_all_assignments(block: int) -> None:
    for seed in range(block * 60, block * 60 + 60):
        case = random_case(seed, is_plain=block < 4)
        plans, counts, served = promise_order(case.demand, case.local_day, case.atp, case.ask, case.cards, case.days)
        possible = every_plan(case)
        if case.ask.complete:
            possible = [plan for plan in possible if len(plan[0]) == len(case.ask.units)]
        if not possible:
            assert served == 0, seed
            continue
        most = max(sum(int(case.ask.units[i]) for i in plan[0]) for plan in possible)
        full = [plan for plan in possible if sum(int(case.ask.units[i]) for i in plan[0]) == most]
        found = [check_and_sum(case, plan, int(count), served) for plan, count in zip(plans, counts, strict=True)]
        assert found[0] == min(plan[1:] for plan in full), seed
        lines = frozenset(i for i in range(len(case.ask.units)) if served >> i & 1)
        same = {plan[1:] for plan in full if plan[0] == lines}
        assert sorted(found) == sorted(front(same)), seed


def check_and_sum(case: Case, rows: np.ndarray, count: int, served: int) -> tuple[int, int, int]:
    """(cost with values, last arrival, parcels) of a plan; its parcels are by the book, of distinct nodes, disjoint."""
    parcels = rows[:count]
    assert len({int(row[NODE]) for row in parcels}) == count
    assert sum(int(row[MASK]) for row in parcels) == served
    cost = case.ask.split_cost * (count - 1)
    for row in parcels:
        lines = tuple(i for i in range(len(case.ask.units)) if row[MASK] >> i & 1)
        assert parcel(case, int(row[NODE]), int(row[SERVICE]), lines) == (row[COST], row[ARRIVAL_DAY])
        parts = [int(row[part]) for part in (RATE, RESIDENTIAL, REMOTE, OVERSIZE, FUEL, PACKAGING)]
        paid = freight(case, int(row[NODE]), int(row[SERVICE]), lines)
        assert paid is not None
        assert paid[0] == parts
        cost += int(row[COST]) + worth(case, int(row[NODE]), lines)
    return cost, int(parcels[:, ARRIVAL_DAY].max()), count
