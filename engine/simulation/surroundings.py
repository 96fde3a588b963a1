"""What all parts of a simulation go by: the network of now, its calendars, what its parcels cost and weigh."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from engine.availability.reference import View
from engine.network.days import Calendars
from engine.network.model import Network
from engine.simulation.carriage import Carriage


class Surroundings:
    """The network of now; `follow` has to be called before the first look, and whenever it may have changed."""

    carriage: Carriage
    calendars: Calendars

    def __init__(self) -> None:
        self._view: View | None = None

    def follow(self, view: View, now: datetime) -> None:
        """Go by a view of the world from now on; calendars move on with the days."""
        self.calendars = view.days.at(now).calendars
        if self._view is None or self._view.network is not view.network:
            self.carriage = Carriage(view.network)
        self._view = view

    @property
    def network(self) -> Network:
        """The network of now."""
        return self.carriage.network

    def weight_g(self, sku: str) -> int:
        """Return what a unit weighs."""
        assert self._view is not None
        return self._view.catalog.content[sku].weight_g

    def zone_of(self, node_id: str) -> ZoneInfo:
        """Return the time zone of a node."""
        network = self.network
        return network.time_zones[int(network.time_zone_of_node[network.index[node_id]])]
