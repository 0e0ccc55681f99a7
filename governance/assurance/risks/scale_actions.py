"""Change the tenant's scale. A version never changes: each change creates a new one.

If the numbers of steps stay the same, scores remain comparable. Otherwise nothing is converted:
open risks keep their score on their old scale and must be scored again. Their acceptances become
stale, because nobody accepted a score on the new scale.
"""

from dataclasses import asdict

from governance.assurance.risks import acceptance_actions, queries, score_actions
from governance.assurance.risks.models import RiskScale
from governance.assurance.risks.scales import Scale, check_scale, same_steps
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid, Stale

CHANGED = action(
    "risk.scale.changed",
    "changed the scale of risks",
    target="RiskScale",
    activity="update",
    severity="medium",
    fields="number likelihood impact low_to medium_to high_to appetite max_acceptance_days rescore",
)


def change_scale(wanted: Scale, *, version: int, reason: str) -> Scale:
    """Create a new version and put it in use. Idempotent for the same content.

    The action assigns `number`. `version` is the version that the form showed. Raise Stale, with
    the differences, if another one is in use now.
    """
    lock_tenant("risks")
    known = queries.scales()
    present = queries.newest(known)
    check_scale(wanted)
    before, after = _content(present), _content(wanted)
    if before == after:
        return present
    if version != present.number:
        raise Stale(
            "Someone else changed the scale while you were editing. Review it, then save again.",
            {n: (after[n], before[n]) for n in after if after[n] != before[n]},
        )
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    row = RiskScale(
        **after,
        number=present.number + 1,
        reason=reason.strip()[:2000],
        changed_by=current.person_id(),
    )
    session().add(row)
    session().flush()
    asked = 0 if same_steps(present, wanted) else _ask_to_score_again(row.number)
    record(
        CHANGED,
        row,
        reason=row.reason,
        before=before,
        after=after,
        number=row.number,
        rescore=asked,
    )
    return queries.scale()


def _content(scale: Scale) -> dict[str, object]:
    content = asdict(scale)
    del content["number"]
    return content | {"likelihood": list(scale.likelihood), "impact": list(scale.impact)}


def _ask_to_score_again(number: int) -> int:
    risks = queries.open_risks()
    why = f"The scale has other steps since version {number}."
    for risk in risks:
        acceptance_actions.void_request(risk, why)
        risk.rescore_since = risk.rescore_since or clock.now()
    score_actions.lapse_all(risks, why)
    return len(risks)
