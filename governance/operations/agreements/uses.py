"""The answer to objectives' port: which commitments use an objective."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from flask import url_for
from sqlalchemy import Select, func, select

from governance.kernel import clock, current
from governance.kernel.access import allowed
from governance.kernel.db import among, session
from governance.operations.agreements import permissions
from governance.operations.agreements.models import Agreement, AgreementVersion, Commitment
from governance.operations.objectives.figures import exact_percent
from governance.operations.objectives.ports import Use


def uses_of(objective_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Use]]:
    """The commitments in force for these objectives; one statement."""
    if not objective_ids or not allowed(permissions.VIEW):
        return {}
    found = defaultdict[UUID, list[Use]](list)
    for agreement, commitment in session().execute(_in_force(objective_ids)):
        if commitment.objective_id is None:
            continue
        found[commitment.objective_id].append(
            Use(
                agreement.ref,
                f"Agreement {agreement.ref}, commitment {commitment.clause}:"
                f" {exact_percent(commitment.target)} a month",
                url_for(
                    "agreements.agreement",
                    tenant=current.actor().tenant_slug,
                    agreement_id=agreement.id,
                ),
                note=agreement.name,
            )
        )
    return found


def _in_force(objective_ids: Collection[UUID]) -> Select[Agreement, Commitment]:
    """The newest version of each agreement that has taken effect, joined to its commitments."""
    v, now = AgreementVersion, clock.now()
    newest = (
        select(v.agreement_id, func.max(v.effective_from).label("at"))
        .where(v.state == "accepted", v.effective_from <= now)
        .group_by(v.agreement_id)
        .subquery()
    )
    return (
        select(Agreement, Commitment)
        .join(v, v.agreement_id == Agreement.id)
        .join(newest, (newest.c.agreement_id == v.agreement_id) & (newest.c.at == v.effective_from))
        .join(Commitment, Commitment.version_id == v.id)
        .where(
            v.state == "accepted",
            among(Commitment.objective_id, objective_ids),
            Agreement.ended_at.is_(None) | (Agreement.ended_at > now),
            v.ends_on.is_(None) | (v.ends_on >= clock.today()),
        )
        .order_by(Agreement.number, Commitment.clause)
    )
