"""Beginning an assessment, steering it, concluding, signing off, closing.

Each rule is checked here, whoever asks.

    begin, set_target, assign                    what is assessed, against what, by whom
    conclude, give_back, sign_off, comment       one person judges, another stands behind it
    close, reopen                                freeze under a digest; a later change is a new
                                                 revision
    red_reasons, frozen                          what forbids signing off; what the digest is over

What changes an item holds its row's lock and shares its assessment's, so that nothing slips into
one that is being closed.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import rfc8785
from sqlalchemy import Table, func, insert, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import defer

from governance.assurance.assessments import permissions, queries, report_facts
from governance.assurance.assessments.models import (
    Assessment,
    AssessmentItem,
    Comment,
    Conclusion,
    SignOff,
)
from governance.assurance.evidence.queries import FORMER
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.models import Requirement
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import names, who_last
from governance.kernel import clock, current, undo
from governance.kernel.access import require
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.kernel.undo import Overtaken, UndoStep
from governance.operations.systems import queries as systems

BEGUN = action(
    "assessment.started",
    "started an assessment",
    target="Assessment",
    activity="create",
    severity="informational",
    fields="title framework scope period_from period_to revision copied_from",
    shape="up",
)
TARGETED = action(
    "assessment.target.set",
    "set a target level for a requirement",
    target="AssessmentItem",
    activity="update",
    severity="informational",
    fields="target requirement undoes",
)
ASSIGNED = action(
    "assessment.item.assigned",
    "assigned a requirement",
    target="AssessmentItem",
    activity="update",
    severity="informational",
    fields="due_on requirement undoes",
    persons="owner",
)
CONCLUDED = action(
    "assessment.conclusion.recorded",
    "recorded a conclusion",
    target="Conclusion",
    activity="create",
    severity="informational",
    fields="level revision requirement",
    personal="rationale",
    shape="open",
)
GIVEN_BACK = action(
    "assessment.conclusion.returned",
    "returned a conclusion",
    target="Conclusion",
    activity="update",
    severity="informational",
    fields="revision requirement",
    shape="down",
)
SIGNED = action(
    "assessment.conclusion.signed_off",
    "signed off a conclusion",
    target="Conclusion",
    activity="update",
    severity="low",
    fields="level revision requirement",
    shape="ok",
)
COMMENTED = action(
    "assessment.commented",
    "commented on a requirement",
    target="Comment",
    activity="create",
    severity="informational",
    fields="requirement",
    personal="text",
)
CLOSED = action(
    "assessment.closed",
    "closed an assessment",
    target="Assessment",
    activity="update",
    severity="informational",
    fields="title digest signed unsigned",
    shape="ok",
)

LONGEST_DAYS = 3 * 366
LONGEST = 4000  # letters of a conclusion: what the log and the report take
HIGHEST, SHOWN = 4, 6


class Closed(DomainError):
    pass


class NotSignable(DomainError):
    pass


# ---- what is assessed


def begin(
    framework_id: UUID,
    *,
    title: str,
    period_from: date,
    period_to: date,
    scope: str = "organisation",
    targets: int | None = None,
) -> Assessment:
    """An assessment of every requirement of a framework.

    Targets are the last assessment's, or `targets`, or 3.

    The items are written by one INSERT … SELECT: 72 of them cost what one does.
    """
    framework = frameworks.framework_by_id(framework_id)
    title = " ".join(title.split())
    alone("assessments")
    _begin_rules(framework_id, title, period_from, period_to, targets)
    system_id = None if scope == "organisation" else _system(scope)
    last = queries.present(framework_id) if targets is None else None
    made = _new(
        framework_id,
        title,
        scope if system_id else "organisation",
        system_id,
        (period_from, period_to),
        revision=1,
    )
    _write_items(
        made, last.id if last else None, queries.DEFAULT_TARGET if targets is None else targets
    )
    record(
        BEGUN,
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


def _new(
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
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    return made


def _begin_rules(
    framework_id: UUID, title: str, period_from: date, period_to: date, targets: int | None
) -> None:
    if not 0 < len(title) <= 120:  # noqa: PLR2004 - what fits a heading
        raise Invalid("Give it a title of at most 120 letters, such as Q4 2026.", field="title")
    if period_from >= period_to:
        raise Invalid("The period ends before it begins.", field="period_to")
    if (period_to - period_from).days > LONGEST_DAYS:
        raise Invalid("A period is three years at most.", field="period_to")
    if targets is not None and not 0 <= targets <= HIGHEST:
        raise Invalid("A target is a level from 0 to 4.", field="targets")
    same = select(Assessment.id).where(
        Assessment.framework_id == framework_id,
        func.lower(Assessment.title) == title.lower(),
        Assessment.closed_at.is_(None),
    )
    if session().scalars(same).first():
        raise Invalid(f"An open assessment has the title {title} already.", field="title")


def _system(scope: str) -> UUID:
    try:
        return systems.system(scope).id
    except NotFound as error:
        raise Invalid("That AI system is not a choice here.", field="scope") from error


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


def set_target(
    item: AssessmentItem, target: int, *, version: int, undoes: UUID | None = None
) -> None:
    """How far the requirement is meant to be met; guarded by the item's version."""
    _open(item)
    if not 0 <= target <= HIGHEST:
        raise Invalid("A target is a level from 0 to 4.", field="target")
    if target == item.target:
        return
    if version != item.version:
        raise Stale(
            "Somebody else set another target since you opened the page.",
            {"target": (target, item.target)},
        )
    before, after = {"target": item.target}, {"target": target}
    item.target, item.version = target, item.version + 1
    entry = record(
        TARGETED, item, before=before, after=after, requirement=_ref(item), undoes=undoes
    )
    undo.remember("assessment.target", item.id, entry.id, before=before, after=after)


def assign(
    item: AssessmentItem, owner_id: UUID | None, due_on: date | None, *, undoes: UUID | None = None
) -> None:
    """Who looks after the requirement, and by when.

    The same twice is no change. `undoes`: the entry taken back.
    """
    _open(item)
    before, after = (
        {"owner": item.owner_id, "due_on": item.due_on},
        {"owner": owner_id, "due_on": due_on},
    )
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return
    if "owner" in changed:
        check_may_own(owner_id)
    item.owner_id, item.due_on = owner_id, due_on
    entry = record(
        ASSIGNED, item, before=before, after=after, requirement=_ref(item), undoes=undoes
    )
    undo.remember(
        "assessment.item",
        item.id,
        entry.id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


def assign_all(changes: Sequence[tuple[UUID, UUID | None, date | None]]) -> None:
    """Several at once, all or none: (item, owner, due day) of each."""
    for item_id, owner_id, due_on in changes:
        assign(queries.item(item_id, lock=True), owner_id, due_on)  # record() is in there


def why_not(held: Assessment) -> str | None:
    """Why nothing of the assessment can be changed any more; None while it is open."""
    if held.closed_at is None:
        return None
    return f"{held.title} was closed on {_day(held.closed_at)}. Start a new revision to change it."


# ---- undoing


UNDOABLE = {"assessment.target", "assessment.item"}


@undo.restores("assessment.target")
def _restore_target(step: UndoStep) -> None:
    item = queries.item(step.target_id, lock=True)
    if item.target != step.after["target"]:
        raise Overtaken(
            f"The target of {_ref(item)} was set by {who_last(item.id, TARGETED)} meanwhile."
        )
    set_target(item, step.before["target"], version=item.version, undoes=step.entry_id)


@undo.restores("assessment.item")
def _restore_item(step: UndoStep) -> None:
    """The fields that the step changed; those that it left as they were keep what they hold now."""
    item = queries.item(step.target_id, lock=True)
    present = {"owner": item.owner_id, "due_on": item.due_on}
    if any(undo.plain(present[name]) != value for name, value in step.after.items()):
        raise Overtaken(f"{_ref(item)} was reassigned by {who_last(item.id, ASSIGNED)} meanwhile.")
    owner_id = undo.id_or_none(step.before["owner"]) if "owner" in step.before else item.owner_id
    due_on = undo.day_or_none(step.before["due_on"]) if "due_on" in step.before else item.due_on
    assign(item, owner_id, due_on, undoes=step.entry_id)


# ---- judging


def conclude(
    item: AssessmentItem,
    *,
    level: int,
    rationale: str,
    revision: int | None = None,
    version: int | None = None,
) -> Conclusion:
    """The assessor's judgement: a new revision.

    `revision` (0: none) is the last one that he read, `version` the item's.

    Somebody else's meanwhile makes this one stale, and nothing of it is lost.
    """
    _open(item)
    rationale = rationale.replace("\r\n", "\n").strip()
    _conclusion_rules(level, rationale)
    last = _last(item)
    if (
        last is not None
        and (last.level, last.rationale, last.concluded_by)
        == (level, rationale, current.person_id())
        and not last.return_reason
    ):
        return last  # sent twice
    if (revision is not None and revision != (last.revision if last else 0)) or (
        revision is None and version != item.version
    ):
        raise _overtaken(last, level, rationale)
    made = Conclusion(
        item_id=item.id,
        revision=(last.revision if last else 0) + 1,
        level=level,
        rationale=rationale,
        concluded_by=current.person_id(),
        concluded_at=clock.now(),
        return_reason=None,
        created_at=clock.now(),
    )
    session().add(made)
    item.version += 1
    record(
        CONCLUDED,
        made,
        level=level,
        revision=made.revision,
        requirement=_ref(item),
        rationale=rationale,
    )
    return made


def _conclusion_rules(level: int, rationale: str) -> None:
    if not rationale:
        raise Invalid("Say why: the conclusion is what a reader relies on.", field="rationale")
    if len(rationale) > LONGEST:
        raise Invalid(f"At most {LONGEST} letters.", field="rationale")
    if not 0 <= level <= HIGHEST:
        raise Invalid("A level is a number from 0 to 4.", field="level")


def _overtaken(last: Conclusion | None, level: int, rationale: str) -> Stale:
    theirs = {"level": last.level, "rationale": last.rationale} if last else {}
    typed = {"level": level, "rationale": rationale}
    who = names([last.concluded_by]).get(last.concluded_by, FORMER) if last else "Somebody else"
    number = f" revision {last.revision}" if last else " it"
    changes = {
        name: (value, theirs.get(name))
        for name, value in typed.items()
        if theirs.get(name) != value
    }
    return Stale(
        f"{who} wrote{number} since you opened the page. What you typed is kept: read theirs, then"
        " save again.",
        changes,
    )


def give_back(item: AssessmentItem, *, revision: int, reason: str) -> None:
    """The reviewer returns a conclusion to its assessor, with the reason."""
    made = _seen(item, revision)
    require(permissions.SIGN, on=made)
    if not reason.strip():
        raise Invalid("Say what is missing: the assessor needs to know.", field="reason")
    if _signature(made) is not None:
        raise NotSignable("It is signed off already. A new conclusion opens it again.")
    made.return_reason = reason.strip()[:2000]
    item.version += 1
    record(GIVEN_BACK, made, reason=made.return_reason, revision=revision, requirement=_ref(item))


def sign_off(item: AssessmentItem, *, revision: int) -> SignOff:
    """Another person than the assessor stands behind the revision that he saw; refused while a
    reason is red.
    """
    made = _seen(item, revision)
    require(permissions.SIGN, on=made)
    held = _signature(made)
    if held is not None:
        who = names([held.signed_by]).get(held.signed_by, "A former member")
        raise Stale(f"{who} signed it off on {_day(held.signed_at)} already.")
    if made.return_reason:
        raise NotSignable("It was returned to its assessor. A new conclusion can be signed off.")
    if red := red_reasons(item):
        raise NotSignable(f"Sign-off opens when no reason is red: {red[0]}")
    signed = SignOff(
        conclusion_id=made.id,
        signed_by=current.person_id(),
        signed_at=clock.now(),
        entry_id=None,
        created_at=clock.now(),
    )
    session().add(signed)
    signed.entry_id = record(
        SIGNED, made, level=made.level, revision=revision, requirement=_ref(item)
    ).id
    return signed


def red_reasons(item: AssessmentItem) -> list[str]:
    """The facts that forbid signing off, as they stand now."""
    return [reason.fact for reason in queries.derived(item).reasons if reason.severity == "bad"]


def comment(item: AssessmentItem, text: str) -> Comment:
    """Take part in the discussion; the same words sent twice are one remark."""
    _open(item)
    text = text.replace("\r\n", "\n").strip()[:2000]
    last = (
        session()
        .scalars(
            select(Comment)
            .where(Comment.item_id == item.id)
            .order_by(Comment.created_at.desc())
            .limit(1)
        )
        .one_or_none()
    )
    if last is not None and (last.text, last.written_by) == (text, current.person_id()):
        return last
    if not text:
        raise Invalid("Write something first.", field="text")
    made = Comment(
        item_id=item.id, text=text, written_by=current.person_id(), created_at=clock.now()
    )
    session().add(made)
    record(COMMENTED, made, requirement=_ref(item), text=made.text)
    return made


# ---- closing


def close(held: Assessment, *, accept_open: bool = False) -> None:
    """Freeze everything that it shows under a digest.

    What is not signed off must be accepted as such.
    """
    if held.closed_at is not None:
        raise Closed(f"It was closed on {_day(held.closed_at)} already.")
    items = queries.items(held.id)
    unsigned = [
        each.ref for each in items if each.judgement is None or each.judgement.signer is None
    ]
    if unsigned and not accept_open:
        listed = ", ".join(unsigned[:SHOWN]) + (" …" if len(unsigned) > SHOWN else "")
        raise NotSignable(
            f"{len(unsigned)} requirements are not signed off: {listed}.", field="accept_open"
        )
    facts = frozen(held)
    held.frozen, held.digest = facts, digest(facts)
    held.closed_at, held.closed_by = clock.now(), current.actor().person_id
    record(
        CLOSED,
        held,
        title=held.title,
        digest=held.digest,
        signed=len(items) - len(unsigned),
        unsigned=len(unsigned),
    )


def frozen(held: Assessment) -> dict[str, Any]:
    """Everything that the assessment shows, as plain JSON: what the digest is over."""
    said = report_facts.snapshot(held.id, clock.now())
    said["assessment"] = {
        k: v for k, v in said["assessment"].items() if k not in {"digest", "closed_at", "status"}
    }
    return said | {"discussion": queries.discussion(held.id)}


def canonical(said: dict[str, Any]) -> bytes:
    """The bytes of frozen facts: RFC 8785."""
    return rfc8785.dumps(said)


def digest(said: dict[str, Any]) -> str:
    """SHA-256 in hex over the canonical bytes."""
    return hashlib.sha256(canonical(said)).hexdigest()


def reopen(held: Assessment) -> Assessment:
    """A closed assessment stays as it is; a new revision takes its targets, conclusions and
    signatures on.
    """
    if held.closed_at is None:
        raise DomainError("It is open already.")
    alone("assessments")
    if any(each.revision > held.revision for each in queries.revisions(held)):
        raise Stale(f"Revision {held.revision + 1} of {held.title} was begun already.")
    made = _new(
        held.framework_id,
        held.title,
        held.scope,
        held.system_id,
        (held.period_from, held.period_to),
        revision=held.revision + 1,
    )
    _write_items(made, held.id, queries.DEFAULT_TARGET)
    _carry_on(held, made)
    framework = frameworks.framework_by_id(held.framework_id)
    record(
        BEGUN,
        made,
        title=made.title,
        framework=framework.key,
        scope=made.scope,
        period_from=made.period_from,
        period_to=made.period_to,
        revision=made.revision,
        copied_from=f"{held.title}, revision {held.revision}",
    )
    return made


def _carry_on(held: Assessment, made: Assessment) -> None:
    """The last conclusion of each item, and the signature on it, stand behind the new revision too:
    one statement each.
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
    told = ("revision", "level", "rationale", "concluded_by", "concluded_at", "return_reason")
    judged = (
        select(
            func.gen_random_uuid(),
            literal(made.tenant_id),
            literal(clock.now()),
            new.c.id,
            *(newest.c[name] for name in told),
        )
        .select_from(old)
        .join(new, same)
        .join(newest, newest.c.item_id == old.c.id)
        .where(
            old.c.assessment_id == held.id,
            new.c.assessment_id == made.id,
            old.c.tenant_id == made.tenant_id,
        )
    )
    session().execute(
        insert(_conclusions).from_select(
            ["id", "tenant_id", "created_at", "item_id", *told], judged
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
            old.c.assessment_id == held.id,
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


# ---- rules


def _open(item: AssessmentItem) -> Assessment:
    """Its assessment, which stays open until this transaction ends: closing waits for it, and it
    for closing.
    """
    query = (
        select(Assessment)
        .where(Assessment.id == item.assessment_id)
        .options(defer(Assessment.frozen))
    )
    held = (
        session()
        .scalars(query.with_for_update(read=True).execution_options(populate_existing=True))
        .one()
    )
    if (why := why_not(held)) is not None:
        raise Closed(why)
    return held


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _last(item: AssessmentItem) -> Conclusion | None:
    query = (
        select(Conclusion).where(Conclusion.item_id == item.id).order_by(Conclusion.revision.desc())
    )
    return session().scalars(query.limit(1)).one_or_none()


def _seen(item: AssessmentItem, revision: int) -> Conclusion:
    _open(item)
    last = _last(item)
    if last is None:
        raise NotSignable("There is no conclusion yet.")
    if last.revision != revision:
        raise Stale(
            f"The conclusion is at revision {last.revision} now; you read revision {revision}. Read"
            " it again first.",
            {"revision": (revision, last.revision)},
        )
    return last


def _signature(made: Conclusion) -> SignOff | None:
    return session().scalars(select(SignOff).where(SignOff.conclusion_id == made.id)).one_or_none()


def _ref(item: AssessmentItem) -> str:
    return queries.refs_of().get(item.requirement_id, "")
