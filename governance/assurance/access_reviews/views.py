"""The pages of access reviews, under the settings: the campaigns, and one with its rows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from flask import flash, redirect, url_for

from governance.assurance.access_reviews import actions, permissions, queries, review_list
from governance.assurance.access_reviews.forms import BeginForm, DecideForm
from governance.assurance.access_reviews.models import AccessReview
from governance.assurance.access_reviews.review_list import REVIEWS, ROWS
from governance.foundation.people import queries as people
from governance.kernel import bulk_pages, clock
from governance.kernel.access import ROLE_NAMES
from governance.kernel.bulk import BulkColumn, BulkItem
from governance.kernel.bulk_pages import BulkAction
from governance.kernel.downloads import FILE
from governance.kernel.errors import Invalid
from governance.kernel.feature import Feature
from governance.kernel.formatting import plural
from governance.kernel.forms import Form, accepted, submission, uuid_or_none
from governance.kernel.list_export import BATCH, csv_file, every_page
from governance.kernel.list_pages import one_page
from governance.kernel.pages import page
from governance.kernel.step_up import StepUp
from governance.kernel.web import ResponseReturnValue

feature = Feature("access_reviews", __name__)
USUAL = timedelta(days=14)


@feature.get("/settings/access-reviews/", needs=permissions.REVIEW)
def index() -> ResponseReturnValue:
    asked = REVIEWS.read()
    found, open_review = (
        queries.reviews(asked.criteria, sort=asked.sort, after=asked.after, size=REVIEWS.size),
        queries.open_review(),
    )
    ids = {*(r.id for r in found.rows), *([open_review.id] if open_review else [])}
    return page(
        "assurance/access_reviews/index.html",
        list_request=asked,
        reviews=found.rows,
        next=found.next,
        names=_names(found.rows),
        open=open_review,
        tallies=queries.tallies(ids),
        total=queries.count_reviews(),
    )


def _names(reviews: Sequence[AccessReview]) -> dict[UUID, str]:
    return people.names(i for r in reviews for i in (r.started_by, r.closed_by))


@feature.get("/settings/access-reviews/export.csv", needs=permissions.REVIEW, answers=FILE)
def export_reviews() -> ResponseReturnValue:
    """What is filtered, whole."""
    asked = REVIEWS.read()
    pages = every_page(
        lambda after: queries.reviews(asked.criteria, sort=asked.sort, after=after, size=BATCH)
    )
    rows = (review_list.review_cells(reviews, _names(reviews)) for reviews in pages)
    return csv_file(f"access-reviews-{clock.today()}", review_list.REVIEWS_HEAD, rows)


@feature.get("/settings/access-reviews/new", needs=permissions.REVIEW)
def beginning() -> ResponseReturnValue:
    today = clock.today()
    return _beginning(
        BeginForm(
            title=f"Access review, Q{(today.month + 2) // 3} {today.year}", due_on=today + USUAL
        )
    )


def _beginning(form: BeginForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "assurance/access_reviews/begin.html",
        form=form,
        members=len(queries.memberships()),
        keys=len(queries.live_keys()),
        reviewers=len(queries.reviewers()),
        status=status,
    )


@feature.post("/settings/access-reviews/new", needs=permissions.REVIEW)
def begin() -> ResponseReturnValue:
    form, made = BeginForm(), list[AccessReview]()
    if not accepted(
        form, lambda: made.append(actions.begin(form.title.data or "", due_on=form.due_on.data))
    ):
        return _beginning(form, status=form.status)
    return redirect(url_for("access_reviews.review", access_review_id=made[0].id), 303)


@feature.get("/settings/access-reviews/<uuid:access_review_id>", needs=permissions.REVIEW)
def review(access_review_id: UUID) -> ResponseReturnValue:
    return _review(queries.review(access_review_id), DecideForm())


def _review(found: AccessReview, form: Form, *, status: int = 200) -> ResponseReturnValue:
    asked, every = ROWS.read(place={"access_review_id": found.id}), queries.every_row(found.id)
    matching = review_list.matching(every, asked)
    shown = one_page(matching, asked, lambda row: str(row.item.id))
    rows = shown.rows
    file = queries.file_of(found.evidence_version_id) if found.evidence_version_id else None
    acted = [found.started_by, found.closed_by, *(row.item.decided_by for row in rows)]
    return page(
        "assurance/access_reviews/review.html",
        status=status,
        review=found,
        list_request=asked,
        rows=rows,
        next=shown.next,
        matching=len(matching),
        form=form,
        file=file,
        tally=queries.tally(every),
        names=people.names(acted),
        chosen=_chosen(),
        moments=people.timeline([found.id]),
    )


def _confirms_less_access() -> bool:
    """A preview needs no fresh sign-in; confirming what takes access away does."""
    return bulk_pages.is_confirmed() and bool(set(_chosen().values()) - {"keep"})


def _decisions(access_review_id: UUID) -> list[tuple[str, str]]:
    chosen = _chosen()
    rows = {row.item.id: row.name for row in queries.every_row(access_review_id)}
    return [(rows.get(item, "Unknown item"), _in_words(choice)) for item, choice in chosen.items()]


DECIDE = StepUp(
    "Save decisions",
    DecideForm,
    facts=_decisions,
    danger="Revoked and downgraded access changes immediately.",
    when=_confirms_less_access,
)


@feature.post(
    "/settings/access-reviews/<uuid:access_review_id>/decisions",
    needs=permissions.DECIDE,
    fresh=DECIDE,
)
def decide(access_review_id: UUID) -> ResponseReturnValue:
    """Preview, then decide: the choice of each row, or with `all` one choice for those that are
    selected.

    Confirming what takes access away needs a fresh sign-in.
    """
    found, form, chosen = queries.review(access_review_id), DecideForm(), _chosen()
    if not chosen:
        form.form_errors.append("Choose a decision for at least one item.")
        return _review(found, form, status=form.status)
    if bulk_pages.is_confirmed() and bulk_pages.confirmed() != chosen.keys():
        raise Invalid(
            "The items differ from the ones you previewed, so nothing was saved. Choose the decisions"
            " again."
        )
    takes_away = set(chosen.values()) != {"keep"}
    action = BulkAction(
        noun="decision",
        title="Preview decisions",
        head="Person or key",
        columns=(DECISION,),
        find=partial(_selected, found, chosen),
        stop=takes_away,
        apply=lambda changes: actions.decide(
            found,
            {c.item.id: c.after["decision"] for c in changes},
            reason=form.reason.data or "",
        ),
        verb=lambda count: (
            f"Save {plural(count, 'decision')}"
            if takes_away
            else f"Keep access for {plural(count, 'person or key', 'people or keys')}"
        ),
        done=lambda count: f"{plural(count, 'decision')} saved.",
        reasons=("reason",) if takes_away else (),
    )
    back = ROWS.read(place={"access_review_id": found.id}).address()
    return bulk_pages.run(
        action,
        form,
        lambda item: {"decision": chosen[item.id]},
        ids=chosen.keys(),
        back=back,
        crumbs=[
            ("Settings", None),
            ("Access reviews", url_for("access_reviews.index")),
            (found.title, back),
        ],
        fields={f"row-{item_id}": decision for item_id, decision in chosen.items()},
    )


DECISION = BulkColumn(
    "decision", "Decision", lambda values: {value: _in_words(value) for value in values}
)


def _in_words(decision: str | None) -> str:
    fixed = {None: "Not decided", "keep": "Keep", "revoke": "Revoke"}
    return (
        fixed.get(decision)
        or f"Downgrade to {ROLE_NAMES.get(decision or '', decision or '').lower()}"
    )


def _selected(
    found: AccessReview,
    chosen: Mapping[UUID, str],
    ids: Collection[UUID],
    lock: bool,  # noqa: FBT001 - BulkAction's signature
) -> list[BulkItem]:
    return [
        BulkItem(
            row.item.id,
            row.name,
            row.held,
            "",
            {"decision": row.item.role if row.item.decision == "lower" else row.item.decision},
            actions.why_not(found, row, chosen[row.item.id]),
        )
        for row in queries.every_row(found.id, ids, lock=lock)
    ]


def _chosen() -> dict[UUID, str]:
    sent = submission().fields
    if every := sent.get("all", ""):
        return {uuid_or_none(value) or UUID(int=0): every[:40] for value in sent.getlist("ids")}
    marked = (
        (name.removeprefix("row-"), value)
        for name, value in sent.items()
        if name.startswith("row-") and value
    )
    return {uuid_or_none(name) or UUID(int=0): value[:40] for name, value in marked}


@feature.post("/settings/access-reviews/<uuid:access_review_id>/closing", needs=permissions.REVIEW)
def close(access_review_id: UUID) -> ResponseReturnValue:
    found, form = queries.review(access_review_id, lock=True), DecideForm()
    if not accepted(form, lambda: actions.close(found)):
        return _review(queries.review(access_review_id), form, status=form.status)
    flash(
        f"{found.title} closed and saved as evidence. Another person must review that evidence before"
        " it counts."
    )
    return redirect(url_for("access_reviews.review", access_review_id=found.id), 303)


@feature.get(
    "/settings/access-reviews/<uuid:access_review_id>/export.csv",
    needs=permissions.REVIEW,
    answers=FILE,
)
def export(access_review_id: UUID) -> ResponseReturnValue:
    found = queries.review(access_review_id)
    rows = review_list.matching(
        queries.every_row(found.id), ROWS.read(place={"access_review_id": found.id})
    )
    names = people.names(row.item.decided_by for row in rows)
    return csv_file(
        f"access-review-{found.created_at.date()}",
        review_list.ROWS_HEAD,
        [[review_list.cells(row, names) for row in rows]],
    )
