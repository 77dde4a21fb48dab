"""Counter-based random numbers: each depends only on (seed, index, stream), so any row can be drawn by itself.

SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
https://doi.org/10.1145/2660193.2660195), used as a counter-based generator. numpy's own permutations may change
between versions; the splits of a data set must not.
"""

import zlib

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def draw_bits(seed: int, index: np.ndarray, stream: int) -> np.ndarray:
    """64 random bits per index (N,), as uint64 (N,)."""
    key = np.array([seed], dtype=np.uint64) * GOLDEN + np.uint64(stream)
    return _mix(_mix(key) + (np.asarray(index).astype(np.uint64) + np.uint64(1)) * GOLDEN)


def draw_uniform(seed: int, index: np.ndarray, stream: int) -> np.ndarray:
    """A uniform number in [0, 1) per index (N,), as float64 (N,)."""
    return (draw_bits(seed, index, stream) >> np.uint64(11)) * 2.0**-53


def fixed_permutation(name: str, purpose: int, n: int) -> np.ndarray:
    """The permutation of 0..n-1 (n,) that is fixed by a data set's name."""
    return np.argsort(draw_bits(zlib.crc32(name.encode()), np.arange(n), purpose), kind="stable")


def _mix(bits: np.ndarray) -> np.ndarray:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
