"""Times of a recording, as people read them."""

import pytest

from funasr_cli.units import clock


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0:00"), (59.6, "0:59"), (60, "1:00"), (754.9, "12:34"), (3600, "1:00:00")],
)
def test_minutes_never_have_sixty_seconds(seconds: float, told: str) -> None:
    assert clock(seconds) == told
