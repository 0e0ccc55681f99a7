"""Rehearsals over all tenants: background work of the operator, with progress.

Each tenant is read in a separate transaction, as that operator. Amounts are added up by currency.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import all_tenants
from governance.foundation.tenants.system_actor import visiting
from governance.kernel import current
from governance.kernel.data.db import find, session, transaction
from governance.kernel.errors import Invalid
from governance.kernel.safety.access import require
from governance.kernel.work import background_work
from governance.kernel.work.background_work import PacedProgress, Run, WorkKind, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.agreements import permissions, queries
from governance.operations.agreements.models import (
    TO_TENANT,
    Agreement,
    AgreementRehearsal,
    AgreementVersion,
)
from governance.operations.agreements.rehearsal import chosen_version, rehearse
from governance.operations.agreements.starting_terms import STARTING_TERMS, bands_for

OWN = "own"
TERMS = {OWN: "Those of each agreement", **{k: t.name for k, t in STARTING_TERMS.items()}}

REQUESTED = action(
    "agreement.rehearsal.requested",
    "started a rehearsal of all agreements",
    target="AgreementRehearsal",
    activity="read",
    severity="informational",
    fields="terms",
)
CANCELLED = action(
    "agreement.rehearsal.cancelled",
    "cancelled a rehearsal of all agreements",
    target="AgreementRehearsal",
    activity="update",
    severity="informational",
    fields="terms",
)

REHEARSALS = WorkKind(
    name="agreement rehearsal",
    noun="rehearsal",
    model=AgreementRehearsal,
    view=permissions.OPERATOR_VIEW,
    permission=permissions.OPERATOR_VIEW,
    find=lambda rehearsal_id: run(rehearsal_id).row,
    title=lambda row: f"Rehearsal of all tenants, terms: {TERMS[row.terms]}",
    page=lambda row: ("operator_agreements.all_tenants", {"rehearsal_id": row.id}),
    address=lambda row: {"rehearsal_id": row.id},
    requested=lambda row: record(REQUESTED, row, terms=row.terms),
    cancelled=lambda row: record(CANCELLED, row, terms=row.terms),
    requester_only=True,
    icon="player-play",
)


def run(rehearsal_id: UUID) -> Run[AgreementRehearsal]:
    """Return the background run of a rehearsal. Raises NotFound outside the operator's tenant."""
    return background_work.run_of(find(AgreementRehearsal, rehearsal_id, what="rehearsal"))


def latest(limit: int = 10) -> Sequence[AgreementRehearsal]:
    query = select(AgreementRehearsal).order_by(AgreementRehearsal.created_at.desc())
    return session().scalars(query.limit(limit)).all()


def start(terms: str) -> AgreementRehearsal:
    """Queue a rehearsal. A second click watches the first one."""
    require(permissions.OPERATOR_VIEW)
    if terms not in TERMS:
        raise Invalid("Choose the terms to rehearse.", field="terms")
    background_work.lock(AgreementRehearsal)
    same = AgreementRehearsal.terms == terms
    going = background_work.under_way(AgreementRehearsal, same)
    if going:
        return going[0]
    row = AgreementRehearsal(terms=terms, result=None, requested_by=current.person_id())
    return background_work.start(row)


@work(REHEARSALS.name)
def rehearse_all(item: WorkItem, progress: Progress) -> None:
    """Replay the agreements of every active tenant over 13 months."""
    rehearsal_id = target_of(REHEARSALS, item)
    with transaction(read_only=True):
        terms = run(rehearsal_id).row.terms
        tenants = [t for t in all_tenants() if t.status == "active" and t.kind != "operator"]
        session().expunge_all()
    paced, rows = PacedProgress(progress), list[dict[str, Any]]()
    for done, tenant in enumerate(tenants):
        paced(done, len(tenants), f"Replaying {tenant.name}")
        rows += rehearsed(tenant, terms)
    with transaction():
        row = run(rehearsal_id).row
        row.result = {"rows": rows, "tenants": len(tenants)}


def rehearsed(tenant: Tenant, terms: str) -> list[dict[str, Any]]:
    """Return one row per agreement of a tenant, as JSON."""
    who = visiting(current.actor(), tenant)
    with current.acting_as(who), transaction(read_only=True):
        query = select(Agreement).where(Agreement.direction == TO_TENANT)
        found = []
        for agreement in session().scalars(query.order_by(Agreement.number)):
            version = chosen_version(agreement)
            if version is not None:
                found.append(_row(tenant, agreement, version, terms))
    return found


def _row(
    tenant: Tenant, agreement: Agreement, version: AgreementVersion, terms: str
) -> dict[str, Any]:
    replayed = rehearse(version, terms=_changed(version, terms))
    return {
        "tenant": tenant.name,
        "slug": tenant.slug,
        "agreement_id": str(agreement.id),
        "ref": agreement.ref,
        "version": version.number,
        "state": version.state,
        "currency": replayed.currency,
        "credit": replayed.credit,
        "fee": replayed.fee,
        "missed": replayed.missed,
        "undetermined": replayed.undetermined,
        "months": [
            [str(m.month), m.credit.credit, m.credit.fee, m.undetermined < len(m.lines)]
            for m in replayed.months
        ],
    }


def _changed(version: AgreementVersion, terms: str) -> dict[str, Any]:
    """Build bands and cap from a set of starting terms, at each commitment's own target."""
    if terms == OWN:
        return {}
    chosen = STARTING_TERMS[terms]
    commitments = queries.parts(version.id).commitments
    return {
        "credit_cap": chosen.credit_cap,
        "bands": {each.id: bands_for(chosen, each.target) for each in commitments},
    }
