"""The microchip maker's day (Kalganova & Dzalbs 2019, Brunel University London) as a problem folder.

Here: which plant may serve which order, at what cost, in decimal arithmetic. Not here: reading the files
(`brunel_files.py`) and the data itself (`scenarios/real/brunel/`, whose README states the rules).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path

from engine.errors import Fault, InvalidInput
from engine.integrations.brunel_files import OWN_FREIGHT, DataSet, read_data_set
from engine.routing.folder_writer import ProblemTables, refuse_occupied, write_problem_folder
from engine.routing.settings import ProblemSettings

MOST_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One plant that may serve one order, with the whole cost in dollars, unrounded."""

    plant: str
    order_id: str
    service: str
    cost: Decimal
    transit_days: int

    @property
    def cost_cents(self) -> int:
        """The cost in cents, rounded half to even."""
        return int((self.cost * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def import_brunel(source: Path, folder: Path, days: int) -> ProblemTables:
    """Turn the data set in `source` into a problem folder with `days` days of every plant's capacity.

    Raises InvalidInput naming file, line, column, value and remedy; then nothing is written.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(Fault(path="--days", message=f"{days} is not in 1 … {MOST_DAYS}"))
    refuse_occupied(folder)
    data = read_data_set(source)
    tables = build_tables(data, list(eligible_lanes(data)), days)
    write_problem_folder(folder, tables)
    return tables


def build_tables(data: DataSet, lanes: list[Lane], days: int) -> ProblemTables:
    """Return the problem: one line of quantity 1 per order, since the order is what a plant's capacity counts.

    A backorder costs more than moving one order per plant at the dearest lane, so that most orders come first.
    """
    dearest = max((lane.cost_cents for lane in lanes), default=0)
    orders_of = Counter(data.products)
    stocked = sorted({(plant, product) for plant, product in data.stocked if product in orders_of})
    plants = list(data.orders_per_day)
    blank = [None] * len(plants)
    return ProblemTables(
        settings=ProblemSettings(
            version=1,
            name=f"Brunel microchip maker, {days} days of capacity",
            backorder_cost_cents_per_unit=(len(plants) + 1) * (dearest + 1),
        ),
        nodes={
            "node_id": plants,
            "kind": ["dc"] * len(plants),
            "latitude": blank,
            "longitude": blank,
            "parcel_cost_cents": [0] * len(plants),
            "unit_cost_cents": [0] * len(plants),
            "capacity_units": blank,
            "capacity_parcels": [days * limit for limit in data.orders_per_day.values()],
        },
        stock={
            "node_id": [plant for plant, _ in stocked],
            "sku": [product for _, product in stocked],
            "available": [orders_of[product] for _, product in stocked],
        },
        orders={
            "order_id": data.order_ids,
            "latitude": [None] * len(data.order_ids),
            "longitude": [None] * len(data.order_ids),
        },
        order_lines={
            "order_id": data.order_ids,
            "sku": data.products,
            "quantity": [1] * len(data.order_ids),
        },
        lanes={
            "node_id": [lane.plant for lane in lanes],
            "order_id": [lane.order_id for lane in lanes],
            "service": [lane.service for lane in lanes],
            "cost_cents": [lane.cost_cents for lane in lanes],
            "transit_days": [lane.transit_days for lane in lanes],
        },
    )


def eligible_lanes(data: DataSet) -> Iterator[Lane]:
    """Yield every plant that may serve an order, with its cheapest freight (ties: fewer days, then the name)."""
    plants_of = _grouped((product, plant) for plant, product in data.stocked)
    ports_of, customers_of = _grouped(data.ports), _grouped(data.customers_of)

    @cache
    def cheapest(plant: str, to_port: str, service: str, weight_kg: Decimal) -> tuple[Decimal, int, str] | None:
        if service == OWN_FREIGHT:
            return Decimal(0), 0, OWN_FREIGHT
        return min(
            (
                (freight.cost(weight_kg), freight.transit_days, f"{freight.carrier} {freight.mode}")
                for port in ports_of.get(plant, ())
                for freight in data.freights.get((port, to_port, service), ())
                if freight.min_kg <= weight_kg <= freight.max_kg
            ),
            default=None,
        )

    for order_id, service, customer, product, to_port, quantity, weight_kg in zip(
        data.order_ids,
        data.services,
        data.customers,
        data.products,
        data.destination_ports,
        data.quantities,
        data.weights_kg,
        strict=True,
    ):
        for plant in sorted(plants_of.get(product, ())):
            if plant in customers_of and customer not in customers_of[plant]:
                continue
            found = cheapest(plant, to_port, service, weight_kg)
            if found is not None:
                freight, transit_days, name = found
                yield Lane(
                    plant=plant,
                    order_id=order_id,
                    service=name,
                    cost=quantity * data.plant_costs[plant] + freight,
                    transit_days=transit_days,
                )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    groups = defaultdict(set)
    for key, value in pairs:
        groups[key].add(value)
    return dict(groups)
