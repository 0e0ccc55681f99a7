"""The job that generates a report: freeze the data, lay it out in a child process, sign, store.

If an auditor who sees no names may open it, its file without names is a report of its own, with its
own data, fingerprint and signature. Both are frozen in one transaction.

A job that is killed runs again, once, from the same frozen data.
"""

import io
from datetime import UTC, datetime
from typing import Any

from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import Checkpoint
from governance.foundation.people import aliases
from governance.foundation.tenants import queries as tenants
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.files.storage import Blob
from governance.kernel.pictures import pdf
from governance.kernel.safety.signed_note import b64
from governance.kernel.work import background_work
from governance.kernel.work.background_work import PacedProgress, keep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.publishing.reports import actions, editions, queries
from governance.publishing.reports.ai_rmf.snapshot import Log, canonical, fingerprint
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.kinds import KINDS, build
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.order import reading
from governance.publishing.reports.signatures.signing import sign
from governance.publishing.reports.wording import many_digits

FEWEST_PAGES = 12  # For the progress bar, while the kind is unknown.


@work(actions.REPORTS.name)
def make_report(item: WorkItem, progress: Progress) -> None:
    """Generate the file of one ReportRun (item.target_id)."""
    progress(0, FEWEST_PAGES, "Freezing the data")
    built, pages = freeze(item)
    content = pdf.render_in_child(
        built.html,
        attachments=built.attachments,
        at=built.at,
        identifier=built.identifier,
        on_progress=_pages(progress, pages),
    )
    progress(pages + 3, pages + 4, "Signing")
    _file(item, built, content)


def freeze(item: WorkItem) -> tuple[Built, int]:
    """Return the document and its likely pages, from a new snapshot or that of an earlier try."""
    with transaction():
        report = queries.locked_run(target_of(actions.REPORTS, item))
        key = actions.current_signing_key()
        if report.snapshot is None:
            _freeze(report, actions.key_line(key))
        return build(report.snapshot or {}), KINDS[report.kind].pages


def _freeze(report: ReportRun, key_line: str) -> None:
    snapshot = _snapshot(report, key_line)
    with_names = fingerprint(canonical(snapshot))
    actions.freeze(report, snapshot, with_names)
    if not queries.needs_file_without_names(report):
        return
    other = actions.start_without_names(report)
    with aliases.without_names():
        shown = _snapshot(other, key_line) | {"without_names_of": with_names}
    actions.freeze(other, shown, fingerprint(canonical(shown)))


def _snapshot(report: ReportRun, key_line: str) -> dict[str, Any]:
    """Return the kind's own facts, with the cover, number and key that every report has."""
    tenant = tenants.tenant_by_id(current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the tenant is gone")
    signed = audit.last_checkpoint()
    facts = KINDS[report.kind].snapshot(report)
    facts |= {
        "tenant": {
            "name": tenant.name,
            "slug": tenant.slug,
            "unit": tenant.unit,
            "classification": tenant.classification,
            "audience": tenant.audience,
        },
        "prepared_by": _requester(),
        "requested_at": _instant(report.created_at),
        "as_of": _instant(report.as_of),
    }
    order = reading.read(facts, signed)
    document = facts["document"]
    number, until = f"{tenant.slug.upper()}-{document['number']}", document["until"]
    background_work.lock(ReportRun)  # Two runs of one number must not take the same version.
    earlier = editions.earlier_editions(number, report.without_names_of or report.id)
    version = editions.next_version(document["version"], earlier)
    return facts | {
        "document": {
            "number": number,
            "version": version,
            "keep_until": until.replace(year=until.year + 7, day=min(until.day, 28)).isoformat(),
            "supersedes": editions.superseded(number, earlier),
        },
        "revisions": editions.revisions(facts, version, earlier),
        "log": _log(signed),
        "entry": str(audit.entries_about([report.id], limit=1)[0].id),
        "signing_key": key_line,
        **({} if order is None else {"order": order}),
    }


def _requester() -> str:
    who = current.actor()
    if aliases.may_see_names():
        return who.name
    return aliases.who_did(aliases.shown_names([who.person_id]), who.person_id)


def _log(signed: Checkpoint | None) -> Log | None:
    """Return the last checkpoint of the tenant's log. None before the first one."""
    if signed is None:
        return None
    entries = many_digits(signed.size, "entry", "entries")
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
    import pikepdf  # noqa: PLC0415 - the web's workers import this module and make no report

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
