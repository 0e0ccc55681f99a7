"""The settings of reports: whose downloads are sealed, and with which certificate."""

from flask import flash, g, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.publishing.reports.seals import actions, permissions, queries
from governance.publishing.reports.seals.forms import HEADINGS, CertificateForm, SealSettingsForm

feature = Feature("report_seals", __name__)


@feature.get("/settings/reports", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    return _page()


def _page(*, form: SealSettingsForm | None = None, status: int = 200) -> ResponseReturnValue:
    g.section = "tenant_settings"  # The navigation highlights Settings, not Reports.
    chosen = queries.sealed_for()
    if form is None:
        form = SealSettingsForm()
        form.process(None, sealed_for=chosen)
    listed = queries.certificates()
    return page(
        "publishing/reports/seals.html",
        status=status,
        form=form,
        heading=HEADINGS[chosen],
        current_certificate=next((each for each in listed if each.retired_at is None), None),
        retired=[each for each in listed if each.retired_at is not None],
        names=people.names(each.added_by for each in listed),
    )


@feature.post("/settings/reports", needs=permissions.MANAGE)
def change() -> ResponseReturnValue:
    form = SealSettingsForm()
    if not accepted(form, lambda: actions.change_settings(form.sealed_for.data or "")):
        return _page(form=form, status=form.status)
    flash("Settings saved. They apply to downloads from now on.")
    return redirect(url_for("report_seals.index"), 303)


UPLOAD = StepUp("Use this certificate", CertificateForm)


@feature.get("/settings/reports/certificate", needs=permissions.MANAGE, fresh=UPLOAD)
def uploading() -> ResponseReturnValue:
    """Show the form. Sign-in comes first, since a chosen file wouldn't survive it."""
    return _uploading(CertificateForm())


def _uploading(form: CertificateForm, *, status: int = 200) -> ResponseReturnValue:
    g.section = "tenant_settings"
    return page("publishing/reports/certificate.html", status=status, form=form)


@feature.post("/settings/reports/certificate", needs=permissions.MANAGE, fresh=UPLOAD)
def upload() -> ResponseReturnValue:
    form, sent = CertificateForm(), request.files.get("file")
    content = sent.read(actions.MAX_PKCS12_BYTES + 1) if sent else b""
    if not accepted(form, lambda: actions.upload_certificate(content, form.password.data or "")):
        return _uploading(form, status=form.status)
    flash("Certificate added. It seals downloads from now on.")
    return redirect(url_for("report_seals.index"), 303)


@feature.post(
    "/settings/reports/issued",
    needs=permissions.MANAGE,
    fresh=StepUp("Use a certificate that Meridian issues"),
)
def issued() -> ResponseReturnValue:
    actions.use_issued_certificate()
    flash("Certificate issued. It seals downloads from now on.")
    return redirect(url_for("report_seals.index"), 303)
