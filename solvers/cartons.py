"""Into which cartons the lines of a parcel go: a packing that is always possible, and a bound of how few there can be.

Pieces are boxes that may be turned in all six ways. They are placed one by one at the extreme points of what lies there
already (Crainic, Perboli & Tadei 2008), each where its far corner is lowest, then nearest; a carton is filled before
the next is opened. If all pieces fit into one carton, it is the smallest that holds them. Otherwise the largest that
takes the next piece is filled, three orders of the pieces are tried (volume, longest edge, largest face), the fewest
cartons win, and each carton is exchanged for the smallest that holds what is in it. `fewest_cartons` is a proven lower
bound: where both agree, the number is the least possible.

Not here: pieces that fit into no carton, and many equal units as one block (engine/promising/packing.py).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solvers.kernels import inner
from solvers.problem import IntArray
from solvers.promise_freight import BOX, COUNT, GIRTH, LONGEST, VOLUME_MM3, WEIGHT_G, BoolArray

EDGE_X, EDGE_Y, EDGE_Z, GRAMS = range(4)
"""Columns of a piece: its edges, descending, and its weight."""

BOX_X, BOX_Y, BOX_Z, BOX_GRAMS, BOX_TARE, BOX_CENTS = range(6)
"""Columns of a carton: its edges inside, descending, the most it holds, what it weighs and costs itself."""

MOST_IN_ONE = 32
"""Pieces that one carton takes at most, so that no order takes long."""
_ORDERS = 3
_TURNS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


def sort_boxes(boxes: IntArray) -> IntArray:
    """Return the order in which cartons have to be: by volume, then cost, then as they came."""
    return np.lexsort((boxes[:, BOX_CENTS], boxes[:, :3].prod(axis=1)))


@njit(cache=True, nogil=True)
def orders_of(pieces: IntArray) -> IntArray:
    """Return the orders in which pieces (n, 4) are tried, shape (3, n); equal ones stay as they came."""
    orders = np.zeros((_ORDERS, pieces.shape[0]), dtype=np.int64)
    sizes = np.zeros((_ORDERS, pieces.shape[0]), dtype=np.int64)
    for piece in range(pieces.shape[0]):
        face = pieces[piece, EDGE_X] * pieces[piece, EDGE_Y]
        sizes[0, piece], sizes[1, piece], sizes[2, piece] = face * pieces[piece, EDGE_Z], pieces[piece, EDGE_X], face
    for turn in range(_ORDERS):
        for piece in range(pieces.shape[0]):
            place = piece
            while place > 0 and sizes[turn, orders[turn, place - 1]] < sizes[turn, piece]:
                orders[turn, place] = orders[turn, place - 1]
                place -= 1
            orders[turn, place] = piece
    return orders


@njit(cache=True, nogil=True)
def fewest_cartons(pieces: IntArray, boxes: IntArray, wanted: BoolArray) -> int:
    """Return a number of cartons that no packing of the wanted pieces has less than; each must fit into some carton.

    All volume and all weight must go somewhere; and no two pieces share a carton that both have more than half of the
    largest volume, or of the greatest weight a carton holds, or whose shortest edges are together longer than the
    longest edge there is: side by side along any edge of a carton they take at least that.
    """
    volume, weight_g = np.int64(0), np.int64(0)
    most_volume, most_g, longest = np.int64(0), np.int64(0), np.int64(0)
    for box in range(boxes.shape[0]):
        most_volume = max(most_volume, boxes[box, BOX_X] * boxes[box, BOX_Y] * boxes[box, BOX_Z])
        most_g = max(most_g, boxes[box, BOX_GRAMS])
        longest = max(longest, boxes[box, BOX_X])
    bulky, heavy, thick = 0, 0, 0
    for piece in range(pieces.shape[0]):
        if not wanted[piece]:
            continue
        size = pieces[piece, EDGE_X] * pieces[piece, EDGE_Y] * pieces[piece, EDGE_Z]
        volume += size
        weight_g += pieces[piece, GRAMS]
        bulky += 2 * size > most_volume
        heavy += 2 * pieces[piece, GRAMS] > most_g
        thick += 2 * pieces[piece, EDGE_Z] > longest
    by_volume, by_weight = -(-volume // most_volume), -(-weight_g // most_g)
    least = max(np.int64(wanted.any()), by_volume, by_weight, np.int64(bulky), np.int64(heavy), np.int64(thick))
    return int(least)


@njit(cache=True, nogil=True)
def fill(box: IntArray, pieces: IntArray, order: IntArray, left: BoolArray, placed: IntArray) -> int:
    """Put as many of the pieces that are `left` into one carton as find a place, in order; return how many.

    box (6,), pieces (n, 4). `left` (n,) becomes False for what is inside, and rows of `placed` (n, 7) say which piece
    lies where: number, x, y, z, and its edges along them.
    """
    points = np.zeros((6 * MOST_IN_ONE + 1, 3), dtype=np.int64)
    point_count, inside, weight_g = 1, 0, np.int64(0)
    for piece in order:
        if not left[piece] or weight_g + pieces[piece, GRAMS] > box[BOX_GRAMS]:
            continue
        if pieces[piece, EDGE_X] == 0:  # of unknown size: it takes no room
            left[piece] = False
            weight_g += pieces[piece, GRAMS]
            continue
        if inside == MOST_IN_ONE:
            continue
        found, best = False, (np.int64(0), np.int64(0), np.int64(0))
        for point in range(point_count):
            x, y, z = points[point, 0], points[point, 1], points[point, 2]
            for turn in range(6):
                dx, dy = pieces[piece, _TURNS[turn][0]], pieces[piece, _TURNS[turn][1]]
                dz = pieces[piece, _TURNS[turn][2]]
                far = (z + dz, y + dy, x + dx)
                if far[2] > box[BOX_X] or far[1] > box[BOX_Y] or far[0] > box[BOX_Z] or (found and far >= best):
                    continue
                if _is_free(placed, inside, x, y, z, dx, dy, dz):
                    found, best = True, far
                    placed[inside, 0] = piece
                    placed[inside, 1], placed[inside, 2], placed[inside, 3] = x, y, z
                    placed[inside, 4], placed[inside, 5], placed[inside, 6] = dx, dy, dz
        if found:
            left[piece] = False
            weight_g += pieces[piece, GRAMS]
            inside += 1
            point_count = _add_points(placed, inside, points, point_count)
    return inside


@inner
def _is_free(placed: IntArray, inside: int, x: int, y: int, z: int, dx: int, dy: int, dz: int) -> bool:
    for k in range(inside):
        if (
            x < placed[k, 1] + placed[k, 4]
            and placed[k, 1] < x + dx
            and y < placed[k, 2] + placed[k, 5]
            and placed[k, 2] < y + dy
            and z < placed[k, 3] + placed[k, 6]
            and placed[k, 3] < z + dz
        ):
            return False
    return True


@inner
def _add_points(placed: IntArray, inside: int, points: IntArray, count: int) -> int:
    """Add the extreme points of the piece placed last: its three far corners, each slid along the other two axes."""
    last = placed[inside - 1]
    for out in range(3):
        for slide in range(3):
            if slide == out:
                continue
            other = 3 - out - slide
            points[count, out] = last[1 + out] + last[4 + out]
            points[count, other] = last[1 + other]
            rest = np.int64(0)
            for k in range(inside - 1):
                end = placed[k, 1 + slide] + placed[k, 4 + slide]
                if (
                    rest < end <= last[1 + slide]
                    and placed[k, 1 + out] <= points[count, out] < placed[k, 1 + out] + placed[k, 4 + out]
                    and placed[k, 1 + other] <= points[count, other] < placed[k, 1 + other] + placed[k, 4 + other]
                ):
                    rest = end
            points[count, slide] = rest
            count += 1
    return count


@njit(cache=True, nogil=True)
def takes(box: IntArray, piece: IntArray) -> bool:
    """Say whether a carton takes a piece by itself; both have their edges descending."""
    return (
        piece[EDGE_X] <= box[BOX_X]
        and piece[EDGE_Y] <= box[BOX_Y]
        and piece[EDGE_Z] <= box[BOX_Z]
        and piece[GRAMS] <= box[BOX_GRAMS]
    )


@inner
def _smallest(
    boxes: IntArray, pieces: IntArray, orders: IntArray, wanted: BoolArray, work: tuple[BoolArray, IntArray]
) -> int:
    """Return the first carton that holds all the wanted pieces, as many as there are if none does."""
    left, placed = work
    volume, weight_g = np.int64(0), np.int64(0)
    for piece in range(pieces.shape[0]):
        if wanted[piece]:
            volume += pieces[piece, EDGE_X] * pieces[piece, EDGE_Y] * pieces[piece, EDGE_Z]
            weight_g += pieces[piece, GRAMS]
    for box in range(boxes.shape[0]):
        if volume > boxes[box, BOX_X] * boxes[box, BOX_Y] * boxes[box, BOX_Z] or weight_g > boxes[box, BOX_GRAMS]:
            continue
        can = True
        for piece in range(pieces.shape[0]):
            if wanted[piece] and not takes(boxes[box], pieces[piece]):
                can = False
                break
        if not can:
            continue
        for turn in range(_ORDERS):
            left[:] = wanted
            fill(boxes[box], pieces, orders[turn], left, placed)
            if not left.any():
                return box
    return int(boxes.shape[0])


@njit(cache=True, nogil=True)
def pack(pieces: IntArray, orders: IntArray, boxes: IntArray, wanted: BoolArray, into: IntArray, kind: IntArray) -> int:
    """Put the wanted pieces into cartons; return how many.

    pieces (n, 4), each of which some carton takes; orders (3, n) by `orders_of`; boxes (b, 6), sorted by `sort_boxes`.
    `into` (n,) gets the carton of each piece, `kind` (n,) the box of each carton.
    """
    count = pieces.shape[0]
    left, placed = np.zeros(count, dtype=np.bool_), np.zeros((count + 1, 7), dtype=np.int64)
    work = (left, placed)
    one = _smallest(boxes, pieces, orders, wanted, work)
    if one < boxes.shape[0]:
        into[:] = 0
        kind[0] = one
        return 1
    least = fewest_cartons(pieces, boxes, wanted)
    fewest = count + 1
    still, trial = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int64)
    for turn in range(_ORDERS):
        still[:] = wanted
        cartons = 0
        while still.any() and cartons < fewest:
            first = 0
            while not still[orders[turn, first]]:
                first += 1
            box = boxes.shape[0] - 1
            while not takes(boxes[box], pieces[orders[turn, first]]):
                box -= 1
            left[:] = still
            fill(boxes[box], pieces, orders[turn], left, placed)
            for piece in range(count):
                if still[piece] and not left[piece]:
                    still[piece] = False
                    trial[piece] = cartons
            cartons += 1
        if cartons < fewest:
            fewest = cartons
            into[:] = trial
        if fewest <= least:
            break
    for carton in range(fewest):
        still[:] = wanted & (into == carton)
        kind[carton] = _smallest(boxes, pieces, orders, still, work)
    return fewest


@njit(cache=True, nogil=True)
def pack_masks(
    line_of: IntArray,
    pieces: IntArray,
    boxes: IntArray,
    closed_line: IntArray,
    closed: IntArray,
    lines: int,
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the cartons of every mask of lines: starts (masks + 1,), rows as in `Goods.cartons`, and their cents.

    Piece i is of line `line_of[i]`. Rows of `closed` (k, 6) travel as they are, whenever line `closed_line[k]` does.
    """
    masks, orders = 1 << lines, orders_of(pieces)
    most = masks * (pieces.shape[0] + closed.shape[0])
    rows = np.zeros((most, 6), dtype=np.int64)
    starts, cents = np.zeros(masks + 1, dtype=np.int64), np.zeros(masks, dtype=np.int64)
    wanted = np.zeros(pieces.shape[0], dtype=np.bool_)
    into, kind = np.zeros(pieces.shape[0], dtype=np.int64), np.zeros(pieces.shape[0] + 1, dtype=np.int64)
    end = 0
    for mask in range(1, masks):
        for k in range(closed.shape[0]):
            if mask >> closed_line[k] & 1:
                rows[end] = closed[k]
                cents[mask] += closed[k, COUNT] * (boxes[closed[k, BOX], BOX_CENTS] if closed[k, BOX] >= 0 else 0)
                end += 1
        for piece in range(pieces.shape[0]):
            wanted[piece] = mask >> line_of[piece] & 1
        count = pack(pieces, orders, boxes, wanted, into, kind) if wanted.any() else 0
        for carton in range(count):
            box = boxes[kind[carton]]
            weight_g = box[BOX_TARE]
            for piece in range(pieces.shape[0]):
                if wanted[piece] and into[piece] == carton:
                    weight_g += pieces[piece, GRAMS]
            rows[end, COUNT], rows[end, WEIGHT_G], rows[end, BOX] = 1, weight_g, kind[carton]
            rows[end, VOLUME_MM3] = box[BOX_X] * box[BOX_Y] * box[BOX_Z]
            rows[end, LONGEST], rows[end, GIRTH] = box[BOX_X], box[BOX_X] + 2 * (box[BOX_Y] + box[BOX_Z])
            cents[mask] += box[BOX_CENTS]
            end += 1
        starts[mask + 1] = end
    return starts, rows[:end].copy(), cents


@njit(cache=True, nogil=True)
def join_masks(
    loose: IntArray, closed_line: IntArray, closed: IntArray, lines: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the same as `pack_masks` where there are no cartons: all that is loose is one box of its volume.

    loose (lines, 5) is what of each line is loose: units, grams, mm³, longest edge, length plus girth; that box has the
    longest edge and the greatest length plus girth of any piece in it.
    """
    masks = 1 << lines
    rows = np.zeros((masks * (1 + closed.shape[0]), 6), dtype=np.int64)
    starts, end = np.zeros(masks + 1, dtype=np.int64), 0
    for mask in range(1, masks):
        for k in range(closed.shape[0]):
            if mask >> closed_line[k] & 1:
                rows[end] = closed[k]
                end += 1
        units = np.int64(0)
        for line in range(lines):
            if mask >> line & 1 and loose[line, 0] > 0:
                units += loose[line, 0]
                rows[end, WEIGHT_G] += loose[line, 1]
                rows[end, VOLUME_MM3] += loose[line, 2]
                rows[end, LONGEST] = max(rows[end, LONGEST], loose[line, 3])
                rows[end, GIRTH] = max(rows[end, GIRTH], loose[line, 4])
        if units > 0:
            rows[end, COUNT], rows[end, BOX] = 1, -1
            end += 1
        starts[mask + 1] = end
    return starts, rows[:end].copy(), np.zeros(masks, dtype=np.int64)
