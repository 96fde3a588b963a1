"""Where the people are (real), and where we put distribution centres and stores for them (ours)."""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.integrations.geography import Floats, great_circle_km

OUTSIDE_LOWER_48 = {"AK", "HI", "MH", ""}
DC_COUNT, STORE_COUNT = 10, 50
STORE_REACH_KM = 45.0
COVERED_REMAINS = 0.12
STATE_TIME_ZONES = {
    "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
    "America/Denver": "CO ID MT NM UT WY",
    "America/Los_Angeles": "CA NV OR WA",
    "America/Phoenix": "AZ",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A ZIP code, or a three-digit prefix of them: centroid in degrees, people in the 2010 census."""

    code: str
    city: str
    state: str
    latitude: float
    longitude: float
    population: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a node stands, and how many people it was placed for."""

    node_id: str
    kind: str
    area: Area
    people: float


def read_prefixes(source: Path) -> list[Area]:
    """Read the three-digit ZIP prefixes of all states."""
    with (source / "us_geo" / "zip3.csv").open(encoding="utf-8", newline="") as file:
        return [
            Area(
                code=row["zip3"],
                city=row["main_city"],
                state=row["state"],
                latitude=float(row["lat"]),
                longitude=float(row["lon"]),
                population=int(row["pop2010"]),
            )
            for row in csv.DictReader(file)
        ]


def read_zip_codes(source: Path) -> list[Area]:
    """Read the inhabited five-digit ZIP codes of the lower 48 states and DC."""
    with gzip.open(source / "us_geo" / "zip5.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return [
            Area(
                code=row["zip5"],
                city=row["city"],
                state=row["state"],
                latitude=float(row["lat"]),
                longitude=float(row["lon"]),
                population=int(row["pop2010"]),
            )
            for row in csv.DictReader(file)
            if row["state"] not in OUTSIDE_LOWER_48 and int(row["pop2010"]) > 0
        ]


def time_zone(area: Area) -> str:
    """Return the IANA time zone: the state's, or for split states by longitude (an approximation of county lines)."""
    state, latitude, longitude = area.state, area.latitude, area.longitude
    if {"FL": -85.1, "KY": -86.2}.get(state, -180.0) > longitude:
        return "America/Chicago"
    if state == "IN" and longitude < -86.8 and not 38.5 < latitude < 40.9:
        return "America/Chicago"
    if state == "TN" and longitude > -85.1:
        return "America/New_York"
    if {"ND": -101.3, "SD": -100.4, "NE": -101.2, "KS": -101.5, "TX": -104.8}.get(state, -180.0) > longitude:
        return "America/Denver"
    if state == "ID" and latitude > 45.5:
        return "America/Los_Angeles"
    return next(zone for zone, states in STATE_TIME_ZONES.items() if state in states.split())


def place_nodes(prefixes: list[Area]) -> list[Place]:
    """Place the distribution centres and the stores, deterministically, in the lower 48 states."""
    areas = [area for area in prefixes if area.state not in OUTSIDE_LOWER_48]
    latitude = np.array([area.latitude for area in areas])
    longitude = np.array([area.longitude for area in areas])
    people = np.array([area.population for area in areas], dtype=np.float64)
    distance = great_circle_km(latitude[:, None], longitude[:, None], latitude, longitude)
    centres = _median_places(distance, people, DC_COUNT)
    nearest = np.argmin(distance[:, centres], axis=1)
    placed = [("dc", at, float(people[nearest == rank].sum())) for rank, at in enumerate(centres)]
    placed += [("store", at, covered) for at, covered in _covering_places(distance, people, STORE_COUNT)]
    node_ids: dict[str, int] = {}
    places = []
    for kind, at, covered in placed:
        name = f"{kind}-{re.sub(r'[^a-z]+', '-', areas[at].city.lower())}-{areas[at].state.lower()}"
        node_ids[name] = node_ids.get(name, 0) + 1
        node_id = name if node_ids[name] == 1 else f"{name}-{node_ids[name]}"
        places.append(Place(node_id=node_id, kind=kind, area=areas[at], people=covered))
    return places


def _median_places(distance: Floats, people: Floats, count: int) -> list[int]:
    """Choose `count` areas with the least people × km to the nearest one: greedy, then swaps while they help."""
    nearest = np.full(len(people), np.inf)
    chosen: list[int] = []
    for _ in range(count):
        chosen.append(int(np.argmin(people @ np.minimum(nearest[:, None], distance))))
        nearest = np.minimum(nearest, distance[:, chosen[-1]])
    while True:
        before = people @ nearest
        for slot in range(count):
            others = np.min(distance[:, chosen[:slot] + chosen[slot + 1 :]], axis=1)
            chosen[slot] = int(np.argmin(people @ np.minimum(others[:, None], distance)))
            nearest = np.minimum(others, distance[:, chosen[slot]])
        if people @ nearest >= before:
            return chosen


def _covering_places(distance: Floats, people: Floats, count: int) -> list[tuple[int, float]]:
    """Choose areas one by one for the people within reach whom no earlier choice covers (some always stay)."""
    within = distance <= STORE_REACH_KM
    left = people.copy()
    chosen: list[tuple[int, float]] = []
    for _ in range(count):
        reached = within @ left
        reached[[at for at, _ in chosen]] = -1.0
        at = int(np.argmax(reached))
        chosen.append((at, float(reached[at])))
        left[within[at]] *= COVERED_REMAINS
    return chosen
