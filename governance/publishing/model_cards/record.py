"""A model card assembled from the record as it is now.

The sources are register, policy, evaluations, drills, findings and incidents.

assembled(system)         the card that would be published, and its blockers
described(system_id)      the release that it describes
compared(system, card)    the record's current values for the release of a published card
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Uuid, and_, bindparam, or_, select

from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.assurance.incidents.models import Impact, Incident
from governance.assurance.incidents.states import OPEN
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.data.selects import Rows
from governance.kernel.formatting import long_day, plural
from governance.operations.datasets import queries as datasets
from governance.operations.evaluations import figures
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.releases import promotion
from governance.operations.evaluations.releases.promotion import Evaluated
from governance.operations.evaluations.series.this_week import WeekCell
from governance.operations.policies import queries as policies
from governance.operations.policies.setting_labels import setting_title, short_label
from governance.operations.rollouts import queries as rollouts
from governance.operations.switches.models import Drill
from governance.operations.systems.facts import readable
from governance.operations.systems.models import AISystem
from governance.publishing.model_cards import card
from governance.publishing.model_cards.card import (
    CardBlocker,
    CardDrill,
    CardFigure,
    FigureState,
    KnownFailure,
)
from governance.publishing.model_cards.models import CardRelease, KnownFailureText, ModelCard
from governance.publishing.reports.ai_rmf.snapshot import canonical, fingerprint

MAX_FAILURES = 50  # Per kind, the newest first.


@dataclass(frozen=True, slots=True)
class AssembledCard:
    """The card of a system from the record as it is now. `digest` is that of its content."""

    at: datetime
    release: str
    figures: tuple[CardFigure, ...]
    drill: CardDrill | None
    failures: tuple[KnownFailure, ...]
    content: dict[str, Any]
    blockers: tuple[CardBlocker, ...]

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def deciding(self) -> int:
        """The number of figures that must be ready: all except signals, plus the stop drill."""
        return 1 + sum(not each.is_signal for each in self.figures)

    @property
    def ready(self) -> int:
        found = sum(each.state == "ready" for each in self.figures if not each.is_signal)
        return found + (self.drill is not None and not self.drill.is_old(self.at))


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the content, as RFC 8785 writes it."""
    return fingerprint(canonical(card.without_ids(content)))


@dataclass(frozen=True, slots=True)
class DescribedRelease:
    """The release that the next version describes.

    It is the one that people chose, or else the one served since a rollout ended, or else the one
    that was evaluated last.
    """

    chosen: str
    revision: int  # Of the choice.
    served: str
    served_since: datetime | None
    # Releases that were evaluated, the newest run first.
    releases: tuple[tuple[str, datetime | None], ...]

    @property
    def evaluated(self) -> str:
        return self.releases[0][0] if self.releases else ""

    @property
    def release(self) -> str:
        return self.chosen or self.by_itself

    @property
    def by_itself(self) -> str:
        """The release used while nobody has chosen one."""
        return self.served or self.evaluated

    @property
    def reason(self) -> str:
        """The reason for this release, as the end of a sentence."""
        if self.chosen:
            return "chosen by a person"
        return "which people are served" if self.served else "which was evaluated last"

    def for_readers(self, published: ModelCard) -> str:
        """Return the release that readers of a published card expect it to describe.

        It is the card's own release, until everybody is served another one. The choice for the next
        version doesn't affect them.
        """
        if self.served_since is not None and self.served_since > published.created_at:
            return self.served
        return published.release


def described(system_id: UUID) -> DescribedRelease:
    """Return the release that the next version describes, in one statement."""
    chosen = select(CardRelease.release, CardRelease.revision).where(
        CardRelease.system_id == system_id
    )
    by_choice, by_rollout = chosen.subquery(), rollouts.served(system_id).subquery()
    query = select(
        select(by_choice.c.release).scalar_subquery(),
        select(by_choice.c.revision).scalar_subquery(),
        select(by_rollout.c.release).scalar_subquery(),
        select(by_rollout.c.since).scalar_subquery(),
        promotion.select_releases(system_id).scalar_subquery(),
    )
    row = session().execute(query).one()
    evaluated = [(name, datetime.fromisoformat(ran) if ran else None) for name, ran in row[4] or ()]
    return DescribedRelease(row[0] or "", row[1] or 0, row[2] or "", row[3], tuple(evaluated))


_SYSTEM = bindparam("system_id", type_=Uuid())
_SINCE = bindparam("since", type_=DateTime(timezone=True))
DRILLS = Rows(
    Drill,
    lambda m: and_(
        m.system_id == _SYSTEM, m.state.in_(("passed", "failed")), m.ended_at.is_not(None)
    ),
    lambda m: (m.ended_at.desc(), m.id),
    limit=1,
)
TEXTS = Rows(KnownFailureText, lambda m: m.system_id == _SYSTEM, lambda m: (m.id,))
FINDINGS = Rows(
    EvaluationFinding,
    lambda m: and_(m.system_id == _SYSTEM, or_(m.closed_at.is_(None), m.closed_at > _SINCE)),
    lambda m: (m.closed_at.is_not(None), m.number.desc()),
    limit=MAX_FAILURES,
)
INCIDENTS = Rows(
    Incident,
    lambda m: and_(
        m.id.in_(
            select(Impact.incident_id).where(
                Impact.system_id == _SYSTEM, Impact.removed_at.is_(None)
            )
        ),
        or_(m.state.in_(OPEN), m.detected_at > _SINCE),
    ),
    lambda m: (m.detected_at.desc(), m.id),
    limit=MAX_FAILURES,
)


def compared(
    system: AISystem, published: ModelCard, known: DescribedRelease | None = None
) -> AssembledCard:
    """Return the record's current values for the release that readers of the card expect."""
    return assembled(system, (known or described(system.id)).for_readers(published))


def assembled(system: AISystem, release: str | None = None) -> AssembledCard:
    """Return the card of a system as it is now, for the release that the next version describes."""
    return _assembled(system, described(system.id).release if release is None else release)


def _assembled(system: AISystem, release: str) -> AssembledCard:
    at = clock.now()
    found = promotion.evaluated(system.id, release) if release else None
    every = tuple(_figures(found, release, at)) if found else ()
    drill, failures = _drill(system.id), tuple(_failures(system.id, at))
    incidents = [each for each in failures if each.kind == "incident"]
    said = card.content(
        tenant=current.actor().tenant_name,
        release=release,
        system=_system(system),
        policy=_policy(system),
        every=every,
        drill=drill,
        failures=failures,
        incidents={
            "days": card.HISTORY.days,
            "count": len(incidents),
            "open": sum(not each.is_over for each in incidents),
        },
    )
    texts = {"What it does": system.capabilities, "What it doesn't do": system.limits}
    reasons = card.blockers(
        system.key,
        release,
        every,
        drill,
        failures,
        at=at,
        texts=texts,
        has_run=found is not None and found.has_run,
    )
    return AssembledCard(at, release, every, drill, failures, said, tuple(reasons))


def _system(system: AISystem) -> dict[str, Any]:
    controls = {
        "Memory": system.memory_control,
        "Sources": system.sources_control,
        "Tone": system.tone_control,
        "Verify with search": system.verify_control,
    }
    return {
        "name": system.name,
        "kind": system.kind_name,
        "version": system.version,
        "purpose": system.purpose,
        "intended_users": system.intended_users,
        "autonomy": readable("autonomy", system.autonomy) or "",
        "capabilities": list(system.capabilities),
        "limits": list(system.limits),
        "controls": [[label, value] for label, value in controls.items() if value],
        "why_shown": system.why_shown,
        "models": [
            {name: str(each.get(name) or "") for name in ("provider", "name", "version")}
            for each in system.models
        ],
        "data_sets": _data_sets(system),
    }


def _data_sets(system: AISystem) -> list[dict[str, Any]]:
    """Return data sets with their own page, version and license, then the register's texts."""
    used = datasets.datasets_of(system.id)
    kept = {each.row.data_set.key for each in used}
    return [
        *(
            {
                "name": each.row.data_set.name,
                "version": each.row.data_set.version,
                "licence": each.row.version.licence if each.row.version else "",
                "own_licence": bool(each.row.version and each.row.version.licence_text),
            }
            for each in used
        ),
        *(
            {"name": each, "version": 0, "licence": "", "own_licence": False}
            for each in system.data_sets
            if each.split()[0] not in kept
        ),
    ]


def _policy(system: AISystem) -> dict[str, Any]:
    policy = policies.current_policy()
    governed = next((each for each in policy.systems if each.key == system.key), None)
    return {
        "tier": policy.tier.name,
        "settings": [
            [setting_title(key), short_label(each.value, key)]
            for key, each in policy.effective(governed).items()
        ],
    }


def _figures(found: Evaluated, release: str, at: datetime) -> Iterator[CardFigure]:
    """Yield each measure of each live suite that was ever run on the system, in one statement."""
    tier, tier_name = evaluations.policy_tier(), evaluations.policy_tier_name()
    for suite, newest, run, version in found.suites:
        if run is None or version is None:
            problem = f"Release {release} has no run of {suite.name}."
            yield _without_run(suite, problem)
            continue
        results = [pair for pair in found.results if pair[0].run_id == run.id]
        if (problem := _of_run(run, version, suite, newest)) or not results:
            yield _without_run(suite, problem or f"Run {run.number:,} has no figure.")
            continue
        for result, measure in results:
            other_judge = found.stale.get((run.id, measure.key), "")
            cell = WeekCell(
                measure, run, result, run.judged_tier or tier, stale=other_judge, today=tier
            )
            judged = cell.judged
            state, problem = _state(run, measure, result, judged, other_judge, at)
            yield CardFigure(
                suite=suite.name,
                suite_key=suite.key,
                suite_version=version.number,
                method=version.method,
                measure=measure.key,
                name=measure.name,
                unit=measure.unit,
                at_least=measure.at_least,
                is_signal=measure.is_signal,
                point=result.point,
                low=result.low,
                high=result.high,
                confidence=result.confidence,
                n=result.n,
                successes=result.successes,
                limit=None if measure.is_signal else judged.get("limit"),
                verdict="" if measure.is_signal else judged.get("verdict", "undecided"),
                in_force=_in_force(cell, tier_name),
                judges=tuple(run.judges),
                run=run.number,
                run_id=str(run.id),
                ran_at=run.ran_at,
                state=state,
                problem=problem,
            )


def _in_force(cell: WeekCell, tier_name: str) -> dict[str, Any] | None:
    """Return the verdict of the limits in force, if the run's page shows it beside the run's own."""
    if not cell.under_today or cell.result is None:
        return None
    limit = cell.result.verdicts.get(cell.today, {}).get("limit")
    return {"tier": tier_name, "limit": limit, "verdict": cell.under_today.lower()}


def _without_run(suite: EvaluationSuite, problem: str) -> CardFigure:
    return CardFigure(
        suite=suite.name, suite_key=suite.key, name=suite.name, state="missing", problem=problem
    )


def _of_run(
    run: EvaluationRun, version: SuiteVersion, suite: EvaluationSuite, newest: int | None
) -> str:
    """Return why a run can't be a source, or an empty text."""
    if version.withdrawn_at is not None or newest is None:
        return f"Version {version.number} of {suite.name} was withdrawn."
    if version.number < newest:
        return (
            f"{suite.name} has version {newest}, and this release was evaluated by version"
            f" {version.number}."
        )
    return "" if run.outcome == "completed" else f"Run {run.number:,} {run.outcome}."


def _state(
    run: EvaluationRun,
    measure: SuiteMeasure,
    result: MeasureResult,
    judged: Mapping[str, Any],
    other_judge: str,
    at: datetime,
) -> tuple[FigureState, str]:
    if not result.n or result.point is None or result.low is None:
        return "missing", f"Run {run.number:,} has no result of it."
    if run.ran_at is None or at - run.ran_at > card.FIGURE_WINDOW:
        day = long_day(run.ran_at) if run.ran_at else "an unknown day"
        return "stale", f"Run {run.number:,} is of {day}. The window is 30 days."
    if measure.is_signal:
        return "ready", ""
    if other_judge:
        return "undecided", f"{other_judge}."
    if judged.get("verdict") not in {"pass", "fail"}:
        limit = figures.limit(measure, judged.get("limit"))
        interval = figures.interval(result.low, result.high, measure.unit)
        needs = figures.needs(judged.get("more"))
        return "undecided", f"Interval {interval}, limit {limit}. {needs}."
    return "ready", ""


def _drill(system_id: UUID) -> CardDrill | None:
    found = next(iter(DRILLS.read(system_id=system_id)), None)
    if found is None or found.ended_at is None:
        return None
    return CardDrill(
        str(found.id),
        found.ended_at,
        found.state == "passed",
        found.expected or 0,
        found.obeyed or 0,
        found.slowest_ms,
    )


def _failures(system_id: UUID, at: datetime) -> Iterator[KnownFailure]:
    """Yield findings and incidents of the last twelve months, the ongoing ones first."""
    texts = {row.finding_id or row.incident_id: row for row in TEXTS.read(system_id=system_id)}
    of_it = {"system_id": system_id, "since": at - card.HISTORY}
    found = [
        *(_of_finding(each) for each in FINDINGS.read(**of_it)),
        *(_of_incident(each) for each in INCIDENTS.read(**of_it)),
    ]
    for each in sorted(found, key=lambda each: (each.is_over, -each.since.timestamp(), each.ref)):
        row = texts.get(UUID(each.id))
        if row is None:
            yield each
        else:
            yield KnownFailure(
                each.kind,
                each.id,
                each.ref,
                each.name,
                each.since,
                each.ended,
                row.title,
                row.text,
                row.is_over != each.is_over,
            )


def _of_finding(each: EvaluationFinding) -> KnownFailure:
    name = f"{each.name} missed its limit, {plural(each.misses, 'time')}"
    return KnownFailure("finding", str(each.id), each.ref, name, each.created_at, each.closed_at)


def _of_incident(each: Incident) -> KnownFailure:
    ended = each.resolved_at or each.closed_at
    over = ended if each.state not in OPEN else None
    return KnownFailure("incident", str(each.id), each.ref, each.title, each.detected_at, over)
