"""The approval of a risk acceptance: a second person sees the score, how it is computed, and the
plan.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from governance.assurance.risks import acceptance_actions, permissions, queries
from governance.assurance.risks.models import Risk, RiskAcceptance
from governance.assurance.risks.risk_record import TREATMENTS
from governance.assurance.risks.scales import BANDS, pair
from governance.assurance.risks.scoring import AXES, MINUS, statuses
from governance.assurance.risks.source_lists import short_labels
from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.foundation.people.owners import name_of
from governance.kernel import clock
from governance.kernel.formatting import long_day


def _found(approval: Approval, *, lock: bool = False) -> tuple[Risk, RiskAcceptance]:
    """Return the risk and its acceptance.

    The risk isn't locked, because an edit locks the risk before it locks the approvals.
    """
    acceptance = queries.acceptance(approval.target_id, lock=lock)
    return queries.find_risk(acceptance.risk_id), acceptance


def _describe(approval: Approval) -> Description:
    risk, acceptance = _found(approval)
    found = queries.posture_of(risk)
    after = found.residual
    return Description(
        title=approval.summary,
        heading="What is accepted",
        facts=[
            ("Risk", f"{risk.ref} {risk.title}"),
            ("AI systems", found.system_words),
            ("Source", short_labels(risk.sources)),
            ("Before controls", f"{found.inherent_score} ({pair(risk.likelihood, risk.impact)})"),
            ("After controls", f"{after.score} ({pair(after.likelihood, after.impact)})"),
            ("Band", BANDS[found.scale.band(after.score)]),
            ("Appetite", f"{found.scale.appetite} or less"),
            ("Treatment", TREATMENTS[risk.treatment]),
            ("Plan", risk.plan or "None"),
            ("Owner", name_of(risk.owner_id)),
            ("Accepted until", long_day(acceptance.expires_on)),
        ],
        effects=[*_effects(found)],
        covers="Covers the risk, its score before and after controls, and the last day.",
        back=(risk.ref, "risks.risk", {"risk_id": risk.id}),
        verb="Accept risk",
        consequence=(
            f"The risk counts as accepted until {long_day(acceptance.expires_on)}, or until its"
            " score changes."
        ),
    )


def _effects(found: queries.RiskPosture) -> Iterator[ApprovalEffect]:
    for part in found.residual.sums:
        yield ApprovalEffect("open", f"{AXES[part.axis]}: {part.words}.")
    for each in found.mitigations:
        kind = "ok" if each.is_full else "bad" if each.status == "failing" else "due"
        yield ApprovalEffect(
            kind,
            f"{each.ref} {each.title}: {each.word.lower()}.",
            f"{each.earned_words} of {MINUS}{each.steps} {each.axis}.",
        )
    if not found.mitigations:
        yield ApprovalEffect("due", "No controls mitigate it.")


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    risk, acceptance = _found(approval)
    found = queries.posture_of(risk)
    return {
        "risk": risk.id,
        "version": risk.version,
        "title": risk.title,
        "scale": risk.scale_number,
        "inherent": [risk.likelihood, risk.impact],
        "residual": [found.residual.likelihood, found.residual.impact],
        "treatment": risk.treatment,
        "plan": risk.plan,
        "owner": risk.owner_id,
        "systems": sorted(str(each.id) for each in found.systems),
        "expires_on": acceptance.expires_on,
        "state": acceptance.state,
    }


def _context(approval: Approval) -> Mapping[str, Any]:
    risk, _acceptance = _found(approval)
    return {"controls": statuses(queries.posture_of(risk).mitigations)}


def _blocked(approval: Approval) -> str | None:
    risk, acceptance = _found(approval)
    if risk.closed_at is not None:
        return f"{risk.ref} was closed on {long_day(risk.closed_at)}."
    if acceptance.expires_on <= clock.today():
        return f"It would end on {long_day(acceptance.expires_on)}. Request a later day."
    return None


def _apply(approval: Approval) -> None:
    acceptance_actions.accept(*_found(approval, lock=True))


def _on_reject(approval: Approval) -> None:
    _risk, acceptance = _found(approval, lock=True)
    acceptance_actions.close_request(acceptance, approval.state)


def _entry(approval: Approval, _step: str) -> LogEntry:
    risk, acceptance = _found(approval)
    return LogEntry(
        risk,
        facts={
            "ref": risk.ref,
            "score": acceptance.score,
            "expires_on": acceptance.expires_on.isoformat(),
        },
    )


RISK_ACCEPTANCE = ApprovalKind(
    name=queries.APPROVAL,
    label="Risk acceptance",
    permission=permissions.ACCEPT,
    describe=_describe,
    fingerprint=_fingerprint,
    context=_context,
    blocked=_blocked,
    apply=_apply,
    on_reject=_on_reject,
    entry=_entry,
    lock=acceptance_actions.LOCK,
    own="You requested this yourself, so another person must accept the risk.",
    own_subject="You own this risk, so another person must accept it.",
    entries={
        "requested": acceptance_actions.REQUESTED,
        "approved": acceptance_actions.ACCEPTED,
        "rejected": acceptance_actions.REJECTED,
    },
)
