"""Editions of a document: reports with the same number get consecutive versions.

A number names what a document is about: kind, scope and period ("ACME-RMF-2026-Q4"). Generated
again, it keeps its number and gets the next version, and names the version that it supersedes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from governance.foundation.people.aliases import may_see_names, shown_names, who_did
from governance.kernel.data.db import session
from governance.kernel.work.background_work import UNDER_WAY
from governance.kernel.work.jobs import WorkItem
from governance.publishing.reports.models import ReportRun

# Key in a withdrawn run's parameters: its number and version, which stay taken.
WITHDRAWN = "document"


@dataclass(frozen=True, slots=True)
class Edition:
    """An earlier report with the same number.

    `is_issued` is false while its file is being generated. A withdrawn one has no author and no
    date.
    """

    version: str
    is_issued: bool
    day: str | None
    author: str | None
    revision: str | None  # Of its assessment.

    @property
    def order(self) -> tuple[int, ...]:
        return tuple(map(int, self.version.split(".")))


def earlier_editions(number: str, run_id: UUID) -> list[Edition]:
    """List the issued or running editions with this number, the oldest version first.

    A file without names is of the same version as its report, so it doesn't count.
    """
    row, frozen = ReportRun, ReportRun.snapshot
    withdrawn = row.parameters[WITHDRAWN]
    number_of = func.coalesce(frozen["document"]["number"].astext, withdrawn["number"].astext)
    query = (
        select(
            func.coalesce(frozen["document"]["version"].astext, withdrawn["version"].astext).label(
                "version"
            ),
            row.finished_at,
            frozen["requested_at"].astext.label("requested_at"),
            frozen["prepared_by"].astext.label("author"),
            row.requested_by,
            frozen["assessment"]["revision"].astext.label("revision"),
        )
        .outerjoin(WorkItem, WorkItem.id == row.work_item_id)
        .where(
            row.id != run_id,
            row.without_names_of.is_(None),
            number_of == number,
            or_(row.finished_at.is_not(None), WorkItem.state.in_(UNDER_WAY)),
        )
    )
    rows = session().execute(query).all()
    shown = None if may_see_names() else shown_names(each.requested_by for each in rows)
    found = [
        Edition(
            each.version,
            each.finished_at is not None,
            each.requested_at[:10] if each.requested_at else None,
            each.author if shown is None else who_did(shown, each.requested_by),
            each.revision,
        )
        for each in rows
    ]
    return sorted(found, key=lambda each: each.order)


def next_version(base: str, earlier: list[Edition]) -> str:
    """Return the next version, as "1.2" after "1.1".

    `base` is the first version of its revision, such as "2.0".
    """
    major, minor = map(int, base.split("."))
    taken = [each.order[1] for each in earlier if each.order[0] == major]
    return f"{major}.{max([minor - 1, *taken]) + 1}"


def superseded(number: str, earlier: list[Edition]) -> str | None:
    """Return the newest edition issued, such as "ACME-RMF-2026-Q4, version 1.0"."""
    issued = [each for each in earlier if each.is_issued]
    return f"{number}, version {issued[-1].version}" if issued else None


def revisions(
    facts: Mapping[str, Any], version: str, earlier: list[Edition]
) -> list[dict[str, Any]]:
    """Return the rows of "Editions" in document control, the newest first.

    `facts` are those of the new edition, with `requested_at` and `prepared_by`.
    """
    issued = [each for each in earlier if each.is_issued and each.day]
    revision = facts.get("assessment") and str(facts["assessment"]["revision"])
    known = [
        *((each.version, each.day, each.author, each.revision) for each in issued),
        (version, facts["requested_at"][:10], facts["prepared_by"], revision),
    ]
    rows, before = [], None
    for each in known:
        text = "First edition" if before is None else "Generated again from current data"
        if before is not None and each[3] != before[3]:
            text = f"Generated from revision {each[3]} of the assessment"
        rows.append({"version": each[0], "date": each[1], "text": text, "by": each[2]})
        before = each
    return rows[::-1]
