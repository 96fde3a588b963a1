"""Runs the shards of a solve in this process: one after another, or on threads (kernels hold no interpreter lock)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


@contextmanager
def threads(workers: int) -> Iterator[Callable[..., Any]]:
    """Yield a `map` that runs its calls on so many threads; with one worker, the plain `map`."""
    if workers <= 1:
        yield map
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="solve") as pool:
        yield pool.map
