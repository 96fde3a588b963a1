"""Cuts this folder's three weeks out of the whole data set: `python scenarios/real/online-retail/build.py SOURCE`.

SOURCE holds `order_lines.csv.gz` and `skus.csv.gz` of the whole year. Rows are taken as they are, those of the days, in
their order; of SKUs those that the rows name. The same source gives the same bytes. Not needed at run time.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

HERE = Path(__file__).parent
FROM, BEFORE = "2011-02-07", "2011-02-28"


def main(source: Path) -> None:
    """Write both files."""
    header, *rows = _lines(source / "order_lines.csv.gz")
    kept = [row for row in rows if FROM <= row.split(",")[1] < BEFORE]
    named = {row.split(",")[2] for row in kept}
    _write(HERE / "order_lines.csv.gz", [header, *kept])
    header, *rows = _lines(source / "skus.csv.gz")
    _write(HERE / "skus.csv.gz", [header, *(row for row in rows if row.split(",")[0] in named)])


def _lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def _write(path: Path, lines: list[str]) -> None:
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
