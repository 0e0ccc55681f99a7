"""Pages that compare the tiers of a tenant's policy, and preview a change to confirm."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import flash, redirect, request, url_for

from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.kernel import current, formatting
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.policies import (
    actions,
    draft_actions,
    permissions,
    queries,
    tier_table,
)
from governance.operations.policies.effective_policies import Content, EffectivePolicy
from governance.operations.policies.forms import PolicyChangeForm, PolicyDraftForm
from governance.operations.policies.models import PolicyVersion
from governance.operations.policies.navigation import policy_tabs
from governance.operations.policies.page_context import (
    feature,
    preview_context,
    summaries,
    visible_approval,
    working_content,
)
from governance.operations.policies.policy_diff import NOTHING_CHANGES, lines, with_tier


@dataclass(frozen=True, slots=True)
class DraftComparison:
    """The current policy, the open version, and the preview.

    The preview is the open version, or a tier on top of either.
    """

    before: EffectivePolicy
    row: PolicyVersion | None
    on: str  # Base of a previewed tier: draft | force
    tier: str | None
    after: EffectivePolicy | None

    @property
    def is_open(self) -> bool:
        """True if the preview is the open version itself."""
        return self.row is not None and self.tier is None


def _step(tier: str | None, on: str | None) -> DraftComparison:
    before, row = queries.current_policy(), queries.draft()
    on = (
        on
        if on in {"draft", "force"}
        else "draft"
        if row is None or row.state == "draft"
        else "force"
    )
    working = working_content(before, row if on == "draft" else None)
    if tier:
        content = with_tier(working, tier)
        draft_actions.check_content(Content(tier), before)
        is_same = not lines(before.content, content)
        return DraftComparison(before, row, on, tier, None if is_same else before.draft(content))
    return DraftComparison(
        before,
        row,
        on,
        None,
        before.draft(working_content(before, row)) if row is not None else None,
    )


@feature.get("/policies/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    step = _step(request.args.get("tier", "").strip()[:60] or None, request.args.get("on"))
    return _tiers(step, PolicyChangeForm())


def _tiers(
    step: DraftComparison, form: PolicyChangeForm, *, status: int = 200
) -> ResponseReturnValue:
    before, after, row = step.before, step.after, step.row
    if after is not None:
        form.tier.data, form.on.data = step.tier or "", step.on
        form.base.data, form.seen.data = str(before.number), draft_actions.revision(row)
        if not form.reason.data and step.is_open and row is not None:
            form.reason.data = row.reason
    recent = queries.versions(size=3).rows
    return page(
        "operations/policies/index.html",
        status=status,
        step=step,
        form=form,
        policy=before,
        row=row,
        tabs=policy_tabs(before, "tiers"),
        table=tier_table.table(before, after, draft=_draft_word(step)),
        seen=preview_context(before, after),
        recent=recent,
        summaries=summaries([*recent, *([row] if row else [])], before.platform.tiers),
        zone=str(formatting.zone()),
        names=people.names(
            [
                *(v.made_by for v in recent),
                *(v.decided_by for v in recent),
                row.made_by if row else None,
            ]
        ),
        me=current.actor().person_id,
        approval=_open_approval(row),
    )


def _open_approval(row: PolicyVersion | None) -> Approval | None:
    """Return the request for the open version while it awaits approval."""
    return visible_approval(row) if row is not None and row.state == "requested" else None


def _draft_word(step: DraftComparison) -> str:
    return (
        f"draft {step.before.number + 1}"
        if step.row is not None and step.tier is None
        else "preview"
    )


@feature.post("/policies/change", needs=permissions.DRAFT)
def change() -> ResponseReturnValue:
    form = PolicyChangeForm()
    step = _step((form.tier.data or "").strip() or None, form.on.data)
    seen, reason = form.seen.data or "", form.reason.data or ""
    if step.after is None:
        return _unchanged(step, form)
    content, at = step.after.content, _instant(form.apply_at.data)
    back_to = step.row.back_to if step.row is not None and step.is_open else None
    is_beside = step.on == "force" and step.row is not None and not step.is_open

    def act() -> None:
        match form.verb.data:
            case "apply":
                base, own = counted(form.base.data), None if is_beside else seen
                actions.tighten_now(content, base=base, reason=reason, seen=own, back_to=back_to)
            case "ask":
                actions.request_approval(content, seen=seen, reason=reason, apply_at=at)
            case "schedule":
                if at is None:
                    raise Invalid("Choose when it takes effect.", field="apply_at")
                actions.schedule(content, seen=seen, reason=reason, apply_at=at)
            case "draft":
                draft_actions.draft(content, seen=seen, reason=reason, back_to=back_to)
            case _:
                raise Invalid("Choose to publish, request, schedule or keep the draft.")

    if not accepted(form, act):
        return _tiers(_step(step.tier, step.on), form, status=form.status)
    row = queries.draft()
    flash(_done(form.verb.data or "", row))
    if (
        form.verb.data in {"ask", "schedule"}
        and row is not None
        and (approval := _open_approval(row)) is not None
    ):
        return redirect(url_for("approvals.approval", approval_id=approval.id), 303)
    return redirect(url_for("policies.index"), 303)


def _unchanged(step: DraftComparison, form: PolicyChangeForm) -> ResponseReturnValue:
    """Return the response to a form without a change: sent twice, or based on an older version."""
    if counted(form.base.data) < step.before.number:
        flash("This policy is already published.")
        return redirect(url_for("policies.index"), 303)
    form.refuse(actions.Unchanged(NOTHING_CHANGES))
    return _tiers(step, form, status=422)


def _done(verb: str, row: PolicyVersion | None) -> str:
    if verb == "apply":
        return "Policy published. It takes effect within a second."
    if row is not None and row.state == "scheduled" and row.apply_at is not None:
        return f"Policy scheduled. It takes effect on {formatting.short(row.apply_at)}."
    return (
        "Approval requested. Another admin or a compliance officer decides."
        if row is not None and row.state == "requested"
        else "Draft saved. Nothing is published yet."
    )


def _instant(local: datetime | None) -> datetime | None:
    """Convert a typed time of the tenant's time zone to UTC."""
    return local.replace(tzinfo=formatting.zone()).astimezone(UTC) if local is not None else None


@feature.post("/policies/draft/update", needs=permissions.DRAFT)
def update() -> ResponseReturnValue:
    """Rebase the draft onto the published version."""
    form = PolicyDraftForm()
    if not accepted(form, lambda: draft_actions.rebase(seen=form.seen.data or "")):
        flash(form.problems[0][1], "error")
    return redirect(url_for("policies.index"), 303)


@feature.post("/policies/draft/withdraw", needs=permissions.DRAFT)
def drop() -> ResponseReturnValue:
    form, row = PolicyDraftForm(), queries.draft()
    if (
        row is not None
        and draft_actions.revision(row) == form.seen.data
        and accepted(form, lambda: draft_actions.withdraw(row))
    ):
        flash("Draft withdrawn. The current policy stays.")
    elif row is not None:
        flash(
            "Someone else edited the draft while you had it open. Review it, then try again.",
            "error",
        )
    return redirect(url_for("policies.index"), 303)
