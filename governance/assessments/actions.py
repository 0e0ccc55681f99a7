"""Beginning an assessment, steering it, concluding, signing off, closing. Each rule is checked here, whoever asks.

    begin, set_target, assign, assign_all        what is assessed, against what, by whom
    conclude, give_back, sign_off, comment       one person judges, another stands behind it
    close, reopen                                freeze under a digest; a later change is a new revision
"""

import hashlib
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import func, insert, literal, select

from governance.assessments import queries
from governance.assessments.models import Assessment, AssessmentItem, Comment, Conclusion, SignOff
from governance.audit.record import record
from governance.audit.registry import action
from governance.frameworks import queries as frameworks
from governance.frameworks.models import Requirement
from governance.kernel import clock, current
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.people.queries import membership_of, names
from governance.systems import queries as systems

BEGUN = action("assessment.begun", "began an assessment", fields="title framework scope period_from period_to revision copied_from")
TARGETED = action("assessment.target.set", "set a target", fields="target requirement")
ASSIGNED = action("assessment.item.assigned", "assigned a requirement", fields="owner due_on requirement")
CONCLUDED = action("assessment.concluded", "wrote a conclusion", fields="level revision requirement", personal="rationale")
GIVEN_BACK = action("assessment.conclusion.returned", "returned a conclusion", fields="revision requirement")
SIGNED = action("assessment.signed_off", "signed off a conclusion", fields="level revision requirement")
COMMENTED = action("assessment.commented", "took part in the discussion", fields="requirement", personal="text")
CLOSED = action("assessment.closed", "closed an assessment", fields="title digest signed unsigned")

LONGEST_DAYS = 3 * 366
OWNING_ROLES = {"admin", "compliance_officer", "contributor"}


class Closed(DomainError):
    pass


class SamePerson(Forbidden):
    pass


class NotSignable(DomainError):
    pass


# ---- what is assessed


def begin(
    framework_id: UUID, *, title: str, period_from: date, period_to: date, scope: str = "organisation", targets: int | None = None
) -> Assessment:
    """An assessment of every requirement of a framework. Targets are the last assessment's, or `targets`, or 3.

    The items are written by one INSERT … SELECT: 72 of them cost what one does.
    """
    framework = frameworks.framework_by_id(framework_id)
    title = " ".join(title.split())
    _begin_rules(framework_id, title, period_from, period_to, targets)
    system_id = None if scope == "organisation" else _system(scope)
    last = queries.present(framework_id)
    made = Assessment(
        framework_id=framework_id, title=title, scope=scope if system_id else "organisation", system_id=system_id, period_from=period_from,
        period_to=period_to, revision=1, begun_by=current.actor().person_id, closed_at=None, closed_by=None, digest=None, frozen=None,
        created_at=clock.now(),
    )  # fmt: skip
    session().add(made)
    session().flush()
    _write_items(made, last.id if last and targets is None else None, targets or queries.DEFAULT_TARGET)
    record(
        BEGUN, made, title=title, framework=framework.key, scope=made.scope, period_from=period_from, period_to=period_to, revision=1,
        copied_from=last.title if last and targets is None else None,
    )  # fmt: skip
    return made


def _begin_rules(framework_id: UUID, title: str, period_from: date, period_to: date, targets: int | None) -> None:
    if not 0 < len(title) <= 120:  # noqa: PLR2004 - what fits a heading
        raise Invalid("Give it a title of at most 120 letters, such as Q4 2026.", field="title")
    if period_from >= period_to:
        raise Invalid("The period ends before it begins.", field="period_to")
    if (period_to - period_from).days > LONGEST_DAYS:
        raise Invalid("A period is three years at most.", field="period_to")
    if targets is not None and not 0 <= targets <= 4:  # noqa: PLR2004 - our scale
        raise Invalid("A target is a level from 0 to 4.", field="targets")
    same = select(Assessment.id).where(Assessment.framework_id == framework_id, func.lower(Assessment.title) == title.lower(), Assessment.closed_at.is_(None))
    if session().scalars(same).first():
        raise Invalid(f"An open assessment has the title {title} already.", field="title")


def _system(scope: str) -> UUID:
    try:
        return systems.system(scope).id
    except NotFound as error:
        raise Invalid("That AI system is not a choice here.", field="scope") from error


def _write_items(made: Assessment, copied_from: UUID | None, target: int) -> None:
    old = AssessmentItem.__table__.alias("old")
    source = (
        select(
            func.gen_random_uuid(), literal(made.tenant_id), literal(made.id), Requirement.id, func.coalesce(old.c.target, target),
            old.c.owner_id, literal(1), literal(clock.now()),
        )  # fmt: skip
        .outerjoin(old, (old.c.assessment_id == copied_from) & (old.c.requirement_id == Requirement.id) & (old.c.tenant_id == made.tenant_id))
        .where(Requirement.framework_id == made.framework_id, Requirement.assessable)
    )
    columns = ["id", "tenant_id", "assessment_id", "requirement_id", "target", "owner_id", "version", "created_at"]
    session().execute(insert(AssessmentItem.__table__).from_select(columns, source))  # type: ignore[arg-type]  # a Table


def set_target(item: AssessmentItem, target: int, *, version: int) -> None:
    _open(item)
    if not 0 <= target <= 4:  # noqa: PLR2004 - our scale
        raise Invalid("A target is a level from 0 to 4.", field="target")
    if target == item.target:
        return
    _fresh(item, version, target=target)
    before = {"target": item.target}
    item.target, item.version = target, item.version + 1
    record(TARGETED, item, before=before, after={"target": target}, requirement=_ref(item))


def assign(item: AssessmentItem, owner_id: UUID | None, due_on: date | None) -> None:
    """Who looks after the requirement, and by when. The same twice is no change."""
    _open(item)
    if owner_id is not None and ((member := membership_of(owner_id)) is None or member.role not in OWNING_ROLES):
        raise Invalid("The owner is not a choice here: it must be a member who can act on it.", field="owner_id")
    before, after = {"owner": item.owner_id, "due_on": item.due_on}, {"owner": owner_id, "due_on": due_on}
    if before == after:
        return
    item.owner_id, item.due_on, item.version = owner_id, due_on, item.version + 1
    record(ASSIGNED, item, before=before, after=after, requirement=_ref(item))


def assign_all(ids: Collection[UUID], owner_id: UUID | None, due_on: date | None) -> int:
    """Several at once, all or none; a blank owner or day keeps what each has."""
    found = session().scalars(select(AssessmentItem).where(AssessmentItem.id.in_(ids)).with_for_update()).all()
    if not ids or len(found) != len(set(ids)):
        raise NotFound("One of the selected requirements is not here. Nothing was assigned.")
    for item in found:
        assign(item, owner_id or item.owner_id, due_on or item.due_on)  # record() is in there
    return len(found)


# ---- judging


def conclude(item: AssessmentItem, *, level: int, rationale: str, version: int) -> Conclusion:
    """The assessor's judgement: a new revision. Somebody else's meanwhile makes this one stale, and nothing is lost."""
    _open(item)
    rationale = rationale.strip()
    if not rationale:
        raise Invalid("Say why: the conclusion is what a reader relies on.", field="rationale")
    if len(rationale) > 4000:  # noqa: PLR2004 - what the log and the report take
        raise Invalid("At most 4000 letters.", field="rationale")
    if not 0 <= level <= 4:  # noqa: PLR2004 - our scale
        raise Invalid("A level is a number from 0 to 4.", field="level")
    last = _last(item)
    _fresh(item, version, level=level, rationale=rationale)
    made = Conclusion(
        item_id=item.id, revision=(last.revision if last else 0) + 1, level=level, rationale=rationale, concluded_by=current.person_id(),
        concluded_at=clock.now(), returned_because=None, created_at=clock.now(),
    )  # fmt: skip
    session().add(made)
    item.version += 1
    record(CONCLUDED, made, level=level, revision=made.revision, requirement=_ref(item), rationale=rationale)
    return made


def give_back(item: AssessmentItem, *, revision: int, because: str) -> None:
    """The reviewer returns a conclusion to its assessor, with the reason."""
    made = _seen(item, revision)
    if made.concluded_by == current.person_id():
        raise SamePerson("You wrote this conclusion; revise it instead of returning it.")
    if not because.strip():
        raise Invalid("Say what is missing: the assessor needs to know.", field="because")
    if _signature(made) is not None:
        raise NotSignable("It is signed off already. A new conclusion opens it again.")
    made.returned_because = because.strip()[:2000]
    item.version += 1
    record(GIVEN_BACK, made, because=made.returned_because, revision=revision, requirement=_ref(item))


def sign_off(item: AssessmentItem, *, revision: int) -> SignOff:
    """Another person than the assessor stands behind the revision that he saw; refused while a reason is red."""
    made = _seen(item, revision)
    if made.concluded_by == current.person_id():
        raise SamePerson("You wrote this conclusion, so another person signs it off.")
    held = _signature(made)
    if held is not None:
        who = names([held.signed_by]).get(held.signed_by, "A former member")
        raise Stale(f"{who} signed it off on {held.signed_at.day} {held.signed_at:%B %Y} already.")
    if made.returned_because:
        raise NotSignable("It was returned to its assessor. A new conclusion can be signed off.")
    if red := red_reasons(item):
        raise NotSignable(f"Sign-off opens when no reason is red: {red[0]}")
    signed = SignOff(conclusion_id=made.id, signed_by=current.person_id(), signed_at=clock.now(), entry_id=None, created_at=clock.now())
    session().add(signed)
    signed.entry_id = record(SIGNED, made, level=made.level, revision=revision, requirement=_ref(item)).id
    return signed


def red_reasons(item: AssessmentItem) -> list[str]:
    """The facts that forbid signing off, as they stand now."""
    held = queries.assessment(item.assessment_id)
    shown = queries.board(frameworks.framework_by_id(held.framework_id), held=held)
    row = next((r for r in shown.rows if r.requirement.id == item.requirement_id), None)
    return [r.fact for r in row.derived.reasons if r.severity == "bad"] if row else []


def comment(item: AssessmentItem, text: str) -> Comment:
    text = text.strip()
    if not text:
        raise Invalid("Write something first.", field="text")
    made = Comment(item_id=item.id, text=text[:2000], written_by=current.person_id(), created_at=clock.now())
    session().add(made)
    record(COMMENTED, made, requirement=_ref(item), text=made.text)
    return made


# ---- closing


def close(held: Assessment, *, accept_open: bool = False) -> None:
    """Freeze everything that it shows under a digest. What is not signed off must be accepted as such."""
    if held.closed_at is not None:
        raise Closed(f"It was closed on {held.closed_at.day} {held.closed_at:%B %Y}.")
    shown = queries.board(frameworks.framework_by_id(held.framework_id), held=held)
    unsigned = [row.ref for row in shown.rows if row.item is None or row.item.judgement is None or row.item.judgement.signer is None]
    if unsigned and not accept_open:
        raise NotSignable(f"{len(unsigned)} conclusions are not signed off: {', '.join(unsigned[:6])}{' …' if len(unsigned) > 6 else ''}.", field="accept_open")  # noqa: PLR2004
    held.closed_at, held.closed_by = clock.now(), current.actor().person_id
    held.frozen = frozen(held)
    held.digest = hashlib.sha256(rfc8785.dumps(held.frozen)).hexdigest()
    record(CLOSED, held, title=held.title, digest=held.digest, signed=len(shown.rows) - len(unsigned), unsigned=len(unsigned))


def frozen(held: Assessment) -> dict[str, Any]:
    """Everything that the assessment shows, as plain JSON: what the digest is over."""
    facts = queries.snapshot(held.id, clock.now())
    facts["assessment"] = {k: v for k, v in facts["assessment"].items() if k not in {"digest", "closed_at", "status"}}
    return facts


def reopen(held: Assessment) -> Assessment:
    """A closed assessment stays as it is; a new revision takes its items and conclusions on."""
    if held.closed_at is None:
        raise DomainError("It is open already.")
    later = select(Assessment.id).where(
        Assessment.framework_id == held.framework_id, Assessment.title == held.title, Assessment.revision > held.revision
    )
    if session().scalars(later).first():
        raise Stale(f"Revision {held.revision + 1} of {held.title} was begun already.")
    made = Assessment(
        framework_id=held.framework_id, title=held.title, scope=held.scope, system_id=held.system_id, period_from=held.period_from,
        period_to=held.period_to, revision=held.revision + 1, begun_by=current.actor().person_id, closed_at=None, closed_by=None,
        digest=None, frozen=None, created_at=clock.now(),
    )  # fmt: skip
    session().add(made)
    session().flush()
    _write_items(made, held.id, queries.DEFAULT_TARGET)
    framework = frameworks.framework_by_id(held.framework_id)
    record(BEGUN, made, title=made.title, framework=framework.key, scope=made.scope, period_from=made.period_from, period_to=made.period_to,
           revision=made.revision, copied_from=f"{held.title}, revision {held.revision}")  # fmt: skip
    return made


# ---- rules


def _open(item: AssessmentItem) -> None:
    held = queries.assessment(item.assessment_id)
    if held.closed_at is not None:
        raise Closed(f"{held.title} was closed on {held.closed_at.day} {held.closed_at:%B %Y}. Begin a new revision to change it.")


def _fresh(item: AssessmentItem, version: int, **typed: object) -> None:
    if version == item.version:
        return
    last = _last(item)
    now: dict[str, object] = {"target": item.target, "level": last.level if last else None, "rationale": last.rationale if last else None}
    raise Stale("Somebody else changed this since you opened the page. What you typed is kept; look at theirs, then save again.",
                {name: (value, now.get(name)) for name, value in typed.items() if now.get(name) != value})  # fmt: skip


def _last(item: AssessmentItem) -> Conclusion | None:
    query = select(Conclusion).where(Conclusion.item_id == item.id).order_by(Conclusion.revision.desc())
    return session().scalars(query.limit(1)).one_or_none()


def _seen(item: AssessmentItem, revision: int) -> Conclusion:
    _open(item)
    last = _last(item)
    if last is None:
        raise NotSignable("There is no conclusion yet.")
    if last.revision != revision:
        raise Stale(f"The conclusion is at revision {last.revision} now; you read revision {revision}. Read it again first.",
                    {"revision": (revision, last.revision)})  # fmt: skip
    return last


def _signature(made: Conclusion) -> SignOff | None:
    return session().scalars(select(SignOff).where(SignOff.conclusion_id == made.id)).one_or_none()


def _ref(item: AssessmentItem) -> str:
    return queries.refs_of(item.assessment_id).get(item.requirement_id, "")


