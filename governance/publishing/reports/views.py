"""The pages of reports: the list, its forms, one report, and verification without an account."""

from datetime import date
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Response, redirect, request, url_for

from governance.assurance.assessments import assessment_queries
from governance.assurance.testing import matrix_queries
from governance.foundation.people import queries as people
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.errors import Invalid
from governance.kernel.files import storage
from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.background_work import GeneratedFile
from governance.publishing.reports import actions, permissions, queries
from governance.publishing.reports.built_document import filename
from governance.publishing.reports.editions import WITHDRAWN
from governance.publishing.reports.forms import AttestationForm, EvidenceMatrixForm, ReadinessForm
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.seals import copies
from governance.publishing.reports.seals import queries as seals
from governance.publishing.reports.signatures import signed_files

feature = Feature("reports", __name__)
public = Feature("report_check", __name__, scope="public")
MAX_FILE_SIZE = 64 * 1024 * 1024


@feature.get("/reports/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    return _index()


def _index(
    *,
    attest: AttestationForm | None = None,
    ready: ReadinessForm | None = None,
    matrix: EvidenceMatrixForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """Return the list with a form for each kind. One of them may show errors."""
    today, runs = clock.today(), queries.runs()
    first, last = matrix_queries.default_period()
    forms = {
        "form": attest or _unsent(AttestationForm(), since=_quarter(today), until=today),
        "readiness": ready or _unsent(ReadinessForm(), categories=["security"], on=today),
        "matrix": matrix or _unsent(EvidenceMatrixForm(), begins=first, ends=last),
    }
    names = people.names(r.row.requested_by for r in runs)
    return page(
        "publishing/reports/index.html",
        runs=runs,
        names=names,
        assessments=queries.reportable(),
        limited=limits() is not None,
        status=status,
        **forms,
    )


def _unsent[F: Form](form: F, **defaults: Any) -> F:
    """Return the form with its defaults, even while another form of the page shows its errors."""
    form.process(None, **defaults)
    return form


def _quarter(day: date) -> date:
    """Return the first day of the quarter."""
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


@feature.post("/reports/", needs=permissions.RUN)
def ask() -> ResponseReturnValue:
    """Queue an AI RMF report. A double click shows the one from the first click."""
    try:
        assessment_id = UUID(request.form.get("assessment_id", ""))
    except ValueError:
        raise Invalid("Choose an assessment for the report.", field="assessment_id") from None
    report = actions.request_ai_rmf(assessment_queries.assessment(assessment_id))
    return redirect(url_for("reports.report", run_id=report.id), 303)


@feature.post("/reports/attestations", needs=permissions.RUN)
def attest() -> ResponseReturnValue:
    """Queue a policy attestation of a period or a day."""
    form = AttestationForm()
    requested: list[ReportRun] = []
    if not accepted(form, lambda: requested.append(_attested(form))):
        return _index(attest=form, status=form.status)
    return redirect(url_for("reports.report", run_id=requested[0].id), 303)


def _attested(form: AttestationForm) -> ReportRun:
    since = form.since.data if form.span.data == "period" else None
    if form.span.data == "period" and since is None:
        raise Invalid("Choose the first day of the period.", field="since")
    return actions.request_attestation(until=form.until.data or clock.today(), since=since)


@feature.post("/reports/readiness", needs=permissions.RUN)
def ready() -> ResponseReturnValue:
    """Queue a SOC 2 readiness report."""
    form = ReadinessForm()
    requested: list[ReportRun] = []
    chosen = set(form.categories.data or ())
    if not accepted(
        form,
        lambda: requested.append(
            actions.request_readiness(until=form.on.data or clock.today(), categories=chosen)
        ),
    ):
        return _index(ready=form, status=form.status)
    return redirect(url_for("reports.report", run_id=requested[0].id), 303)


@feature.post("/reports/matrices", needs=permissions.RUN)
def matrix() -> ResponseReturnValue:
    """Queue a Type II evidence matrix."""
    form = EvidenceMatrixForm()
    requested: list[ReportRun] = []
    if not accepted(form, lambda: requested.append(_matrix(form))):
        return _index(matrix=form, status=form.status)
    return redirect(url_for("reports.report", run_id=requested[0].id), 303)


def _matrix(form: EvidenceMatrixForm) -> ReportRun:
    today = clock.today()
    return actions.request_matrix(
        since=form.begins.data or today,
        until=form.ends.data or today,
        framework=form.framework.data or None,
    )


@feature.get("/reports/<uuid:run_id>", needs=permissions.VIEW)
def report(run_id: UUID) -> ResponseReturnValue:
    run = queries.run(run_id)
    row, other = run.row, queries.without_names(run_id)
    is_withheld = queries.has_hidden_names(row)
    if is_withheld and other is not None:
        return redirect(url_for("reports.report", run_id=other.id), 303)
    return page(
        "publishing/reports/report.html",
        run=run,
        is_withheld=is_withheld,
        other=other,
        progress=work_pages.shown(run),
        filename=filename(row.snapshot) if row.snapshot else "",
        moments=people.timeline([run_id]),
        keys=[actions.key_line(key) for key in queries.signing_keys()],
        copies=seals.copies(run_id, current.actor().person_id),
        document=row.snapshot["document"] if row.snapshot else row.parameters.get(WITHDRAWN, {}),
        requester=(
            people.names([row.requested_by]).get(row.requested_by)
            if row.requested_by
            else "Meridian, by a schedule"
        ),
    )


work_pages.add_routes(feature, actions.REPORTS, "/reports/<uuid:run_id>", queries.run)


@feature.post("/reports/<uuid:run_id>/pdf", needs=permissions.VIEW, answers=FILE)
def pdf(run_id: UUID) -> ResponseReturnValue:
    """Return the file itself, or a sealed copy.

    This is a POST, because the log records downloads.
    """
    row = queries.run(run_id).row
    file = actions.download(row, what="pdf")
    content = copies.sealed(row)
    if content is not None:
        file = GeneratedFile(file.name, file.media_type, content=content, size=len(content))
    return work_pages.attachment(file)


@feature.post("/reports/<uuid:run_id>/files", needs=permissions.RUN, answers=FILE)
def files(run_id: UUID) -> ResponseReturnValue:
    """Return the file and its signature in one zip, without a watermark, to people who generate it."""
    row = queries.run(run_id).row
    file, note = actions.download(row, what="pdf"), actions.download(row, what="signature")
    content, signed = copies.sealed(row), note.content
    if content is not None:
        newest = next(iter(seals.copies(run_id, current.actor().person_id)), None)
        signed = newest.note.encode() if newest else signed
    else:
        content = b"".join(storage.pieces(file.key))
    packed = signed_files.pack(file.name, content, signed)
    return work_pages.attachment(
        GeneratedFile(f"{file.name}.zip", "application/zip", content=packed, size=len(packed))
    )


@feature.post("/reports/<uuid:run_id>/signature", needs=permissions.VIEW, answers=FILE)
def signature(run_id: UUID) -> ResponseReturnValue:
    """Return the signature of the person's newest or named copy, or else the original's."""
    row = queries.run(run_id).row
    file = actions.download(row, what="signature")
    named, own = request.form.get("copy", ""), seals.copies(run_id, current.actor().person_id)
    chosen = next((each for each in own if str(each.id) == named), None)
    if chosen is None and named != "original" and seals.is_copied():
        chosen = next(iter(own), None)
    if chosen is not None:
        file = GeneratedFile(file.name, file.media_type, content=chosen.note.encode())
    return work_pages.attachment(file)


@public.get("/verify", needs=PUBLIC)
def verify_page() -> ResponseReturnValue:
    return page("publishing/reports/verify.html", keys=_keys(), result=None)


@public.post("/verify", needs=PUBLIC)
def verify_file() -> ResponseReturnValue:
    """Verify uploaded files as `governance verify-report` does. Nothing is stored."""
    content, note = _sent("report", MAX_FILE_SIZE), _sent("signature", 65_536)
    key = request.form.get("key", "").strip()
    is_zip = content.startswith(signed_files.MAGIC)
    missing = [
        name
        for name, is_missing in (
            ("the report (PDF)", not content),
            ("its signature (.sig)", not note and not is_zip),
        )
        if is_missing
    ]
    if missing:
        return page(
            "publishing/reports/verify.html",
            keys=_keys(),
            result=None,
            problem=f"Choose {' and '.join(missing)}.",
            status=422,
        )
    from governance.publishing.reports.signatures.sandboxed_verify import verify  # noqa: PLC0415 - loads pikepdf

    result = verify(content, note.decode("utf-8", "replace"), key or (_keys() or [""])[0])
    return page("publishing/reports/verify.html", keys=_keys(), result=result, key=key)


def _sent(name: str, limit: int) -> bytes:
    """Return the upload with that name, reading at most one byte more than the limit."""
    file = request.files.get(name)
    return file.stream.read(limit + 1) if file else b""


@public.get("/keys", needs=PUBLIC)
def keys() -> ResponseReturnValue:
    """Return the verifier keys, one per line, newest first."""
    return Response(
        "".join(f"{line}\n" for line in _keys()), content_type="text/plain; charset=utf-8"
    )


@public.get("/keys/authority.pem", needs=PUBLIC)
def authority() -> ResponseReturnValue:
    """Return the certificates of the authority that issues seals, for a PDF reader to trust."""
    with transaction(read_only=True):
        pem = b"".join(
            x509.load_der_x509_certificate(each.certificate).public_bytes(Encoding.PEM)
            for each in seals.authorities()
        )
    return Response(pem, content_type="application/x-pem-file")


def _keys() -> list[str]:
    with transaction(read_only=True):
        return [actions.key_line(key) for key in queries.signing_keys()]
