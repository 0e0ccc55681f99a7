"""Objectives with minutes that burn budget, and evaluations of them, for tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from governance.kernel import clock
from governance.kernel.intervals import MINUTE, Span
from governance.operations.alerts import evaluation
from governance.operations.measurements import actions as measuring
from governance.operations.objectives.models import Objective
from tests.operations.objectives.objective_helpers import define, objective

NOW = datetime(2026, 11, 25, 10, 10, tzinfo=UTC)


def watched_objective(key: str = "triage-availability", **changes) -> Objective:
    """Create an objective of 99.9% over 30 days on its own indicator."""
    name = changes.pop("name", f"Claims triage · {key}")
    kind = changes.pop("kind", "ratio")
    indicator_id = changes.pop("indicator_id", None) or define(key, kind=kind)
    return objective(indicator_id, name=name, **{"target": Decimal("0.999"), **changes})


def fill(
    indicator_id: UUID,
    span: Span,
    *,
    total: int = 100,
    bad: Callable[[datetime], int] = lambda _at: 0,
    every: int = 1,
) -> None:
    """Store the minutes of a span. `bad` returns how many events of a minute fail."""
    rows = []
    for number in range(0, span.minutes, every):
        at = span.start + number * MINUTE
        rows.append((indicator_id, at, total - bad(at), total))
    measuring.store(rows)


def last(minutes: int, *, until: datetime = NOW) -> Span:
    """Return the span of the last `minutes` minutes."""
    return Span(until - timedelta(minutes=minutes), until)


def evaluate(at: datetime = NOW) -> evaluation.Pass:
    """Evaluate the acting tenant at a minute."""
    with clock.frozen(at + timedelta(seconds=20)):
        return evaluation.evaluate()


def failing(minutes: int, *, until: datetime = NOW, of: int = 100) -> Callable[[datetime], int]:
    """Let all events of the last `minutes` minutes fail."""
    since = until - timedelta(minutes=minutes)
    return lambda at: of if since <= at < until else 0
