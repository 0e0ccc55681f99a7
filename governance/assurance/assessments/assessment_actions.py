"""Start an assessment, close it with a digest, and start its next revision."""

import hashlib
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import rfc8785
from sqlalchemy import Table, func, insert, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.assurance.assessments import (
    assessment_queries,
    conclusion_queries,
    framework_board,
    report_facts,
)
from governance.assurance.assessments.assessment_state import AssessmentClosed, NotSignable, day_of
from governance.assurance.assessments.coverage import HIGHEST_LEVEL
from governance.assurance.assessments.models import (
    Assessment,
    AssessmentItem,
    Conclusion,
    SignOff,
)
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.models import Requirement
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import aliases
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.kernel.formatting import plural
from governance.operations.systems import queries as systems

STARTED = action(
    "assessment.started",
    "started an assessment",
    target="Assessment",
    activity="create",
    severity="informational",
    fields="title framework scope period_from period_to revision copied_from",
    shape="up",
)
CLOSED = action(
    "assessment.closed",
    "closed an assessment",
    target="Assessment",
    activity="update",
    severity="informational",
    fields="title digest digest_without_names signed unsigned",
    shape="ok",
)
MAX_PERIOD_DAYS = 3 * 366
MAX_REFS_SHOWN = 6  # Refs in a sentence


def start_assessment(
    framework_id: UUID,
    *,
    title: str,
    period_from: date,
    period_to: date,
    scope: str = "organisation",
    targets: int | None = None,
) -> Assessment:
    """Start an assessment of all requirements of a framework.

    Targets are `targets`, else those of the current assessment, else DEFAULT_TARGET. A single
    INSERT … SELECT writes all items. Raise Invalid for a wrong title, period, scope or target.
    """
    framework = frameworks.framework_by_id(framework_id)
    title = " ".join(title.split())
    lock_tenant("assessments")
    _check_start(framework_id, title, period_from, period_to, targets)
    system_id = None if scope == "organisation" else _require_system(scope)
    last = assessment_queries.current_assessment(framework_id) if targets is None else None
    made = _add_assessment(
        framework_id,
        title,
        scope if system_id else "organisation",
        system_id,
        (period_from, period_to),
        revision=1,
    )
    _write_items(
        made,
        last.id if last else None,
        framework_board.DEFAULT_TARGET if targets is None else targets,
    )
    record(
        STARTED,
        made,
        title=title,
        framework=framework.key,
        scope=made.scope,
        period_from=period_from,
        period_to=period_to,
        revision=1,
        copied_from=last.title if last else None,
    )
    return made


def _add_assessment(
    framework_id: UUID,
    title: str,
    scope: str,
    system_id: UUID | None,
    period: tuple[date, date],
    *,
    revision: int,
) -> Assessment:
    made = Assessment(
        framework_id=framework_id,
        title=title,
        scope=scope,
        system_id=system_id,
        period_from=period[0],
        period_to=period[1],
        revision=revision,
        started_by=current.actor().person_id,
        closed_at=None,
        closed_by=None,
        digest=None,
        frozen=None,
        frozen_without_names=None,
        digest_without_names=None,
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    return made


def _check_start(
    framework_id: UUID, title: str, period_from: date, period_to: date, targets: int | None
) -> None:
    if not 0 < len(title) <= 120:  # noqa: PLR2004 - what fits a heading
        raise Invalid("Enter a title of up to 120 characters, for example Q4 2026.", field="title")
    if period_from >= period_to:
        raise Invalid("The period must end after it starts.", field="period_to")
    if (period_to - period_from).days > MAX_PERIOD_DAYS:
        raise Invalid("A period can last up to three years.", field="period_to")
    if targets is not None and not 0 <= targets <= HIGHEST_LEVEL:
        raise Invalid("Choose a target level from 0 to 4.", field="targets")
    same = select(Assessment.id).where(
        Assessment.framework_id == framework_id,
        func.lower(Assessment.title) == title.lower(),
        Assessment.closed_at.is_(None),
    )
    if session().scalars(same).first():
        raise Invalid(
            f"An open assessment is already called {title}. Choose another title.", field="title"
        )


def _require_system(scope: str) -> UUID:
    try:
        return systems.system(scope).id
    except NotFound as error:
        raise Invalid("Choose a live AI system.", field="scope") from error


def _write_items(made: Assessment, copied_from: UUID | None, target: int) -> None:
    old = _items.alias("old")
    mine = (
        (old.c.assessment_id == copied_from)
        & (old.c.requirement_id == Requirement.id)
        & (old.c.tenant_id == made.tenant_id)
    )
    source = (
        select(
            func.gen_random_uuid(),
            literal(made.tenant_id),
            literal(made.id),
            Requirement.id,
            func.coalesce(old.c.target, target),
            old.c.owner_id,
            literal(1),
            literal(clock.now()),
        )
        .outerjoin(old, mine)
        .where(Requirement.framework_id == made.framework_id, Requirement.assessable)
    )
    columns = [
        "id",
        "tenant_id",
        "assessment_id",
        "requirement_id",
        "target",
        "owner_id",
        "version",
        "created_at",
    ]
    session().execute(insert(_items).from_select(columns, source))


_items, _conclusions, _signatures = (
    cast("Table", each.__table__) for each in (AssessmentItem, Conclusion, SignOff)
)


def close_assessment(assessment: Assessment, *, accept_open: bool = False) -> None:
    """Freeze the results of an assessment with a digest.

    Raise NotSignable if conclusions are not signed off and `accept_open` is False.
    """
    if assessment.closed_at is not None:
        raise AssessmentClosed(
            f"{assessment.title} was already closed on {day_of(assessment.closed_at)}."
        )
    items = assessment_queries.items(assessment.id)
    unsigned = [
        each.ref for each in items if each.judgement is None or each.judgement.signer is None
    ]
    if unsigned and not accept_open:
        listed = ", ".join(unsigned[:MAX_REFS_SHOWN]) + (
            " …" if len(unsigned) > MAX_REFS_SHOWN else ""
        )
        raise NotSignable(
            f"{plural(len(unsigned), 'requirement')} not signed off: {listed}."
            " Sign off the conclusions, or confirm that you want to close anyway.",
            field="accept_open",
        )
    now = clock.now()
    facts = frozen_facts(assessment, now)
    with aliases.without_names():
        others = frozen_facts(assessment, now)
    digest = facts_digest(facts)
    others |= {"without_names_of": digest}
    assessment.frozen, assessment.digest = facts, digest
    assessment.frozen_without_names, assessment.digest_without_names = others, facts_digest(others)
    assessment.closed_at, assessment.closed_by = clock.now(), current.actor().person_id
    record(
        CLOSED,
        assessment,
        title=assessment.title,
        digest=assessment.digest,
        digest_without_names=assessment.digest_without_names,
        signed=len(items) - len(unsigned),
        unsigned=len(unsigned),
    )


def frozen_facts(assessment: Assessment, at: datetime) -> dict[str, Any]:
    """Return everything that the assessment shows as plain JSON, which the digest covers.

    People have the names that the reader sees.
    """
    facts = report_facts.snapshot(assessment.id, at)
    facts["assessment"] = {
        k: v for k, v in facts["assessment"].items() if k not in {"digest", "closed_at", "status"}
    }
    return facts | {"discussion": conclusion_queries.discussion(assessment.id)}


def canonical_facts(facts: dict[str, Any]) -> bytes:
    """Return the RFC 8785 bytes of frozen facts."""
    return rfc8785.dumps(facts)


def facts_digest(facts: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical_facts(facts)).hexdigest()


def start_revision(assessment: Assessment) -> Assessment:
    """Start the next revision of a closed assessment.

    It copies the targets, conclusions and sign-offs.
    """
    if assessment.closed_at is None:
        raise DomainError("This assessment is already open.")
    lock_tenant("assessments")
    if any(
        each.revision > assessment.revision for each in assessment_queries.revisions(assessment)
    ):
        raise Stale(
            f"Revision {assessment.revision + 1} of {assessment.title} was already started."
        )
    made = _add_assessment(
        assessment.framework_id,
        assessment.title,
        assessment.scope,
        assessment.system_id,
        (assessment.period_from, assessment.period_to),
        revision=assessment.revision + 1,
    )
    _write_items(made, assessment.id, framework_board.DEFAULT_TARGET)
    _copy_conclusions(assessment, made)
    framework = frameworks.framework_by_id(assessment.framework_id)
    record(
        STARTED,
        made,
        title=made.title,
        framework=framework.key,
        scope=made.scope,
        period_from=made.period_from,
        period_to=made.period_to,
        revision=made.revision,
        copied_from=f"{assessment.title}, revision {assessment.revision}",
    )
    return made


def _copy_conclusions(assessment: Assessment, made: Assessment) -> None:
    """Copy the last conclusion of each item and its sign-off to the new revision.

    Runs one statement for the conclusions and one for the sign-offs.
    """
    old, new, text, signed = (
        _items.alias("old"),
        _items.alias("new"),
        _conclusions.alias("text"),
        _signatures.alias("signed"),
    )
    same = (new.c.requirement_id == old.c.requirement_id) & (new.c.tenant_id == old.c.tenant_id)
    newest = (
        select(text)
        .ext(distinct_on(text.c.item_id))
        .where(text.c.tenant_id == made.tenant_id)
        .order_by(text.c.item_id, text.c.revision.desc())
        .subquery()
    )
    copied = ("revision", "level", "rationale", "concluded_by", "concluded_at", "return_reason")
    judged = (
        select(
            func.gen_random_uuid(),
            literal(made.tenant_id),
            literal(clock.now()),
            new.c.id,
            *(newest.c[name] for name in copied),
        )
        .select_from(old)
        .join(new, same)
        .join(newest, newest.c.item_id == old.c.id)
        .where(
            old.c.assessment_id == assessment.id,
            new.c.assessment_id == made.id,
            old.c.tenant_id == made.tenant_id,
        )
    )
    session().execute(
        insert(_conclusions).from_select(
            ["id", "tenant_id", "created_at", "item_id", *copied], judged
        )
    )
    copy = _conclusions.alias("copy")
    signatures = (
        select(
            func.gen_random_uuid(),
            literal(made.tenant_id),
            literal(clock.now()),
            copy.c.id,
            signed.c.signed_by,
            signed.c.signed_at,
            signed.c.entry_id,
        )
        .select_from(old)
        .join(new, same)
        .join(newest, newest.c.item_id == old.c.id)
        .join(
            signed,
            (signed.c.conclusion_id == newest.c.id) & (signed.c.tenant_id == newest.c.tenant_id),
        )
        .join(copy, (copy.c.item_id == new.c.id) & (copy.c.tenant_id == new.c.tenant_id))
        .where(
            old.c.assessment_id == assessment.id,
            new.c.assessment_id == made.id,
            old.c.tenant_id == made.tenant_id,
        )
    )
    columns = [
        "id",
        "tenant_id",
        "created_at",
        "conclusion_id",
        "signed_by",
        "signed_at",
        "entry_id",
    ]
    session().execute(insert(_signatures).from_select(columns, signatures))
