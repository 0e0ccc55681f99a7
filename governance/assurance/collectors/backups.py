"""The collector of backups and restores that were reported as evidence."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, func, select

from governance.assurance.controls.models import Control
from governance.assurance.evidence.models import Evidence, EvidenceLink, EvidenceVersion
from governance.foundation.populations.collector import (
    TENANT,
    PopulationRow,
    QueryCollector,
    in_period,
)
from governance.foundation.populations.periods import Period
from governance.kernel.formatting import plural

NONE_REPORTED = "No backup was reported"


class Backups(QueryCollector):
    key, title = "backups", "Backups and restores"
    about = (
        "Every record of a backup or restore that was uploaded in the period, manually or through"
        " the API."
    )
    controls = ("OPS-06", "RES-02")
    topic = "operations"
    needs_rows = True

    def select(self) -> Select[*tuple[Any, ...]]:
        e, v, link = Evidence, EvidenceVersion, EvidenceLink
        linked = (
            select(link.id)
            .join(Control, and_(Control.tenant_id == link.tenant_id, Control.id == link.control_id))
            .where(
                link.tenant_id == TENANT,
                link.evidence_id == e.id,
                link.removed_at.is_(None),
                Control.ref.in_(self.controls),
            )
        )
        return (
            select(
                e.ref.label("evidence"),
                e.title,
                v.number.label("version"),
                v.uploaded_at,
                v.source,
                v.period_from,
                v.period_to,
                func.coalesce(v.sha256, v.url).label("content"),
            )
            .select_from(v)
            .join(e, and_(e.tenant_id == v.tenant_id, e.id == v.evidence_id))
            .where(*in_period(v.uploaded_at, v.tenant_id), v.source != "console", linked.exists())
            .order_by(v.uploaded_at, v.id)
        )

    def judge(self, rows: Sequence[PopulationRow], period: Period, /) -> tuple[str, bool]:
        if not rows:
            return f"{NONE_REPORTED} between {period.first} and {period.last}.", False
        return f"{plural(len(rows), 'record')} of backups and restores uploaded.", True
