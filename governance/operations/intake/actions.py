"""Propose AI systems, and decide on proposals.

propose, change     by a product team; triage uses the answers
show_safeguards     the proposer names an evaluation run as proof of its safeguards
classify            a reviewer sets other classes, with a reason
open_system, close  after the decision of another person

A change of the answers, or of a class, voids earlier approvals. A reviewer who sets a less strict
class than triage can't approve the proposal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import last_actor, membership_of
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.safety.access import require
from governance.operations.intake import law, permissions, queries, safeguards
from governance.operations.intake.models import STATES, SystemProposal
from governance.operations.intake.questions import QUESTIONS, SAFEGUARDS, cleaned
from governance.operations.intake.triage import (
    EU_CLASSES,
    RISK_CLASSES,
    Triage,
    is_looser,
)
from governance.operations.systems import actions as systems

FIELDS = "ref name key risk_class eu_class open_questions answers law_version placed_on"
PROPOSED = action(
    "system.proposal.submitted",
    "proposed an AI system",
    target="SystemProposal",
    activity="create",
    severity="informational",
    fields=FIELDS,
)
CHANGED = action(
    "system.proposal.changed",
    "changed a proposed AI system",
    target="SystemProposal",
    activity="update",
    severity="informational",
    fields=f"{FIELDS} purpose users",
)
CLASSIFIED = action(
    "system.proposal.classified",
    "set the classes of a proposed AI system",
    target="SystemProposal",
    activity="update",
    severity="medium",
    fields="ref risk_class eu_class triage",
)
APPROVED = action(
    "system.proposal.approved",
    "approved a proposed AI system",
    target="SystemProposal",
    activity="update",
    severity="low",
    fields="ref key risk_class eu_class system",
    shape="ok",
)
REJECTED = action(
    "system.proposal.rejected",
    "rejected a proposed AI system",
    target="SystemProposal",
    activity="update",
    severity="low",
    fields="ref",
    shape="bad",
)
WITHDRAWN = action(
    "system.proposal.withdrawn",
    "withdrew a proposed AI system",
    target="SystemProposal",
    activity="update",
    severity="informational",
    fields="ref",
)

SAFEGUARDS_OPEN = action(
    "intake.safeguards.open",
    "left open whether the safeguards of a proposed AI system hold",
    target="SystemProposal",
    activity="update",
    severity="low",
    fields="ref safeguards",
)
SAFEGUARDS_NAMED = action(
    "intake.safeguards.named",
    "named an evaluation run as proof of the safeguards of a proposed AI system",
    target="SystemProposal",
    activity="update",
    severity="low",
    fields="ref suite run release system cases",
    shape="ok",
)

LOCK = "system proposals"
MAX_NAME_LENGTH, MAX_TEXT_LENGTH = 120, 2000


@dataclass(frozen=True, slots=True)
class Draft:
    """The data of a proposal form. `key` may be empty: the slug is then made from the name."""

    name: str
    key: str
    purpose: str
    users: str
    answers: Mapping[str, Any]
    placed_on: date | None = None  # Placed on the market, or in service


def propose(draft: Draft, *, proposal_id: UUID | None = None) -> SystemProposal:
    """Propose a system and request its approval, which is blocked by unanswered questions.

    The caller chooses `proposal_id`, so that a form sent twice proposes one system. Raises Invalid
    with the field.
    """
    lock_tenant(LOCK)
    content = _checked(draft)
    made = SystemProposal(
        id=proposal_id or uuid7(),
        number=queries.next_number(),
        proposed_by=current.person_id(),
        state="in_review",
        **content,
    )
    _apply_triage(made)
    session().add(made)
    session().flush()
    record(PROPOSED, made, **_facts(made))
    _record_open_safeguards(made)
    _request(made)
    return made


def change(row: SystemProposal, draft: Draft, *, seen: int) -> None:
    """Change the answers. Triage runs again and replaces a class that a reviewer set.

    `seen` is the revision that the proposer saw. Raises Stale if it has changed since.
    """
    _lock(row)
    require(permissions.EDIT, on=row)
    content = _checked(draft)
    before = _content(row)
    if {name: content[name] for name in before} == before and not row.is_under_former_law:
        return
    _check_seen(row, seen)
    for name, value in content.items():
        setattr(row, name, value)
    row.revision += 1
    row.class_reason = row.classed_by = row.safeguards_run_id = None
    _apply_triage(row)
    session().flush()
    record(CHANGED, row, before=before, after=_content(row), **_named(row))
    _record_open_safeguards(row)
    _renew(row)


def classify(
    row: SystemProposal, *, risk_class: str, eu_class: str, reason: str, seen: int
) -> None:
    """Set the classes that apply, with a reason. Raises Stale for an earlier revision."""
    _lock(row)
    require(permissions.CLASSIFY, on=row)
    if risk_class not in RISK_CLASSES:
        raise Invalid("Choose a risk class.", field="risk_class")
    if eu_class not in EU_CLASSES:
        raise Invalid("Choose a class of the EU AI Act.", field="eu_class")
    if eu_class in {"prohibited", "high_risk"} and risk_class == "standard":
        raise Invalid(
            f"With the class “{EU_CLASSES[eu_class]}”, the risk class is high.", field="risk_class"
        )
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    before = {"risk_class": row.risk_class, "eu_class": row.eu_class}
    after = {"risk_class": risk_class, "eu_class": eu_class}
    if before == after and not needs_safeguards(row):
        return
    _check_seen(row, seen)
    derived = queries.derived_triage(row)
    row.risk_class, row.eu_class = risk_class, eu_class
    row.class_reason, row.classed_by = reason.strip(), current.person_id()
    row.open_questions = len(set(derived.open) - {SAFEGUARDS})
    row.revision += 1
    row.changed_at = clock.now()
    session().flush()
    record(
        CLASSIFIED,
        row,
        reason=reason.strip(),
        before=before,
        after=after,
        ref=row.ref,
        triage=f"{derived.risk_class}, {derived.eu_class}",
    )
    _renew(row, also=current.person_id() if _asks_for_less(row, derived) else None)


def show_safeguards(row: SystemProposal, run_id: UUID | None, *, seen: int) -> None:
    """Name an evaluation run as proof of its safeguards. Earlier approvals become void.

    Raises Invalid for a run with a failure or without a decision, and Stale for an earlier
    revision.
    """
    _lock(row)
    require(permissions.EDIT, on=row)
    if not asks_for_safeguards(row):
        raise DomainError(f"{row.ref} doesn't wait for proof that safeguards hold.")
    found = safeguards.shown_by(run_id)
    if found is None:
        raise Invalid(
            "Choose a run that has no failure and passes today's limits.", field="safeguards_run"
        )
    if row.safeguards_run_id == found.run.id:
        return
    _check_seen(row, seen)
    row.safeguards_run_id = found.run.id
    row.open_questions = len({*queries.derived_triage(row).open} - {SAFEGUARDS})
    row.revision += 1
    row.changed_at = clock.now()
    session().flush()
    record(
        SAFEGUARDS_NAMED,
        row,
        ref=row.ref,
        suite=found.suite.key,
        run=found.run.number,
        release=found.run.release,
        system=found.system.key,
        cases=found.cases,
    )
    _renew(row)


def asks_for_safeguards(row: SystemProposal) -> bool:
    """Return True if it needs proof of safeguards; a reviewer's classes replace the proof."""
    if row.classed_by is not None or row.is_under_former_law:
        return False
    return row.answers.get(SAFEGUARDS) in {"tested", "untested"}


def needs_safeguards(row: SystemProposal) -> bool:
    """Return True if that proof is missing. A run of a withdrawn suite version is no proof."""
    return asks_for_safeguards(row) and safeguards.shown_by(row.safeguards_run_id) is None


def unanswered(row: SystemProposal) -> int:
    """Count the questions without an answer, except for safeguards that need proof."""
    waits = asks_for_safeguards(row) and row.safeguards_run_id is None
    return row.open_questions - waits


def _record_open_safeguards(row: SystemProposal) -> None:
    if needs_safeguards(row):
        record(SAFEGUARDS_OPEN, row, ref=row.ref, safeguards=row.answers[SAFEGUARDS])


def _asks_for_less(row: SystemProposal, derived: Triage) -> bool:
    lowered = derived.risk_class == "high_risk" and row.risk_class == "standard"
    return lowered or is_looser(row.eu_class, derived.eu_class)


# ---- after an approval


def why_blocked(row: SystemProposal) -> str | None:
    """Return why it can't be approved now, as a sentence, or None if it can."""
    if row.eu_class == "prohibited":
        return (
            "The answers describe a practice that Article 5 of the EU AI Act prohibits. Reject the"
            " proposal, or set another class with a reason."
        )
    if row.is_under_former_law:
        return (
            f"It was answered under the law of {row.law_version[:4]}, which was amended since. Edit the"
            " answers: state your role, and answer again."
        )
    if needs_safeguards(row):
        return (
            "Not decided: show that safeguards hold. Its proposer names an evaluation run that has no"
            " failure, or a reviewer sets the class with a reason."
        )
    if (taken := queries.system_of_slug(row.key)) is not None:
        return f"{taken.name} has the slug {row.key} meanwhile. The proposer has to choose another."
    return None


def open_system(row: SystemProposal) -> None:
    """Register the proposed system with the facts of the proposal. It isn't live yet."""
    owner = row.proposed_by if membership_of(row.proposed_by) else None
    system = systems.register(
        key=row.key,
        name=row.name,
        lane=row.risk_class,
        purpose=row.purpose,
        owner_id=owner,
        stage="in_review",
        facts={
            "intended_users": row.users,
            "autonomy": row.answers.get("autonomy", ""),
            "ai_act_class": row.eu_class,
            "ai_act_reason": _reasons(row),
            "eu_role": row.role or "",
            "placed_on": row.placed_on,
        },
    )
    session().flush()
    _decide(row, "approved")
    row.system_id = system.id
    record(
        APPROVED,
        row,
        ref=row.ref,
        key=row.key,
        risk_class=row.risk_class,
        eu_class=row.eu_class,
        system=system.id,
    )


def _reasons(row: SystemProposal) -> str:
    if row.class_reason:
        return row.class_reason
    found = queries.derived_triage(row).eu_reasons
    return " ".join(f"{each.text} ({each.source})." for each in found)


def close(row: SystemProposal, approval: Approval) -> None:
    """Close a proposal that was rejected or withdrawn."""
    if approval.state in STATES and row.is_in_review:
        _decide(row, approval.state)
        row.decision_reason = approval.note


def _decide(row: SystemProposal, state: str) -> None:
    row.state, row.decided_at, row.decided_by = state, clock.now(), current.person_id()


# ---- shared rules


def _lock(row: SystemProposal) -> None:
    """Lock the approvals first, so that an approval in progress finishes before this change."""
    lock_tenant(LOCK)
    session().refresh(row, with_for_update=True)
    if not row.is_in_review:
        raise Stale(f"{row.ref} was {STATES[row.state].lower()}, so it can't be changed.")


def _check_seen(row: SystemProposal, seen: int) -> None:
    if seen != row.revision:
        who = last_actor(row.id, CHANGED, CLASSIFIED, SAFEGUARDS_NAMED)
        raise Stale(
            f"{row.ref} was changed by {who} since you opened it. Review it, then save again."
        )


def _checked(draft: Draft) -> dict[str, Any]:
    name, purpose, users = (each.strip() for each in (draft.name, draft.purpose, draft.users))
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        raise Invalid(f"Enter a name of up to {MAX_NAME_LENGTH} characters.", field="name")
    for field, text, means in (
        ("purpose", purpose, "Describe what it does"),
        ("users", users, "Describe who uses it"),
    ):
        if not 0 < len(text) <= MAX_TEXT_LENGTH:
            raise Invalid(f"{means}, in up to {MAX_TEXT_LENGTH:,} characters.", field=field)
    key = draft.key.strip() or slug_of(name)
    if not systems.SLUG.match(key) or key in systems.RESERVED:
        raise Invalid(
            "A slug is 2 to 41 lowercase letters, digits and hyphens, such as claims-triage.",
            field="key",
        )
    if (taken := queries.system_of_slug(key)) is not None:
        raise Invalid(f"{taken.name} already has the slug {key}. Choose another.", field="key")
    try:
        answers = cleaned(draft.answers)
    except ValueError as wrong:
        question = QUESTIONS[str(wrong)]
        if question.key == "practices":
            raise Invalid("Choose the practices, or none of them.", field="practices") from wrong
        says = (
            "the answers that apply, or “none” alone" if question.several else "one of the answers"
        )
        raise Invalid(f"Choose {says}.", field=question.key) from wrong
    return {
        "name": name,
        "key": key,
        "purpose": purpose,
        "users": users,
        "answers": answers,
        "placed_on": draft.placed_on,
        "changed_at": clock.now(),
    }


def slug_of(name: str) -> str:
    """Return "claims-triage" for "Claims triage (EU)"."""
    plain = re.sub(r"\([^)]*\)", "", name).lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:41].rstrip("-")


def _apply_triage(row: SystemProposal) -> None:
    row.law_version, row.role = law.current_version(), row.answers.get("role")
    derived = queries.derived_triage(row)
    row.risk_class, row.eu_class = derived.risk_class, derived.eu_class
    row.open_questions = len(derived.open)


def _request(row: SystemProposal) -> None:
    approvals.request(
        queries.PROPOSAL,
        row.id,
        summary=f"open the AI system {row.name}",
        reason=row.purpose,
        requesters=[row.proposed_by],
        is_ready=row.open_questions == 0,
    )


def _renew(row: SystemProposal, *, also: UUID | None = None) -> None:
    renewed = approvals.renew(
        queries.PROPOSAL, row.id, is_ready=row.open_questions == 0, also_requested_by=also
    )
    if renewed is None:
        raise DomainError(f"The approval of {row.ref} is closed, so it can't be changed.")


def _content(row: SystemProposal) -> dict[str, Any]:
    names = ("name", "key", "purpose", "users", "answers", "placed_on")
    return {name: getattr(row, name) for name in names}


def _named(row: SystemProposal) -> dict[str, Any]:
    return {
        "ref": row.ref,
        "risk_class": row.risk_class,
        "eu_class": row.eu_class,
        "open_questions": row.open_questions,
        "law_version": row.law_version,
    }


def _facts(row: SystemProposal) -> dict[str, Any]:
    content = ("name", "key", "answers", "placed_on")
    return _named(row) | {name: getattr(row, name) for name in content}
