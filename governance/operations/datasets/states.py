"""The state of a data set on a day, and the reasons why it blocks a rollout.

state_of(facts, today)       one of STATES, as lists show it
reasons_of(facts, today)     all problems, the worst first
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from governance.kernel.formatting import day, plural

NOTICE_DAYS = 30  # Notice to the owner before consent ends
STATES = {
    "usable": "Usable",
    "consent_soon": "Consent ends soon",
    "stale": "Stale",
    "consent_expired": "Consent expired",
    "without_licence": "Without licence",
    "draft": "Draft",
    "retired": "Retired",
}
KINDS = {
    "usable": "ok",
    "consent_soon": "due",
    "stale": "bad",
    "consent_expired": "bad",
    "without_licence": "bad",
    "draft": "open",
    "retired": "none",
}
NOT_BLOCKING = frozenset({"usable", "consent_soon"})


@dataclass(frozen=True, slots=True)
class DataSetFacts:
    """The facts that determine the state of a data set."""

    is_retired: bool
    version: int  # 0 before the first is published
    has_licence: bool
    consent_until: date | None = None
    newest_record: date | None = None
    max_age_days: int | None = None

    @property
    def fresh_until(self) -> date | None:
        """The last day on which the newest record is recent enough; None if it has no limit."""
        if self.newest_record is None or self.max_age_days is None:
            return None
        return self.newest_record + timedelta(days=self.max_age_days)


@dataclass(frozen=True, slots=True)
class StateReason:
    """One problem of a data set. `text` follows its name; `detail` is a sentence."""

    state: str
    text: str
    detail: str = ""

    @property
    def blocks(self) -> bool:
        """True if it fails the rollout gate of the systems that use the data set."""
        return self.state not in NOT_BLOCKING

    @property
    def kind(self) -> str:
        return KINDS[self.state]


def facts_of(data_set: Any, version: Any) -> DataSetFacts:
    """Return the facts of a data set and of its published version, None before the first."""
    draft = data_set.draft or {}
    if version is None:
        has_licence = bool(draft.get("licence") or draft.get("licence_text"))
        return DataSetFacts(data_set.is_retired, 0, has_licence)
    return DataSetFacts(
        data_set.is_retired,
        version.number,
        bool(version.licence or version.licence_text),
        version.consent_until,
        version.newest_record,
        version.max_age_days,
    )


def state_of(facts: DataSetFacts, today: date) -> str:
    """Return the worst state that applies, as state_sql.py does in SQL."""
    return next((each.state for each in reasons_of(facts, today)), "usable")


def reasons_of(facts: DataSetFacts, today: date) -> list[StateReason]:
    """Return the problems, the worst first."""
    return list(_reasons(facts, today))


def _reasons(facts: DataSetFacts, today: date) -> Iterator[StateReason]:
    if facts.is_retired:
        yield StateReason("retired", "is retired", "Systems must not use it any more.")
    elif facts.version == 0 and not facts.has_licence:
        yield StateReason(
            "without_licence",
            "has no licence",
            "Without one, no version of it can be published.",
        )
    elif facts.version == 0:
        yield StateReason("draft", "has no published version", "Its first version is a draft.")
    else:
        yield from _overdue(facts, today)


def _overdue(facts: DataSetFacts, today: date) -> Iterator[StateReason]:
    until, fresh = facts.consent_until, facts.fresh_until
    if until is not None and until < today:
        yield StateReason(
            "consent_expired",
            f"has no consent since {day(until + timedelta(days=1))}",
            f"The last day of the consent was {day(until)}.",
        )
    if fresh is not None and fresh < today:
        yield StateReason(
            "stale",
            f"is stale since {day(fresh + timedelta(days=1))}",
            f"Its newest record is {plural((today - (facts.newest_record or today)).days, 'day')}"
            f" old; {plural(facts.max_age_days or 0, 'day')} are allowed.",
        )
    if until is not None and today <= until <= today + timedelta(days=NOTICE_DAYS):
        left = (until - today).days
        yield StateReason(
            "consent_soon",
            f"has consent until {day(until)}",
            f"It ends in {plural(left, 'day')}." if left else "It ends today.",
        )
