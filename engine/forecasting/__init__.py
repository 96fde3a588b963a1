"""Expected demand: the forecast as a document, and the bid prices that follow from it and live stock."""
