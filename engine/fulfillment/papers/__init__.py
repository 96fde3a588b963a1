"""What is printed for a shipment: packing slip, invoice, labels; the same bytes for the same facts."""
