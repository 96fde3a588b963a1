"""The file of predicted dates: `shipment_id, promised_on`, in the order of the shipments that were to be predicted."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.calibration.shipments import EPOCH, Shipments
from engine.errors import Fault, InvalidInput


def write_predictions(path: Path, tests: Shipments, promised_days: NDArray[np.int64]) -> None:
    """Write a promised date for every shipment; LF line ends, minimal quoting."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("shipment_id", "promised_on"))
    on = np.floor(tests.ordered_day).astype(np.int64) + promised_days + EPOCH
    written: dict[int, str] = {}
    for shipment_id, ordinal in zip(tests.shipment_id, on.tolist(), strict=True):
        if ordinal not in written:
            written[ordinal] = date.fromordinal(min(ordinal, date.max.toordinal())).isoformat()
        writer.writerow((shipment_id, written[ordinal]))
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write a file as UTF-8, and its folder; raise InvalidInput if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        raise InvalidInput(Fault(path=str(path), message=f"cannot be written: {error.strerror or error}")) from None
