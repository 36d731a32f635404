"""Clusters drawn with replacement: the counts of patterns in each resample."""

from __future__ import annotations

import numpy as np

from mailtap.accuracy.ratings import Floats, Integers


def resampled(cluster: Integers, pattern: Integers, count: Integers, draws: int) -> Floats:
    """Counts of each pattern (columns) in `draws` resamples (rows); the same in every run."""
    from scipy import sparse  # slow to load, and few reports have raters enough

    numbers = np.unique(cluster, return_inverse=True)[1].reshape(-1)
    clusters, patterns = int(numbers.max()) + 1, int(pattern.max()) + 1
    by_pattern = sparse.csr_array(
        (count.astype(np.float64), (pattern, numbers)), shape=(patterns, clusters)
    )
    rng = np.random.default_rng(0)
    times_drawn = (
        np.bincount(rng.integers(clusters, size=clusters), minlength=clusters) for _ in range(draws)
    )
    return np.array([by_pattern @ times for times in times_drawn])
