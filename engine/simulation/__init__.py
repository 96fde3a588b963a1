"""The simulator: days or weeks of a story on the production services, in memory, with a clock that it sets."""
