"""How long an approved offboarding waits: a setting of the installation."""

DEFAULT_DAYS, MIN_DAYS = 14, 1
_days = DEFAULT_DAYS


def use(days: int) -> None:
    """Set how many days pass between the approval and the deletion."""
    global _days  # noqa: PLW0603 - one process, one setting
    _days = max(days, MIN_DAYS)


def waiting_days() -> int:
    return _days
