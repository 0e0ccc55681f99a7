"""Makes a report: freeze the data, lay it out in a child process, sign it, file it.

Killed, it is made again, once.
"""

import io
from datetime import UTC, date, datetime
from typing import Any

import pikepdf

from governance.foundation.audit import queries as audit
from governance.foundation.tenants import queries as tenants
from governance.kernel import current, pdf
from governance.kernel.background_work import PacedProgress, keep, target_of
from governance.kernel.db import transaction
from governance.kernel.jobs import Progress, WorkItem, work
from governance.kernel.signed_note import b64
from governance.kernel.storage import Blob
from governance.publishing.reports import actions, queries
from governance.publishing.reports.document import Built
from governance.publishing.reports.kinds import KINDS, build
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.signing import sign
from governance.publishing.reports.snapshot import Log, canonical, fingerprint

SMALLEST = 12  # pages, while the kind is not known


@work(actions.REPORTS.name)
def make_report(item: WorkItem, progress: Progress) -> None:
    """The work of one ReportRun (item.target_id)."""
    progress(0, SMALLEST, "Freezing the data")
    built, pages = _frozen(item)
    content = pdf.render_in_child(
        built.html,
        attachments=built.attachments,
        at=built.at,
        identifier=built.identifier,
        on_progress=_pages(progress, pages),
    )
    progress(pages + 3, pages + 4, "Signing")
    _file(item, built, content)


def _frozen(item: WorkItem) -> tuple[Built, int]:
    """The run's snapshot, taken now or kept from an earlier try; the document built from it, and
    about how long it gets.
    """
    with transaction():
        report = queries.locked_run(target_of(actions.REPORTS, item))
        key = queries.signing_key() or actions.make_signing_key()
        if report.snapshot is None:
            snapshot = _snapshot(report, actions.key_line(key))
            actions.freeze(report, snapshot, fingerprint(canonical(snapshot)))
        return build(report.snapshot or {}), KINDS[report.kind].pages


def _snapshot(report: ReportRun, key_line: str) -> dict[str, Any]:
    """The kind's own facts, with the cover, the number and the key that every report has."""
    tenant = tenants.tenant_by_id(current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the tenant is gone")
    facts = KINDS[report.kind].snapshot(report)
    document = facts["document"]
    until: date = document["until"]
    return facts | {
        "tenant": {
            "name": tenant.name,
            "slug": tenant.slug,
            "unit": tenant.unit,
            "classification": tenant.classification,
            "audience": tenant.audience,
        },
        "prepared_by": current.actor().name,
        "requested_at": _instant(report.created_at),
        "as_of": _instant(report.as_of),
        "document": {
            "number": f"{tenant.slug.upper()}-{document['number']}",
            "version": document["version"],
            "keep_until": until.replace(year=until.year + 7, day=min(until.day, 28)).isoformat(),
            "supersedes": None,
        },
        "log": _log(),
        "entry": str(audit.entries_about([report.id], limit=1)[0].id),
        "signing_key": key_line,
    }


def _log() -> Log | None:
    """The last checkpoint of the tenant's log; None on the first second of its life."""
    signed = audit.last_checkpoint()
    if signed is None:
        return None
    entries = "1 entry" if signed.size == 1 else f"{signed.size} entries"
    return {
        "origin": signed.origin,
        "checkpoint": f"{entries}, {signed.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "root": b64(signed.root),
        "note": signed.note,
    }


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _pages(progress: Progress, expected: int) -> pdf.PageSeen:
    paced = PacedProgress(progress)

    def seen(page: int) -> None:
        total = max(expected, page)
        paced(page, total + 4, f"Page {page} of about {total}")

    return seen


def _file(item: WorkItem, built: Built, content: bytes) -> None:
    with pikepdf.open(io.BytesIO(content)) as document:
        pages = len(document.pages)

    def file(blob: Blob) -> bool:
        report, key = queries.locked_run(target_of(actions.REPORTS, item)), queries.signing_key()
        if key is None:
            raise RuntimeError("the key is gone")
        note = sign(
            actions.private_key(key),
            key.name,
            filename=built.filename,
            pdf=content,
            fingerprint=built.fingerprint,
        )
        return actions.file(report, blob, pages=pages, signature=note)

    keep(actions.REPORTS, item, io.BytesIO(content), file)
