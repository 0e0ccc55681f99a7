"""Models that vendors retire, with the systems that use them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

SOON = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A model with the systems that use it: (slug, name) of each."""

    provider: str
    name: str
    retires_on: date | None
    successor: str
    systems: tuple[tuple[str, str], ...]

    def days_left(self, today: date) -> int | None:
        """Return the days until it is retired, negative afterwards; None without a date."""
        return (self.retires_on - today).days if self.retires_on else None


def models_in_use(systems: Iterable[tuple[str, str, list[Any]]]) -> list[UsedModel]:
    """Return the models of systems, given as (slug, name, models), by retirement.

    The earliest is first, and those without a date are last. If systems state different days for
    one model, the earliest counts.
    """
    used: dict[tuple[str, str], dict[str, str]] = {}
    days: dict[tuple[str, str], set[date]] = {}
    successors: dict[tuple[str, str], str] = {}
    spelled: dict[tuple[str, str], tuple[str, str]] = {}
    for slug, name, models in systems:
        for each in models:
            key = (each["provider"].casefold(), each["name"].casefold())
            spelled.setdefault(key, (each["provider"], each["name"]))
            used.setdefault(key, {})[slug] = name
            if each["retires_on"]:
                days.setdefault(key, set()).add(date.fromisoformat(each["retires_on"]))
            successors[key] = successors.get(key) or each.get("successor", "")
    found = [
        UsedModel(
            *spelled[key],
            min(days.get(key, ()), default=None),
            successors[key],
            tuple(sorted(by.items())),
        )
        for key, by in used.items()
    ]
    return sorted(found, key=lambda each: (each.retires_on or date.max, each.provider, each.name))
