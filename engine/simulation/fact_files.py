"""Facts as Parquet files, written as they come: memory does not grow with the days.

One file a table and replication, with the columns of facts.py, and `policy` and `replication` before them; numbers of
nodes, services, zones and channels are written as their names. Not here: who calls (running.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engine.simulation.facts import (
    DayFacts,
    Ending,
    FactSink,
    Names,
    NodeDayFacts,
    OrderFacts,
    ParcelFacts,
    WindowFacts,
    columns,
)

ROWS_TOGETHER = 50_000
TABLES = ("orders", "parcels", "node_days", "days", "runs")


class FactFiles:
    """A FactSink that writes tables into a folder and tells another sink as well.

    `tables` are those that are written. Parcels name their order by its `key`. Files appear under their names once
    they are whole: `with FactFiles(…) as sink`.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        *,
        said: Mapping[str, str | int],
        names: Names,
        tables: Sequence[str],
        then: FactSink,
    ) -> None:
        self._folder, self._stem, self._said, self._names = folder, stem, said, names
        self._tables, self._then = frozenset(tables), then
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {}

    def __enter__(self) -> FactFiles:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        for table in self._waiting:
            self._flush(table)
        for table, writer in self._writers.items():
            writer.close()
            if kind is None:
                self._path(table, ".part").replace(self._path(table))
            else:
                self._path(table, ".part").unlink(missing_ok=True)

    def orders(self, orders: OrderFacts, parcels: ParcelFacts) -> None:
        """Write orders that have ended, with their parcels."""
        names = self._names
        ending = [Ending(value).name.lower() for value in range(len(Ending))]
        self._write("orders", orders, {"channel": names.channels, "ending": ending})
        of_parcels = {"node": names.nodes, "service": names.services, "zone": names.zones}
        self._write("parcels", parcels, of_parcels, {"order": orders.key[parcels.order]})
        self._then.orders(orders, parcels)

    def day(self, day: DayFacts, nodes: NodeDayFacts, windows: WindowFacts) -> None:
        """Write a day that is over."""
        self._write("node_days", nodes, {"node": self._names.nodes})
        self._write("days", day, {})
        self._write("runs", windows, {})
        self._then.day(day, nodes, windows)

    def _write(
        self, table: str, facts: Any, named: Mapping[str, Sequence[str]], other: Mapping[str, Any] | None = None
    ) -> None:
        """Append rows; `named` columns are numbers of names, `other` replaces columns."""
        if table not in self._tables:
            return
        found = {**columns(facts), **(other or {})}
        rows = len(next(iter(found.values())))
        arrays = {name: pa.array([value] * rows, _kind(value)) for name, value in self._said.items()}
        for name, values in found.items():
            array = pa.array(values, mask=values == -1 if values.dtype.kind == "i" else None)
            arrays[name] = pa.array(named[name], pa.string()).take(array) if name in named else array
        waiting = self._waiting.setdefault(table, [])
        waiting.append(pa.table(arrays))
        if sum(map(len, waiting)) >= ROWS_TOGETHER:
            self._flush(table)

    def _flush(self, table: str) -> None:
        rows = pa.concat_tables(self._waiting[table])
        if table not in self._writers:
            self._writers[table] = pq.ParquetWriter(self._path(table, ".part"), rows.schema, compression="zstd")
        if len(rows):
            self._writers[table].write_table(rows)
        self._waiting[table] = [rows.slice(0, 0)]

    def _path(self, table: str, suffix: str = "") -> Path:
        return self._folder / f"{self._stem}.{table}.parquet{suffix}"


def _kind(value: str | int) -> pa.DataType:
    return pa.string() if isinstance(value, str) else pa.int64()


def join_files(paths: Sequence[Path], into: Path) -> None:
    """Write the rows of some files of one table into one, a row group at a time; without rows none is written."""
    found = [path for path in paths if path.is_file()]
    if not found:
        return
    part = into.with_name(into.name + ".part")
    with pq.ParquetWriter(part, pq.read_schema(found[0]), compression="zstd") as writer:
        for path in found:
            with pq.ParquetFile(path) as source:
                for batch in source.iter_batches(batch_size=100_000):
                    writer.write_batch(batch)
    part.replace(into)
