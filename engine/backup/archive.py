"""The archive's part of a backup: the files of all tenants, in one file beside that of the store.

It is of the form of the backup (file.py): a record for each file, named `<tenant>/<file>`, with its bytes, and a
checksum over all. The files are copied after the instant of which the backup of the store is: what the store says is in
a file was there by then, and files that were begun since do not count in a store that does not know them. Not here:
what is in those files (engine/archive).
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

from engine.backup.file import Header, Record, Writer, check, records
from engine.errors import Fault, InvalidInput

_FILES = "*/orders-*.parquet"
_NAME = re.compile(r"(?!\.)[^/\\\0]+/orders-[0-9]+(\.open)?\.parquet")
_MODE = 0o600


def archive_path(path: Path) -> Path:
    """Return where the archived orders are that belong to a backup."""
    return path.with_name(path.name + ".archive")


def take_archive(folder: Path, path: Path, header: Header) -> int:
    """Write the files of an archive to a file, if there are any; return how many."""
    if not (names := _names(folder)):
        return 0
    with Writer(path, header) as writer:
        for name in names:
            found = _read(folder / name)
            if found is not None:
                place, data = found
                writer.put(Record(f"{place.parent.name}/{place.name}".encode(), 0, data))
        writer.finish()
        return writer.records


def check_archive(path: Path, folder: Path, *, replace: bool) -> int:
    """Check the archive of a backup before it is put back, and return how many files it has.

    Raises InvalidInput if it is harmed, or, unless to `replace`, if the folder has other orders under a name of it.
    """
    check(path)
    count = 0
    for record in records(path):
        place = _place(path, folder, record)
        if not replace and place.exists() and _digest(place.read_bytes()) != _digest(record.value or b""):
            message = (
                "is a file of another archive. Name an empty folder with ALLOT_ARCHIVE_DIR, or lose it: --replace."
            )
            raise InvalidInput(Fault(path=str(place), message=message))
        count += 1
    return count


def put_archive(path: Path, folder: Path) -> int:
    """Put the files of an archive that was checked into their folder, each whole or not at all; return how many."""
    count = 0
    for record in records(path):
        place = _place(path, folder, record)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = place.with_suffix(".restoring")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "wb") as file:
            file.write(record.value or b"")
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
        _sync(place.parent)
        count += 1
    return count


def _names(folder: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob(_FILES))


def _read(path: Path) -> tuple[Path, bytes] | None:
    """Return a file, which may have been closed meanwhile; None if nothing of it counted, and it is gone."""
    for place in (path, path.with_name(path.name.replace(".open.", "."))):
        try:
            return place, place.read_bytes()
        except FileNotFoundError:
            continue
    return None


def _place(path: Path, folder: Path, record: Record) -> Path:
    """Return where a file goes; what leads elsewhere is no file of an archive."""
    name = record.key.decode(errors="replace")
    if not _NAME.fullmatch(name):
        raise InvalidInput(Fault(path=str(path), message=f"has {name!r}, which is no file of an archive"))
    return folder / name


def _digest(data: bytes) -> bytes:
    return sha256(data).digest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
