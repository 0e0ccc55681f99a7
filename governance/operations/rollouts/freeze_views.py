"""Pages of the freeze calendar."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.kernel.data.ids import uuid7
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted, instant_of, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.rollouts import freeze_actions, permissions, queries
from governance.operations.rollouts.forms import FreezeForm, RolloutStopForm
from governance.operations.rollouts.views import feature


@feature.get("/rollouts/freezes/", needs=permissions.VIEW)
def freezes() -> ResponseReturnValue:
    return _calendar(FreezeForm(once=str(uuid7())))


@feature.post("/rollouts/freezes/", needs=permissions.FREEZE)
def add_freeze() -> ResponseReturnValue:
    form = FreezeForm()
    freeze_id = uuid_or_none(form.once.data)
    if freeze_id is not None and queries.freeze_exists(freeze_id):
        return redirect(url_for("rollouts.freezes"), 303)

    def save() -> None:
        starts_at, ends_at = instant_of(form.starts_at.data), instant_of(form.ends_at.data)
        if starts_at and ends_at:
            freeze_actions.add_freeze(
                name=form.name.data or "",
                starts_at=starts_at,
                ends_at=ends_at,
                freeze_id=freeze_id,
            )

    if accepted(form, save):
        flash(f"The freeze “{form.name.data}” was added.")
        return redirect(url_for("rollouts.freezes"), 303)
    return _calendar(form, status=form.status)


def _calendar(form: FreezeForm, *, status: int = 200) -> ResponseReturnValue:
    coming, past = queries.freezes(), queries.past_freezes()
    now = clock.now()
    return page(
        "operations/rollouts/freezes.html",
        status=status,
        form=form,
        coming=[each for each in coming if each.end > now],
        past=past,
        in_effect=[each for each in coming if each.starts_at <= now],
        names=people.names(each.added_by for each in (*coming, *past)),
    )


@feature.route(
    "/rollouts/freezes/<uuid:rollout_freeze_id>/cancel",
    methods=["GET", "POST"],
    needs=permissions.FREEZE,
)
def cancel_freeze(rollout_freeze_id: UUID) -> ResponseReturnValue:
    found, form = queries.freeze(rollout_freeze_id), RolloutStopForm()
    if request.method == "POST" and accepted(
        form, lambda: freeze_actions.cancel_freeze(found, reason=form.reason.data or "")
    ):
        flash(f"The freeze “{found.name}” was cancelled.")
        return redirect(url_for("rollouts.freezes"), 303)
    return page(
        "operations/rollouts/cancel_freeze.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        freeze=found,
    )
