"""The collector of closed access reviews."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, cast, select

from governance.assurance.access_reviews.actions import REVIEW_CLOSED
from governance.foundation.audit.models import AuditEntry
from governance.foundation.populations.collector import PopulationRow, QueryCollector, recorded
from governance.foundation.populations.periods import Period
from governance.kernel.formatting import plural


class AccessReviews(QueryCollector):
    key, title = "access-reviews", "Access reviews"
    about = (
        "Every access review that closed in the period: how much access was reviewed, kept,"
        " reduced and revoked."
    )
    controls = ("ACC-01",)
    topic = "access"
    schedule = "quarterly"
    needs_rows = True

    def select(self) -> Select[*tuple[Any, ...]]:
        e = AuditEntry
        counts = {"reviewed": "rows"} | {n: n for n in ("kept", "lowered", "revoked", "gone")}
        return (
            select(
                e.at.label("closed_at"),
                e.actor.label("by"),
                e.facts["title"].astext.label("title"),
                e.facts["due_on"].astext.label("due_on"),
                *(
                    cast(e.facts[fact].astext, Integer).label(column)
                    for column, fact in counts.items()
                ),
            )
            .where(*recorded(REVIEW_CLOSED))
            .order_by(e.at, e.id)
        )

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "No access review was closed.", False
        late = sum(r["closed_at"][:10] > r["due_on"] for r in rows)
        ends = f"{late} of them late" if late else "all on time"
        return f"{plural(len(rows), 'access review')} closed, {ends}.", not late
