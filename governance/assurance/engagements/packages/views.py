"""Pages of evidence packages."""

from uuid import UUID

from flask import redirect, url_for

from governance.assurance.engagements import permissions, queries
from governance.assurance.engagements.packages import actions as packages
from governance.assurance.engagements.packages import queries as package_queries
from governance.assurance.engagements.views import engagement_fact, feature
from governance.assurance.evidence.history import timeline_entries
from governance.foundation.people.aliases import shown_names
from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp

GENERATE = StepUp("Generate package", facts=engagement_fact)


DOWNLOAD = StepUp("Download package", facts=engagement_fact)


@feature.post(
    "/engagements/<uuid:engagement_id>/packages", needs=permissions.PACKAGE, fresh=GENERATE
)
def ask_package(engagement_id: UUID) -> ResponseReturnValue:
    engagement = queries.engagement(engagement_id)
    made = packages.request_package(engagement)
    return redirect(
        url_for("engagements.package", engagement_id=engagement.id, package_id=made.id), 303
    )


@feature.get(
    "/engagements/<uuid:engagement_id>/packages/<uuid:package_id>", needs=permissions.PACKAGE
)
def package(engagement_id: UUID, package_id: UUID) -> ResponseReturnValue:
    engagement, run = (
        queries.engagement(engagement_id),
        package_queries.package(engagement_id, package_id),
    )
    requested_by = (
        shown_names([run.row.requested_by]).get(run.row.requested_by)
        if run.row.requested_by
        else None
    )
    return page(
        "assurance/engagements/package.html",
        engagement=engagement,
        run=run,
        is_withheld=packages.has_hidden_names(run.row),
        progress=work_pages.shown(run),
        filename=packages.package_filename(engagement),
        requested_by=requested_by,
        timeline=timeline_entries([package_id]),
        keys=package_queries.verifier_keys(),
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/packages/<uuid:package_id>/download",
    needs=permissions.PACKAGE,
    fresh=DOWNLOAD,
    answers=FILE,
)
def take_package(engagement_id: UUID, package_id: UUID) -> ResponseReturnValue:
    """Stream the package. The request is a POST, because each download is recorded."""
    engagement, run = (
        queries.engagement(engagement_id),
        package_queries.package(engagement_id, package_id),
    )
    return work_pages.attachment(packages.download_package(engagement, run.row))


work_pages.add_routes(
    feature,
    packages.PACKAGES,
    "/engagements/<uuid:engagement_id>/packages/<uuid:package_id>",
    package_queries.package,
    step_up=GENERATE,
)
