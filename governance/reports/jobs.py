"""Makes a report: freeze the data, lay it out in a child process, sign it, file it. Killed, it is made again, once."""

import io
import time
from datetime import UTC, date, datetime
from typing import Any

import pikepdf

from governance.assessments import facts as assessments
from governance.audit import queries as audit
from governance.kernel import current, pdf
from governance.kernel.db import session, transaction
from governance.kernel.jobs import Progress, WorkItem, work
from governance.kernel.notes import b64
from governance.kernel.storage import store
from governance.reports import actions, queries
from governance.reports.document import Built, build
from governance.reports.models import ReportRun
from governance.reports.signing import sign
from governance.reports.snapshot import SCHEMA, Log, canonical, fingerprint
from governance.tenants import queries as tenants

PAGES_EXPECTED = 44
ORDINALS = ("first", "second", "third", "fourth")
LIMIT = 200 * 1024 * 1024


@work("report")
def make_report(item: WorkItem, progress: Progress) -> None:
    """The work of one ReportRun (item.target_id)."""
    progress(0, PAGES_EXPECTED + 4, "Freezing the data")
    built = _frozen(item)
    content = pdf.render_in_child(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier, on_progress=_pages(progress)
    )
    progress(PAGES_EXPECTED + 3, PAGES_EXPECTED + 4, "Signing")
    _file(item, built, content)


def _frozen(item: WorkItem) -> Built:
    """The run's snapshot, taken now or kept from an earlier try; and the document built from it."""
    with transaction():
        report = queries.locked_run(item.target_id) if item.target_id else None
        if report is None:
            raise RuntimeError("a report's work names its run")
        key = queries.signing_key() or actions.make_signing_key()
        if report.snapshot is None:
            snapshot = _snapshot(report, actions.key_line(key))
            actions.freeze(report, snapshot, fingerprint(canonical(snapshot)))
        return build(report.snapshot)  # type: ignore[arg-type]  # the JSON of a Snapshot


def _snapshot(report: ReportRun, key_line: str) -> Any:
    """The JSON of a Snapshot: what the assessments know, with the cover, the number and the key that the report adds."""
    tenant = tenants.tenant_by_id(current.actor().tenant_id)
    if tenant is None or report.assessment_id is None:
        raise RuntimeError("the tenant or the assessment is gone")
    facts = assessments.snapshot(report.assessment_id, report.as_of)
    until = date.fromisoformat(facts["assessment"]["period"]["to"])
    facts["tenant"] = {
        "name": tenant.name,
        "slug": tenant.slug,
        "unit": tenant.unit,
        "classification": tenant.classification,
        "audience": tenant.audience,
    }
    facts["assessment"]["title"] = (
        f"AI risk management: position in the {ORDINALS[(until.month - 1) // 3]} quarter of {until.year}"
    )
    facts |= {
        "schema": SCHEMA,
        "prepared_by": current.actor().name, "requested_at": _instant(report.created_at), "as_of": _instant(report.as_of),
        "document": {
            "number": f"{tenant.slug.upper()}-RMF-{until.year}-Q{(until.month + 2) // 3}", "version": f"{facts['assessment']['revision']}.0",
            "keep_until": until.replace(year=until.year + 7, day=min(until.day, 28)).isoformat(), "supersedes": None,
        },
        "log": _log(), "entry": str(audit.entries_about([report.id], limit=1)[0].id), "signing_key": key_line,
    }  # fmt: skip
    return facts


def _log() -> Log | None:
    """The last checkpoint of the tenant's log; None on the first second of its life."""
    signed = audit.last_checkpoint()
    if signed is None:
        return None
    entries = "1 entry" if signed.size == 1 else f"{signed.size} entries"
    return {"origin": signed.origin, "checkpoint": f"{entries}, {signed.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            "root": b64(signed.root), "note": signed.note}  # fmt: skip


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _pages(progress: Progress) -> pdf.PageSeen:
    """Page progress, at most three times a second: each is a small transaction."""
    last = 0.0

    def seen(page: int) -> None:
        nonlocal last
        if time.monotonic() - last > 0.3:  # noqa: PLR2004 - a third of a second
            last = time.monotonic()
            total = max(PAGES_EXPECTED, page)
            progress(page, total + 4, f"Page {page} of about {total}")

    return seen


def _file(item: WorkItem, built: Built, content: bytes) -> None:
    with pikepdf.open(io.BytesIO(content)) as document:
        pages = len(document.pages)
    blob = store().write(item.tenant_id, io.BytesIO(content), limit=LIMIT)
    with transaction():
        report = queries.locked_run(item.target_id) if item.target_id else None
        key = queries.signing_key()
        if report is None or key is None:
            raise RuntimeError("the run or the key is gone")
        note = sign(actions.private_key(key), key.name, filename=built.filename, pdf=content, fingerprint=built.fingerprint)
        actions.file(report, blob, pages=pages, signature=note)
        session().flush()
