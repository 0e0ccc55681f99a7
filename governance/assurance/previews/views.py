"""Pages of previews: a POST requests one, a GET shows it, and each view is recorded."""

from uuid import UUID

import structlog
from flask import Response, current_app, g, redirect, request, url_for

from governance.assurance.evidence import permissions, stored_files, version_queries
from governance.assurance.evidence import queries as evidence
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.previews import actions, queries
from governance.assurance.previews.models import FilePreview
from governance.assurance.previews.ports import viewer_mark
from governance.assurance.previews.rendering import why_not
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound, Unavailable
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.redirects import safe_path, tenant_path
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work import background_work
from governance.kernel.work.background_work import Run

feature = Feature("previews", __name__)
OK = 200
log = structlog.get_logger("previews")


@feature.post("/evidence/versions/<uuid:version_id>/preview", needs=permissions.VIEW)
def ask(version_id: UUID) -> ResponseReturnValue:
    version, _ = evidence.find_version(version_id)
    if not why_not(version.media_type or "", version.size or 0):
        actions.request_preview(version)
    back = safe_path(request.form.get("back")) or None
    return redirect(url_for("previews.show", version_id=version.id, back=back), 303)


@feature.get("/evidence/versions/<uuid:version_id>/preview", needs=permissions.VIEW)
def show(version_id: UUID) -> ResponseReturnValue:
    """Show the preview, its progress, or the reason why there is none."""
    version, item = evidence.find_version(version_id)
    stored_files.check_has_file(version)
    found = queries.preview_of(version_id)
    run = background_work.run_of(found) if found else None
    mark = viewer_mark()()
    parts = _parts(version, found, mark) if found is not None and found.is_ready else ()
    return page(
        "assurance/previews/preview.html",
        e=item,
        v=next(v for v in version_queries.shown_versions(item) if v.id == version.id),
        preview=found,
        parts=parts,
        mark=mark if parts else "",
        reason=(found.reason if found else None)
        or why_not(version.media_type or "", version.size or 0),
        progress=work_pages.shown(run) if run else None,
        back=tenant_path(request.args.get("back"), url_for("evidence.item", evidence_id=item.id)),
    )


def _parts(version: EvidenceVersion, found: FilePreview, mark: str) -> queries.Parts:
    parts = queries.parts(found)
    if parts:
        g.viewed_preview = version.id
    if not mark:
        return parts
    from governance.assurance.previews.marking import marked  # noqa: PLC0415 - loads Pillow

    return marked(parts, mark)


def record_viewing(response: Response) -> Response:
    """Record the view in its own transaction. If that fails, replace the response with an error."""
    version_id: UUID | None = g.pop("viewed_preview", None)
    if version_id is None or response.status_code != OK:
        return response
    try:
        with current.acting_as(g.actor), transaction():
            actions.record_viewing(version_id)
    except Exception:  # A preview must never be shown without an audit entry.
        log.exception("preview not recorded")
        refusal = Unavailable(
            "Each preview is recorded in the audit log, and the log can't be written right now."
            " Try again in a moment."
        )
        return current_app.make_response(current_app.handle_user_exception(refusal))
    return response


def _run(version_id: UUID) -> Run[FilePreview]:
    evidence.find_version(version_id)
    found = queries.preview_of(version_id)
    if found is None:
        raise NotFound("This version has no preview yet.")
    return background_work.run_of(found)


work_pages.add_routes(
    feature, actions.PREVIEWS, "/evidence/versions/<uuid:version_id>/preview", _run
)
