"""Pages that upload, review and download versions."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Response, current_app, flash, redirect, request, url_for

from governance.assurance.evidence import (
    integrity,
    permissions,
    queries,
    verifying,
    version_actions,
    version_queries,
)
from governance.assurance.evidence.file_types import ACCEPT
from governance.assurance.evidence.forms import (
    ReviewForm,
    UploadForm,
)
from governance.assurance.evidence.freshness import (
    CADENCES,
    latest_version,
)
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.views import feature
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.files.encrypted_stream import CorruptedFile
from governance.kernel.files.storage import in_pieces
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import why_not
from governance.kernel.web.feature import somebody_may
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.redirects import way_back
from governance.kernel.web.responses import ResponseReturnValue

MAX_FORM_BYTES = 1024 * 1024


@feature.url_value_preprocessor
def take_large_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Allow large bodies only on this route and from people who may upload.

    Other large bodies are rejected unread.
    """
    slug = (values or {}).get("tenant", "")
    if (
        endpoint == "evidence.upload"
        and request.method == "POST"
        and somebody_may(slug, permissions.UPLOAD)
    ):
        request.max_content_length = version_actions.MAX_FILE_BYTES + MAX_FORM_BYTES


@feature.get("/evidence/<uuid:evidence_id>/versions/new", needs=permissions.UPLOAD)
def upload_form(evidence_id: UUID) -> ResponseReturnValue:
    evidence = queries.find_evidence(evidence_id)
    version_actions.check_may_upload(evidence)
    return page(
        "assurance/evidence/upload.html",
        e=evidence,
        accept=ACCEPT,
        form=UploadForm(**_proposed(evidence)),
    )


def _proposed(evidence: Evidence) -> dict[str, Any]:
    """Return default dates from the last version and the cadence. Most forms need only a file."""
    found, _ = queries.state_of(evidence)
    last, today = latest_version(found.at(clock.now())), clock.today()
    step = timedelta(days=CADENCES.get(evidence.cadence) or 92)
    begins = min(last.period_to + timedelta(days=1), today) if last else today - step
    return {
        "collected_on": today,
        "period_from": begins,
        "period_to": today,
        "valid_until": today + step,
        "source": "",
    }


@feature.post("/evidence/<uuid:evidence_id>/versions/new", needs=permissions.UPLOAD)
def upload(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id), UploadForm()
    uploaded: list[EvidenceVersion] = []
    if not accepted(form, lambda: uploaded.append(_upload(evidence, form))):
        return page(
            "assurance/evidence/upload.html", e=evidence, accept=ACCEPT, form=form, status=422
        )
    flash(
        f"Version {uploaded[0].number} of {evidence.ref} was uploaded. It counts once another"
        " person accepts it."
    )
    return redirect(way_back() or url_for("evidence.item", evidence_id=evidence.id), 303)


def _upload(evidence: Evidence, form: UploadForm) -> EvidenceVersion:
    sent, url = request.files.get("file"), (form.url.data or "").strip()
    if bool(sent and sent.filename) == bool(url):
        raise Invalid(
            "Enter either a file or a link, not both." if url else "Choose a file or enter a link.",
            field="file",
        )
    if url:
        return version_actions.link_version(
            evidence, url, source=form.source.data or "link", **form.dates
        )
    assert sent is not None
    stream: Any = sent.stream
    return version_actions.upload_version(
        evidence,
        stream,
        sent.filename,
        source=form.source.data or "upload",
        unchanged=False,
        **form.dates,
    )


@feature.get("/evidence/versions/<uuid:version_id>/review", needs=permissions.REVIEW)
def reviewing(version_id: UUID) -> ResponseReturnValue:
    version, evidence = queries.find_version(version_id)
    return _review_page(version, evidence, ReviewForm())


def _review_page(
    version: EvidenceVersion, evidence: Evidence, form: Form, *, status: int = 200
) -> ResponseReturnValue:
    _, fresh = queries.state_of(evidence)
    every = version_queries.shown_versions(evidence)
    v = next(each for each in every if each.id == version.id)
    before = next(
        (each for each in every if each.number < v.number and each.review == "accepted"), None
    )
    return page(
        "assurance/evidence/review.html",
        e=evidence,
        v=v,
        before=before,
        fresh=fresh,
        links=queries.control_links(evidence),
        why_not=v.withdrawn or why_not(permissions.REVIEW, on=version),
        form=form,
        status=status,
    )


@feature.post("/evidence/versions/<uuid:version_id>/review", needs=permissions.REVIEW)
def review(version_id: UUID) -> ResponseReturnValue:
    version, evidence = queries.find_version(version_id, lock=True)
    form = ReviewForm()
    if not accepted(form, lambda: _judge(version, evidence, form)):
        return _review_page(version, evidence, form, status=form.status)
    flash(f"You {form.decision.data} version {version.number} of {evidence.ref}.")
    return redirect(url_for("evidence.inbox"), 303)


def _judge(version: EvidenceVersion, evidence: Evidence, form: ReviewForm) -> None:
    reason = form.reason.data or ""
    if form.decision.data == "accepted":
        version_actions.accept(version, evidence, remark=reason)
    else:
        version_actions.reject(version, evidence, reason=reason)


@feature.post("/evidence/versions/<uuid:version_id>/download", needs=permissions.VIEW, answers=FILE)
def download(version_id: UUID) -> ResponseReturnValue:
    """Stream the file as an attachment. The request is a POST, because the download is recorded.

    A missing or corrupted file is recorded immediately.
    """
    version, evidence = queries.find_version(version_id)
    try:
        with session().begin_nested():  # A failed download must not be recorded as one.
            pieces = verifying.record_corruption_of(
                in_pieces(version_actions.record_download(version)), version.id
            )
    except (NotFound, CorruptedFile) as error:
        integrity.record_fault(version, verifying.fault_kind(error))
        consequence = "The version doesn't count as evidence until the file is restored."
        return current_app.handle_user_exception(
            verifying.FileCorrupted(f"{error.message} {consequence}")
        )  # Handled here rather than raised, so that the recorded fault is committed.
    name = version.filename or "file"
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    headers = {
        "Content-Type": version.media_type or "application/octet-stream",
        "Content-Length": str(version.size),
        "Content-Disposition": (
            f'attachment; filename="{evidence.ref}-v{version.number}-{plain}";'
            f" filename*=UTF-8''{quote(f'{evidence.ref}-v{version.number}-{name}')}"
        ),
        "X-Content-SHA256": version.sha256 or "",
    }
    return Response(pieces, headers=headers)
