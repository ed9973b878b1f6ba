"""How far numbers are from those that they should be."""

import numpy as np

from funasr_cli.protocols import Floats


def deviation(found: Floats, expected: Floats) -> float:
    """The worst difference as a share of the largest value.

    Infinite for what is no number, or of another shape.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - expected).max() / np.abs(expected).max())
