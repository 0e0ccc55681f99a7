"""The operators' switch, which stops everything for every tenant."""

from flask import redirect, request, url_for

from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import is_open, open_approval
from governance.foundation.people import queries as people
from governance.kernel import current
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.operations.switches import permissions, platform_actions, queries
from governance.operations.switches.active_stops import planes
from governance.operations.switches.forms import RestartForm, StopAllForm, normalized
from governance.operations.switches.models import PlatformStop
from governance.operations.switches.platform_actions import platform_seen

feature = Feature("operator_switches", __name__, scope="operator")
EVERY_TENANT = "every tenant"


@feature.route("/switch", methods=["GET", "POST"], needs=permissions.PLATFORM, urgent=True)
def switch() -> ResponseReturnValue:
    """Show the switch, and stop everything. One operator is enough."""
    form = StopAllForm()
    if request.method == "POST" and accepted(form, lambda: _stop_platform(form)):
        return redirect(url_for("operator_switches.switch"), 303)
    return _switch(form, RestartForm(), status=form.status if request.method == "POST" else 200)


def _stop_platform(form: StopAllForm) -> PlatformStop:
    if normalized(form.typed.data) != EVERY_TENANT:
        raise Invalid(f"Type {EVERY_TENANT} to stop everything.", field="typed")
    return platform_actions.stop_platform(
        generate=bool(form.generate.data),
        serve=bool(form.serve.data),
        reason=form.reason.data or "",
    )


def _switch(form: StopAllForm, restart: RestartForm, *, status: int = 200) -> ResponseReturnValue:
    active, past = queries.platform_stop(), queries.platform_stops_past()
    ids = (
        i
        for s in (*past, *((active,) if active else ()))
        for i in (s.stopped_by, s.restart_requested_by, s.restarted_by)
    )
    requested = open_approval(queries.PLATFORM_RESTART, active.id) if active else None
    return page(
        "operations/switches/every_tenant.html",
        status=status,
        form=form,
        restart=restart,
        active=active,
        past=past,
        names=people.names(ids),
        planes=planes(generate=active.generate, serve=active.serve) if active else "",
        seen=platform_seen(active) if active else "",
        words_to_type=EVERY_TENANT,
        requested=requested if requested and is_open(requested) else None,
    )


RESTART = StepUp("Request restart of everything", RestartForm)


@feature.post("/switch/restart", needs=permissions.PLATFORM, fresh=RESTART, urgent=True)
def request_restart() -> ResponseReturnValue:
    """Request a restart. Another operator decides on the page of its approval."""
    form, made = RestartForm(), list[Approval]()
    seen, reason = form.seen.data or "", form.reason.data or ""
    if not accepted(
        form,
        lambda: made.append(platform_actions.request_platform_restart(seen=seen, reason=reason)),
    ):
        return _switch(StopAllForm(), form, status=form.status)
    return redirect(
        url_for("approvals.approval", tenant=current.actor().tenant_slug, approval_id=made[0].id),
        303,
    )
