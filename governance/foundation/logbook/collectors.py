"""The collector about verifications of the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, case, cast, select

from governance.foundation.audit import queries as audit
from governance.foundation.audit.fsck import FAILED, PASSED
from governance.foundation.audit.models import AuditEntry
from governance.foundation.populations.collector import PopulationRow, QueryCollector, recorded
from governance.foundation.populations.periods import Period
from governance.kernel.formatting import plural


class LogChecks(QueryCollector):
    key, title = "log-checks", "Audit-log verification"
    about = (
        "Every full verification of the audit log in the period, recomputed from the stored"
        " bytes, with its result."
    )
    controls = ("LOG-01",)
    topic = "log"
    needs_rows = True

    def select(self) -> Select[*tuple[Any, ...]]:
        e = AuditEntry
        return (
            select(
                e.at,
                case((e.action == PASSED.name, "passed"), else_="failed").label("result"),
                cast(e.facts["entries"].astext, BigInteger).label("entries"),
                cast(e.facts["checkpoints"].astext, BigInteger).label("checkpoints"),
                e.facts["findings"].astext.label("findings"),
            )
            .where(*recorded(PASSED, FAILED))
            .order_by(e.at, e.id)
        )

    def judge(self, rows: Sequence[PopulationRow], period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "The audit log wasn't verified.", False
        days = len({datetime.fromisoformat(r["at"]).date() for r in rows})
        failed = sum(r["result"] == "failed" for r in rows)
        found = f"{plural(failed, 'check')} found problems" if failed else "no problems found"
        return (
            (
                f"{plural(len(rows), 'check')} on {days} of {(period.last - period.first).days + 1}"
                f" days; {found}."
            ),
            not failed,
        )

    def facts(self, period: Period) -> Sequence[tuple[str, str]]:
        signed = audit.checkpoint_as_of(period.until)
        return (
            ()
            if signed is None
            else (
                ("Last checkpoint", f"{signed.number}, {signed.size:,} entries"),
                ("Checkpoint root, SHA-256", signed.root.hex()),
            )
        )
