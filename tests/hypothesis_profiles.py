"""Numbers of Hypothesis examples: ten in `make check`, 20 in `make test`, 500 in `make nightly`.

A property with its own number scales alike.
"""

from hypothesis import settings

QUICK, DAILY, NIGHTLY = 10, 20, 500  # examples


def register_profiles() -> None:
    """Register the three profiles, without deadlines: a busy machine is no fault."""
    for name, count in (("quick", QUICK), ("daily", DAILY), ("nightly", NIGHTLY)):
        settings.register_profile(name, max_examples=count, deadline=None)
    settings.load_profile("daily")


def examples(daily: int) -> int:
    """Return how many examples to try now of a property that has `daily` of them in `make test`."""
    return max(min(daily, QUICK), daily * settings().max_examples // DAILY)
