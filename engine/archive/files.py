"""The files of the archive: Parquet, some thousand orders each, which change only where a customer was erased.

    orders-<number>.open.parquet   being filled: what of it counts is what the store says (book.py)
    orders-<number>.parquet        done

Columns: `order_id`, by which rows are sorted; `state`, `channel`, `captured_at`, `changed_at`, `units`, `total_cents`,
`currency`, for reports; `doc` (what was captured, JSON), `life` (JSON) and `history` (its steps, a text each);
`fields`, the rest of what the store kept. The customer's data are in them as sealed as in the store.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.archive.model import Kept
from engine.orders.states import state_of

_ROWS_TOGETHER = 256
"""To show an order a file is read so far."""
_IN_COLUMNS = ("doc", "life")
_SCHEMA = pa.schema(
    [
        ("order_id", pa.string()),
        ("state", pa.string()),
        ("channel", pa.string()),
        ("captured_at", pa.timestamp("ms", tz="UTC")),
        ("changed_at", pa.timestamp("ms", tz="UTC")),
        ("units", pa.int64()),
        ("total_cents", pa.int64()),
        ("currency", pa.string()),
        ("doc", pa.binary()),
        ("life", pa.binary()),
        ("history", pa.list_(pa.binary())),
        ("fields", pa.map_(pa.string(), pa.binary())),
    ]
)
_KEPT = ["order_id", "doc", "life", "history", "fields"]


class ArchiveFolder:
    """The folder of one tenant's archive; servers that share a store share it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, number: int, orders: Sequence[Kept]) -> Path:
        """Write a file, so that it is on the disk and can be read, and return its path; it is open until `close`."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        table = pa.Table.from_pylist([_row(each) for each in sorted(orders, key=lambda each: each.order_id)], _SCHEMA)
        path = self._path(number, ".open")
        self._write(path, table)
        return path

    def close(self, number: int) -> None:
        """Mark a file as done."""
        self._path(number, ".open").replace(self._path(number))
        self._sync()

    def remove(self, number: int) -> None:
        """Remove an open file, of which nothing counts."""
        self._path(number, ".open").unlink(missing_ok=True)

    def open_numbers(self) -> list[int]:
        """Return the numbers of open files: of a process that archives now, or that died."""
        return sorted(_number(path) for path in self.path.glob("orders-*.open.parquet"))

    def numbers(self) -> list[int]:
        """Return the numbers of all files."""
        return sorted({_number(path) for path in self.path.glob("orders-*.parquet")})

    def ids(self, number: int) -> list[str]:
        """Return the ids of the orders in a file."""
        found: list[str] = pq.read_table(self._found(number), columns=["order_id"])["order_id"].to_pylist()
        return found

    def read(self, number: int, order_ids: Iterable[str]) -> dict[str, Kept]:
        """Return those of some orders that a file has."""
        wanted = sorted(order_ids)
        file = self._file(number)
        groups = [
            group
            for group, (first, last) in enumerate(_bounds(file.metadata))
            if any(first <= order_id <= last for order_id in wanted)
        ]
        if not groups:
            return {}
        table = file.read_row_groups(groups, columns=_KEPT)
        named = set(wanted)
        rows = [row for row, order_id in enumerate(table["order_id"].to_pylist()) if order_id in named]
        return {each.order_id: each for each in _kept(table.take(rows))}

    def every(self, number: int) -> Iterator[list[Kept]]:
        """Yield all orders of a file, some at a time."""
        file = self._file(number)
        for group in range(file.num_row_groups):
            yield _kept(file.read_row_group(group, columns=_KEPT))

    def rewrite(self, number: int, changed: Mapping[str, Kept]) -> None:
        """Put other orders into the places of those of the same ids that a file has; the rest stays as it is."""
        path = self._found(number)
        found = pq.read_table(path)
        rows = [
            _row(changed[row["order_id"]]) if row["order_id"] in changed else row
            for row in found.select(_SCHEMA.names).to_pylist()
        ]
        self._write(path, pa.Table.from_pylist(rows, _SCHEMA))

    def _write(self, path: Path, table: pa.Table) -> None:
        """Write a file, and have it on the disk, before it is the one that counts."""
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            pq.write_table(table, file, compression="zstd", row_group_size=_ROWS_TOGETHER)
            file.flush()
            os.fsync(file.fileno())
        if not pq.read_table(part).equals(table):
            raise OSError(f"{part} does not hold what was written to it")
        part.replace(path)
        self._sync()

    def _path(self, number: int, mark: str = "") -> Path:
        return self.path / f"orders-{number:06d}{mark}.parquet"

    def _found(self, number: int) -> Path:
        path = self._path(number)
        return path if path.exists() else self._path(number, ".open")

    def _file(self, number: int) -> pq.ParquetFile:
        try:
            return _opened_now(self._found(number))
        except FileNotFoundError:  # it may have been closed between a look and the next
            return _opened_now(self._found(number))

    def _sync(self) -> None:
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _opened_now(path: Path) -> pq.ParquetFile:
    """Return a file as it is now: an erasure may have written it anew."""
    return _opened(path, path.stat().st_ino)


@lru_cache(maxsize=64)
def _opened(path: Path, _: int) -> pq.ParquetFile:
    """Return a file, whose footer is read once."""
    return pq.ParquetFile(path, memory_map=True)


def _bounds(metadata: pq.FileMetaData) -> Iterator[tuple[str, str]]:
    """Yield the first and the last order id of each row group."""
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(0).statistics
        yield statistics.min, statistics.max


def _number(path: Path) -> int:
    return int(path.name.partition("-")[2].partition(".")[0])


def _row(kept: Kept) -> dict[str, object]:
    order = kept.order
    prices = order.life.money.prices
    return {
        "order_id": kept.order_id,
        "state": state_of(order).value,
        "channel": order.captured.channel,
        "captured_at": order.captured.captured_at,
        "changed_at": kept.changed_at,
        "units": sum(line.quantity for line in order.lines),
        "total_cents": None if prices is None else prices.total_cents,
        "currency": None if prices is None else prices.currency,
        "doc": kept.fields["doc"],
        "life": kept.fields.get("life"),
        "history": list(kept.steps),
        "fields": [(name, value) for name, value in sorted(kept.fields.items()) if name not in _IN_COLUMNS],
    }


def _kept(table: pa.Table) -> list[Kept]:
    found = []
    for row in table.to_pylist():
        fields = dict(row["fields"])
        fields |= {name: row[name] for name in _IN_COLUMNS if row[name] is not None}
        found.append(Kept(order_id=row["order_id"], fields=fields, steps=tuple(row["history"])))
    return found
