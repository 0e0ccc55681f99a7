"""The pages about how a tenant's people sign in, and the operator's page that invites a new tenant's first admin.

index, propose                     what is live, and what is proposed beside it
check, start_test                  can the provider be reached; does a real sign-in through it work
change, decide                     another person approves or rejects; who requested it withdraws
first_admin, invite_first_admin    the operator, until somebody has signed in
"""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app, flash, redirect, request, url_for

from governance.foundation.people import actions, connections, oidc, permissions, queries, sign_in_state, transport
from governance.foundation.people.connections import Settings
from governance.foundation.people.forms import ConnectionForm, DecideChangeForm, FirstAdminForm, ProviderForm
from governance.foundation.people.models import Connection, ConnectionChange
from governance.foundation.people.second_person import ApprovalRequest
from governance.foundation.people.views import callback_address, provider_of, sign_in_address
from governance.foundation.tenants import actions as tenant_actions
from governance.foundation.tenants import permissions as tenant_permissions
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants import system_actor
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.views import operator_feature
from governance.kernel import current
from governance.kernel.access import ROLE_NAMES
from governance.kernel.db import transaction
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted
from governance.kernel.pages import page
from governance.kernel.step_up import StepUp
from governance.kernel.web import ResponseReturnValue, anonymous_token

feature = Feature("connections", __name__)
MAX_CHANGES_SHOWN = 10
LABELS = {
    "issuer": "Issuer", "client_id": "Client ID", "enforced": "Single sign-on", "verifies_addresses": "Verified addresses", "group_roles": "Groups and roles", "domains": "Work domains",
}  # fmt: skip


# ---- what is live, and what is proposed


@feature.get("/settings/sign-in", needs=permissions.CONNECTION)
def index() -> ResponseReturnValue:
    live, change = queries.connection(), queries.open_change()
    past = [each for each in queries.connection_changes(limit=MAX_CHANGES_SHOWN) if change is None or each.id != change.id]
    people = [i for each in (change, *past) if each for i in (each.requested_by, each.tested_by, each.decided_by)]
    return page(
        "foundation/people/sign_in_settings.html", live=live, change=change, past=past, names=queries.names(people),
        live_rows=_rows(live, _domains()), admins=_admins(), **_progress(change), **_addresses(),
    )  # fmt: skip


def _progress(change: ConnectionChange | None) -> dict[str, Any]:
    """The three steps of the open change, and who can take the third."""
    if change is None:
        return {"proposed": None}
    proposed = queries.connection_row(change.connection_id)
    return {
        "proposed": proposed, "missing": connections.missing(change), "changes": _changed(change),
        "approvers": connections.approval_of(change).candidates(permissions.CONNECTION),
        "why_not": connections.approval_of(change).why_not(),
        "callback": callback_address(current.actor().tenant_slug, proposed.number) if proposed else None,
    }  # fmt: skip


def _admins() -> int:
    """How many people could approve a change that this person proposes now."""
    return len(ApprovalRequest([current.person_id()], None).candidates(permissions.CONNECTION))


def _addresses() -> dict[str, Any]:
    return {"slug": current.actor().tenant_slug, "public": current_app.config["PUBLIC_URL"], "callback_of": _callback_of}


def _callback_of(row: Connection) -> str:
    return callback_address(current.actor().tenant_slug, row.number)


def _domains() -> list[str]:
    return list(tenants.domains_of(current.actor().tenant_id))


def _rows(row: Connection | None, domains: list[str]) -> dict[str, str]:
    """Label → value, as a person reads it; a row for each group."""
    rows = {LABELS["domains"]: ", ".join(domains) or "None"}
    if row is None:
        return rows
    rows = {
        LABELS["issuer"]: row.issuer, LABELS["client_id"]: row.client_id,
        LABELS["enforced"]: "Required" if row.enforced else "Optional",
        LABELS["verifies_addresses"]: "Every address of the provider" if row.verifies_addresses else "Only with email_verified", **rows,
    }  # fmt: skip
    return rows | {f"Group {group}": ROLE_NAMES.get(role, role) for group, role in sorted(row.group_roles.items())}


def _changed(change: ConnectionChange) -> list[tuple[str, str, str]]:
    """(label, before, after) of everything that it changes; a secret only as another one."""
    base, proposed = queries.connection_row(change.base_id), queries.connection_row(change.connection_id)
    before, after = _rows(base, change.base_domains), _rows(proposed or base, change.domains)
    labels = [*after, *(label for label in before if label not in after)]
    rows = [
        (label, before.get(label, "None"), after.get(label, "None")) for label in labels if before.get(label) != after.get(label)
    ]
    if proposed is not None and connections.brings_secret(change, proposed):
        rows.append(("Client secret", "Current secret" if base else "None", "New secret"))
    return rows


def _as_lines(group_roles: Any) -> str:
    return "\n".join(f"{group} = {role}" for group, role in sorted(group_roles.items()))


# ---- proposing


PROPOSE = StepUp("Propose change", ConnectionForm)


@feature.route("/settings/sign-in/change", methods=["GET", "POST"], needs=permissions.CONNECTION, fresh=PROPOSE)
def propose() -> ResponseReturnValue:
    """Fresh already when the form is opened, so that nobody loses a filled form to a step-up."""
    live, change = queries.connection(), queries.open_change()
    form = ConnectionForm(**_filled(live, change) if request.method == "GET" else {})  # what isn't sent has no default

    def act() -> None:
        made = connections.propose(
            settings_in(form, form.mapping, enforced=bool(form.enforced.data)), secret=form.secret.data or None,
            domains=form.wanted_domains, reason=form.reason.data or "", seen=form.seen.data or "",
        )  # fmt: skip
        _check_reachable(made)

    if request.method == "POST" and accepted(form, act):
        flash("The change is proposed. People sign in as before until another person approves it.")
        return redirect(url_for("connections.index"), 303)
    if form.stale:
        form.seen.data = connections.opened(live, change)
    return page(
        "foundation/people/sign_in_change.html", status=form.status if request.method == "POST" else 200, form=form, live=live, change=change,
        admins=_admins(), differences=_differences(form), **_addresses(),
    )  # fmt: skip


def _filled(live: Connection | None, change: ConnectionChange | None) -> dict[str, Any]:
    """The open proposal, otherwise what is live."""
    row = (queries.connection_row(change.connection_id) if change else None) or live
    domains = change.domains if change else _domains()
    seen = {"seen": connections.opened(live, change), "domains": " ".join(domains), "reason": change.reason if change else ""}
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


def settings_in(form: ProviderForm, mapping: dict[str, str], *, enforced: bool) -> Settings:
    """What a form says; an issuer that Meridian wouldn't call is refused at its field."""
    try:
        transport.safe_url(form.issuer.data or "")
    except transport.ProviderFault as fault:
        raise Invalid(fault.message, field="issuer") from fault
    return Settings(form.issuer.data or "", form.client_id.data or "", enforced, mapping, bool(form.verifies_addresses.data))


# ---- testing


def _check_reachable(change: ConnectionChange) -> None:
    proposed = queries.connection_row(change.connection_id)
    if proposed is not None:
        connections.note_test(proposed, oidc.diagnose(provider_of(proposed, current.actor().tenant_slug)))


@feature.post("/settings/sign-in/test", needs=permissions.CONNECTION)
def test_connection() -> ResponseReturnValue:
    """Each step of reaching the live provider, with what was found; nobody signs in."""
    row = queries.connection()
    if row is None:
        raise NotFound("There is no connection to test yet. Propose one first.")
    connections.note_test(row, oidc.diagnose(provider_of(row, current.actor().tenant_slug)))
    return redirect(url_for("connections.index") + "#reachable", 303)


@feature.post("/settings/sign-in/changes/<uuid:connection_change_id>/check", needs=permissions.CONNECTION)
def check(connection_change_id: UUID) -> ResponseReturnValue:
    """The same for the proposed one."""
    _check_reachable(_open_change(connection_change_id))
    return redirect(url_for("connections.index") + "#test", 303)


@feature.post("/settings/sign-in/changes/<uuid:connection_change_id>/test-sign-in", needs=permissions.CONNECTION)
def start_test(connection_change_id: UUID) -> ResponseReturnValue:
    """A real sign-in through the proposed connection. It starts no session and ends none."""
    change, who = _open_change(connection_change_id), current.actor()
    proposed = queries.connection_row(change.connection_id)
    if proposed is None:
        raise DomainError("Only the work domains change, so there is no sign-in to test.")
    drawn = sign_in_state.new_secrets(who.tenant_slug)
    try:
        url = oidc.authorization_url(
            provider_of(proposed, who.tenant_slug), state=drawn.state, nonce=drawn.nonce, verifier=drawn.verifier,
            login_hint=who.email,
        )  # fmt: skip
    except transport.ProviderFault as fault:
        connections.note_test_sign_in(change, None, fault.message)
        return redirect(url_for("connections.index") + "#test", 303)
    sign_in_state.remember(
        drawn, connection_id=proposed.id, change_id=change.id, browser=anonymous_token(), next_path=url_for("connections.index"), fresh=False
    )  # fmt: skip
    return page("foundation/people/test_sign_in.html", onward=url, host=urlsplit(proposed.issuer).netloc)


def _open_change(connection_change_id: UUID) -> ConnectionChange:
    change = queries.connection_change(connection_change_id)
    if change.state != "requested":
        raise DomainError("This change was already decided, replaced or withdrawn.")
    return change


# ---- another person decides


@feature.get("/settings/sign-in/changes/<uuid:connection_change_id>", needs=permissions.CONNECTION)
def change(connection_change_id: UUID) -> ResponseReturnValue:
    return _change_page(queries.connection_change(connection_change_id), DecideChangeForm())


def _change_page(row: ConnectionChange, form: DecideChangeForm, *, status: int = 200) -> ResponseReturnValue:
    live, proposed = queries.connection(), queries.connection_row(row.connection_id)
    is_open = row.state == "requested"
    form.seen.data = connections.fingerprint(row) if is_open else ""
    return page(
        "foundation/people/sign_in_decision.html", status=status, row=row, form=form, is_open=is_open, live=live, is_own=row.requested_by == current.person_id(),
        names=queries.names([row.requested_by, row.tested_by, row.decided_by]), ends_sessions=_ends_sessions(live, proposed),
        moments=queries.timeline([row.id]), base_rows=_rows(queries.connection_row(row.base_id), row.base_domains),
        expired=is_open and connections.is_expired(row), **_progress(row), **_addresses(),
    )  # fmt: skip


def _ends_sessions(live: Connection | None, proposed: Connection | None) -> int:
    if live is None or proposed is None or (live.issuer, live.client_id) == (proposed.issuer, proposed.client_id):
        return 0
    return sum(each.issuer == live.issuer for each in queries.live_sessions())


def _requested(connection_change_id: UUID) -> list[tuple[str, str]]:
    row = queries.connection_change(connection_change_id)
    return [
        ("Requested by", queries.names([row.requested_by]).get(row.requested_by, "A former member")),
        ("Reason for the change", row.reason),
    ]


DECIDE = StepUp(
    {"approve": "Approve change", "reject": "Reject change", "withdraw": "Withdraw change"}, DecideChangeForm,
    facts=_requested, danger={"approve": "People sign in this way immediately."},
)  # fmt: skip


@feature.post("/settings/sign-in/changes/<uuid:connection_change_id>", needs=permissions.CONNECTION, fresh=DECIDE)
def decide(connection_change_id: UUID) -> ResponseReturnValue:
    row, form, ended = queries.connection_change(connection_change_id), DecideChangeForm(), []
    verbs = {
        "approve": lambda: ended.append(connections.approve(row, seen=form.seen.data or "")),
        "reject": lambda: connections.reject(row, because=form.reason.data or ""),
        "withdraw": lambda: connections.withdraw(row),
    }
    verb = verbs.get(form.verb.data or "")
    if verb is None:
        raise Invalid("Choose approve, reject or withdraw.")
    if not accepted(form, verb):
        return _change_page(row, form, status=form.status)
    if any(ended):
        return page("foundation/people/sign_in_changed.html", slug=current.actor().tenant_slug)
    flash({"approve": "The change is live.", "reject": "The change is rejected. People sign in as before.",
           "withdraw": "The change is withdrawn. People sign in as before."}[form.verb.data or ""])  # fmt: skip
    return redirect(url_for("connections.index"), 303)


# ---- the operator invites a new tenant's first admin


@operator_feature.get("/tenants/<slug>/first-admin", needs=tenant_permissions.FOUND)
def first_admin(slug: str) -> ResponseReturnValue:
    tenant = _untouched(slug)
    return _first_admin_page(tenant, FirstAdminForm(**_first_admin_filled(tenant)))


def _first_admin_page(tenant: Tenant, form: FirstAdminForm, *, status: int = 200) -> ResponseReturnValue:
    with transaction(read_only=True, tenant_id=tenant.id):
        is_set_up = queries.connection() is not None
    return page("foundation/people/first_admin.html", status=status, new=tenant, form=form, is_set_up=is_set_up, callback=callback_address(tenant.slug),
                public=current_app.config["PUBLIC_URL"])  # fmt: skip


def _first_admin_filled(tenant: Tenant) -> dict[str, Any]:
    """What was set before, for correcting it."""
    with transaction(read_only=True, tenant_id=tenant.id):
        live, invited = queries.connection(), queries.open_invitations()
        if live is None:
            return {}
        return {"issuer": live.issuer, "client_id": live.client_id, "domains": " ".join(tenants.domains_of(tenant.id)),
                "verifies_addresses": live.verifies_addresses, "email": invited[0].email if invited else ""}  # fmt: skip


def _untouched(slug: str) -> Tenant:
    """A tenant that nobody has signed in to: from then on its own admins decide, and no operator."""
    tenant = tenants.tenant_by_slug(slug)
    if tenant is None or tenant.kind != "customer":
        raise NotFound("There is no such tenant.")
    with transaction(read_only=True, tenant_id=tenant.id):
        touched = queries.has_signed_in()
    if touched:
        raise NotFound(f"{tenant.name} has its own sign-in. Its admins change it.")
    return tenant


FIRST_ADMIN = StepUp("Invite first admin", FirstAdminForm, facts=lambda slug: [("Tenant", _untouched(slug).name)])


@operator_feature.post("/tenants/<slug>/first-admin", needs=tenant_permissions.FOUND, fresh=FIRST_ADMIN)
def invite_first_admin(slug: str) -> ResponseReturnValue:
    """Sent again it corrects: another connection, another first admin, or the same one who is written to again."""
    tenant, form, operator = _untouched(slug), FirstAdminForm(), current.actor()

    def act() -> None:
        connections.set_up(settings_in(form, {}, enforced=True), secret=form.secret.data or None)
        tenant_actions.set_domains(tenant, form.wanted_domains)
        for earlier in queries.open_invitations():
            actions.withdraw(earlier, how="the operator corrected the set-up")
        actions.invite(form.email.data or "", "admin", tenant_name=tenant.name, link=sign_in_address(tenant.slug))

    with current.acting_as(system_actor.visiting(operator, tenant)), transaction():
        done = accepted(form, act)
    return redirect("/operator/", 303) if done else _first_admin_page(tenant, form, status=422)
