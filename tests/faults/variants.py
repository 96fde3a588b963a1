"""Function libraries with a bug seeded into them: the real code with one place changed, never a copy of it."""

from __future__ import annotations

from pathlib import Path

from engine.storage.functions import Library, library

NEWEST = 999
"""A revision that our own build does not replace when an application starts."""


def variant(of: Library, folder: Path, was: str, becomes: str, *, revision: int = NEWEST) -> Library:
    """Return a library in which `was` has become something else; fails if it is not there any more."""
    assert was in of.code, f"the library {of.name} has no {was!r} any more: seed this bug in its new place"
    changed = folder / f"{of.name}-{revision}.lua"
    changed.write_text(of.code.partition("\n\n")[2].replace(was, becomes))
    return library(of.name, of.major, [changed], revision=revision)
