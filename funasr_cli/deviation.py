"""How far numbers are from those that they should be."""

import numpy as np

from funasr_cli.protocols import Floats


def deviation(found: Floats, expected: Floats) -> float:
    """The worst difference as a share of the largest value; infinite for what is no number."""
    if not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - expected).max() / np.abs(expected).max())
