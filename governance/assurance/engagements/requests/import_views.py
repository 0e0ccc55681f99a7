"""Pages that import a request list from a file."""

import hashlib
import re
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.engagements import permissions, queries
from governance.assurance.engagements.forms import (
    RequestListForm,
)
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.requests import imports as list_imports
from governance.assurance.engagements.requests import parsing as request_import
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.engagements.views import feature
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.errors import Invalid
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

MAX_PREVIEWED_ROWS = 50


@feature.get("/engagements/<uuid:engagement_id>/imports/new", needs=permissions.ASK)
def importing(engagement_id: UUID) -> ResponseReturnValue:
    return page(
        "assurance/engagements/import.html",
        engagement=queries.engagement(engagement_id),
        form=RequestListForm(),
    )


@feature.post("/engagements/<uuid:engagement_id>/imports/new", needs=permissions.ASK)
def read_list(engagement_id: UUID) -> ResponseReturnValue:
    """Parse the uploaded file and show a preview. Requests are added only on confirmation."""
    engagement, form, kept = queries.engagement(engagement_id), RequestListForm(), []
    if not accepted(form, lambda: kept.append(_upload_list(engagement))):
        return page(
            "assurance/engagements/import.html",
            engagement=engagement,
            form=form,
            status=form.status,
        )
    return redirect(
        url_for(
            "engagements.what_was_read", engagement_id=engagement.id, request_import_id=kept[0].id
        ),
        303,
    )


def _upload_list(engagement: Engagement) -> Any:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("Choose a file.", field="file")
    content = sent.stream.read(request_import.MAX_FILE_BYTES + 1)
    if len(content) > request_import.MAX_FILE_BYTES:
        raise Invalid(
            f"The file is larger than {request_import.MAX_FILE_BYTES // 1024**2} MB. Upload a"
            " smaller file.",
            field="file",
        )
    known = (
        frozenset(each.ref for each in frameworks.requirements(engagement.framework_id))
        if engagement.framework_id
        else None
    )
    listed = request_import.read(content, known=known)
    name = (
        re.sub(r"[^\w .()-]", "_", sent.filename.replace("\\", "/").rpartition("/")[2])[:120]
        or "list.xlsx"
    )
    return list_imports.upload_list(
        engagement, listed, filename=name, sha256=hashlib.sha256(content).hexdigest()
    )


@feature.get(
    "/engagements/<uuid:engagement_id>/imports/<uuid:request_import_id>", needs=permissions.ASK
)
def what_was_read(engagement_id: UUID, request_import_id: UUID) -> ResponseReturnValue:
    engagement = queries.engagement(engagement_id)
    kept = request_queries.request_import(engagement.id, request_import_id)
    rows = [request_import.ImportedRequest.from_json(row) for row in kept.rows]
    known = request_queries.row_digests(engagement.id)
    new = [row for row in rows if row.ref not in known]
    differs = [row for row in rows if row.ref in known and known[row.ref] != row.digest]
    return page(
        "assurance/engagements/preview.html",
        engagement=engagement,
        request_import=kept,
        new=new[:MAX_PREVIEWED_ROWS],
        new_count=len(new),
        differs=differs[:MAX_PREVIEWED_ROWS],
        differs_count=len(differs),
        same=len(rows) - len(new) - len(differs),
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/imports/<uuid:request_import_id>", needs=permissions.ASK
)
def take_over(engagement_id: UUID, request_import_id: UUID) -> ResponseReturnValue:
    engagement = queries.engagement(engagement_id)
    kept = request_queries.request_import(engagement.id, request_import_id, lock=True)
    added = list_imports.import_list(engagement, kept)
    flash(f"{plural(added, 'request')} added.")
    return redirect(url_for("engagements.requests", engagement_id=engagement.id), 303)
