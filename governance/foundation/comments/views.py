"""The discussion of an object, and the people to mention in it.

It has a page of its own and a part in the object's page.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.comments import actions, mentions, permissions, queries
from governance.foundation.comments.forms import CommentForm
from governance.foundation.comments.models import ObjectComment
from governance.foundation.comments.queries import Discussion
from governance.foundation.comments.subjects import CommentSubject, commented
from governance.kernel import current
from governance.kernel.pages.rendering import page
from governance.kernel.safety import access
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("comments", __name__)


@dataclass(frozen=True, slots=True)
class DiscussionPart:
    """The data that the discussion on an object's page draws."""

    kind: str
    subject_id: UUID
    found: Discussion
    form: CommentForm


@feature.app_template_global("discussion_of")
def discussion_of(kind: str, subject_id: UUID) -> DiscussionPart | None:
    """Return the discussion of the object that a page shows; None if the person may not read it."""
    if not access.allowed(permissions.VIEW):
        return None
    return DiscussionPart(kind, subject_id, queries.discussion(kind, subject_id), CommentForm(None))


@feature.get("/comments/<kind>/<uuid:subject_id>", needs=permissions.VIEW)
def discussion(kind: str, subject_id: UUID) -> ResponseReturnValue:
    return _discussion_page(*commented(kind, subject_id), CommentForm())


def _discussion_page(
    subject: CommentSubject, row: Any, form: CommentForm, *, status: int = 200
) -> ResponseReturnValue:
    before = request.args.get("before", "")
    found = queries.discussion(subject.kind, row.id, before=before or None)
    return page(
        "foundation/comments/page.html",
        status=status,
        about=DiscussionPart(subject.kind, row.id, found, form),
        noun=subject.noun,
        title=subject.title(row),
        back=_address(subject, row),
        is_newest=not before,
    )


def _address(subject: CommentSubject, row: Any) -> str:
    return f"/t/{current.actor().tenant_slug}/{subject.path(row)}"


@feature.post("/comments/<kind>/<uuid:subject_id>", needs=permissions.WRITE)
def post(kind: str, subject_id: UUID) -> ResponseReturnValue:
    subject, row = commented(kind, subject_id)
    form = CommentForm()
    if not accepted(form, lambda: actions.post(subject, row, form.text.data or "")):
        return _discussion_page(subject, row, form, status=form.status)
    return redirect(f"{_address(subject, row)}#discussion", 303)


@feature.get("/comments/<kind>/<uuid:subject_id>/people", needs=permissions.WRITE)
def people(kind: str, subject_id: UUID) -> ResponseReturnValue:
    """List the people to mention here; for the menu only its block `menu`."""
    subject, row = commented(kind, subject_id)
    return page(
        "foundation/comments/people.html",
        people=mentions.people(actions.readers(subject)),
        title=subject.title(row),
        back=url_for("comments.discussion", kind=kind, subject_id=subject_id),
        fragments=("menu",),
    )


# ---- one comment


def _own(comment_id: UUID, *, lock: bool = False) -> tuple[ObjectComment, CommentSubject, Any]:
    found = queries.comment(comment_id, lock=lock)
    return found, *commented(found.subject_kind, found.subject_id)


@feature.get("/comments/<uuid:comment_id>/history", needs=permissions.VIEW)
def history(comment_id: UUID) -> ResponseReturnValue:
    found, subject, row = _own(comment_id)
    [shown] = queries.as_shown([found])
    return page(
        "foundation/comments/history.html",
        comment=shown,
        revisions=queries.revisions(found),
        title=subject.title(row),
        back=_address(subject, row),
    )


@feature.get("/comments/<uuid:comment_id>/edit", needs=permissions.EDIT)
def editing(comment_id: UUID) -> ResponseReturnValue:
    found, subject, row = _own(comment_id)
    access.require(permissions.EDIT, on=found)
    form = CommentForm(text=mentions.typed(found.text, found.mentions))
    return _edit_page(found, subject, row, form)


def _edit_page(
    found: ObjectComment, subject: CommentSubject, row: Any, form: CommentForm, *, status: int = 200
) -> ResponseReturnValue:
    return page(
        "foundation/comments/edit.html",
        status=status,
        comment=found,
        form=form,
        kind=subject.kind,
        subject_id=row.id,
        title=subject.title(row),
        back=_address(subject, row),
        until=found.created_at + queries.EDIT_WINDOW,
    )


@feature.post("/comments/<uuid:comment_id>/edit", needs=permissions.EDIT)
def edit(comment_id: UUID) -> ResponseReturnValue:
    found, subject, row = _own(comment_id, lock=True)
    access.require(permissions.EDIT, on=found)
    form = CommentForm()
    if not accepted(form, lambda: actions.edit(subject, row, found, form.text.data or "")):
        return _edit_page(found, subject, row, form, status=form.status)
    return redirect(f"{_address(subject, row)}#discussion", 303)


@feature.post("/comments/<uuid:comment_id>/remove", needs=permissions.REMOVE)
def remove(comment_id: UUID) -> ResponseReturnValue:
    found, subject, row = _own(comment_id, lock=True)
    access.require(permissions.REMOVE, on=found)
    actions.remove(subject, row, found)
    flash("Comment removed. The discussion shows that you removed it.")
    return redirect(f"{_address(subject, row)}#discussion", 303)
