"""Asking for a report, cancelling it, filing what was made, handing it out; and the key that
signs.
"""

import calendar
from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from governance.assurance.assessments.models import Assessment
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.privacy.events import PersonErased
from governance.kernel import background_work, clock, current, key_encryption
from governance.kernel.background_work import GeneratedFile
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.formatting import long_day
from governance.kernel.installation import domain
from governance.kernel.storage import Blob, store
from governance.publishing.reports import permissions, queries
from governance.publishing.reports.document import filename
from governance.publishing.reports.models import (
    AI_RMF,
    POLICY,
    READINESS,
    TYPE_II,
    ReportRun,
    SigningKey,
)
from governance.publishing.reports.readiness.snapshot import CATEGORIES
from governance.publishing.reports.signing import VerifierKey

ASKED = action(
    "report.requested",
    "requested a report",
    target="ReportRun",
    activity="create",
    severity="informational",
    fields="kind title as_of assessment",
)
MADE = action(
    "report.generated",
    "generated a report",
    target="ReportRun",
    activity="update",
    severity="informational",
    fields="title fingerprint sha256 pages",
    shape="ok",
)
CANCELLED = action(
    "report.cancelled",
    "cancelled a report",
    target="ReportRun",
    activity="update",
    severity="informational",
    fields="title",
)
TAKEN = action(
    "report.downloaded",
    "downloaded a report",
    target="ReportRun",
    activity="read",
    severity="low",
    fields="title sha256 what",
)
WITHDRAWN = action(
    "report.withdrawn",
    "withdrew a report",
    target="ReportRun",
    activity="delete",
    severity="low",
    fields="title sha256 why",
)
KEY_MADE = action(
    "report.signing_key.created",
    "created the report signing key",
    target="SigningKey",
    activity="create",
    severity="medium",
    fields="name key_id",
)


FIRST_YEAR = 2000
MOST_MONTHS = 18  # columns that fit beside the controls


class NotReady(DomainError):
    pass


def ask(assessment: Assessment, *, as_of: datetime | None = None) -> ReportRun:
    """Queue the AI RMF compliance report of an assessment; while one is under way, that one is
    watched.
    """
    if not queries.is_ai_rmf(assessment):
        raise Invalid(
            "The AI RMF report is made from an assessment of the NIST AI RMF.",
            field="assessment_id",
        )
    background_work.lock(ReportRun)
    title = f"AI RMF compliance report, {assessment.title}"
    same = queries.same_under_way(AI_RMF, {}, assessment.id)
    return same or _queued(AI_RMF, title, as_of or clock.now(), assessment_id=assessment.id)


def ask_attestation(*, until: date, since: date | None = None) -> ReportRun:
    """Queue the policy attestation of a day, or of a period with both its days; the same one under
    way is watched.

    It tells what stood at the end of the last day, or stands now when that day is today.
    """
    if until > clock.today():
        raise Invalid("That day is still to come: nothing can be attested of it.", field="until")
    if until.year < FIRST_YEAR or (since is not None and since.year < FIRST_YEAR):
        raise Invalid(
            "Nothing is known of days before the year 2000.",
            field="until" if since is None else "since",
        )
    if since is not None and since > until:
        raise Invalid("The period begins after it ends.", field="since")
    background_work.lock(ReportRun)
    parameters = {"from": since.isoformat() if since else None, "to": until.isoformat()}
    title = (
        f"Policy attestation, {long_day(since)} to {long_day(until)}"
        if since
        else f"Policy attestation, {long_day(until)}"
    )
    end = min(datetime.combine(until, time(23, 59, 59), UTC), clock.now())
    return queries.same_under_way(POLICY, parameters) or _queued(
        POLICY, title, end, parameters=parameters
    )


def ask_readiness(*, until: date, categories: Collection[str]) -> ReportRun:
    """Queue the SOC 2 readiness of some categories as they stood at the end of a day, or stand now
    when that day is today.
    """
    if until > clock.today():
        raise Invalid("That day is still to come: nothing is known of it.", field="on")
    if until.year < FIRST_YEAR:
        raise Invalid("Nothing is known of days before the year 2000.", field="on")
    chosen = [key for key in CATEGORIES if key in categories]
    if not chosen:
        raise Invalid("Choose at least one category.", field="categories")
    background_work.lock(ReportRun)
    parameters = {"categories": chosen, "to": until.isoformat()}
    end = min(datetime.combine(until, time(23, 59, 59), UTC), clock.now())
    title = f"SOC 2 readiness, {long_day(until)}"
    return queries.same_under_way(READINESS, parameters) or _queued(
        READINESS, title, end, parameters=parameters
    )


def ask_matrix(*, since: date, until: date, framework: str | None = None) -> ReportRun:
    """Queue the Type II evidence matrix of the months that these two days are in.

    It tells what is on file now.

    With a framework it holds the controls that answer for it, and its auditors may read it.
    """
    first, last = (
        since.replace(day=1),
        until.replace(day=calendar.monthrange(until.year, until.month)[1]),
    )
    if until < since:
        raise Invalid("The period begins after it ends.", field="begins")
    if since.year < FIRST_YEAR:
        raise Invalid("Nothing is known of days before the year 2000.", field="begins")
    if first > clock.today():
        raise Invalid("That period is still to come.", field="begins")
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if months > MOST_MONTHS:
        raise Invalid(f"That is {months} months; a matrix has {MOST_MONTHS} at most.", field="ends")
    background_work.lock(ReportRun)
    parameters, of = {"from": first.isoformat(), "to": last.isoformat()}, ""
    if framework is not None:
        parameters["framework"], of = framework, f" of {frameworks.framework(framework).title}"
    title = f"Type II evidence matrix{of}, {long_day(first)} to {long_day(last)}"
    return queries.same_under_way(TYPE_II, parameters) or _queued(
        TYPE_II, title, clock.now(), parameters=parameters
    )


def _queued(
    kind: str,
    title: str,
    as_of: datetime,
    *,
    assessment_id: UUID | None = None,
    parameters: dict[str, Any] | None = None,
) -> ReportRun:
    report = ReportRun(
        kind=kind,
        title=title,
        assessment_id=assessment_id,
        parameters=parameters or {},
        as_of=as_of,
        requested_by=current.actor().person_id,
        work_item_id=None,
        snapshot=None,
        fingerprint=None,
        pdf_key=None,
        pdf_sha256=None,
        pdf_size=None,
        pages=None,
        signature=None,
        finished_at=None,
    )
    return background_work.start(report)


def _requested(report: ReportRun) -> None:
    about = str(report.assessment_id) if report.assessment_id else None
    record(
        ASKED, report, kind=report.kind, title=report.title, as_of=report.as_of, assessment=about
    )


REPORTS = background_work.WorkKind(
    name="report",
    noun="report",
    model=ReportRun,
    view=permissions.VIEW,
    permission=permissions.RUN,
    find=lambda run_id: queries.run(run_id).row,
    title=lambda report: report.title,
    page=lambda report: ("reports.report", {"run_id": report.id}),
    address=lambda report: {"run_id": report.id},
    requested=_requested,
    cancelled=lambda report: record(CANCELLED, report, title=report.title),
    stored=ReportRun.pdf_key,
    max_bytes=200 * 1024 * 1024,
    result_label="Open the report",
)


def freeze(report: ReportRun, snapshot: dict[str, Any], fingerprint: str) -> None:
    """Keep the data that the report is made from; made again, it is made from the same."""
    report.snapshot, report.fingerprint = snapshot, fingerprint
    session().flush()  # recorded with the file, in file()


def file(report: ReportRun, blob: Blob, *, pages: int, signature: str) -> bool:
    """Keep a finished report: where its bytes are, their digest, and the detached signature.

    False where an earlier try has.
    """
    if report.is_ready:
        return False
    report.pdf_key, report.pdf_sha256, report.pdf_size = blob.key, blob.sha256, blob.size
    report.pages, report.signature, report.finished_at = pages, signature, clock.now()
    record(
        MADE,
        report,
        title=report.title,
        fingerprint=report.fingerprint,
        sha256=blob.sha256,
        pages=pages,
    )
    return True


def download(report: ReportRun, *, what: str) -> GeneratedFile:
    """Record that somebody downloads the file ("pdf") or its "signature", and return it."""
    if report.is_withdrawn:
        raise NotReady(
            "This report was withdrawn because it named a person who was erased. Generate it again."
        )
    if report.pdf_key is None:
        raise NotReady("This report isn't ready yet.")
    record(TAKEN, report, title=report.title, sha256=report.pdf_sha256, what=what)
    name = filename(report.snapshot or {})
    if what == "signature":
        return GeneratedFile(
            f"{name}.sig", "text/plain; charset=utf-8", content=(report.signature or "").encode()
        )
    return GeneratedFile(name, "application/pdf", key=report.pdf_key, size=report.pdf_size)


def withdraw_naming(erased: PersonErased) -> None:
    """Withdraw the reports that name the person: data and file go, digest and date stay.

    They can be generated again.
    """
    named = queries.naming(erased.person_id, erased.words)
    for report in named:
        if report.pdf_key is not None:
            store().remove(report.pdf_key)
        report.pdf_key, report.snapshot = None, None
        record(
            WITHDRAWN,
            report,
            title=report.title,
            sha256=report.pdf_sha256,
            why="it named a person who was erased",
        )
    erased.removed["reports withdrawn"] = len(named)


SIGNING = b"report-signing"
key_encryption.holds(SigningKey, "wrapped", lambda _row: SIGNING)


def make_signing_key() -> SigningKey:
    """The installation's key, once, wrapped by the key-encryption key; recorded in the log of
    whoever needed it first.
    """
    name = domain()
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    key = SigningKey(
        name=name,
        public=private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
        wrapped=key_encryption.wrap(raw, SIGNING),
        retired_at=None,
    )
    session().add(key)
    record(KEY_MADE, key, name=name, key_id=VerifierKey(name, key.public).key_id.hex())
    return key


def private_key(key: SigningKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key_encryption.unwrap(key.wrapped, SIGNING))


def key_line(key: SigningKey) -> str:
    return str(VerifierKey(key.name, key.public))
