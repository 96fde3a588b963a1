"""From a tree to a scenario document: all that is wrong at once, each fault with its file, line and column.

What is wrong is cut out and the rest is judged on, so that faults which span fields come up in the same go. Not here:
those rules (checks.py and the readers of worlds and changes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from pydantic import ValidationError

from engine.errors import Fault, InvalidInput
from engine.faults import Complaint, complaints_of, nearest
from engine.scenarios.change_document import KINDS
from engine.scenarios.document import ScenarioDocument
from engine.scenarios.extending import Written
from engine.scenarios.yaml_tree import Leaf, Listed, Location, Mapped, Mark, Tree, mark_at, plain, texts, without

ROUNDS = 4
MOST_KEYS_TOLD = 12
_INSTEAD: dict[str, str | int] = {"version": 1, "name": "?", "start": "2000-01-01", "days": 3_660}
"""Stand for required values that are wrong, while the rest is judged."""
_SPAN = ("start", "days")


@dataclass(slots=True, kw_only=True)
class Findings:
    """Gathers faults of one scenario; raises them together, in the order of the file."""

    written: Written
    judged: Mapped
    """The tree without what is wrong with its shape; locations of later faults are in it."""
    faults: list[tuple[Mark, str]] = field(default_factory=list)
    gone: frozenset[str] = frozenset()
    """Texts in entries that were cut out: that they are unknown elsewhere is no news."""
    damaged: frozenset[Mark] = frozenset()
    """Objects of which something was cut out: that they lack something is no news."""

    @property
    def has_span(self) -> bool:
        """Whether the file says which days the story has."""
        return all((here := self.judged.get(key)) is not None and here.mark != self.judged.mark for key in _SPAN)

    def note(self, location: Sequence[str | int], message: str, *, key: bool = False) -> None:
        """Note a fault at a location of the tree that is judged."""
        if message.startswith("unknown ") and any(f" {text!r};" in message for text in self.gone):
            return
        mark = mark_at(self.judged, location, key=key)
        if not location or mark not in self.damaged:
            self.faults.append((mark, message))

    def note_unknown(self, location: Sequence[str | int], kind: str, value: str, known: Set[str]) -> None:
        """Note a fault if a value is not one of the known ones."""
        if value not in known:
            self.note(location, f"unknown {kind} {value!r}; {nearest(value, known)}")

    def note_all(self, faults: Iterable[Fault], prefix: Sequence[str | int] = ()) -> None:
        """Note faults whose paths are JSON paths from a location on."""
        for fault in faults:
            self.note((*prefix, *location_of(fault.path)), self.in_lines(fault.message))

    def in_lines(self, message: str) -> str:
        """Return a message with lines of the file in place of the JSON paths of its entries."""
        return re.sub(r"\$(\.\w+\[\d+\])+", lambda found: f"line {self.line(*location_of(found[0]))}", message)

    def line(self, *location: str | int) -> int:
        """Return the line at which a location stands."""
        return mark_at(self.judged, location).line

    def raise_any(self) -> None:
        """Raise InvalidInput if anything was noted, each fault once."""
        if self.faults:
            ordered = sorted(dict.fromkeys(self.faults), key=lambda fault: fault[0])
            raise InvalidInput([Fault(path=str(mark), message=message) for mark, message in ordered])


def validated(written: Written) -> tuple[ScenarioDocument, Findings]:
    """Return the document of a tree, as far as it is sound, and what is wrong with the rest.

    Raises InvalidInput where so much is wrong that nothing more can be said.
    """
    faults, gone = [*written.noted, *_kinds(written.tree)], set[str]()
    tree = _saying_something(written.tree)
    damaged = set(_around({mark for mark, _ in faults}, tree))
    for _ in range(ROUNDS):
        complaints = _complaints(tree)
        if isinstance(complaints, ScenarioDocument):
            findings = Findings(
                written=written, judged=tree, faults=faults, gone=frozenset(gone), damaged=frozenset(damaged)
            )
            return complaints, findings
        for each in complaints:
            mark = mark_at(tree, each.location, key=each.of_key)
            if each.kind != "missing" or mark not in damaged:
                faults.append((mark, each.message + _others(each)))
        damaged.update(*(_ancestors(tree, each.location) for each in complaints))
        tree = _saying_something(_cut(tree, complaints, gone))
    Findings(written=written, judged=tree, faults=faults).raise_any()
    raise AssertionError("a tree that is refused has faults")


def _others(complaint: Complaint) -> str:
    """Return the keys that there are, after the message about an unknown one that names the nearest."""
    told = complaint.keys if "did you mean" in complaint.message else ()
    return f" (there are {', '.join(told)})" if 0 < len(told) <= MOST_KEYS_TOLD else ""


def _ancestors(tree: Tree, location: Location) -> Iterator[Mark]:
    """Yield the places of all that encloses a location, but for the whole file."""
    for depth in range(1, len(location)):
        yield mark_at(tree, location[:depth])


def _around(marks: Set[Mark], tree: Tree) -> Iterator[Mark]:
    """Yield the places of objects in which something is wrong directly."""
    if isinstance(tree, Mapped):
        if any(value.mark in marks or mark in marks for mark, value in tree.entries.values()):
            yield tree.mark
        for _, value in tree.entries.values():
            yield from _around(marks, value)
    elif isinstance(tree, Listed):
        for entry in tree.entries:
            yield from _around(marks, entry)


def _complaints(tree: Mapped) -> ScenarioDocument | list[Complaint]:
    body = json.dumps(plain(tree))
    try:
        return ScenarioDocument.model_validate_json(body, strict=True)
    except ValidationError as error:
        return complaints_of(error, ScenarioDocument)


def _kinds(tree: Mapped) -> Iterator[tuple[Mark, str]]:
    """Yield a fault for each change that is not one thing."""
    changes = tree.get("changes")
    for entry in changes.entries if isinstance(changes, Listed) else ():
        if isinstance(entry, Mapped):
            stated = _stated_kinds(entry)
            if len(stated) > 1:
                others = ", ".join(stated[1:])
                yield entry.entries[stated[1]][0], f"a change is one thing; put {others} into an entry of its own"
            if not stated:
                yield entry.mark, f"says nothing; {nearest('', KINDS)}"


def _cut(tree: Mapped, complaints: Sequence[Complaint], gone: set[str]) -> Mapped:
    """Return the tree without what is complained of: the value if it is there, else the entry that lacks one."""
    cuts: set[Location] = set()
    for complaint in complaints:
        location = tuple(part for part in complaint.location if not (isinstance(part, str) and part.startswith("<")))
        if not _there(tree, location):
            while not _there(tree, location):
                location = location[:-1]
            while len(location) > 1 and not isinstance(location[-1], int):
                location = location[:-1]
        cuts.add(location)
    cut: Tree = tree
    for location in sorted(cuts, key=lambda parts: [(isinstance(part, str), part) for part in parts], reverse=True):
        cut = without(cut, location)  # later entries first, so that the places of earlier ones stay as they are
    assert isinstance(cut, Mapped)
    gone.update(set(texts(tree)) - set(texts(cut)))
    for key, value in _INSTEAD.items():
        if cut.get(key) is None:
            cut = cut.put(key, Leaf(value=value, mark=tree.mark))
    return cut


def _saying_something(tree: Mapped) -> Mapped:
    """Return the tree without changes that say nothing; why was noted."""
    changes = tree.get("changes")
    if not isinstance(changes, Listed):
        return tree
    kept = tuple(entry for entry in changes.entries if not isinstance(entry, Mapped) or _stated_kinds(entry))
    return tree.put("changes", Listed(entries=kept, mark=changes.mark))


def _stated_kinds(entry: Mapped) -> list[str]:
    known = [key for key in entry.entries if key not in KINDS]
    return known + [key for key, (_, value) in entry.entries.items() if key in KINDS and not _is_null(value)]


def _is_null(tree: Tree) -> bool:
    return isinstance(tree, Leaf) and tree.value is None


def _there(tree: Tree, location: Location) -> bool:
    for part in location:
        if isinstance(tree, Mapped) and part in tree.entries:
            tree = tree.entries[str(part)][1]
        elif isinstance(tree, Listed) and isinstance(part, int) and part < len(tree.entries):
            tree = tree.entries[part]
        else:
            return False
    return True


def location_of(path: str) -> Location:
    """Return a JSON path such as `$.nodes[3].latitude` as a location; the names in it hold no dots and brackets."""
    found = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path)
    return tuple(name or int(index) for name, index in found)
