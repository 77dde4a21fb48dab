"""Align the layers of a new network with those of an old one."""

import math

from aeviz.models.bodies.shapes import Stage

REMOVED, LOSSY = -1.0, -2.0
SAME, LARGER, SMALLER, OTHER_STRIDE = 3.5, 3.0, 1.0, 0.5


def match_boundaries(old: list[Stage], new: list[Stage], sample_shape: tuple[int, ...]) -> list[int | None]:
    """For each boundary of the new network (S + 1), the old boundary with the same value, as a number of layers.

    Layers are aligned in order (Needleman & Wunsch 1970) to preserve as much of the function as possible. After a new
    layer that can start as the identity, the boundary is the one before it; otherwise None.
    """
    shapes = [sample_shape, *(stage.after for stage in old)]
    score = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    step = [[""] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) + 1):
        for j in range(len(new) + 1):
            ways = []
            if i and j and (both := _pair_score(old[i - 1], new[j - 1])) is not None:
                ways.append((score[i - 1][j - 1] + both, "pair"))
            if j:
                ways.append((score[i][j - 1] + _insert_score(new[j - 1], shapes[i], first=i == 0), "insert"))
            if i:
                ways.append((score[i - 1][j] + REMOVED, "remove"))
            if ways:
                score[i][j], step[i][j] = max(ways, key=lambda way: way[0])
    return _trace_back(step, new, shapes)


def _trace_back(step: list[list[str]], new: list[Stage], shapes: list[tuple[int, ...]]) -> list[int | None]:
    i, j = len(step) - 1, len(new)
    found: list[int | None] = [0] * (j + 1)
    while i or j:
        if step[i][j] == "remove":
            i -= 1
            continue
        inserted = step[i][j] == "insert"
        found[j] = i if not inserted or _may_be_identity(new[j - 1], shapes[i]) else None
        i, j = i - (not inserted), j - 1
    return found


def _pair_score(old: Stage, new: Stage) -> float | None:
    """Score of turning an old layer into a new one; None if impossible."""
    one, other = old.layer, new.layer
    if one.kind != other.kind:
        return None
    if one.kind == "pool":
        return SAME if one.stride == other.stride else OTHER_STRIDE
    if one.kind == "dense":
        return _size_score(other.size - one.size)
    if (one.kernel - other.kernel) % 2:
        return None
    if one.stride != other.stride:
        return OTHER_STRIDE
    return _size_score(other.size - one.size) if other.kernel >= one.kernel else SMALLER


def _size_score(more: int) -> float:
    return SAME if more == 0 else LARGER if more > 0 else SMALLER


def _insert_score(stage: Stage, shape: tuple[int, ...], first: bool) -> float:
    """Score of inserting a layer where values have this shape."""
    if not _may_be_identity(stage, shape) or stage.layer.kind == "pool":
        return LOSSY
    units = math.prod(shape) if stage.layer.kind == "dense" else shape[0]
    return 0.0 if stage.layer.size >= (2 if first else 1) * units else LOSSY


def _may_be_identity(stage: Stage, shape: tuple[int, ...]) -> bool:
    layer = stage.layer
    if layer.kind == "dense":
        return True
    return len(shape) == 3 and (layer.kind == "pool" or (layer.stride == 1 and layer.kernel % 2 == 1))
