"""The collector about published policy versions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import aliased

from governance.foundation.people.models import Membership
from governance.foundation.populations.collector import (
    TENANT,
    PopulationRow,
    QueryCollector,
    in_period,
)
from governance.foundation.populations.periods import Period
from governance.kernel.formatting import plural
from governance.operations.policies.models import PolicyVersion


class PolicyChanges(QueryCollector):
    key, title = "policy-changes", "Policy changes with approvals"
    about = (
        "Every policy version published in the period, with its author and approver. A"
        " published version never changes."
    )
    controls = ("CHG-02", "GOV-01")
    topic = "changes"

    def select(self) -> Select[*tuple[Any, ...]]:
        v, maker, second = PolicyVersion, aliased(Membership), aliased(Membership)
        return (
            select(
                v.number,
                v.in_force_from,
                v.loosens,
                maker.pseudonym.label("made_by"),
                v.requested_at,
                second.pseudonym.label("approved_by"),
                v.decided_at.label("approved_at"),
                v.digest,
            )
            .select_from(v)
            .outerjoin(maker, and_(maker.tenant_id == TENANT, maker.person_id == v.made_by))
            .outerjoin(second, and_(second.tenant_id == TENANT, second.person_id == v.decided_by))
            .where(*in_period(v.in_force_from, v.tenant_id))
            .order_by(v.number)
        )

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "The policy didn't change.", True
        loosening = [r for r in rows if r["loosens"]]
        alone = sum(r["approved_by"] in {None, r["made_by"]} for r in loosening)
        how = f"{alone} without a second approver" if alone else "each with a second approver"
        said = (
            f", {len(loosening)} less strict, {how}" if loosening else ", none of them less strict"
        )
        return f"{plural(len(rows), 'version')} published{said}.", not alone
