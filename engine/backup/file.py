"""The file of a backup: a header, keys with their values as the server packs them, and a checksum at the end.

    ALLOT-BACKUP 1 LF
    header (JSON, see Header) LF
    records: each the length (u32, big-endian) of a msgpack array [key, expires at (ms, 0: never), packed value or null]
    a length of 0, then the SHA-256 of all before it

The keys of customers are in a file of their own beside it, of the same form (`keys_path`).

A key may come again: the last record of it counts, and null says that it is gone. The file is complete only with its
checksum. Not here: where records come from, and where they go.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType

import msgspec

from engine.errors import Fault, InvalidInput

MAGIC = b"ALLOT-BACKUP 1\n"
CUSTOMER_KEYS = b":customer_keys"
"""What the store's keys end with that hold the keys of customers (engine/customers/lua/customers.lua)."""
_LENGTH = struct.Struct(">I")
_PIECE = 2**20


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of: when it was taken, by which server, and under which majors of our libraries."""

    version: int
    created_at: str
    server: str
    libraries: dict[str, int]


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A key, when it expires (ms since 1970, 0: never), and its packed value, None if it is gone."""

    key: bytes
    expires_ms: int
    value: bytes | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


class Writer:
    """Writes a backup beside its place, and puts it there once it is whole and on disk."""

    def __init__(self, path: Path, header: Header) -> None:
        self._path, self._part = path, path.with_name(path.name + ".part")
        self._hash = sha256()
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds names of customers
        self._file = os.fdopen(descriptor, "wb", buffering=_PIECE)
        self.records = 0
        self._write(MAGIC + msgspec.json.encode(header) + b"\n")

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        finally:  # a full disk fails here once more, with what was left to write
            if kind is not None:
                self._part.unlink(missing_ok=True)

    def put(self, record: Record) -> None:
        """Write a record."""
        packed = _encode(record)
        self._write(_LENGTH.pack(len(packed)) + packed)
        self.records += 1

    def finish(self) -> int:
        """Write the end, and give the file its name; return its size in bytes."""
        self._write(_LENGTH.pack(0))
        self._file.write(self._hash.digest())
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._part.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return size

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        self._file.write(data)


def keys_path(path: Path) -> Path:
    """Return where the keys of customers are that belong to a backup."""
    return path.with_name(path.name + ".keys")


def check(path: Path) -> Header:
    """Return the header of a backup that is whole and unharmed; raises InvalidInput."""
    try:
        size, end = path.stat().st_size, sha256().digest_size
        with path.open("rb") as file:
            begin = file.readline(len(MAGIC))
            header_line = file.readline(_PIECE)
            if begin != MAGIC:
                raise _wrong(path, "is no backup of this version of allot; take one with `allot backup`")
            digest = sha256(begin + header_line)
            left = size - end - file.tell()
            while left > 0 and (piece := file.read(min(_PIECE, left))):
                digest.update(piece)
                left -= len(piece)
            if file.read(end + 1) != digest.digest():
                raise _wrong(path, "is cut off or damaged: its checksum does not agree; use another backup")
        return msgspec.json.decode(header_line, type=Header)
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise _wrong(path, f"has a header that cannot be read: {error}") from error


def records(path: Path) -> Iterator[Record]:
    """Yield the records of a backup that was checked."""
    with path.open("rb", buffering=_PIECE) as file:
        file.readline()
        file.readline()
        while (length := _LENGTH.unpack(file.read(_LENGTH.size))[0]) > 0:
            yield _decode(file.read(length))


def _wrong(path: Path, message: str) -> InvalidInput:
    return InvalidInput(Fault(path=str(path), message=message))
