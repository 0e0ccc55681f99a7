"""Ports for features that controls don't import: problems that lower a status.

Each answer is a select of `kind` (of runtime_dependencies.ProblemKind), `id` (of the alert or
incident), `ref`, `about`, `since` and `until`: from when it was due until it was done, NULL while
it isn't. It reads the current tenant.

    service_level_problems    alerts that nobody answered within a day
    incident_problems         reviews and follow-ups that are late
    missed_evaluations        open findings of evaluations, each with the control that depends on
                              the measure: `control_id` in place of `kind`
    evaluations_behind        the newest results of measures that controls depend on, as known at an
                              instant; not a select
    reported_risks            the open risks of one AI system or of all, as a report prints them;
                              plain JSON, empty without any feature that keeps risks
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, cast, literal, null, select
from sqlalchemy.types import DateTime, String

from governance.kernel.ports import Port

type Problems = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class EvaluationBehind:
    """The newest result of a measure on an AI system, as texts.

    `state` is as the macro `c.state` expects it. `controls` are those of the requested ones that
    depend on the measure.
    """

    controls: frozenset[UUID]
    system: str
    suite: str
    version: int
    measure: str
    figure: str
    interval: str
    cases: int
    limit: str
    verdict: str
    state: tuple[str, str]
    week: date
    run_id: UUID
    run: int
    sha256: str
    why: str = ""  # The reason why it is undecided, if its judge is the reason


type EvaluationsBehind = Callable[[Collection[UUID], datetime], Sequence[EvaluationBehind]]
type ReportedRisks = Callable[[UUID | None], dict[str, Any]]


def _none() -> Any:
    """Return a select without rows, with the columns of an answer."""
    instant = cast(null(), DateTime(timezone=True))
    nothing: Any = select(
        literal("", String()).label("kind"),
        cast(null(), Uuid()).label("id"),
        literal("", String()).label("ref"),
        literal("", String()).label("about"),
        instant.label("since"),
        instant.label("until"),
    ).where(literal(value=False))
    return nothing


def _no_findings() -> Any:
    """Return a select without rows, with the columns of missed_evaluations."""
    p = _none().subquery().c
    return select(
        cast(null(), Uuid()).label("control_id"), p.id, p.ref, p.about, p.since, p.until
    ).select_from(p.id.table)


service_level_problems: Port[Problems] = Port("alerts without an answer", default=_none)
incident_problems: Port[Problems] = Port("late follow-up of incidents", default=_none)
evaluations_behind: Port[EvaluationsBehind] = Port(
    "the evaluations behind controls", default=lambda _control_ids, _at: ()
)
reported_risks: Port[ReportedRisks] = Port("risks of a report", default=lambda _system_id: {})
missed_evaluations: Port[Problems] = Port("open findings of evaluations", default=_no_findings)
