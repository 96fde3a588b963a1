"""The packaged real data, where it lies in the source tree."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    return Path(__file__).parents[2] / "scenarios" / "real"
