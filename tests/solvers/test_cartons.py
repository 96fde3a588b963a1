"""Packing into cartons: what is packed lies inside and apart, and no packing has fewer cartons than the bound says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from solvers.cartons import (
    BOX_GRAMS,
    MOST_IN_ONE,
    fewest_cartons,
    fill,
    orders_of,
    pack,
    pack_masks,
    sort_boxes,
    takes,
)
from solvers.promise_freight import BOX, COUNT, VOLUME_MM3, WEIGHT_G

Array = np.ndarray


def table(rows: list[tuple[int, ...]], columns: int) -> Array:
    return np.array(rows, dtype=np.int64).reshape(-1, columns)


def random_boxes(rng: np.random.Generator, longest: int) -> Array:
    edges = np.sort(rng.integers(2, longest + 1, (int(rng.integers(1, 4)), 3)), axis=1)[:, ::-1]
    rest = np.stack([rng.integers(10, 40, len(edges)), rng.integers(0, 3, len(edges)), rng.integers(0, 9, len(edges))])
    boxes = np.ascontiguousarray(np.concatenate([edges, rest.T], axis=1))
    return boxes[sort_boxes(boxes)]


def random_pieces(rng: np.random.Generator, boxes: Array, count: int) -> Array:
    """Pieces each of which some carton takes; one in ten of unknown size."""
    pieces: list[tuple[int, ...]] = []
    while len(pieces) < count:
        edges = sorted(rng.integers(1, boxes[:, 0].max() + 1, 3).tolist(), reverse=True)
        piece = (*(edges if rng.random() < 0.9 else (0, 0, 0)), int(rng.integers(0, 12)))
        if any(takes(box, np.array(piece)) for box in boxes):
            pieces.append(piece)
    return table(pieces, 4)


def packed(pieces: Array, boxes: Array) -> tuple[int, Array, Array]:
    into, kind = np.zeros(len(pieces), np.int64), np.zeros(len(pieces) + 1, np.int64)
    wanted = np.ones(len(pieces), np.bool_)
    return pack(pieces, orders_of(pieces), boxes, wanted, into, kind), into, kind


def check_layout(pieces: Array, box: Array, placed: Array) -> None:
    """Assert that each piece has its own edges, lies inside the carton, and apart from every other."""
    for row in placed:
        assert sorted(row[4:7]) == sorted(pieces[row[0], :3])
        assert all(row[1 + axis] >= 0 and row[1 + axis] + row[4 + axis] <= box[axis] for axis in range(3))
    for one, other in itertools.combinations(placed, 2):
        assert any(
            one[1 + axis] + one[4 + axis] <= other[1 + axis] or other[1 + axis] + other[4 + axis] <= one[1 + axis]
            for axis in range(3)
        )


@pytest.mark.parametrize("seed", range(60))
def test_every_carton_can_be_packed_as_it_is_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = random_boxes(rng, 9)
    pieces = random_pieces(rng, boxes, int(rng.integers(1, 14)))
    count, into, kind = packed(pieces, boxes)
    assert fewest_cartons(pieces, boxes, np.ones(len(pieces), np.bool_)) <= count
    assert sorted(set(into.tolist())) == list(range(count))
    for carton in range(count):
        box, inside = boxes[kind[carton]], into == carton
        assert pieces[inside, 3].sum() <= box[BOX_GRAMS]
        for order in orders_of(pieces):
            left, placed = inside.copy(), np.zeros((len(pieces) + 1, 7), np.int64)
            number = fill(box, pieces, order, left, placed)
            check_layout(pieces, box, placed[:number])
            if not left.any():
                break
        else:
            pytest.fail("no order of the pieces fills this carton")


def fits(pieces: list[tuple[int, ...]], box: Array, placed: tuple[tuple[int, ...], ...] = ()) -> bool:
    """Whether pieces fit into a carton at all, by trying every whole place of every turn of each."""
    if not pieces:
        return True
    if sum(piece[3] for piece in pieces) > box[BOX_GRAMS]:
        return False
    first, rest = pieces[0], pieces[1:]
    if first[0] == 0:
        return fits(rest, box, placed)
    for dx, dy, dz in set(itertools.permutations(first[:3])):
        spans = [range(int(box[axis]) - edge + 1) for axis, edge in enumerate((dx, dy, dz))]
        for x, y, z in itertools.product(*spans):
            if all(
                x >= a + da or a >= x + dx or y >= b + db or b >= y + dy or z >= c + dc or c >= z + dz
                for a, b, c, da, db, dc in placed
            ) and fits(rest, box, (*placed, (x, y, z, dx, dy, dz))):
                return True
    return False


def fewest_by_trying(pieces: Array, boxes: Array) -> int:
    """The least number of cartons over all ways to divide the pieces."""
    rows = sorted((tuple(row) for row in pieces.tolist()), reverse=True)
    known: dict[tuple[int, ...], bool] = {}

    def one(part: tuple[int, ...]) -> bool:
        if part not in known:
            chosen = [rows[i] for i in part]
            volume, grams = sum(r[0] * r[1] * r[2] for r in chosen), sum(r[3] for r in chosen)
            known[part] = any(
                volume <= box[0] * box[1] * box[2] and grams <= box[BOX_GRAMS] and fits(chosen, box) for box in boxes
            )
        return known[part]

    def divide(left: tuple[int, ...]) -> int:
        if not left:
            return 0
        others, best = left[1:], len(left)
        for size in range(len(others), -1, -1):
            for more in itertools.combinations(others, size):
                if one((left[0], *more)):
                    best = min(best, 1 + divide(tuple(i for i in others if i not in more)))
        return best

    return divide(tuple(range(len(rows))))


def test_the_bound_never_exceeds_the_true_minimum_which_is_met_nearly_always() -> None:
    """Small parcels against every possible packing: the bound is a bound, and few packings are a carton too many."""
    met, cases = 0, 60
    for seed in range(cases):
        rng = np.random.default_rng(1000 + seed)
        boxes = random_boxes(rng, 5)
        pieces = random_pieces(rng, boxes, int(rng.integers(2, 6)))
        best = fewest_by_trying(pieces, boxes)
        count, _, _ = packed(pieces, boxes)
        assert fewest_cartons(pieces, boxes, np.ones(len(pieces), np.bool_)) <= best <= count, seed
        met += count == best
    assert met >= cases - 2


def test_one_carton_is_the_smallest_that_holds_all() -> None:
    boxes = table([(30, 20, 10, 50, 1, 5), (20, 20, 20, 50, 1, 4), (60, 60, 60, 500, 2, 9)], 6)
    boxes = boxes[sort_boxes(boxes)]
    assert boxes[:, 0].tolist() == [30, 20, 60]
    flat, cube, pair, lead = [(30, 10, 10, 5)], [(20, 20, 11, 5)], [(30, 20, 10, 30)] * 2, [(5, 5, 5, 51)]
    for rows, box in ((flat, 0), (cube, 1), (pair, 2), (lead, 2)):
        count, _, kind = packed(table(rows, 4), boxes)
        assert (count, kind[0]) == (1, box)


def test_two_halves_that_leave_no_gap_fit() -> None:
    """Four bricks that fill a carton to the last millimetre, and a fifth that does not fit any more."""
    boxes = table([(20, 10, 10, 100, 0, 0)], 6)
    brick = (10, 10, 5, 1)
    assert packed(table([brick] * 4, 4), boxes)[0] == 1
    assert packed(table([brick] * 5, 4), boxes)[0] == 2


def test_weight_alone_opens_another_carton() -> None:
    boxes = table([(20, 10, 10, 100, 7, 0)], 6)
    count, into, _ = packed(table([(0, 0, 0, 60), (0, 0, 0, 60), (0, 0, 0, 40)], 4), boxes)
    assert (count, into.tolist()) == (2, [0, 1, 0])


def test_a_carton_takes_no_more_pieces_than_the_limit() -> None:
    boxes = table([(100, 100, 100, 10_000, 0, 0)], 6)
    assert packed(table([(1, 1, 1, 1)] * (MOST_IN_ONE + 1), 4), boxes)[0] == 2


def test_the_cartons_of_a_mask_hold_its_lines_and_nothing_else() -> None:
    rng = np.random.default_rng(4)
    boxes = random_boxes(rng, 9)
    pieces, line_of = random_pieces(rng, boxes, 8), rng.integers(0, 3, 8)
    closed = table([(2, 50, 11, 1, 1, -1), (1, 9, 5, 1, 1, 0)], 6)
    starts, rows, cents = pack_masks(line_of, pieces, boxes, np.array([0, 2]), closed, 3)
    for mask in range(8):
        found = rows[starts[mask] : starts[mask + 1]]
        lines = [line for line in range(3) if mask >> line & 1]
        own = closed[[line in lines for line in (0, 2)]]
        boxed = found[len(own) :]
        assert (found[: len(own)] == own).all()
        tare = boxes[boxed[:, BOX], 4].sum()
        assert boxed[:, WEIGHT_G].sum() == pieces[np.isin(line_of, lines), 3].sum() + tare
        assert (boxed[:, VOLUME_MM3] == boxes[boxed[:, BOX], :3].prod(axis=1)).all()
        paid = boxes[boxed[:, BOX], 5].sum() + sum(boxes[row[BOX], 5] * row[COUNT] for row in own if row[BOX] >= 0)
        assert cents[mask] == paid
