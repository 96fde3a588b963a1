"""The places that orders are drawn from: those of a list, of a file, or all postal codes of the network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import Fault
from engine.network.document import NetworkDocument
from engine.routing.csv_table import Column, read_table
from engine.scenarios.destinations import Gazetteer, code_numbers
from engine.scenarios.orders import Floats, Integers
from engine.scenarios.patterns import PatternsDocument, PlaceDocument

_COLUMNS = (
    Column(name="latitude", kind=float, least=-90, most=90, blank=np.nan, optional=True),
    Column(name="longitude", kind=float, least=-180, most=180, blank=np.nan, optional=True),
    Column(name="country", blank=0, optional=True),
    Column(name="postal_code", blank=0, optional=True),
    Column(name="share", kind=float, most=10**12, blank=1.0, optional=True),
    Column(name="spread_km", kind=float, most=5_000, blank=0.0, optional=True),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Where orders go, by place; `postal_code` is an index into `postal_codes`, −1: coordinates only."""

    share: Floats
    latitude: Floats
    longitude: Floats
    spread_km: Floats
    postal_code: Integers
    postal_codes: tuple[tuple[str, str], ...]


def places_of(document: PatternsDocument, network: NetworkDocument, folder: Path, faults: list[Fault]) -> Places:
    """Return the places of a document, noting every fault; a file is read from `folder`."""
    listed, paths = _listed(document, network, folder)
    if not any(place.share for place in listed):
        message = "no place has a share; give places, or postal_codes in the network"
        faults.append(Fault(path="$.places", message=message))
    gazetteer = Gazetteer(network)
    at = [
        gazetteer.coordinates(place.latitude, place.longitude, place.country, place.postal_code, path, faults)
        for place, path in zip(listed, paths, strict=True)
    ]
    numbers, codes = code_numbers([(place.country, place.postal_code) for place in listed])
    return Places(
        share=np.array([place.share for place in listed], float),
        latitude=np.array([latitude for latitude, _ in at], float),
        longitude=np.array([longitude for _, longitude in at], float),
        spread_km=np.array([place.spread_km for place in listed], float),
        postal_code=np.array(numbers, np.int64),
        postal_codes=codes,
    )


def _listed(
    document: PatternsDocument, network: NetworkDocument, folder: Path
) -> tuple[list[PlaceDocument], list[str]]:
    """Return the places, and where each of them stands."""
    if document.places_file is not None:
        return _read(folder / document.places_file)
    if document.places is None:
        codes = network.postal_codes
        places = [PlaceDocument(country=code.country, postal_code=code.postal_code) for code in codes]
        return places, ["$.places"] * len(places)
    return list(document.places), [f"$.places[{number}]" for number in range(len(document.places))]


def _read(path: Path) -> tuple[list[PlaceDocument], list[str]]:
    table = read_table(path, _COLUMNS)
    columns = [
        *([None if np.isnan(value) else value for value in table.number[name].tolist()] for name in _DEGREES),
        *(table.number[name].tolist() for name in ("share", "spread_km")),
        *([text or None for text in table.text[name]] or [None] * table.rows for name in ("country", "postal_code")),
    ]
    names = (*_DEGREES, "share", "spread_km", "country", "postal_code")
    places = [
        PlaceDocument.model_construct(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True)
    ]
    return places, [f"{table.file}:{table.line(row)}" for row in range(table.rows)]


_DEGREES = ("latitude", "longitude")
