"""Pages of policy versions: in force on a day, published, compared, rolled back, and drafts."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.kernel import clock, formatting
from governance.kernel.days import parse_day
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.policies import draft_actions, permissions, queries, tier_table
from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    read_content,
)
from governance.operations.policies.forms import RollbackForm
from governance.operations.policies.models import OPEN
from governance.operations.policies.navigation import policy_tabs
from governance.operations.policies.page_context import (
    DAY,
    feature,
    preview_context,
    summaries,
    system_named,
    visible_approval,
)
from governance.operations.policies.policy_diff import lines
from governance.operations.policies.ports import setting_figures

# ---- in force, by system


@feature.get("/policies/in-force", needs=permissions.VIEW)
def in_force() -> ResponseReturnValue:
    day = _day(request.args.get("at"))
    policy, draft = (
        (queries.current_policy(_end_of(day)), None) if day else queries.current_and_draft()
    )
    system = system_named(policy, request.args.get("system"))
    if system is None and "system" not in request.args and policy.systems:
        system = policy.systems[0]
    general, in_force_here = policy.effective(), policy.effective(system)
    return page(
        "operations/policies/in_force.html",
        policy=policy,
        system=system,
        day=day,
        tabs=policy_tabs(policy, "in force"),
        rulings=tier_table.rulings(policy, system),
        figures=setting_figures()(system, in_force_here) if system and not day else {},
        own={s.id: _own(policy, s, general) for s in policy.systems},
        open_too=draft,
        waivers=[w for w in policy.waivers if system and w.system_id == system.id],
    )


def _own(policy: EffectivePolicy, system: Governed, general: Mapping[str, Any]) -> int:
    """Count the settings in which a system differs from the general policy."""
    return sum(
        decided.value != general[key].value for key, decided in policy.effective(system).items()
    )


def _day(text: str | None) -> date | None:
    """Parse `at=YYYY-MM-DD` in the address. Raises Invalid for a future day or an invalid one."""
    if not text:
        return None
    day = parse_day(text, field="at")
    if day > clock.today():
        raise Invalid("Choose a past day, or today.", field="at")
    return day


def _end_of(day: date) -> datetime:
    end = datetime.combine(day + DAY, time(), formatting.tenant_zone()).astimezone(UTC) - timedelta(
        microseconds=1
    )
    return min(end, clock.now())


# ---- versions


@feature.get("/policies/versions", needs=permissions.VIEW)
def versions() -> ResponseReturnValue:
    found = queries.versions(after=request.args.get("after"), size=50)
    policy = queries.current_policy()
    more = url_for("policies.versions", after=found.next) if found.next else None
    return page(
        "operations/policies/versions.html",
        versions=found.rows,
        more=more,
        policy=policy,
        tabs=policy_tabs(policy, "versions"),
        row=queries.draft(),
        summaries=summaries(found.rows, policy.platform.tiers),
        first=request.args.get("after") is None,
        names=people.names(i for v in found.rows for i in (v.made_by, v.decided_by)),
    )


@feature.get("/policies/versions/<int:number>", needs=permissions.VIEW)
def version(number: int) -> ResponseReturnValue:
    return _version(number, RollbackForm())


def _version(number: int, form: RollbackForm, *, status: int = 200) -> ResponseReturnValue:
    against = request.args.get("against")
    row, before = queries.two_versions(number, None if against is None else counted(against))
    other = read_content(before.content) if before else Content()
    policy, draft = queries.current_policy(), queries.draft()
    differs = lines(other, read_content(row.content))
    systems = {each.id: each.key for each in policy.systems}
    form.seen.data = draft_actions.revision(draft)
    return page(
        "operations/policies/version.html",
        status=status,
        row=row,
        form=form,
        against=(before.number or 0) if before else 0,
        lines=differs,
        policy=policy,
        numbers=queries.numbers(policy),
        tabs=policy_tabs(policy, "versions"),
        draft=draft,
        names=people.names([row.made_by, row.decided_by]),
        tiers=policy.platform.tiers,
        systems=systems
        | queries.system_keys(
            each.system_id for each in differs if each.system_id and each.system_id not in systems
        ),
        moments=people.timeline([row.id]),
        approval=visible_approval(row) if row.decided_by else None,
    )


@feature.post("/policies/versions/<int:number>/back", needs=permissions.DRAFT)
def back(number: int) -> ResponseReturnValue:
    form = RollbackForm()
    if not accepted(
        form,
        lambda: draft_actions.rollback(
            number, seen=form.seen.data or "", reason=form.reason.data or ""
        ),
    ):
        return _version(number, form, status=form.status)
    flash(f"Draft created from version {number}. Review what it changes before you publish it.")
    return redirect(url_for("policies.index"), 303)


@feature.get("/policies/versions/<uuid:policy_version_id>", needs=permissions.VIEW)
def version_by_id(policy_version_id: UUID) -> ResponseReturnValue:
    """Show a draft or an unpublished version. A published one has a page by its number."""
    row = queries.policy_version(policy_version_id)
    if row.number:
        return redirect(url_for("policies.version", number=row.number), 303)
    policy = queries.current_policy()
    after = (
        policy.draft(read_content(row.content).within(policy.systems))
        if row.state in OPEN
        else None
    )
    return page(
        "operations/policies/unpublished_version.html",
        row=row,
        policy=policy,
        tabs=policy_tabs(policy, "tiers"),
        seen=preview_context(policy, after),
        names=people.names([row.made_by, row.decided_by]),
        revision=draft_actions.revision(row),
        approval=visible_approval(row),
        moments=people.timeline([row.id]),
    )


@feature.get("/policies/decisions/<uuid:policy_version_id>", needs=permissions.VIEW)
def decision(policy_version_id: UUID) -> ResponseReturnValue:
    """Redirect old links to the approval page, where a request is decided."""
    approval = visible_approval(queries.policy_version(policy_version_id))
    if approval is not None:
        return redirect(url_for("approvals.approval", approval_id=approval.id), 303)
    return redirect(url_for("policies.version_by_id", policy_version_id=policy_version_id), 303)
