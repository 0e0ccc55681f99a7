"""Record the history of scores, and make acceptances stale when the score changes.

keep_score(risk)   called by each action that can change a score; stores it if it differs
keep_scores()      runs hourly, for changes of control statuses
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from governance.assurance.risks import queries
from governance.assurance.risks.acceptance_state import SOON_DAYS
from governance.assurance.risks.models import Risk, RiskAcceptance, RiskScore
from governance.assurance.risks.queries import RiskPosture
from governance.assurance.risks.scoring import statuses, why_changed
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock
from governance.kernel.data.db import session

SCORED = action(
    "risk.scored",
    "recorded a new score of a risk",
    target="Risk",
    activity="update",
    severity="low",
    fields="ref likelihood impact residual_likelihood residual_impact scale cause",
)
LAPSED = action(
    "risk.acceptance.lapsed",
    "recorded that the acceptance of a risk is stale",
    target="Risk",
    activity="update",
    severity="medium",
    fields="ref score cause",
    shape="bad",
)
ENDED = action(
    "risk.acceptance.ended",
    "ended the acceptance of a risk that no longer needs one",
    target="Risk",
    activity="update",
    severity="low",
    fields="ref score",
)
FIRST = "first score"
SCORED_AGAIN = "scored again"


def keep_score(risk: Risk, cause: str = "") -> RiskPosture:
    """Store the current score if it changed, and update the acceptance. Return the posture.

    An acceptance of another score becomes stale. One that the risk no longer needs ends.
    """
    session().flush()
    found = queries.posture_of(risk)
    _keep(risk, found, queries.last_scores([risk.id]).get(risk.id), cause)
    _end_unneeded(risk, found)
    return found


def keep_scores() -> int:
    """Do the same as keep_score for every open risk. Return the number of changed scores."""
    risks = queries.open_risks()
    every = [*zip(risks, queries.posture_of_open(risks), strict=True)]
    before = queries.last_scores([risk.id for risk in risks])
    for risk, each in every:
        _end_unneeded(risk, each)
    return sum(_keep(risk, each, before.get(risk.id), "") for risk, each in every)


def _keep(risk: Risk, found: RiskPosture, last: RiskScore | None, cause: str) -> bool:
    after = found.residual
    now = (
        risk.scale_number,
        risk.likelihood,
        risk.impact,
        after.likelihood,
        after.impact,
    )
    then = last and (
        last.scale_number,
        last.likelihood,
        last.impact,
        last.residual_likelihood,
        last.residual_impact,
    )
    if now == then:
        return False
    controls = statuses(found.mitigations)
    cause = cause or (why_changed(last.controls, controls) if last else FIRST)
    session().add(
        RiskScore(
            risk_id=risk.id,
            at=clock.now(),
            scale_number=risk.scale_number,
            likelihood=risk.likelihood,
            impact=risk.impact,
            residual_likelihood=after.likelihood,
            residual_impact=after.impact,
            controls=controls,
            cause=cause,
        )
    )
    names = ("scale", "likelihood", "impact", "residual_likelihood", "residual_impact")
    record(
        SCORED,
        risk,
        before=dict(zip(names, then, strict=True)) if then else {},
        after=dict(zip(names, now, strict=True)),
        ref=risk.ref,
        cause=cause,
    )
    if found.acceptance.name == "stale" and found.given is not None:
        lapse(risk, found.given, f"The score is {after.score} now: {cause}.")
    return True


def _end_unneeded(risk: Risk, found: RiskPosture) -> None:
    """End an acceptance that is stale or expires soon, if the risk no longer needs one."""
    given = found.given
    if given is None or found.needs_acceptance:
        return
    is_stale = given.stale_at is not None or (given.likelihood, given.impact) != (
        found.residual.likelihood,
        found.residual.impact,
    )
    if is_stale or given.expires_on <= found.today + timedelta(days=SOON_DAYS):
        given.state = "ended"
        record(ENDED, risk, ref=risk.ref, score=given.score)


def lapse(risk: Risk, given: RiskAcceptance, reason: str) -> None:
    """Mark an acceptance as stale. Idempotent: it keeps the first time and reason."""
    if given.stale_at is not None:
        return
    given.stale_at, given.stale_reason = clock.now(), reason[:500]
    record(LAPSED, risk, ref=risk.ref, score=given.score, cause=given.stale_reason)


def lapse_all(risks: Sequence[Risk], reason: str) -> int:
    """Mark the acceptances of these risks as stale. Return their number."""
    by_id: dict[UUID, Risk] = {risk.id: risk for risk in risks}
    given = [g for g in queries.given_acceptances(by_id) if g.stale_at is None]
    for each in given:
        lapse(by_id[each.risk_id], each, reason)
    return len(given)
