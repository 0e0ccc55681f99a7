"""Create suites, draft and publish their versions, withdraw one.

create(…)                     a suite, empty or with the first draft of a task pack
draft(suite)                  the next version, a copy of the newest one
edit_draft(…), set_measures   until it is published
publish(version)              makes it available for runs; it can't change any more
withdraw(version, reason)     allows no new runs; its results stay, marked
retire(suite, reason)         no further versions and runs
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from uuid import UUID

from sqlalchemy import Select, delete, select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import find, lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.work import events
from governance.operations.evaluations.coverage import owasp
from governance.operations.evaluations.events import SuiteVersionWithdrawn
from governance.operations.evaluations.models import (
    KINDS,
    EvaluationSuite,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.statistics.verdict import MAX_SAMPLES
from governance.operations.evaluations.suites.task_packs import PACKS, TIERS, PackMeasure, TaskPack
from governance.operations.systems.actions import SLUG

MAX_MEASURES = 40
MAX_METHOD = 4000
CASES_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
RESERVED = {"new", "runs", "comparisons", "judges", "suites"}

CREATED = action(
    "evaluation.suite.created",
    "created an evaluation suite",
    target="EvaluationSuite",
    activity="create",
    severity="informational",
    fields="key name pack",
)
DRAFTED = action(
    "evaluation.suite.version.drafted",
    "drafted a version of an evaluation suite",
    target="EvaluationSuite",
    activity="update",
    severity="informational",
    fields="key version",
)
EDITED = action(
    "evaluation.suite.version.edited",
    "edited a draft version of an evaluation suite",
    target="EvaluationSuite",
    activity="update",
    severity="informational",
    fields="key version cases cases_sha256 measures",
)
PUBLISHED = action(
    "evaluation.suite.version.published",
    "published a version of an evaluation suite",
    target="EvaluationSuite",
    activity="update",
    severity="low",
    fields="key version cases cases_sha256 measures",
    shape="ok",
)
WITHDRAWN = action(
    "evaluation.suite.version.withdrawn",
    "withdrew a version of an evaluation suite",
    target="EvaluationSuite",
    activity="update",
    severity="low",
    fields="key version",
    shape="stop",
)
RETIRED = action(
    "evaluation.suite.retired",
    "retired an evaluation suite",
    target="EvaluationSuite",
    activity="delete",
    severity="low",
    fields="key name",
    shape="stop",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureInput:
    """A measure as a person fills it in; limits by policy tier, in the measure's unit."""

    key: str
    name: str
    kind: str
    unit: str
    at_least: bool
    limits: dict[str, float]
    sources: tuple[str, ...] = ()
    percent: int | None = None
    is_inverted: bool = False
    is_signal: bool = False
    min_samples: int = 0
    risks: tuple[str, ...] = field(default=())


def create(
    *, key: str, name: str, purpose: str, owner_id: UUID | None = None, pack: str = ""
) -> EvaluationSuite:
    """Create a suite with its first draft. Raises Invalid, with the field."""
    if not SLUG.match(key) or key in RESERVED:
        raise Invalid(
            "A slug is 2 to 41 lowercase letters, digits and hyphens, such as claims-grounding.",
            field="key",
        )
    if pack and pack not in PACKS:
        raise Invalid("Choose a task pack.", field="pack")
    lock_tenant("evaluation suites")
    known = select(EvaluationSuite).where(EvaluationSuite.key == key)
    if (taken := session().scalars(known).one_or_none()) is not None:
        raise Invalid(f"{taken.name} already has the slug {key}. Choose another.", field="key")
    suite = EvaluationSuite(
        key=key,
        name=name.strip(),
        purpose=purpose.strip(),
        pack=pack or None,
        owner_id=owner_id,
        created_at=clock.now(),
    )
    session().add(suite)
    session().flush()
    record(CREATED, suite, key=key, name=suite.name, pack=pack or None)
    version = _new_version(suite, 1)
    if pack:
        _fill(version, PACKS[pack])
    tenant_revision.advance()
    return suite


def _new_version(suite: EvaluationSuite, number: int, method: str = "") -> SuiteVersion:
    version = SuiteVersion(suite_id=suite.id, number=number, method=method, created_at=clock.now())
    session().add(version)
    session().flush()
    return version


def _fill(version: SuiteVersion, pack: TaskPack) -> None:
    version.method, version.task_success = pack.method, pack.task_success
    _write_measures(version, [_from_pack(each) for each in pack.measures])


def _from_pack(measure: PackMeasure) -> MeasureInput:
    return MeasureInput(
        key=measure.key,
        name=measure.name,
        kind=measure.kind,
        unit=measure.unit,
        at_least=measure.at_least,
        limits=dict(measure.by_tier),
        sources=measure.sources,
        percent=measure.percent,
        is_inverted=measure.is_inverted,
        is_signal=measure.is_signal,
        risks=measure.risks,
    )


def draft(suite: EvaluationSuite) -> SuiteVersion:
    """Return the open draft, or create the next version as a copy of the newest one."""
    _check_live(suite)
    lock_tenant(f"versions of {suite.id}")
    newest = session().scalars(_versions(suite).limit(1)).one()
    if newest.published_at is None:
        return newest
    version = _new_version(suite, newest.number + 1, newest.method)
    version.task_success = newest.task_success
    version.cases, version.cases_sha256 = newest.cases, newest.cases_sha256
    _write_measures(version, [copied(each) for each in _measures(newest)])
    record(DRAFTED, suite, key=suite.key, version=version.number)
    return version


def copied(measure: SuiteMeasure) -> MeasureInput:
    """Return the measure as input, for a copy of it."""
    return MeasureInput(
        key=measure.key,
        name=measure.name,
        kind=measure.kind,
        unit=measure.unit,
        at_least=measure.at_least,
        limits=dict(measure.limits),
        sources=tuple(measure.sources),
        percent=measure.percent,
        is_inverted=measure.is_inverted,
        is_signal=measure.is_signal,
        min_samples=measure.min_samples,
        risks=tuple(measure.risks),
    )


def edit_draft(
    version: SuiteVersion,
    *,
    method: str,
    task_success: str = "",
    cases: int | None = None,
    cases_sha256: str | None = None,
) -> None:
    """Change a draft. Raises Invalid, with the field, and DomainError for a published version."""
    _check_draft(version)
    if not method.strip() or len(method) > MAX_METHOD:
        raise Invalid(
            "Describe how the cases are judged, in up to 4,000 characters.", field="method"
        )
    if cases is not None and cases < 1:
        raise Invalid("A suite has at least one case.", field="cases")
    if cases_sha256 and not CASES_DIGEST.match(cases_sha256):
        raise Invalid(
            "A SHA-256 digest is 64 digits and letters from a to f.", field="cases_sha256"
        )
    version.method, version.task_success = method.strip(), task_success.strip()
    version.cases, version.cases_sha256 = cases, cases_sha256 or None
    _record_edit(version)


def set_measures(version: SuiteVersion, measures: Sequence[MeasureInput]) -> None:
    """Replace the measures of a draft. Raises Invalid about the first wrong one."""
    _check_draft(version)
    _write_measures(version, measures)
    _record_edit(version)


def _record_edit(version: SuiteVersion) -> None:
    suite = find(EvaluationSuite, version.suite_id, what="evaluation suite")
    record(
        EDITED,
        suite,
        key=suite.key,
        version=version.number,
        cases=version.cases,
        cases_sha256=version.cases_sha256,
        measures=[each.key for each in _measures(version)],
    )


def _write_measures(version: SuiteVersion, measures: Sequence[MeasureInput]) -> None:
    if len(measures) > MAX_MEASURES:
        raise Invalid(f"A suite has {MAX_MEASURES} measures at most.", field="measures")
    keys = [each.key for each in measures]
    for number, measure in enumerate(measures, 1):
        _check_measure(measure, f"Measure {number}")
        if keys.count(measure.key) > 1:
            raise Invalid(f"Two measures have the slug {measure.key}.", field="measures")
    session().execute(delete(SuiteMeasure).where(SuiteMeasure.version_id == version.id))
    for position, measure in enumerate(measures, 1):
        session().add(
            SuiteMeasure(
                version_id=version.id,
                position=position,
                key=measure.key,
                name=measure.name.strip(),
                kind=measure.kind,
                percent=measure.percent,
                unit=measure.unit,
                at_least=measure.at_least,
                is_inverted=measure.is_inverted,
                is_signal=measure.is_signal,
                min_samples=measure.min_samples,
                sources=list(measure.sources),
                limits=dict(measure.limits),
                risks=list(measure.risks),
                created_at=clock.now(),
            )
        )
    session().flush()


def _check_measure(measure: MeasureInput, which: str) -> None:
    if not SLUG.match(measure.key) or measure.key == "new" or not measure.name.strip():
        raise Invalid(f"{which} needs a name and a slug.", field="measures")
    if measure.kind not in KINDS:
        raise Invalid(f"{which} is a share of cases, a mean or a percentile.", field="measures")
    if (measure.kind == "percentile") != (measure.percent is not None):
        raise Invalid(f"{which}: a percentile says which one, such as 95.", field="measures")
    if measure.percent is not None and not 1 <= measure.percent <= 99:  # noqa: PLR2004 - percent
        raise Invalid(f"{which}: choose a percentile from 1 to 99.", field="measures")
    if not 0 <= measure.min_samples <= MAX_SAMPLES:
        raise Invalid(f"{which}: choose 0 to 10,000,000 samples.", field="measures")
    if unknown_risks := owasp.unknown(measure.risks):
        raise Invalid(
            f"{which}: {unknown_risks[0]} is no OWASP id with its edition, such as LLM01:2026.",
            field="measures",
        )
    missing = [tier for tier in TIERS if tier not in measure.limits]
    if missing:
        raise Invalid(f"{which} has no limit for the tier {missing[0]}.", field="measures")
    _check_limits(measure, which)


def _check_limits(measure: MeasureInput, which: str) -> None:
    if (measure.kind == "rate") != (measure.unit == "share") and measure.kind != "mean":
        raise Invalid(
            f"{which}: a share of cases has the unit share, a percentile has another.",
            field="measures",
        )
    if not all(isfinite(each) and each >= 0 for each in measure.limits.values()):
        raise Invalid(f"{which}: a limit is a number of at least 0.", field="measures")
    if measure.unit == "share" and not all(each <= 1 for each in measure.limits.values()):
        raise Invalid(f"{which}: the limit of a share is between 0% and 100%.", field="measures")
    limits = [measure.limits[tier] for tier in TIERS]
    if limits != sorted(limits, reverse=not measure.at_least):
        raise Invalid(f"{which}: a stricter tier can't have a looser limit.", field="measures")


def publish(version: SuiteVersion, suite: EvaluationSuite) -> None:
    """Publish a draft. A second click changes nothing. Raises DomainError if it is incomplete."""
    _check_live(suite)
    session().refresh(version, with_for_update=True)
    if version.is_published:
        return
    _check_draft(version)
    measures = _measures(version)
    if not version.method:
        raise DomainError("Describe how the cases are judged before you publish the version.")
    if all(each.is_signal for each in measures):
        raise DomainError("Add at least one measure that decides before you publish the version.")
    version.published_at = clock.now()
    record(
        PUBLISHED,
        suite,
        key=suite.key,
        version=version.number,
        cases=version.cases,
        cases_sha256=version.cases_sha256,
        measures=[each.key for each in measures],
    )
    tenant_revision.advance()


def withdraw(version: SuiteVersion, suite: EvaluationSuite, *, reason: str) -> None:
    """Withdraw a published version. Its runs and their results stay."""
    session().refresh(version, with_for_update=True)
    if version.withdrawn_at is not None:
        return
    if version.published_at is None:
        raise DomainError("A draft can't be withdrawn. Edit it instead.")
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    version.withdrawn_at, version.withdrawal_reason = clock.now(), reason.strip()
    record(WITHDRAWN, suite, reason=reason.strip(), key=suite.key, version=version.number)
    tenant_revision.advance()
    events.publish(SuiteVersionWithdrawn(suite.id, version.id))


def retire(suite: EvaluationSuite, *, reason: str) -> None:
    """Retire a suite, so that it accepts no more versions or runs."""
    _check_live(suite)
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    suite.retired_at = clock.now()
    record(RETIRED, suite, reason=reason.strip(), key=suite.key, name=suite.name)
    tenant_revision.advance()


# ---- rules that several share


def _versions(suite: EvaluationSuite) -> Select[SuiteVersion]:
    query = select(SuiteVersion).where(SuiteVersion.suite_id == suite.id)
    return query.order_by(SuiteVersion.number.desc())


def _measures(version: SuiteVersion) -> Sequence[SuiteMeasure]:
    query = select(SuiteMeasure).where(SuiteMeasure.version_id == version.id)
    return session().scalars(query.order_by(SuiteMeasure.position)).all()


def _check_live(suite: EvaluationSuite) -> None:
    if suite.retired_at is not None:
        raise DomainError(f"{suite.name} is retired.")


def _check_draft(version: SuiteVersion) -> None:
    if version.published_at is not None:
        raise DomainError(
            f"Version {version.number} is published, so it can't change. Draft the next one."
        )
