"""The waiting period of an approved offboarding, a setting of the installation."""

from governance.kernel.feature_settings import Setting

DEFAULT_DAYS, MIN_DAYS, MAX_DAYS = 14, 1, 365
_days = DEFAULT_DAYS


def use(days: int) -> None:
    """Set how many days pass between the approval and the deletion."""
    global _days  # noqa: PLW0603 - one process, one setting
    _days = max(days, MIN_DAYS)


def _problem(days: str) -> str | None:
    if days.isdecimal() and MIN_DAYS <= int(days) <= MAX_DAYS:
        return None
    return f"must be a number of days, {MIN_DAYS} to {MAX_DAYS}"


SETTING = Setting(
    name="GOVERNANCE_OFFBOARDING_DAYS",
    meaning="how many days an approved deletion of a tenant waits, 1 to 365, see `tenants.md`",
    unset="14",
    use=lambda text: use(int(text)),
    default=str(DEFAULT_DAYS),
    problem=_problem,
)


def waiting_days() -> int:
    return _days
