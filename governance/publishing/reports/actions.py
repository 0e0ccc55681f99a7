"""Actions on reports: request, store the file, download, withdraw; and create the signing key."""

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
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid
from governance.kernel.files.storage import Blob, store
from governance.kernel.formatting import long_day
from governance.kernel.installation import domain
from governance.kernel.safety import key_encryption
from governance.kernel.work import background_work
from governance.kernel.work.background_work import GeneratedFile
from governance.kernel.work.events import publish
from governance.publishing.reports import permissions, queries
from governance.publishing.reports.built_document import filename
from governance.publishing.reports.editions import WITHDRAWN as WITHDRAWN_EDITION
from governance.publishing.reports.events import ReportGenerated
from governance.publishing.reports.models import (
    AI_RMF,
    POLICY,
    READINESS,
    TYPE_II,
    ReportRun,
    SigningKey,
)
from governance.publishing.reports.readiness.snapshot import CATEGORIES
from governance.publishing.reports.signatures.signing import VerifierKey

REQUESTED = action(
    "report.requested",
    "requested a report",
    target="ReportRun",
    activity="create",
    severity="informational",
    fields="kind title as_of assessment",
)
GENERATED = action(
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
DOWNLOADED = action(
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
KEY_CREATED = action(
    "report.signing_key.created",
    "created the report signing key",
    target="SigningKey",
    activity="create",
    severity="medium",
    fields="name key_id",
)


FIRST_YEAR = 2000
MAX_MONTHS = 18  # Columns that fit beside the controls.


class NotReady(DomainError):
    pass


def request_ai_rmf(assessment: Assessment, *, until: date | None = None) -> ReportRun:
    """Queue the AI RMF compliance report of an assessment at the end of a day, or now.

    Returns the same report if it is being generated.
    """
    if not queries.is_ai_rmf(assessment):
        raise Invalid(
            "An AI RMF report needs an assessment of the NIST AI RMF. Choose another assessment.",
            field="assessment_id",
        )
    background_work.lock(ReportRun)
    parameters = {"to": until.isoformat()} if until else {}
    end = _end_of(until) if until else clock.now()
    title = f"AI RMF compliance report, {assessment.title}"
    return queries.same_under_way(AI_RMF, parameters, assessment.id) or _queued(
        AI_RMF, title, end, assessment_id=assessment.id, parameters=parameters
    )


def request_attestation(*, until: date, since: date | None = None) -> ReportRun:
    """Queue the policy attestation of a day, or of a period that includes both its days.

    It shows the policy at the end of the last day, or now if that day is today. Returns the same
    report if it is being generated.
    """
    if until > clock.today():
        raise Invalid("That day is in the future. Choose today or an earlier day.", field="until")
    if until.year < FIRST_YEAR or (since is not None and since.year < FIRST_YEAR):
        raise Invalid(
            "Choose a day from the year 2000 on.",
            field="until" if since is None else "since",
        )
    if since is not None and since > until:
        raise Invalid("The period starts after it ends. Change one of the days.", field="since")
    background_work.lock(ReportRun)
    parameters = {"from": since.isoformat() if since else None, "to": until.isoformat()}
    title = (
        f"Policy attestation, {long_day(since)} to {long_day(until)}"
        if since
        else f"Policy attestation, {long_day(until)}"
    )
    return queries.same_under_way(POLICY, parameters) or _queued(
        POLICY, title, _end_of(until), parameters=parameters
    )


def request_readiness(*, until: date, categories: Collection[str]) -> ReportRun:
    """Queue the SOC 2 readiness of some categories at the end of a day, or now if that is today.

    Returns the same report if it is being generated.
    """
    if until > clock.today():
        raise Invalid("That day is in the future. Choose today or an earlier day.", field="on")
    if until.year < FIRST_YEAR:
        raise Invalid("Choose a day from the year 2000 on.", field="on")
    chosen = [key for key in CATEGORIES if key in categories]
    if not chosen:
        raise Invalid("Choose at least one category.", field="categories")
    background_work.lock(ReportRun)
    parameters = {"categories": chosen, "to": until.isoformat()}
    title = f"SOC 2 readiness, {long_day(until)}"
    return queries.same_under_way(READINESS, parameters) or _queued(
        READINESS, title, _end_of(until), parameters=parameters
    )


def request_matrix(*, since: date, until: date, framework: str | None = None) -> ReportRun:
    """Queue the Type II evidence matrix of the months that contain these two days, as on file now.

    With a framework it covers the controls that are mapped to it, and its auditors may read it.
    Returns the same report if it is being generated.
    """
    first, last = (
        since.replace(day=1),
        until.replace(day=calendar.monthrange(until.year, until.month)[1]),
    )
    if until < since:
        raise Invalid("The period starts after it ends. Change one of the months.", field="begins")
    if since.year < FIRST_YEAR:
        raise Invalid("Choose a day from the year 2000 on.", field="begins")
    if first > clock.today():
        raise Invalid("That period is in the future. Choose an earlier month.", field="begins")
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if months > MAX_MONTHS:
        raise Invalid(
            f"That is {months} months; a matrix covers up to {MAX_MONTHS}. Choose a shorter"
            " period.",
            field="ends",
        )
    background_work.lock(ReportRun)
    parameters, scope = {"from": first.isoformat(), "to": last.isoformat()}, ""
    if framework is not None:
        parameters["framework"] = framework
        scope = f" for {frameworks.framework(framework).name}"
    title = f"Type II evidence matrix{scope}, {long_day(first)} to {long_day(last)}"
    return queries.same_under_way(TYPE_II, parameters) or _queued(
        TYPE_II, title, clock.now(), parameters=parameters
    )


def _end_of(day: date) -> datetime:
    """Return the end of a day, or now if that is earlier."""
    return min(datetime.combine(day, time(23, 59, 59), UTC), clock.now())


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
        without_names_of=None,
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


def start_without_names(report: ReportRun) -> ReportRun:
    """Queue the file of a report that names people by role and letter, as a report of its own."""
    other = ReportRun(
        kind=report.kind,
        title=f"{report.title}, without names",
        assessment_id=report.assessment_id,
        parameters=report.parameters,
        as_of=report.as_of,
        requested_by=report.requested_by,
        work_item_id=None,
        without_names_of=report.id,
        snapshot=None,
        fingerprint=None,
        pdf_key=None,
        pdf_sha256=None,
        pdf_size=None,
        pages=None,
        signature=None,
        finished_at=None,
    )
    return background_work.start(other, is_limited=False)


def _requested(report: ReportRun) -> None:
    about = str(report.assessment_id) if report.assessment_id else None
    record(
        REQUESTED,
        report,
        kind=report.kind,
        title=report.title,
        as_of=report.as_of,
        assessment=about,
    )


def _cancelled(report: ReportRun) -> None:
    """Record the cancellation. The file without names isn't generated either."""
    record(CANCELLED, report, title=report.title)
    other = queries.without_names(report.id)
    if other is not None and not (run := background_work.run_of(other)).is_over:
        background_work.cancel(run)


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
    cancelled=_cancelled,
    stored=ReportRun.pdf_key,
    max_bytes=200 * 1024 * 1024,
    result_label="Open the report",
)


def freeze(report: ReportRun, snapshot: dict[str, Any], fingerprint: str) -> None:
    """Freeze the data that the report is generated from. A second try uses the same data."""
    report.snapshot, report.fingerprint = snapshot, fingerprint
    session().flush()  # It is recorded with the file, in file().


def file(report: ReportRun, blob: Blob, *, pages: int, signature: str) -> bool:
    """Store a finished report: where its bytes are, their digest, and the detached signature.

    Returns False if an earlier try has stored it.
    """
    if report.is_ready:
        return False
    report.pdf_key, report.pdf_sha256, report.pdf_size = blob.key, blob.sha256, blob.size
    report.pages, report.signature, report.finished_at = pages, signature, clock.now()
    record(
        GENERATED,
        report,
        title=report.title,
        fingerprint=report.fingerprint,
        sha256=blob.sha256,
        pages=pages,
    )
    publish(ReportGenerated(report.id, report.title))
    return True


def download(report: ReportRun, *, what: str) -> GeneratedFile:
    """Record the download of the file ("pdf") or of its "signature", and return it.

    Raises Forbidden for a file with names if the reader's engagement hides names.
    """
    if report.is_withdrawn:
        raise NotReady(
            "This report was withdrawn because it named an erased person. Generate a new one."
        )
    if report.pdf_key is None:
        raise NotReady("This report isn't ready yet.")
    if what == "pdf" and queries.has_hidden_names(report):
        raise Forbidden(_withheld(report))
    record(DOWNLOADED, report, title=report.title, sha256=report.pdf_sha256, what=what)
    name = filename(report.snapshot or {})
    if what == "signature":
        return GeneratedFile(
            f"{name}.sig", "text/plain; charset=utf-8", content=(report.signature or "").encode()
        )
    return GeneratedFile(name, "application/pdf", key=report.pdf_key, size=report.pdf_size)


def _withheld(report: ReportRun) -> str:
    """Say why an auditor can't download a file with names, and who can help."""
    if queries.without_names(report.id) is not None:
        help_ = "Download the file without names instead."
    else:
        help_ = (
            f"Ask an admin or compliance officer of {current.actor().tenant_name} to generate it"
            " again, which adds a file without names, or to show names in your engagement."
        )
    return f"This report names people, and your engagement hides names. {help_}"


def withdraw_naming(erased: PersonErased) -> None:
    """Withdraw the reports that name the person: delete data and file, keep digest and edition.

    They can be generated again.
    """
    named = queries.naming(erased.person_id, erased.words)
    for report in named:
        if report.pdf_key is not None:
            store().remove(report.pdf_key)
        report.parameters = report.parameters | {
            WITHDRAWN_EDITION: {
                name: (report.snapshot or {})["document"][name] for name in ("number", "version")
            }
        }
        report.pdf_key, report.snapshot = None, None
        record(
            WITHDRAWN,
            report,
            title=report.title,
            sha256=report.pdf_sha256,
            why="it named an erased person",
        )
    erased.removed["reports withdrawn"] = len(named)


SIGNING = b"report-signing"
key_encryption.holds(SigningKey, "wrapped", lambda _row: SIGNING)


def current_signing_key() -> SigningKey:
    """Return the installation's key. The first caller that needs it creates it."""
    return queries.signing_key() or create_signing_key()


def create_signing_key() -> SigningKey:
    """Create the installation's key, wrapped by the key-encryption key.

    The log of the tenant that needed it first records it.
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
    record(KEY_CREATED, key, name=name, key_id=VerifierKey(name, key.public).key_id.hex())
    return key


def private_key(key: SigningKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key_encryption.unwrap(key.wrapped, SIGNING))


def key_line(key: SigningKey) -> str:
    return str(VerifierKey(key.name, key.public))
