"""Which SKUs and nodes a request means; unknown ones are noted as faults with their JSON path."""

from __future__ import annotations

from collections.abc import Sequence

from engine.catalog.model import Catalog, Content
from engine.errors import Fault
from engine.faults import nearest
from engine.network.model import Network


def select_contents(skus: Sequence[str], catalog: Catalog, faults: list[Fault]) -> list[Content]:
    """Return what each line's SKU comes down to; complete only if no fault was added."""
    contents: list[Content] = []
    for index, sku in enumerate(skus):
        content = catalog.content.get(sku)
        if content is None:
            message = f"unknown SKU {sku!r}; {nearest(sku, catalog.content)}"
            faults.append(Fault(path=f"$.lines[{index}].sku", message=message))
        else:
            contents.append(content)
    if not skus:
        faults.append(Fault(path="$.lines", message="has no lines; give at least one"))
    return contents


def skus_of(contents: Sequence[Content]) -> list[str]:
    """Return the products that the lines come down to, each once, in order."""
    return sorted({sku for content in contents for sku, _ in content.components})


def select_nodes(network: Network, group: str | None, node_ids: Sequence[str] | None, faults: list[Fault]) -> list[int]:
    """Return the numbers of the nodes in the group and among `node_ids`, ascending; None does not restrict."""
    if group is None and node_ids is None:
        return list(range(len(network.node_ids)))
    nodes = set(range(len(network.node_ids)))
    if group is not None:
        if group in network.groups:
            nodes &= set(network.groups[group])
        else:
            message = f"unknown group {group!r}; {nearest(group, network.groups)}"
            faults.append(Fault(path="$.group", message=message))
    if node_ids is not None:
        named = [select_node(network, node_id, f"$.node_ids[{i}]", faults) for i, node_id in enumerate(node_ids)]
        nodes &= {node for node in named if node is not None}
    return sorted(nodes)


def select_node(network: Network, node_id: str, path: str, faults: list[Fault]) -> int | None:
    """Return the number of a node, or note the fault at `path`."""
    found = network.index.get(node_id)
    if found is None:
        faults.append(Fault(path=path, message=f"unknown node {node_id!r}; {nearest(node_id, network.node_ids)}"))
    return found


def check_channel(network: Network, channel: str | None, faults: list[Fault]) -> None:
    """Note a channel that is not among those that the network names, if it names any."""
    named = [entry.channel for entry in network.document.channels]
    if channel is not None and named and channel not in named:
        faults.append(Fault(path="$.channel", message=f"unknown channel {channel!r}; {nearest(channel, named)}"))
