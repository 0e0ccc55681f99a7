"""The evidence collector for kill-switch drills."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, case, cast, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.populations.collector import PopulationRow, QueryCollector, recorded
from governance.foundation.populations.periods import Period
from governance.kernel.formatting import plural
from governance.operations.switches.drill_log import DRILL_FAILED, DRILL_PASSED


class Drills(QueryCollector):
    key, title = "switch-drills", "Kill-switch drills"
    about = (
        "Every kill-switch drill that ended in the period: how many consumers had to stop, how"
        " many did, and how fast."
    )
    controls = ("OPS-08",)
    topic = "operations"
    needs_rows = True

    def select(self) -> Select[*tuple[Any, ...]]:
        e = AuditEntry
        return (
            select(
                e.at,
                e.facts["key"].astext.label("system"),
                e.facts["name"].astext.label("feature"),
                case((e.action == DRILL_PASSED.name, "passed"), else_="failed").label("result"),
                cast(e.facts["expected"].astext, Integer).label("expected"),
                cast(e.facts["obeyed"].astext, Integer).label("obeyed"),
                cast(e.facts["slowest_ms"].astext, Integer).label("slowest_ms"),
                e.facts["why"].astext.label("why"),
            )
            .where(*recorded(DRILL_PASSED, DRILL_FAILED))
            .order_by(e.at, e.id)
        )

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "No drill took place.", False
        failed = sum(r["result"] == "failed" for r in rows)
        return f"{plural(len(rows), 'drill')}, {failed or 'none'} failed.", not failed
