"""What is sent to workers comes out as it went in, bit by bit, and mostly zeros take little."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from engine.dispatch.packing import Sparse, pack, unpack, unpack_in_place


def few_of_many() -> np.ndarray[Any, np.dtype[np.float64]]:
    use = np.zeros((4000, 4))
    use[[3, 77, 3999], [0, 2, 3]] = [1.5, -0.0, np.nan]
    return use


VALUES = {
    "few of many": few_of_many(),
    "all": np.arange(5000.0),
    "nothing": np.zeros(0),
    "flags": np.arange(70_001) % 3 == 0,
    "narrow": np.arange(33, dtype=np.int32),
    "an odd end": np.arange(5001) == 5000,
}


@pytest.mark.parametrize("name", VALUES)
def test_arrays_come_out_as_they_went_in_and_can_be_written(name: str) -> None:
    """Seeded bug this catches: a zero with a sign, or the end of an array, lost with the zeros."""
    value = {"first": VALUES[name], "twice": (VALUES[name], "text", 7)}
    sent = pickle.loads(pickle.dumps(pack(value)))
    for again in (unpack(pack(value)), unpack(pack(value, sparse=False)), unpack(sent)):
        assert again["twice"][1:] == ("text", 7)
        for array in (again["first"], again["twice"][0]):
            assert array.tobytes() == VALUES[name].tobytes()
            assert (array.shape, array.dtype) == (VALUES[name].shape, VALUES[name].dtype)
            assert array.flags.writeable


def test_what_is_mostly_zeros_is_sent_without_them() -> None:
    _, (buffer,) = pack(few_of_many())
    assert isinstance(buffer, Sparse)
    assert (buffer.size, len(buffer.place)) == (16_000, 3)
    assert not any(isinstance(each, Sparse) for each in pack(few_of_many(), sparse=False)[1])


def test_what_is_mapped_is_the_memory_itself_though_that_is_read_only() -> None:
    head, buffers = pack(np.arange(1000.0), sparse=False)
    for buffer in buffers:
        buffer.setflags(write=False)
    mapped = unpack_in_place(head, buffers)
    assert mapped.ctypes.data == buffers[0].ctypes.data
    assert mapped.flags.writeable  # kernels are compiled for arrays that say so
    assert mapped.tolist() == list(range(1000))
