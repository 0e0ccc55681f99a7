"""The pages about how a tenant's people sign in.

They include the operator's page that invites a new tenant's first admin.

index, propose                     what is live, and what is proposed
check, start_test                  can the provider be reached; does a real sign-in through it work
change                             leads to the page of its approval
first_admin, invite_first_admin    the operator, until somebody has signed in
"""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app, flash, redirect, request, url_for

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.identity_providers import (
    approval_kinds,
    change_actions,
    connection_actions,
    connection_settings,
    permissions,
    queries,
)
from governance.foundation.identity_providers.connection_settings import (
    LABELS,
    ConnectionSettings,
    labelled,
)
from governance.foundation.identity_providers.forms import (
    ConnectionForm,
    FirstAdminForm,
    ProviderForm,
)
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.people import (
    connection_check,
    invitation_actions,
    oidc,
    provider_http,
    sign_in_state,
)
from governance.foundation.people import queries as directory
from governance.foundation.people.models import Connection
from governance.foundation.people.second_person import ApprovalRequest
from governance.foundation.people.sign_in_views import callback_address, client_of
from governance.foundation.people.views import sign_in_address
from governance.foundation.tenants import actions as tenant_actions
from governance.foundation.tenants import permissions as tenant_permissions
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants import system_actor
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.views import operator_feature
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue, anonymous_token
from governance.kernel.web.step_up import StepUp

feature = Feature("identity_providers", __name__)
MAX_CHANGES_SHOWN = 10


# ---- what is live, and what is proposed


@feature.get("/settings/sign-in", needs=permissions.CHANGE)
def index() -> ResponseReturnValue:
    live, (change, approval) = directory.connection(), queries.open_change() or (None, None)
    past = [row for row in queries.newest_changes(limit=MAX_CHANGES_SHOWN) if row[0] is not change]
    names = directory.names(
        [
            *(i for _, a in past for i in (a.requested_by, a.closed_by)),
            *([approval.requested_by] if approval else []),
            *([change.tested_by] if change else []),
        ]
    )
    return page(
        "foundation/identity_providers/index.html",
        live=live,
        change=change,
        approval=approval,
        past=past,
        names=names,
        live_rows=labelled(live, queries.domains()),
        admins=_admins(),
        **_progress(change),
        **_addresses(),
        approvers=approvals.approvers(approval) if approval else [],
        why_not=approvals.why_not(approval) if approval else None,
    )


def _progress(change: ConnectionChange | None) -> dict[str, Any]:
    """Return the steps of the open change."""
    if change is None:
        return {"proposed": None}
    proposed = queries.proposed_connection(change)
    return {
        "proposed": proposed,
        "missing": approval_kinds.missing(change),
        "changes": connection_settings.proposed_changes(change),
        "callback": (
            callback_address(current.actor().tenant_slug, proposed.number) if proposed else None
        ),
    }


def _admins() -> int:
    """Count the people who could approve a change that this person proposes now."""
    return len(ApprovalRequest([current.person_id()], None).candidates(permissions.CHANGE))


def _addresses() -> dict[str, Any]:
    return {
        "slug": current.actor().tenant_slug,
        "public": current_app.config["PUBLIC_URL"],
        "callback_of": _callback_of,
    }


def _callback_of(row: Connection) -> str:
    return callback_address(current.actor().tenant_slug, row.number)


@feature.get("/settings/sign-in/changes/<uuid:connection_change_id>", needs=permissions.CHANGE)
def change(connection_change_id: UUID) -> ResponseReturnValue:
    """Redirect to the page of its approval, which shows all of it."""
    found = queries.change(connection_change_id)
    approval = approvals.latest(queries.IDENTITY_CHANGE, [found.id]).get(found.id)
    return redirect(
        url_for("approvals.approval", approval_id=approval.id)
        if approval
        else url_for("identity_providers.index")
    )


def _as_lines(group_roles: Any) -> str:
    return "\n".join(f"{group} = {role}" for group, role in sorted(group_roles.items()))


# ---- proposing


PROPOSE = StepUp("Propose change", ConnectionForm)


@feature.route(
    "/settings/sign-in/change", methods=["GET", "POST"], needs=permissions.CHANGE, fresh=PROPOSE
)
def propose() -> ResponseReturnValue:
    """Show or submit the form of a change.

    Opening the form needs a recent sign-in already, so that nobody loses a filled form to a
    step-up.
    """
    live, (change, approval) = directory.connection(), queries.open_change() or (None, None)
    form = ConnectionForm(
        **_filled(live, change, approval) if request.method == "GET" else {}
    )  # A field that isn't sent has no default.

    def act() -> None:
        made = change_actions.propose(
            settings_in(
                form,
                form.mapping,
                enforced=bool(form.enforced.data),
                private_origin=connection_actions.private_origin(),
            ),
            secret=form.secret.data or None,
            domains=form.wanted_domains,
            reason=form.reason.data or "",
            seen=form.seen.data or "",
        )
        _check_reachable(made)

    if request.method == "POST" and accepted(form, act):
        flash("Change proposed. People sign in as before until another person approves it.")
        return redirect(url_for("identity_providers.index"), 303)
    if form.stale:
        form.seen.data = change_actions.opened_with(live, change)
    return page(
        "foundation/identity_providers/propose.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        live=live,
        change=change,
        admins=_admins(),
        differences=_differences(form),
        **_addresses(),
    )


def _filled(
    live: Connection | None, change: ConnectionChange | None, approval: Approval | None
) -> dict[str, Any]:
    """Return the open proposal, otherwise what is live."""
    row = (queries.proposed_connection(change) if change else None) or live
    domains = change.domains if change else queries.domains()
    seen = {
        "seen": change_actions.opened_with(live, change),
        "domains": " ".join(domains),
        "reason": approval.reason if approval else "",
    }
    if row is None:
        return {"enforced": True, **seen}
    return {
        "issuer": row.issuer,
        "client_id": row.client_id,
        "enforced": row.enforced,
        "verifies_addresses": row.verifies_addresses,
        "group_roles": _as_lines(row.group_roles),
        **seen,
    }


def _differences(form: ConnectionForm) -> list[tuple[str, Any, Any]]:
    if not form.stale:
        return []
    return [(LABELS[name], _readable(typed), _readable(now)) for name, typed, now in form.overtaken]


def _readable(value: Any) -> Any:
    return _as_lines(value) if isinstance(value, dict) else value


def settings_in(
    form: ProviderForm, mapping: dict[str, str], *, enforced: bool, private_origin: str
) -> ConnectionSettings:
    """Return the settings of a form; raise Invalid for an issuer that Meridian wouldn't call."""
    try:
        provider_http.safe_url(form.issuer.data or "", private_origin=private_origin)
    except provider_http.ProviderFault as fault:
        raise Invalid(fault.message, field="issuer") from fault
    return ConnectionSettings(
        form.issuer.data or "",
        form.client_id.data or "",
        enforced,
        mapping,
        bool(form.verifies_addresses.data),
    )


# ---- testing


def _check_reachable(change: ConnectionChange) -> None:
    proposed = queries.proposed_connection(change)
    if proposed is not None:
        connection_actions.record_connection_check(
            proposed, connection_check.diagnose(client_of(proposed, current.actor().tenant_slug))
        )


@feature.post("/settings/sign-in/test", needs=permissions.CHANGE)
def test_connection() -> ResponseReturnValue:
    """Check each step of reaching the live provider, and record the findings. Nobody signs in."""
    row = directory.connection()
    if row is None:
        raise NotFound("There is no connection to test yet. Propose one first.")
    connection_actions.record_connection_check(
        row, connection_check.diagnose(client_of(row, current.actor().tenant_slug))
    )
    return redirect(url_for("identity_providers.index") + "#reachable", 303)


@feature.post(
    "/settings/sign-in/changes/<uuid:connection_change_id>/check", needs=permissions.CHANGE
)
def check(connection_change_id: UUID) -> ResponseReturnValue:
    """Check the same for the proposed connection."""
    _check_reachable(_open_change(connection_change_id))
    return redirect(url_for("identity_providers.index") + "#test", 303)


@feature.post(
    "/settings/sign-in/changes/<uuid:connection_change_id>/test-sign-in", needs=permissions.CHANGE
)
def start_test(connection_change_id: UUID) -> ResponseReturnValue:
    """Start a real sign-in through the proposed connection. It starts no session and ends none."""
    change, who = _open_change(connection_change_id), current.actor()
    proposed = queries.proposed_connection(change)
    if proposed is None:
        raise DomainError("Only the work domains change, so there is no sign-in to test.")
    drawn = sign_in_state.new_secrets(who.tenant_slug)
    try:
        url = oidc.authorization_url(
            client_of(proposed, who.tenant_slug),
            state=drawn.state,
            nonce=drawn.nonce,
            verifier=drawn.verifier,
            login_hint=who.email,
        )
    except provider_http.ProviderFault as fault:
        change_actions.record_test_sign_in_result(proposed.id, None, fault.message)
        return redirect(url_for("identity_providers.index") + "#test", 303)
    sign_in_state.save_sign_in(
        drawn,
        connection_id=proposed.id,
        is_test=True,
        browser=anonymous_token(),
        next_path=url_for("identity_providers.index"),
        fresh=False,
    )
    return page(
        "foundation/identity_providers/test_sign_in.html",
        onward=url,
        host=urlsplit(proposed.issuer).netloc,
    )


def _open_change(connection_change_id: UUID) -> ConnectionChange:
    found, (is_open, _) = (
        queries.change(connection_change_id),
        queries.open_change() or (None, None),
    )
    if found is not is_open:
        raise DomainError(change_actions.CHANGE_CLOSED)
    return found


# ---- the operator invites a new tenant's first admin


@operator_feature.get("/tenants/<slug>/first-admin", needs=tenant_permissions.FOUND)
def first_admin(slug: str) -> ResponseReturnValue:
    tenant = _untouched(slug)
    return _first_admin_page(tenant, FirstAdminForm(**_first_admin_filled(tenant)))


def _first_admin_page(
    tenant: Tenant, form: FirstAdminForm, *, status: int = 200
) -> ResponseReturnValue:
    with transaction(read_only=True, tenant_id=tenant.id):
        is_set_up = directory.connection() is not None
    return page(
        "foundation/identity_providers/first_admin.html",
        status=status,
        new=tenant,
        form=form,
        is_set_up=is_set_up,
        callback=callback_address(tenant.slug),
        public=current_app.config["PUBLIC_URL"],
    )


def _first_admin_filled(tenant: Tenant) -> dict[str, Any]:
    """Return what was set before, to correct it."""
    with transaction(read_only=True, tenant_id=tenant.id):
        live, invited = directory.connection(), directory.open_invitations()
        if live is None:
            return {}
        return {
            "issuer": live.issuer,
            "client_id": live.client_id,
            "domains": " ".join(tenants.domains_of(tenant.id)),
            "verifies_addresses": live.verifies_addresses,
            "email": invited[0].email if invited else "",
        }


def _untouched(slug: str) -> Tenant:
    """Return a tenant that nobody has signed in to; raise NotFound otherwise.

    From the first sign-in on its own admins decide, and no operator.
    """
    tenant = tenants.tenant_by_slug(slug)
    if tenant is None or tenant.kind != "customer":
        raise NotFound("This tenant doesn't exist.")
    with transaction(read_only=True, tenant_id=tenant.id):
        touched = directory.has_signed_in()
    if touched:
        raise NotFound(
            f"People already sign in to {tenant.name}. Only its own admins can change sign-in."
        )
    return tenant


FIRST_ADMIN = StepUp(
    "Invite first admin", FirstAdminForm, facts=lambda slug: [("Tenant", _untouched(slug).name)]
)


@operator_feature.post(
    "/tenants/<slug>/first-admin", needs=tenant_permissions.FOUND, fresh=FIRST_ADMIN
)
def invite_first_admin(slug: str) -> ResponseReturnValue:
    """Invite the first admin. Sent again, it corrects the connection or the admin.

    The same admin gets another mail.
    """
    tenant, form, operator = _untouched(slug), FirstAdminForm(), current.actor()

    def act() -> None:
        connection_actions.set_up(
            settings_in(
                form,
                {},
                enforced=True,
                private_origin=provider_http.origin_of(form.issuer.data or ""),
            ),
            secret=form.secret.data or None,
        )
        tenant_actions.set_domains(tenant, form.wanted_domains)
        for earlier in directory.open_invitations():
            invitation_actions.withdraw_invitation(earlier, how="the operator corrected the setup")
        invitation_actions.invite_member(
            form.email.data or "",
            "admin",
            tenant_name=tenant.name,
            link=sign_in_address(tenant.slug),
        )

    with current.acting_as(system_actor.visiting(operator, tenant)), transaction():
        done = accepted(form, act)
    return redirect("/operator/", 303) if done else _first_admin_page(tenant, form, status=422)
