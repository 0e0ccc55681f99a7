"""The schedule of retries of a delivery. Pure.

The schedule is the one that the Standard Webhooks specification recommends (section "Deliverability
and reliability"): ten attempts over a little more than three days.
"""

from datetime import timedelta

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_ATTEMPTS = len(DELAYS) + 1
JITTER = 0.1  # Fraction of the delay, more or less.
DISABLED_AFTER = timedelta(days=5)  # Time of failing without one success.


def delay_after(attempt: int, chance: float) -> timedelta | None:
    """Return how long to wait after attempt number `attempt`; None after the last one.

    `chance` is a random number from 0 to 1: it spreads the retries of many messages, so that a
    receiver that comes back doesn't get all of them at once.
    """
    if not 1 <= attempt < MAX_ATTEMPTS:
        return None
    return DELAYS[attempt - 1] * (1 + JITTER * (2 * chance - 1))
