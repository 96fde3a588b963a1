"""When parcels leave and arrive, by calendars, hours, history and load: the one place that promises and runs ask."""
