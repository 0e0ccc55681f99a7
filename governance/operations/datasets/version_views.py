"""Pages of a data set's versions: drafting, publishing, and comparing past ones."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.datasets import actions, content, permissions, queries
from governance.operations.datasets.content import VersionContent
from governance.operations.datasets.forms import PublishForm, VersionForm, values_of
from governance.operations.datasets.models import DataSet
from governance.operations.datasets.views import feature

AT = "/data-sets/<uuid:data_set_id>"


@feature.route(f"{AT}/draft", methods=["GET", "POST"], needs=permissions.EDIT)
def draft(data_set_id: UUID) -> ResponseReturnValue:
    """Describe the next version. It stays a draft until somebody publishes it."""
    found = queries.data_set(data_set_id, lock=request.method == "POST")
    actions.check_live(found)
    before = actions.draft_of(found)
    form = VersionForm(**values_of(before))

    def save() -> None:
        actions.save_draft(found, form.content(before), seen=counted(form.seen.data))

    if request.method == "POST" and accepted(form, save):
        flash(f"The draft of version {found.version + 1} is saved.")
        return redirect(url_for("datasets.publishing", data_set_id=found.id), 303)
    fresh = request.method == "GET" or form.stale
    return page(
        "operations/datasets/draft.html",
        status=form.status if request.method == "POST" else 200,
        data_set=found,
        form=form,
        seen=found.draft_revision if fresh else counted(form.seen.data),
    )


@feature.post(f"{AT}/draft/discard", needs=permissions.EDIT)
def discard(data_set_id: UUID) -> ResponseReturnValue:
    found = queries.data_set(data_set_id, lock=True)
    actions.discard_draft(found)
    flash("The draft was discarded.")
    return redirect(url_for("datasets.data_set", data_set_id=found.id), 303)


@feature.get(f"{AT}/publish", needs=permissions.VIEW)
def publishing(data_set_id: UUID) -> ResponseReturnValue:
    """Show the draft: its changes, missing fields, and effects on systems."""
    return _publish_page(queries.data_set(data_set_id), PublishForm())


def _publish_page(found: DataSet, form: PublishForm, *, status: int = 200) -> ResponseReturnValue:
    published, next_one = queries.published_version(found), actions.draft_of(found)
    before = VersionContent.of(published) if published is not None else VersionContent()
    return page(
        "operations/datasets/publish.html",
        status=status,
        data_set=found,
        has_draft=bool(found.draft),
        changes=content.differences(before, next_one),
        missing=content.missing(next_one),
        labels=content.LABELS,
        outlook=queries.outlook(found, next_one),
        uses=queries.uses(found.id),
        form=form,
    )


@feature.post(f"{AT}/publish", needs=permissions.PUBLISH)
def publish(data_set_id: UUID) -> ResponseReturnValue:
    found, form = queries.data_set(data_set_id, lock=True), PublishForm()

    def act() -> None:
        actions.publish(
            found, seen=counted(form.seen.data), change_note=form.change_note.data or ""
        )

    if not accepted(form, act):
        return _publish_page(found, form, status=form.status)
    flash(f"Version {found.version} of {found.name} published.")
    return redirect(url_for("datasets.data_set", data_set_id=found.id), 303)


@feature.get(f"{AT}/versions/<int:number>", needs=permissions.VIEW)
def version(data_set_id: UUID, number: int) -> ResponseReturnValue:
    """Show a published version, and its differences from the one before or from `against`."""
    found = queries.data_set(data_set_id)
    every = queries.versions(found.id)
    chosen = queries.version(found, number)
    against = _against(chosen.number, request.args.get("against", ""))
    other = next((each for each in every if each.number == against), None)
    changes: list[Any] = []
    if other is not None:
        changes = content.differences(VersionContent.of(other), VersionContent.of(chosen))
    return page(
        "operations/datasets/version.html",
        data_set=found,
        version=chosen,
        versions=every,
        other=other,
        changes=changes,
        shown=content.shown(VersionContent.of(chosen)),
        LABELS=content.LABELS,
        names=people.names([chosen.published_by]),
    )


def _against(number: int, sent: str) -> int:
    """Return the version to compare with: the requested one, or the one before."""
    if not sent:
        return number - 1
    asked = counted(sent)
    if asked < 1:
        raise Invalid("Choose a version to compare with.", field="against")
    return asked
