"""Graph of nearest neighbours among codes, and shortest paths on it."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from aeviz.errors import BadValue
from aeviz.latent.neighbours import nearest, own_nearest

NEIGHBOURS = 10


@dataclass(frozen=True)
class NeighbourGraph:
    """Codes (N, D) and the edges between them: row pairs (E, 2) and lengths (E,)."""

    codes: np.ndarray
    edges: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray, k: int = NEIGHBOURS) -> Self:
        """Connect each code to its k nearest neighbours, then join components by the shortest possible edges.

        Raises:
            BadValue: no codes, or non-finite codes.
        """
        codes = np.asarray(codes, dtype=np.float64)
        if len(codes) == 0 or not np.isfinite(codes).all():
            raise BadValue(
                "a path needs at least one code and finite numbers only; {count} codes were given", count=len(codes)
            )
        distances, rows = own_nearest(codes, k)
        starts = np.repeat(np.arange(len(codes)), rows.shape[1])
        edges, lengths = np.stack([starts, rows.reshape(-1)], axis=1), distances.reshape(-1)
        more, their_lengths = _bridges(codes, _parts(edges, len(codes)))
        return cls(codes, np.concatenate([edges, more]), np.concatenate([lengths, their_lengths]))

    def path(self, a: np.ndarray, b: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
        """Codes (V, D) on the shortest path from a (D,) to b (D,), ends included; see `shortest_path`."""
        return np.concatenate([[a], self.codes[self.shortest_path(a, b, k)], [b]])

    def shortest_path(self, a: np.ndarray, b: np.ndarray, k: int = NEIGHBOURS) -> list[int]:
        """Rows of the codes between a (D,) and b (D,) on the shortest path (Dijkstra 1959).

        Both ends connect to their k nearest codes; empty if the ends are as near to each other.
        """
        from scipy.sparse.csgraph import dijkstra

        n = len(self.codes)
        ends = np.stack([a, b]).astype(np.float64)
        distances, rows = nearest(self.codes, ends, k)
        apart = np.linalg.norm(ends[1] - ends[0])
        if apart <= distances.max():
            return []
        to_ends = np.stack([np.repeat([n, n + 1], rows.shape[1]), rows.reshape(-1)], axis=1)
        edges = np.concatenate([self.edges, to_ends])
        matrix = _matrix(edges, np.concatenate([self.lengths, distances.reshape(-1)]), n + 2)
        _, before = dijkstra(matrix, directed=False, indices=n, return_predecessors=True)
        return _traced(before, n, n + 1)[1:-1]


def _matrix(edges: np.ndarray, lengths: np.ndarray, n: int) -> Any:
    """Edges (E, 2) as a sparse matrix (N, N), each pair once."""
    from scipy.sparse import csr_array

    pairs, first = np.unique(np.sort(edges, axis=1), axis=0, return_index=True)
    least = np.finfo(np.float64).tiny  # an explicit 0 between equal codes would mean no edge
    return csr_array((np.maximum(lengths[first], least), (pairs[:, 0], pairs[:, 1])), shape=(n, n))


def _parts(edges: np.ndarray, n: int) -> np.ndarray:
    """Connected component (N,) of each code."""
    from scipy.sparse.csgraph import connected_components

    return connected_components(_matrix(edges, np.ones(len(edges)), n), directed=False)[1]


def _bridges(codes: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges (P - 1, 2) and lengths that connect P components, repeatedly joining the smallest to its nearest other."""
    parts, edges, lengths = parts.copy(), [], []
    while len(np.unique(parts)) > 1:
        inside = _smallest(parts)
        outside = np.flatnonzero(parts != parts[inside[0]])
        distances, rows = nearest(codes[outside], codes[inside], 1)
        shortest = distances[:, 0].argmin()
        other = outside[rows[shortest, 0]]
        edges.append((inside[shortest], other))
        lengths.append(distances[shortest, 0])
        parts[inside] = parts[other]
    return np.array(edges, dtype=np.int64).reshape(-1, 2), np.array(lengths, dtype=np.float64)


def _smallest(parts: np.ndarray) -> np.ndarray:
    """Rows of the smallest component."""
    names, counts = np.unique(parts, return_counts=True)
    return np.flatnonzero(parts == names[counts.argmin()])


def _traced(before: np.ndarray, start: int, end: int) -> list[int]:
    """Rows from start to end, given each row's predecessor on the path from start."""
    rows = [end]
    while rows[-1] != start:
        rows.append(int(before[rows[-1]]))
    return rows[::-1]
