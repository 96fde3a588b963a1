"""What is worked out of a network: once for as long as it is there, for many tenants, and gone with it."""

from __future__ import annotations

import gc
from dataclasses import replace

from engine.catalog.document import CatalogDocument
from engine.catalog.model import compile_catalog
from engine.inventory.of_world import OfWorld
from engine.network.document import NetworkDocument
from engine.network.model import compile_network

NETWORK = {
    "nodes": [
        {"node_id": "shop", "kind": "store", "latitude": 50, "longitude": 10, "time_zone": "UTC", "calendar": "daily"}
    ],
    "calendars": [{"calendar": "daily", "working_days": ["mon"]}],
}


def test_each_of_many_networks_is_worked_out_once_and_one_that_is_gone_is_forgotten():
    network = compile_network(NetworkDocument.model_validate(NETWORK), 1)
    catalog = compile_catalog(CatalogDocument.model_validate({"products": [{"sku": "mug", "weight_g": 1}]}), 1)
    made: list[int] = []

    def make(network, catalog):
        made.append(id(network))
        return len(made)

    of_world = OfWorld(make)
    networks = [replace(network) for _ in range(50)]
    first = [of_world(each, catalog) for each in networks]
    assert [of_world(each, catalog) for each in networks] == first
    assert len(made) == 50
    assert of_world(networks[0], replace(catalog)) == 51
    assert len(of_world._kept) == 50
    del networks[10:]
    gc.collect()
    assert len(of_world._kept) == 10
    assert of_world(networks[1], catalog) == first[1]
