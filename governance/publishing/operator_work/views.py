"""The pages of the installation's queues, jobs and disks, and of one work item."""

from pathlib import Path
from uuid import UUID

from flask import current_app, flash, redirect, request, url_for

from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel.data.db import within
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.publishing.operator_work import actions, key_ages, permissions, queries
from governance.publishing.operator_work.backup_records import newest_outcomes
from governance.publishing.operator_work.forms import WorkForm

feature = Feature("operator_work", __name__, scope="operator")


@feature.get("/work", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    settings = current_app.config["SETTINGS"]
    folders = [("Files of the console", settings.var)]
    if settings.storage_url.startswith("file:"):
        folders.append(("Stored objects", Path(settings.storage_url.removeprefix("file:"))))
    kinds, backups = queries.kinds_of_work(), newest_outcomes()
    return page(
        "publishing/operator_work/index.html",
        kinds=kinds,
        waiting_count=sum(each.waiting for each in kinds),
        running_count=sum(each.running for each in kinds),
        failed_count=sum(each.failed for each in kinds),
        failures=queries.failures(),
        waiting_work=queries.waiting(),
        jobs=queries.jobs(),
        disks=queries.disks(folders),
        keys=key_ages.count_by_state(),
        backups=list(backups.values()),
        database_bytes=queries.database_bytes(),
    )


@feature.get("/keys", needs=permissions.VIEW)
def keys() -> ResponseReturnValue:
    every, due, overdue = key_ages.count_by_state()
    return page(
        "publishing/operator_work/keys.html",
        keys=key_ages.listed(),
        every=every,
        due=due,
        overdue=overdue,
    )


@feature.get("/work/<uuid:item_id>", needs=permissions.MANAGE)
def item(item_id: UUID) -> ResponseReturnValue:
    return _item(item_id, WorkForm())


def _item(item_id: UUID, form: WorkForm, *, status: int = 200) -> ResponseReturnValue:
    tenant = queries.tenant_of_work(item_id)
    with within(system_actor_in(tenant.id, tenant.slug, tenant.name)):
        found = queries.work_item(item_id)
        shown = {
            "kind": found.kind,
            "state": found.state,
            "created_at": found.created_at,
            "started_at": found.started_at,
        }
    return page(
        "publishing/operator_work/item.html",
        status=status,
        t=tenant,
        form=form,
        item_id=item_id,
        work=shown,
    )


@feature.post("/work/<uuid:item_id>", needs=permissions.MANAGE)
def change(item_id: UUID) -> ResponseReturnValue:
    form, reason = WorkForm(), request.form.get("reason", "")
    retries = form.verb.data == "retry"
    act = actions.retry if retries else actions.cancel
    if not accepted(form, lambda: act(item_id, reason=reason)):
        return _item(item_id, form, status=form.status)
    flash("Queued again." if retries else "Cancelled.")
    return redirect(url_for("operator_work.index"), 303)
