"""Counts of decisions by system and flag."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.decision_counts.models import DecisionCount

type ByFlag = Mapping[tuple[str, str], Mapping[str, int]]


def evaluations_since(since: datetime) -> ByFlag:
    """Return {(system, flag): {value: count}}. Runs one statement.

    Counts that are folded into days belong to the start of their day.
    """
    total = func.sum(DecisionCount.asked)
    query = select(DecisionCount.system, DecisionCount.flag, DecisionCount.value, total).where(
        DecisionCount.at >= since
    )
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for system, flag, value, asked in session().execute(
        query.group_by(DecisionCount.system, DecisionCount.flag, DecisionCount.value)
    ):
        found[system, flag][value] = int(asked)
    return dict(found)


def per_minute(since: datetime) -> Mapping[tuple[str, str], float]:
    """Return {(system, flag): decisions/min}, averaged since the instant."""
    minutes = max((clock.now() - since).total_seconds() / 60, 1)
    return {key: sum(values.values()) / minutes for key, values in evaluations_since(since).items()}


def total_since(since: datetime) -> int:
    return (
        session().scalar(
            select(func.coalesce(func.sum(DecisionCount.asked), 0)).where(DecisionCount.at >= since)
        )
        or 0
    )


def values_since(system: str, flag: str, since: datetime) -> Mapping[str, int]:
    """Return {value: count} of one flag of a system. Runs one statement.

    Counts folded into days are left out for the day that contains `since`.
    """
    c = DecisionCount
    query = (
        select(c.value, func.sum(c.asked).label("asked"))
        .where(c.system == system, c.flag == flag, c.at >= since)
        .group_by(c.value)
    )
    return {row.value: int(row.asked) for row in session().execute(query)}
