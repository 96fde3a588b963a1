"""Which carrier services do not deliver to an address: post office boxes, and areas by country and postal prefix.

Here: the compiled form, and who does not serve a destination. Not here: the document (document.py), distance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from engine.network.document import NetworkDocument, ServiceDocument

NotServedCause = Literal["po_box", "area"]
_WHOLE_COUNTRY = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Addresses:
    """Where services deliver: `areas` has, by country and postal prefix, services by number and whether they serve it.

    `listed` are the services that deliver to listed areas only, `without_po_boxes` those that serve no such box.
    """

    areas: Mapping[str, Mapping[str, tuple[tuple[int, bool], ...]]]
    listed: tuple[int, ...]
    without_po_boxes: tuple[int, ...]

    def not_served_by(
        self, country: str | None, postal_code: str | None, *, is_po_box: bool
    ) -> dict[int, NotServedCause]:
        """Return the services that do not deliver to a destination, and why.

        The longest prefix that a service names counts. Without a postal code, only what holds for the whole country is
        known; without a country, only which services deliver to listed areas.
        """
        found: dict[int, NotServedCause] = dict.fromkeys(self.listed, "area")
        prefixes = None if country is None else self.areas.get(country)
        if prefixes:
            code = "" if postal_code is None else postal_code.strip().upper()
            for length in range(len(code) + 1):
                for service, is_served in prefixes.get(code[:length], ()):
                    if is_served:
                        found.pop(service, None)
                    else:
                        found[service] = "area"
        if is_po_box:
            found.update(dict.fromkeys(self.without_po_boxes, "po_box"))
        return found


def compile_addresses(document: NetworkDocument) -> Addresses | None:
    """Turn what a checked document says of addresses into a table; None if every service delivers everywhere."""
    areas: dict[str, dict[str, list[tuple[int, bool]]]] = {}
    for s, entry in enumerate(document.services):
        for country, prefix, is_served in area_entries(entry):
            areas.setdefault(country, {}).setdefault(prefix, []).append((s, is_served))
    listed = tuple(s for s, entry in enumerate(document.services) if entry.served_areas is not None)
    without_po_boxes = tuple(s for s, entry in enumerate(document.services) if not entry.delivers_to_po_boxes)
    if not (areas or listed or without_po_boxes):
        return None
    frozen = {
        country: MappingProxyType({prefix: tuple(found) for prefix, found in prefixes.items()})
        for country, prefixes in areas.items()
    }
    return Addresses(areas=MappingProxyType(frozen), listed=listed, without_po_boxes=without_po_boxes)


def area_entries(entry: ServiceDocument) -> Iterator[tuple[str, str, bool]]:
    """Yield country, prefix ("" for all of it) and whether it is served, for each area that a service names."""
    for areas, is_served in ((entry.served_areas or (), True), (entry.unserved_areas, False)):
        for area in areas:
            for prefix in (_WHOLE_COUNTRY,) if area.postal_prefixes is None else area.postal_prefixes:
                yield area.country, prefix, is_served
