"""The approval of a proposed AI system by a person other than its proposer."""

from collections.abc import Iterator, Mapping
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.kernel.formatting import long_day, plural
from governance.operations.intake import actions, permissions, queries, safeguards
from governance.operations.intake.models import SystemProposal
from governance.operations.intake.questions import QUESTIONS, answer_words
from governance.operations.intake.triage import Triage


def _describe(approval: Approval) -> Description:
    found = queries.proposal(approval.target_id)
    derived = queries.triage_of(found)
    answers = [
        (question.label, answer_words(key, found.answers.get(key)))
        for key, question in QUESTIONS.items()
        if key in found.answers
    ]
    return Description(
        title=approval.summary,
        heading="Proposed AI system",
        facts=[
            ("Name", found.name),
            ("Slug", found.key),
            ("Purpose", found.purpose),
            ("Intended users", found.users),
            ("EU AI Act class", found.eu_class_name),
            ("Risk class", found.risk_class_name),
            *answers,
        ],
        effects=[*_effects(found, derived)],
        effects_sub="What follows from the classes",
        covers="Covers the description, every answer, both classes and the request itself.",
        back=(found.ref, "intake.proposal", {"proposal_id": found.id}),
        verb="Approve and register",
        consequence=(
            "The system joins the register in review, with these facts. Its proposer owns it. It can be"
            " retired later, but not deleted."
        ),
    )


def _effects(found: SystemProposal, derived: Triage) -> Iterator[ApprovalEffect]:
    if (why := actions.why_blocked(found)) is not None:
        yield ApprovalEffect("bad", "It can't be approved now.", why)
    if unanswered := actions.unanswered(found):
        yield ApprovalEffect(
            "open",
            f"{plural(unanswered, 'question')} without an answer.",
            "The proposer has to answer first.",
        )
    if (shown := safeguards.shown_by(found.safeguards_run_id)) is not None:
        yield ApprovalEffect(
            "due",
            "The proposer names a run as proof of its safeguards.",
            f"{shown.words}. Check that the run is of its model, and that the suite tries what is prohibited.",
        )
    if found.classed_by is not None:
        who = next(iter(people.names([found.classed_by]).values()), "A former member")
        yield ApprovalEffect(
            "due", f"{who} set the classes by hand.", f"Reason: {found.class_reason}"
        )
    for duty in derived.legal_duties:
        if duty.is_ours:
            yield ApprovalEffect(
                "due", f"{duty.text}.", f"{duty.source}, from {long_day(duty.applies_from)}"
            )
    for each in derived.duties:
        yield ApprovalEffect("due", f"{each.text}.", each.source)


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    found = queries.proposal(approval.target_id)
    return {
        "name": found.name,
        "key": found.key,
        "purpose": found.purpose,
        "users": found.users,
        "answers": found.answers,
        "risk_class": found.risk_class,
        "eu_class": found.eu_class,
        "class_reason": found.class_reason,
        "safeguards_run": str(found.safeguards_run_id) if found.safeguards_run_id else None,
        "law_version": found.law_version,
        "placed_on": found.placed_on.isoformat() if found.placed_on else None,
    }


def _entry(approval: Approval, _step: str) -> LogEntry:
    found = queries.proposal(approval.target_id)
    return LogEntry(found, facts={"ref": found.ref})


PROPOSAL = ApprovalKind(
    name=queries.PROPOSAL,
    label="Proposed AI system",
    permission=permissions.REVIEW,
    describe=_describe,
    fingerprint=_fingerprint,
    apply=lambda approval: actions.open_system(queries.proposal(approval.target_id, lock=True)),
    on_reject=lambda approval: actions.close(
        queries.proposal(approval.target_id, lock=True), approval
    ),
    blocked=lambda approval: actions.why_blocked(queries.proposal(approval.target_id)),
    entry=_entry,
    lock=actions.LOCK,
    lifetime=None,
    own="You proposed this system or lowered its class, so another person decides.",
    entries={
        "requested": None,
        "approved": None,
        "rejected": actions.REJECTED,
        "withdrawn": actions.WITHDRAWN,
    },
)
