"""The world of tests/watched_world.py, made anew for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from watched_world import FRIDAY, Watched, catalog_document, network_document

from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.clock import SettableClock
from engine.config import Settings
from engine.network.document import NetworkDocument


@pytest.fixture
def begins() -> datetime:
    """When the world begins."""
    return FRIDAY


@pytest.fixture
async def world(begins: datetime) -> AsyncIterator[Watched]:
    clock = SettableClock(begins)
    async with allot_engine(Settings(), memory=True, clock=clock) as engine:
        await engine.network.put(NetworkDocument.model_validate(network_document()))
        await engine.catalog.put(CatalogDocument.model_validate(catalog_document()))
        yield Watched(engine=engine, clock=clock)
