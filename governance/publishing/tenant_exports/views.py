"""The tenant's page of its archives."""

from uuid import UUID

from flask import redirect, url_for

from governance.foundation.audit import logs
from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.publishing.tenant_exports import actions, permissions, queries

feature = Feature("tenant_exports", __name__)


def _archive(tenant_export_id: UUID) -> list[tuple[str, str]]:
    return [("Archive", actions.file_name(queries.export(tenant_export_id)))]


@feature.get("/settings/export", needs=permissions.EXPORT, while_suspended=True)
def index() -> ResponseReturnValue:
    runs = queries.newest()
    if (tenant := actions.suspended_tenant()) is not None:
        return page(
            "publishing/tenant_exports/suspended.html",
            name=tenant.name,
            deletes_at=tenant.deletes_at,
            runs=runs,
            file_name=actions.file_name,
        )
    under_way = next((each for each in runs if not each.is_over), None)
    return page(
        "publishing/tenant_exports/index.html",
        runs=runs,
        progress=work_pages.shown(under_way) if under_way else None,
        keys=[str(logs.verifier(key)) for key in logs.all_keys()][:1],
        file_name=actions.file_name,
    )


@feature.post("/settings/export", needs=permissions.EXPORT, fresh=StepUp("Export everything"))
def ask() -> ResponseReturnValue:
    actions.request_export()
    return redirect(url_for("tenant_exports.index"), 303)


@feature.post(
    "/settings/export/<uuid:tenant_export_id>/file",
    needs=permissions.EXPORT,
    fresh=StepUp("Download everything", facts=_archive),
    while_suspended=True,
    answers=FILE,
)
def file(tenant_export_id: UUID) -> ResponseReturnValue:
    """Return the archive. This is a POST, because a download is recorded in the log."""
    return work_pages.attachment(actions.download(queries.export(tenant_export_id)))


work_pages.add_routes(
    feature,
    actions.EXPORTS,
    "/settings/export/<uuid:tenant_export_id>",
    queries.run,
    step_up=StepUp("Export everything"),
)
