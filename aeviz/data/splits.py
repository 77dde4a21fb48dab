"""How every data set is split: train rows first (validation among them), then test rows."""

from typing import Literal

import numpy as np

from aeviz.data.counter_rng import fixed_permutation

Split = Literal["train", "val", "test"]
TEST_SHARE = 0.2
VAL_SHARE = 0.1
MAX_VAL = 2000
MIN_IMAGES = 3  # one each for train, val and test
HOLD_OUT, VALIDATE = 0, 1


def hold_out(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted train and test members of 0..n-1 for a set without its own test split (n >= 3)."""
    order = fixed_permutation(name, HOLD_OUT, n)
    n_test = max(1, round(TEST_SHARE * n))
    return np.sort(order[n_test:]), np.sort(order[:n_test])


def make_splits(name: str, n_train: int, n_test: int, group: int = 1) -> dict[str, np.ndarray]:
    """Sorted int64 rows of train, val and test, given that train rows come first (n_train >= 2 groups).

    Rows that belong together (such as overlapping crops) form groups of equal size that are never split: with G
    groups, row r belongs to group r % G.
    """
    n_groups = n_train // group
    n_val = min(MAX_VAL // group, max(1, round(VAL_SHARE * n_groups)))
    chosen = np.sort(fixed_permutation(name, VALIDATE, n_groups)[:n_val])
    val = (np.arange(group)[:, None] * n_groups + chosen).ravel()  # (groups,) -> (rows,)
    train = np.setdiff1d(np.arange(n_train), val)
    return {"train": train, "val": val, "test": np.arange(n_train, n_train + n_test)}
