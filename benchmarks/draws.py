"""Which images of a set a training may see."""

import numpy as np
from numpy.typing import NDArray


def drawn(targets: NDArray[np.bool_], pool: NDArray[np.bool_], shots: int, seed: int = 0) -> NDArray[np.intp]:
    """Draw images of the pool for as long as one of their tags has fewer than `shots`; 0: all of them."""
    order = np.random.default_rng(seed).permutation(np.flatnonzero(pool))
    if not shots:
        return np.sort(order)
    wanted, chosen = np.full(targets.shape[1], shots), list[int]()
    for image in order.tolist():
        if (wanted[targets[image]] > 0).any():
            chosen.append(image)
            wanted -= targets[image]
    return np.array(sorted(chosen))
