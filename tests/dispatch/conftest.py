"""Ray workers that the tests of this folder share, since their start takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.dispatch.options import RayOptions
from engine.dispatch.ray import Fleet


@pytest.fixture(scope="package")
def fleet() -> Iterator[Fleet]:
    """Two workers; the cluster is there as long as they are."""
    started = Fleet(RayOptions(workers=2, retries=1))
    yield started
    started.close()
