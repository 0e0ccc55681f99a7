"""How often Hypothesis tries a property: ten examples in `make check`, 20 in `make test`, 500 in
`make nightly`. A property that names its own number is tried more or less often likewise.
"""

from hypothesis import settings

QUICK, DAILY, NIGHTLY = 10, 20, 500  # examples


def register_profiles() -> None:
    """Register the three. No property has a deadline: a busy machine is no fault."""
    for name, count in (("quick", QUICK), ("daily", DAILY), ("nightly", NIGHTLY)):
        settings.register_profile(name, max_examples=count, deadline=None)
    settings.load_profile("daily")


def examples(daily: int) -> int:
    """Return how many examples of a property to try now that has `daily` of them in `make test`."""
    return max(min(daily, QUICK), daily * settings().max_examples // DAILY)
