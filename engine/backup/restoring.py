"""Putting a backup back into a store that nobody uses: all of it, or it says that it is not whole.

The file is checked whole before anything is written. While it is put back, a mark in the store keeps servers from
starting on half of it (`refuse_half_restored`); whoever is killed on the way begins anew with `--replace`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.backup.archive import check_archive, put_archive
from engine.backup.file import CUSTOMER_KEYS, Header, Record, check, records
from engine.backup.taking import PREFIX
from engine.errors import Fault, IncompatibleStore, InvalidInput, StoreReplyError
from engine.storage.client import Part, StoreClient
from engine.storage.direct import DirectLink

MARK, _PROBE = "allot:restoring", "allot:probe"
_CUSTOMER = b"}:customer:"
_ARCHIVED = b":archived:"
"""What the store's keys have in them that name the files of archived orders (engine/storage/keys.py)."""
_AT_ONCE, _BYTES_AT_ONCE = 500, 2**23


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put back."""

    header: Header
    keys: int
    seconds: float
    archive_files: int = 0
    lacks_archive: bool = False
    """Whether the store knows of archived orders, and no file of them was put back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveCopy:
    """The archive of a backup, and the folder where it belongs."""

    path: Path
    folder: Path


def restore(
    link: DirectLink,
    path: Path,
    libraries: dict[str, int],
    *,
    replace: bool,
    customer_keys: Path | None = None,
    archive: ArchiveCopy | None = None,
) -> Restored:
    """Put a backup into a store, and its archive into its folder; with `replace` what is in the store goes first.

    `customer_keys` are those of this backup or of a later one, in which the keys of customers erased since are gone.

    Raises InvalidInput, before anything is changed, if a file is harmed or from a later version, if the store is not
    empty or the folder has other orders, or if servers are connected to it.
    """
    began, header = time.monotonic(), check(path)
    _check_versions(path, header, libraries)
    if customer_keys is not None:
        _check_versions(customer_keys, check(customer_keys), libraries)
    if archive is not None:
        check_archive(archive.path, archive.folder, replace=replace)
    _check_target(link, replace=replace)
    _check_server(link, path, header)
    link.ask("SET", MARK, path.name)
    if replace:
        _empty(link)
    _put_back(link, path)
    if customer_keys is not None:
        _put_back(link, customer_keys)
        _note_erased(link, path)
    archived = 0 if archive is None else put_archive(archive.path, archive.folder)
    keys = int(link.ask("DBSIZE")) - 1
    link.ask("DEL", MARK)
    return Restored(
        header=header,
        keys=keys,
        seconds=time.monotonic() - began,
        archive_files=archived,
        lacks_archive=archive is None and _knows_archived(path),
    )


def _knows_archived(path: Path) -> bool:
    """Say whether the store of a backup names files of archived orders."""
    return any(_ARCHIVED in record.key and record.value is not None for record in records(path))


async def refuse_half_restored(client: StoreClient) -> None:
    """Raise IncompatibleStore if a restore into the store has begun and not ended."""
    if await client.call("EXISTS", MARK):
        raise IncompatibleStore(
            "A restore into this store has not ended, so it is not whole. Run it again: allot restore FILE --replace."
        )


def _check_versions(path: Path, header: Header, libraries: dict[str, int]) -> None:
    later = [name for name, major in header.libraries.items() if major > libraries.get(name, 0)]
    if later:
        message = f"was taken by a later version of allot (library {', '.join(later)}). Restore it with that version."
        raise InvalidInput(Fault(path=str(path), message=message))


def _check_target(link: DirectLink, *, replace: bool) -> None:
    clients = link.ask("CLIENT", "LIST")
    text = clients if isinstance(clients, str) else bytes(clients).decode()
    servers = sum(" name=allot " in line for line in text.splitlines())
    if servers:
        message = f"is used by allot over {servers} connections. Stop its servers first."
        raise InvalidInput(Fault(path="the store", message=message))
    if not replace and _has_keys(link):
        message = "is not empty. Restore into an empty one, or lose what it holds with --replace."
        raise InvalidInput(Fault(path="the store", message=message))


def _has_keys(link: DirectLink) -> bool:
    cursor = b"0"
    while True:
        cursor, found = link.ask("SCAN", cursor, "MATCH", f"{PREFIX}*", "COUNT", 1000)
        if found:
            return True
        if cursor == b"0":
            return False


def _check_server(link: DirectLink, path: Path, header: Header) -> None:
    """Try one value, since servers do not read what later ones have packed."""
    first = next((record for record in records(path) if record.value is not None), None)
    if first is None or first.value is None:
        return
    try:
        link.ask("RESTORE", _PROBE, 0, first.value, "REPLACE")
    except StoreReplyError as error:
        message = f"was taken from {header.server}, whose values {link.server} does not read ({error})"
        raise InvalidInput(Fault(path=str(path), message=message)) from error
    link.ask("DEL", _PROBE)


def _empty(link: DirectLink) -> None:
    cursor = b"0"
    while True:
        cursor, found = link.ask("SCAN", cursor, "MATCH", f"{PREFIX}*", "COUNT", 1000)
        if found:
            link.ask("UNLINK", *found)
        if cursor == b"0":
            return


def _put_back(link: DirectLink, path: Path) -> None:
    commands: list[Sequence[Part]] = []
    lives = set[bytes]()
    size = 0
    for record in records(path):
        if record.value and record.key.endswith(b":feed_life"):
            lives.add(record.key)
        commands.append(_command(record))
        size += len(record.value or b"")
        if len(commands) >= _AT_ONCE or size >= _BYTES_AT_ONCE:
            link.ask_all(commands)
            commands, size = [], 0
    # Cursors of readers are of the life of the store that was, and its numbers may now stand for other events.
    commands += [("SET", key, secrets.token_hex(3)) for key in sorted(lives)]
    link.ask_all(commands)


def _note_erased(link: DirectLink, path: Path) -> None:
    """Have the orders of customers cleared again who were erased since the backup: they have no key any more."""
    known = [record.key.split(_CUSTOMER, 1) for record in records(path) if _CUSTOMER in record.key]
    for start in range(0, len(known), _AT_ONCE):
        some = known[start : start + _AT_ONCE]
        has_key = link.ask_all([("HEXISTS", home + b"}" + CUSTOMER_KEYS, name) for home, name in some])
        erased = [each for each, found in zip(some, has_key, strict=True) if not found]
        link.ask_all([("ZADD", home + b"}:customer_clearing", 0, name) for home, name in erased])


def _command(record: Record) -> Sequence[Part]:
    if record.value is None:
        return ("DEL", record.key)
    if record.expires_ms:
        return ("RESTORE", record.key, record.expires_ms, record.value, "REPLACE", "ABSTTL")
    return ("RESTORE", record.key, 0, record.value, "REPLACE")
