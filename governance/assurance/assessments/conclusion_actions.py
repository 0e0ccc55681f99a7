"""Write, return and sign off conclusions: one person concludes, another signs off."""

from uuid import UUID

from sqlalchemy import select

from governance.assurance.assessments import board_queries, permissions
from governance.assurance.assessments.assessment_state import (
    NotSignable,
    day_of,
    require_open,
    requirement_path,
    requirement_ref,
)
from governance.assurance.assessments.coverage import HIGHEST_LEVEL
from governance.assurance.assessments.models import (
    AssessmentItem,
    Comment,
    Conclusion,
    SignOff,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.comments import mentions
from governance.foundation.comments.events import CommentWritten
from governance.foundation.people.aliases import FORMER_MEMBER
from governance.foundation.people.queries import names
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid, Stale
from governance.kernel.safety.access import require
from governance.kernel.work.events import publish

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
RETURNED = action(
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
MAX_RATIONALE_LENGTH = 4000  # Characters; the log and the report accept no more


def conclude(
    item: AssessmentItem,
    *,
    level: int,
    rationale: str,
    revision: int | None = None,
    version: int | None = None,
) -> Conclusion:
    """Write the assessor's conclusion as a new revision.

    `revision` is the last revision that the assessor read (0 if none), `version` the item's. Raise
    Stale, with both texts, if someone else wrote one since, and Invalid for a wrong level or
    rationale.
    """
    require_open(item)
    rationale = rationale.replace("\r\n", "\n").strip()
    _check_conclusion(level, rationale)
    last = _last_conclusion(item)
    if (
        last is not None
        and (last.level, last.rationale, last.concluded_by)
        == (level, rationale, current.person_id())
        and not last.return_reason
    ):
        return last  # The form was sent twice.
    if (revision is not None and revision != (last.revision if last else 0)) or (
        revision is None and version != item.version
    ):
        raise _stale_conclusion(last, level, rationale)
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
        requirement=requirement_ref(item),
        rationale=rationale,
    )
    return made


def _check_conclusion(level: int, rationale: str) -> None:
    if not rationale:
        raise Invalid(
            "Explain your conclusion. Readers of the report rely on it.", field="rationale"
        )
    if len(rationale) > MAX_RATIONALE_LENGTH:
        raise Invalid(f"Use at most {MAX_RATIONALE_LENGTH:,} characters.", field="rationale")
    if not 0 <= level <= HIGHEST_LEVEL:
        raise Invalid("Choose a level from 0 to 4.", field="level")


def _stale_conclusion(last: Conclusion | None, level: int, rationale: str) -> Stale:
    theirs = {"level": last.level, "rationale": last.rationale} if last else {}
    typed = {"level": level, "rationale": rationale}
    who = (
        names([last.concluded_by]).get(last.concluded_by, FORMER_MEMBER) if last else "Someone else"
    )
    what = f"revision {last.revision}" if last else "the conclusion"
    changes = {
        name: (value, theirs.get(name))
        for name, value in typed.items()
        if theirs.get(name) != value
    }
    return Stale(
        f"{who} wrote {what} while you were editing. Your text is still in the form. Compare the"
        " two, then save again.",
        changes,
    )


def return_conclusion(item: AssessmentItem, *, revision: int, reason: str) -> None:
    """Return a conclusion to its assessor, with the reason."""
    made = _require_revision(item, revision)
    require(permissions.SIGN, on=made)
    if not reason.strip():
        raise Invalid(
            "Explain what is missing, so the assessor can revise the conclusion.", field="reason"
        )
    if _signature(made) is not None:
        raise NotSignable(
            "This conclusion is already signed off. Write a new revision to change it."
        )
    made.return_reason = reason.strip()[:2000]
    item.version += 1
    record(
        RETURNED,
        made,
        reason=made.return_reason,
        revision=revision,
        requirement=requirement_ref(item),
    )


def sign_off(item: AssessmentItem, *, revision: int) -> SignOff:
    """Sign off the revision that the reviewer read. Assessors can't sign off their own.

    Raise NotSignable while something has failed or is overdue, or after the conclusion was
    returned. Raise Stale if it is already signed off.
    """
    made = _require_revision(item, revision)
    require(permissions.SIGN, on=made)
    signature = _signature(made)
    if signature is not None:
        who = names([signature.signed_by]).get(signature.signed_by, "A former member")
        raise Stale(f"{who} already signed off this conclusion on {day_of(signature.signed_at)}.")
    if made.return_reason:
        raise NotSignable(
            "This conclusion was returned to its assessor. Wait for the next revision."
        )
    if red := failed_or_overdue_reasons(item):
        raise NotSignable(f"You can't sign off while something has failed or is overdue: {red[0]}")
    signed = SignOff(
        conclusion_id=made.id,
        signed_by=current.person_id(),
        signed_at=clock.now(),
        entry_id=None,
        created_at=clock.now(),
    )
    session().add(signed)
    signed.entry_id = record(
        SIGNED, made, level=made.level, revision=revision, requirement=requirement_ref(item)
    ).id
    return signed


def failed_or_overdue_reasons(item: AssessmentItem) -> list[str]:
    """Return the facts that prevent signing off now."""
    return [
        reason.fact
        for reason in board_queries.derived_level(item).reasons
        if reason.severity == "bad"
    ]


def comment(item: AssessmentItem, text: str) -> Comment:
    """Add a comment. Idempotent: the same text submitted twice is one comment."""
    require_open(item)
    text = text.replace("\r\n", "\n").strip()[:2000]
    text, mentioned = mentions.named(text, permissions.READ_COMMENTS.roles)
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
        raise Invalid("Write a comment first.", field="text")
    made = Comment(
        item_id=item.id, text=text, written_by=current.person_id(), created_at=clock.now()
    )
    session().add(made)
    record(COMMENTED, made, requirement=requirement_ref(item), text=made.text)
    publish(_written(item, made, mentioned))
    return made


def _written(item: AssessmentItem, made: Comment, mentioned: frozenset[UUID]) -> CommentWritten:
    """Return the event of a comment.

    Its followers are the owner and everyone who commented here.
    """
    before = select(Comment.written_by).where(Comment.item_id == item.id).distinct()
    followers = set(session().scalars(before)) | ({item.owner_id} if item.owner_id else set())
    readers = {each.person_id for each in mentions.people(permissions.READ_COMMENTS.roles)}
    told = mentioned - {made.written_by}
    return CommentWritten(
        made.id,
        requirement_ref(item),
        requirement_path(item),
        told,
        frozenset(followers & readers - told - {made.written_by}),
    )


def _last_conclusion(item: AssessmentItem) -> Conclusion | None:
    query = (
        select(Conclusion).where(Conclusion.item_id == item.id).order_by(Conclusion.revision.desc())
    )
    return session().scalars(query.limit(1)).one_or_none()


def _require_revision(item: AssessmentItem, revision: int) -> Conclusion:
    require_open(item)
    last = _last_conclusion(item)
    if last is None:
        raise NotSignable("There is no conclusion yet. Write one first.")
    if last.revision != revision:
        raise Stale(
            f"The conclusion is now at revision {last.revision}; you read revision {revision}. Read"
            " the latest revision, then try again.",
            {"revision": (revision, last.revision)},
        )
    return last


def _signature(made: Conclusion) -> SignOff | None:
    return session().scalars(select(SignOff).where(SignOff.conclusion_id == made.id)).one_or_none()
