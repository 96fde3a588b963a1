"""What customers pay: prices and tax, tenders, and what has to be done with them as an order goes on; pure rules."""
