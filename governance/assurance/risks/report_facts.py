"""The open risks as plain JSON for reports, for a port of the controls package.

The schema is RiskPosition in governance/publishing/reports/ai_rmf/snapshot.py.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from governance.assurance.risks import queries, source_lists
from governance.assurance.risks.queries import RiskPosture
from governance.assurance.risks.risk_record import RISK
from governance.assurance.risks.scales import BANDS
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock, formatting


def reported_risks(system_id: UUID | None) -> dict[str, Any]:
    """Return the open risks of an AI system, or of all systems for None, in eight statements."""
    found = (
        queries.by_score(queries.posture()) if system_id is None else queries.risks_of(system_id)
    )
    people = {each.risk.owner_id for each in found}
    people |= {each.given.accepted_by for each in found if each.given}
    people |= {each.requested.requested_by for each in found if each.requested}
    names, scale = shown_names(people), queries.scale()
    return {
        "on": clock.today().isoformat(),
        "scale": {
            "number": scale.number,
            "likelihood": list(scale.likelihood),
            "impact": list(scale.impact),
            "bands": [[band, BANDS[band], low, high] for band, low, high in scale.bands],
            "appetite": scale.appetite,
        },
        "open": [_risk(each, names) for each in found],
    }


def _risk(each: RiskPosture, names: Mapping[Any, str]) -> dict[str, Any]:
    risk, (controls, fails) = each.risk, each.control_words
    return {
        "ref": risk.ref,
        "title": risk.title,
        "systems": [system.name for system in each.systems],
        "sources": source_lists.short_labels(risk.sources),
        "likelihood": risk.likelihood,
        "impact": risk.impact,
        "residual_likelihood": each.residual.likelihood,
        "residual_impact": each.residual.impact,
        "scale": risk.scale_number,
        "is_comparable": each.is_comparable,
        "is_above_appetite": each.is_above_appetite,
        "band": each.band,
        **RISK.reported(risk),
        "owner": names.get(risk.owner_id) if risk.owner_id else None,
        "controls": controls,
        "fails": fails,
        "acceptance": _acceptance(each, names),
    }


def _acceptance(each: RiskPosture, names: Mapping[Any, str]) -> dict[str, Any]:
    """Return the open request if the state is "requested", otherwise the last given acceptance."""
    state = each.acceptance.name
    row = each.requested if state == "requested" else each.given
    if row is None:
        return {"state": state, "reason": ""} | dict.fromkeys(("score", "by", "on", "until"))
    by, at = row.accepted_by, row.accepted_at
    if state == "requested":
        by, at = row.requested_by, row.requested_at
    return {
        "state": state,
        "score": row.score,
        "by": names.get(by) if by else None,
        "on": formatting.local_day(at).isoformat() if at else None,
        "until": row.expires_on.isoformat(),
        "reason": row.stale_reason,
    }
