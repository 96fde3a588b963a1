"""A scenario file with all that it extends, as one tree: the story that is written, before anybody judges it.

Objects merge key by key, `null` takes a key of the extended file away, `changes` are appended, any other list takes
the place of the one below. Not here: what the keys mean (document.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.scenarios.yaml_tree import Leaf, Listed, Location, Mapped, Mark, Noted, Tree, read_tree

APPENDED = frozenset({"changes"})
NAMES = ("name", "node_id", "carrier", "service", "sku", "zone", "calendar", "supply_id", "order_id")
"""Keys by whose value an entry of a list may be named in an override, such as `nodes[east]`."""

Overrides = Sequence[tuple[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A tree, the folder that its paths begin at, and the SHA-256 of each file that it was read from."""

    tree: Mapped
    folder: Path | None
    inputs: Mapping[str, str] = field(default_factory=dict)
    noted: Sequence[tuple[Mark, str]] = ()
    """What is wrong with its YAML."""


def read_written(path: Path, overrides: Overrides = ()) -> Written:
    """Read a scenario file and those that it extends; raise InvalidInput with places, also for a circle of files."""
    reading = _Reading(root=path.parent)
    tree = _extended(path, path.name, (), reading)
    tree = _overridden(tree, overrides, reading.noted)
    return Written(tree=tree, folder=path.parent, inputs=reading.inputs, noted=tuple(reading.noted))


def written_of(text: str, source: str, folder: Path | None, overrides: Overrides = ()) -> Written:
    """Return what a text says, in place of a file of that folder; without one it may name no files."""
    reading = _Reading(root=folder or Path())
    tree = _with_base(read_tree(text, source, reading.noted), (), folder, reading)
    tree = _overridden(tree, overrides, reading.noted)
    return Written(tree=tree, folder=folder, inputs=reading.inputs, noted=tuple(reading.noted))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    root: Path
    inputs: dict[str, str] = field(default_factory=dict)
    noted: Noted = field(default_factory=list)


def _extended(path: Path, source: str, above: Sequence[Path], reading: _Reading) -> Mapped:
    try:
        body = path.read_bytes()
        text = body.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(Fault(path=source, message=f"cannot be read: {error.strerror}; give a file")) from None
    except UnicodeDecodeError as error:
        raise InvalidInput(Fault(path=source, message=f"is not UTF-8 at byte {error.start}; save it as such")) from None
    reading.inputs[source] = hashlib.sha256(body).hexdigest()
    return _with_base(read_tree(text, source, reading.noted), (*above, path.resolve()), path.parent, reading)


def _with_base(tree: Mapped, above: Sequence[Path], folder: Path | None, reading: _Reading) -> Mapped:
    named = tree.get("extends")
    if named is None or (isinstance(named, Leaf) and named.value is None):
        return tree.put("extends", None)
    if not isinstance(named, Leaf) or not isinstance(named.value, str):
        raise InvalidInput(Fault(path=str(named.mark), message="`extends` names one file; give its path"))
    if folder is None:
        raise InvalidInput(Fault(path=str(named.mark), message="no file can be named here; write the story out"))
    path = folder / named.value
    if path.resolve() in above:
        circle = " → ".join(other.name for other in (*above, path))
        raise InvalidInput(Fault(path=str(named.mark), message=f"{circle} is a circle; leave one `extends` out"))
    if not path.is_file():
        near = nearest(path.name, sorted(other.name for other in path.parent.glob("*.yaml")))
        raise InvalidInput(Fault(path=str(named.mark), message=f"there is no file {named.value!r}; {near}"))
    base = _extended(path, shown_path(path, reading.root), above, reading)
    return _merged(_moved(base, path.parent, folder), tree.put("extends", None), ())


def shown_path(path: Path, root: Path) -> str:
    """Return a path as messages and hashes name it: from the folder of the scenario where that is above it."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.name


def _moved(base: Mapped, base_folder: Path, folder: Path) -> Mapped:
    """Return a base whose files are named from the folder of the file that extends it."""
    for key in ("network", "products", "stock", "supplies", "orders"):
        value = base.get(key)
        if isinstance(value, Leaf) and isinstance(value.value, str) and base_folder.resolve() != folder.resolve():
            base = base.put(key, Leaf(value=_from(folder, base_folder / value.value), mark=value.mark))
    return base


def _from(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _merged(base: Tree, top: Tree, location: Location) -> Mapped:
    assert isinstance(base, Mapped)
    assert isinstance(top, Mapped)
    merged = base
    for key, (mark, value) in top.entries.items():
        below = base.get(key)
        if isinstance(value, Leaf) and value.value is None and below is not None and not location:
            merged = merged.put(key, None)
        elif isinstance(below, Mapped) and isinstance(value, Mapped):
            merged = merged.put(key, _merged(below, value, (*location, key)), mark)
        elif key in APPENDED and not location and isinstance(below, Listed) and isinstance(value, Listed):
            merged = merged.put(key, Listed(entries=(*below.entries, *value.entries), mark=value.mark), mark)
        else:
            merged = merged.put(key, value, mark)
    return Mapped(entries=merged.entries, mark=top.mark)


def _overridden(tree: Mapped, overrides: Overrides, noted: Noted) -> Mapped:
    faults: list[Fault] = []
    for path, value in overrides:
        grown = read_tree(json.dumps({"value": value}), path, noted).entries["value"][1]
        try:
            parts = _parts(path)
            replaced = _replaced(tree, parts, _placed(grown, Mark(source=f"override {path}", line=1, column=1)), path)
        except InvalidInput as error:
            faults += error.faults
            continue
        assert isinstance(replaced, Mapped)
        tree = replaced
    if faults:
        raise InvalidInput(faults)
    return tree


def _parts(path: str) -> list[str]:
    if not re.fullmatch(r"[^.\[\]]+(\.[^.\[\]]+|\[[^\[\]]+\])*", path):
        message = "is no path of a scenario; give one such as policies[0].window_minutes or nodes[east].cut_off"
        raise InvalidInput(Fault(path=path, message=message))
    return [name or entry for name, entry in re.findall(r"([^.\[\]]+)|\[([^\[\]]+)\]", path)]


def _replaced(tree: Tree | None, parts: Sequence[str], value: Tree, path: str) -> Tree:
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    if tree is None or (isinstance(tree, Leaf) and tree.value is None):
        tree = Mapped(entries={}, mark=value.mark)
    if isinstance(tree, Mapped):
        return tree.put(part, _replaced(tree.get(part), rest, value, path))
    if isinstance(tree, Listed):
        at = _entry(tree, part, path)
        entries = list(tree.entries)
        entries[at] = _replaced(entries[at], rest, value, path)
        return Listed(entries=tuple(entries), mark=tree.mark)
    message = f"{part!r} leads into the value {tree.value!r} at {tree.mark}; end the path before it"
    raise InvalidInput(Fault(path=path, message=message))


def _entry(tree: Listed, part: str, path: str) -> int:
    if part.isdecimal() and int(part) < len(tree.entries):
        return int(part)
    names = {str(name.value): at for at, entry in enumerate(tree.entries) if (name := _name(entry)) is not None}
    if part in names:
        return names[part]
    message = f"there is no entry {part!r} in the list at {tree.mark} of {len(tree.entries)}; {nearest(part, names)}"
    raise InvalidInput(Fault(path=path, message=message))


def _name(entry: Tree) -> Leaf | None:
    if not isinstance(entry, Mapped):
        return None
    found = (entry.get(key) for key in NAMES)
    return next((name for name in found if isinstance(name, Leaf)), None)


def _placed(tree: Tree, mark: Mark) -> Tree:
    if isinstance(tree, Mapped):
        entries = {key: (mark, _placed(value, mark)) for key, (_, value) in tree.entries.items()}
        return Mapped(entries=entries, mark=mark)
    if isinstance(tree, Listed):
        return Listed(entries=tuple(_placed(entry, mark) for entry in tree.entries), mark=mark)
    return Leaf(value=tree.value, mark=mark)
