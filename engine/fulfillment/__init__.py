"""From the allocation of an order to its delivery: shipments at nodes, cartons, labels, documents, carriers."""
