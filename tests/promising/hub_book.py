"""The rules of parcels, transfers and hubs day by day in plain Python, and every way to bring the lines of a case.

Not here: cases (hub_cases.py).
"""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

from tests.promising.hub_cases import CALENDARS, WEEK, Case

Worth = tuple[int, date, int]
Way = tuple[str, str | None, str | None]
"""The node that has a line, the hub it is sent to if any, and the service, if nodes may ship by several."""


def works(calendar: str, day: date) -> bool:
    return WEEK[day.weekday()] in CALENDARS[calendar]


def working_from(calendars: list[str], day: date) -> date:
    while not all(works(calendar, day) for calendar in calendars):
        day += timedelta(days=1)
    return day


def after_working_days(calendar: str, day: date, count: int) -> date:
    day = working_from([calendar], day)
    for _ in range(count):
        day = working_from([calendar], day + timedelta(days=1))
    return day


def minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def arrives(calendar: str, day: date, transit_days: int) -> date:
    for _ in range(transit_days):
        day = working_from([calendar], day + timedelta(days=1))
    return working_from([calendar], day)


class Book:
    """What a case says, by name."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.nodes = {node["node_id"]: node for node in case.network["nodes"]}
        self.transfers = {(t["from_node_id"], t["to_node_id"]): t for t in case.network["transfers"]}
        self.clock = case.now.hour * 60 + case.now.minute

    def covered(self, node: str, lines: tuple[int, ...]) -> date | None:
        wanted: dict[str, int] = {}
        for line in lines:
            sku, quantity = self.case.lines[line]
            wanted[sku] = wanted.get(sku, 0) + quantity
        latest = self.case.today
        for sku, quantity in wanted.items():
            day = next((d for d, level in self.case.stock.get((node, sku), []) if level >= quantity), None)
            if day is None:
                return None
            latest = max(latest, day)
        return latest

    def ready(self, node: dict[str, Any], pick_up: str | None) -> date:
        """The first day on which an order of now could leave a node, picked up at a time."""
        start = self.case.today + timedelta(days=self.clock >= minutes(node["cut_off"]))
        day = after_working_days(node["calendar"], start, node["processing_days"])
        is_today = day == self.case.today and node["processing_days"] == 0
        return day + timedelta(days=is_today and pick_up is not None and self.clock >= minutes(pick_up))

    def weight_g(self, lines: tuple[int, ...]) -> int:
        return sum(self.case.weights[self.case.lines[line][0]] * self.case.lines[line][1] for line in lines)

    def ships_apart(self, node: str) -> bool:
        """Whether no service that comes to a node takes all lines, which share no product."""
        skus = [sku for sku, _ in self.case.lines]
        classes = {self.case.classes[sku] for sku in skus}
        here = self.nodes[node]["services"]
        coming = [s for s in self.case.network["services"] if here is None or s["service"] in here]
        return len(set(skus)) == len(skus) > 1 and all(classes & set(service["refuses"]) for service in coming)

    def worth(self, node: str, lines: tuple[int, ...]) -> int:
        """What units are worth at a node to later demand."""
        wanted = [self.case.lines[line] for line in lines]
        return sum(self.case.prices.get((node, sku), 0) * quantity for sku, quantity in wanted)

    def units(self, lines: tuple[int, ...]) -> int:
        return sum(self.case.lines[line][1] for line in lines)

    def carried(self, node: str, service: dict[str, Any], lines: tuple[int, ...], day: date) -> tuple[int, date] | None:
        """What a parcel costs without its units, and when it arrives, if it could leave from a day on."""
        if any(self.case.classes[self.case.lines[line][0]] in service["refuses"] for line in lines):
            return None
        if service["service"] not in (self.nodes[node]["services"] or (service["service"],)):
            return None
        rate = next((r for r in service["rates"] if r["max_weight_g"] >= self.weight_g(lines)), None)
        if rate is None:
            return None
        leaves = working_from([self.nodes[node]["calendar"], service["calendar"]], day)
        arrival = arrives(service["calendar"], leaves, rate["transit_days"])
        return rate["cost_cents"] + self.nodes[node]["parcel_cost_cents"], arrival

    def direct(self, node: str, service: dict[str, Any], lines: tuple[int, ...]) -> tuple[int, date] | None:
        covered = self.covered(node, lines)
        if covered is None:
            return None
        day = max(covered, self.ready(self.nodes[node], service["cut_off"]))
        found = self.carried(node, service, lines, day)
        return found and (found[0] + self.nodes[node]["unit_cost_cents"] * self.units(lines), found[1])

    def by_hub(self, hub: str, service: dict[str, Any], sources: dict[str, tuple[int, ...]]) -> tuple[int, date] | None:
        """What a parcel of a hub costs, and when it arrives; `sources` are the lines by the node that has them."""
        cents, day = 0, date.min
        for source, lines in sources.items():
            covered = self.covered(source, lines)
            if covered is None:
                return None
            node, units = self.nodes[source], self.units(lines)
            cents += node["unit_cost_cents"] * units
            if source == hub:
                day = max(day, covered, self.ready(node, service["cut_off"]))
                continue
            transfer = self.transfers.get((source, hub))
            if transfer is None:
                return None
            leaves = working_from(
                [node["calendar"], transfer["calendar"]], max(covered, self.ready(node, transfer["cut_off"]))
            )
            each = transfer["unit_cost_cents"] + self.nodes[hub]["hub"]["unit_cost_cents"]
            cents += transfer["cost_cents"] + each * units
            cents += (self.weight_g(lines) * transfer["kg_cost_cents"] + 500) // 1000
            day = max(day, self.packed(hub, transfer, service, leaves))
        lines = tuple(sorted(line for part in sources.values() for line in part))
        found = self.carried(hub, service, lines, day)
        return found and (found[0] + cents, found[1])

    def packed(self, hub: str, transfer: dict[str, Any], service: dict[str, Any], leaves: date) -> date:
        """The day on which a service could take what left on a day."""
        node, at = self.nodes[hub], minutes(transfer["arrives_at"])
        arrival = arrives(transfer["calendar"], leaves, transfer["transit_days"])
        start = working_from([node["calendar"]], arrival + timedelta(days=at >= minutes(node["cut_off"])))
        if node["hub"]["processing_days"]:
            return after_working_days(node["calendar"], start, node["hub"]["processing_days"])
        is_gone = start == arrival and service["cut_off"] is not None and at >= minutes(service["cut_off"])
        return start + timedelta(days=is_gone)


def every_plan(case: Case) -> list[tuple[frozenset[int], Worth]]:
    """The lines and the (cost with values, last day, parcels) of every way in which they could be brought."""
    book, split = Book(case), case.network["policy"]["split_cost_cents"]
    every = [s["service"] for s in case.network["services"]]
    names = {node: every if book.ships_apart(node) else [None] for node in book.nodes}
    hubs = sorted({hub for _, hub in book.transfers})
    ways: list[Way] = [(node, hub, name) for hub in hubs for node in book.nodes for name in names[hub]]
    ways += [(node, None, name) for node in book.nodes for name in names[node]]
    most = case.request.get("max_shipments", 9)
    plans = []
    for assigned in itertools.product([None, *ways], repeat=len(case.lines)):
        served = frozenset(line for line, way in enumerate(assigned) if way is not None)
        used: dict[Way, tuple[int, ...]] = {}
        for line, way in enumerate(assigned):
            if way is not None:
                used[way] = (*used.get(way, ()), line)
        senders = [node for node, hub, name in used if hub is not None or name is None]
        packing = sorted({(hub, name) for _, hub, name in used if hub is not None}, key=str)
        direct = [(node, name) for node, hub, name in used if hub is None]
        shippers = direct + packing
        if not used or len(set(senders)) < len(senders) or len(set(shippers)) < len(shippers) or len(shippers) > most:
            continue
        choices: list[list[tuple[int, date]]] = []
        for node, name in direct:
            services = [s for s in case.network["services"] if name in (None, s["service"])]
            found = [book.direct(node, service, used[node, None, name]) for service in services]
            choices.append([one for one in found if one is not None])
        for hub, name in packing:
            services = [s for s in case.network["services"] if name in (None, s["service"])]
            sources = {node: lines for (node, *to), lines in used.items() if to == [hub, name]}
            found = [book.by_hub(hub, service, sources) for service in services]
            choices.append([one for one in found if one is not None])
        worth = sum(book.worth(node, lines) for (node, _, _), lines in used.items())
        for chosen in itertools.product(*choices):
            last = max(day for _, day in chosen)
            if last <= case.request.get("need_by", date.max):
                cost = sum(c for c, _ in chosen) + split * (len(chosen) - 1)
                plans.append((served, (cost + worth, last, len(chosen))))
    return plans
