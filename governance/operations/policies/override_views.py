"""Pages that override one setting, for the tenant or for one AI system."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.kernel.errors import Invalid, NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.policies import draft_actions, permissions, queries, tier_table
from governance.operations.policies.dimensions import (
    DIMENSIONS,
    Dimension,
    Value,
    dimension,
    read,
)
from governance.operations.policies.effective_policies import Content
from governance.operations.policies.forms import OverrideForm, OverrideScopeForm
from governance.operations.policies.navigation import policy_tabs
from governance.operations.policies.page_context import feature, system_named, working_content
from governance.operations.policies.policy_diff import with_value, without_value, written


@feature.get("/policies/override", needs=permissions.DRAFT)
def pick() -> ResponseReturnValue:
    """Choose the setting and its scope. The value has its own page."""
    form = OverrideScopeForm()
    key, system_id = request.args.get("dimension", ""), uuid_or_none(request.args.get("system"))
    if key:
        return redirect(url_for("policies.override", key=dimension(key).key, system=system_id), 302)
    policy = queries.current_policy()
    return page(
        "operations/policies/override_scope.html",
        form=form,
        policy=policy,
        content=working_content(policy, queries.draft()),
        tabs=policy_tabs(policy, "in force"),
        systems={s.id: s for s in policy.systems},
    )


@feature.route("/policies/override/<key>", methods=["GET", "POST"], needs=permissions.DRAFT)
def override(key: str) -> ResponseReturnValue:
    """Set one value, for the tenant or for the system in the address, in the draft."""
    which, policy, row = _setting(key), queries.current_policy(), queries.draft()
    system = system_named(policy, request.args.get("system"))
    system_id = system.id if system else None
    content = working_content(policy, row)
    overridden = written(content, system_id).get(which.key)
    form = _override_form(which, overridden, draft_actions.revision(row))
    if request.method == "POST":

        def act() -> None:
            changed = _with_override(content, system_id, which, form)
            draft_actions.draft(changed, seen=form.seen.data or "")

        if accepted(form, act):
            flash("Saved to the draft. Review what it changes before you publish it.")
            return redirect(url_for("policies.index"), 303)
        form.seen.data = draft_actions.revision(row)
    decided = policy.effective(system)[which.key]
    return page(
        "operations/policies/override.html",
        form=form,
        which=which,
        system=system,
        overridden=overridden,
        decided=decided,
        layers=tier_table.layers(decided),
        policy=policy,
        row=row,
        tabs=policy_tabs(policy, "in force"),
        field=form[_field(which)],
        status=form.status if request.method == "POST" else 200,
    )


def _setting(key: str) -> Dimension:
    if key not in DIMENSIONS:
        raise NotFound(f"There is no setting {key[:60]}.")
    return DIMENSIONS[key]


def _field(which: Dimension) -> str:
    return (
        "level"
        if which.levels
        else "names"
        if which.join in {"intersection", "union"}
        else "number"
    )


def _override_form(which: Dimension, overridden: Value | None, seen: str) -> OverrideForm:
    shown = (
        ", ".join(sorted(overridden))
        if isinstance(overridden, frozenset)
        else None
        if overridden is None
        else str(overridden)
    )
    form = OverrideForm(seen=seen, **{_field(which): shown})
    form.level.choices = [(level.value, level.label) for level in which.levels]
    form[_field(which)].label.text = which.title
    return form


def _with_override(
    content: Content, system_id: UUID | None, which: Dimension, form: OverrideForm
) -> Content:
    if form.verb.data == "remove":
        return without_value(content, system_id, which.key)
    name = _field(which)
    try:
        value = read(which.key, form[name].data if form[name].data is not None else "")
    except Invalid as error:
        raise Invalid(error.message, field=name) from error
    return with_value(content, system_id, which.key, value)
