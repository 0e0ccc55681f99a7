"""Pages of access reviews, under Settings."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from flask import flash, redirect, url_for

from governance.assurance.access_reviews import actions, permissions, queries, review_list
from governance.assurance.access_reviews.forms import ReviewDecisionsForm, StartReviewForm
from governance.assurance.access_reviews.models import AccessReview
from governance.assurance.access_reviews.review_list import REVIEW_ITEMS, REVIEWS
from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.kernel.errors import Invalid
from governance.kernel.files.downloads import FILE
from governance.kernel.formatting import plural
from governance.kernel.pages import bulk_pages
from governance.kernel.pages.bulk_pages import BulkAction
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import ROLE_NAMES
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import Form, accepted, submission, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.kernel.work.bulk import BulkColumn, BulkItem

feature = Feature("access_reviews", __name__)
DEFAULT_DURATION = timedelta(days=14)


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
        tallies=queries.decided_counts(ids),
        total=queries.count_reviews(),
    )


def _names(reviews: Sequence[AccessReview]) -> dict[UUID, str]:
    return people.names(i for r in reviews for i in (r.started_by, r.closed_by))


@feature.get("/settings/access-reviews/export.csv", needs=permissions.REVIEW, answers=FILE)
def export_reviews() -> ResponseReturnValue:
    """Export the filtered list."""
    asked = REVIEWS.read()
    pages = every_page(
        lambda after: queries.reviews(
            asked.criteria, sort=asked.sort, after=after, size=ROWS_PER_READ
        )
    )
    rows = (review_list.review_cells(reviews, _names(reviews)) for reviews in pages)
    return csv_file(f"access-reviews-{clock.today()}", review_list.REVIEWS_CSV_HEADER, rows, asked)


@feature.get("/settings/access-reviews/new", needs=permissions.REVIEW)
def start_form() -> ResponseReturnValue:
    today = clock.today()
    return _start_page(
        StartReviewForm(
            title=f"Access review, Q{(today.month + 2) // 3} {today.year}",
            due_on=today + DEFAULT_DURATION,
        )
    )


def _start_page(form: StartReviewForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "assurance/access_reviews/start.html",
        form=form,
        members=len(queries.memberships()),
        keys=len(queries.live_keys()),
        reviewers=len(queries.reviewers()),
        status=status,
    )


@feature.post("/settings/access-reviews/new", needs=permissions.REVIEW)
def start() -> ResponseReturnValue:
    form, made = StartReviewForm(), list[AccessReview]()
    if not accepted(
        form,
        lambda: made.append(actions.start_review(form.title.data or "", due_on=form.due_on.data)),
    ):
        return _start_page(form, status=form.status)
    return redirect(url_for("access_reviews.review", access_review_id=made[0].id), 303)


@feature.get("/settings/access-reviews/<uuid:access_review_id>", needs=permissions.REVIEW)
def review(access_review_id: UUID) -> ResponseReturnValue:
    return _review_page(queries.review(access_review_id), ReviewDecisionsForm())


def _review_page(found: AccessReview, form: Form, *, status: int = 200) -> ResponseReturnValue:
    asked, every = (
        REVIEW_ITEMS.read(place={"access_review_id": found.id}),
        queries.reviewed_access(found.id),
    )
    matching = review_list.matching_items(every, asked)
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
        tally=queries.review_progress(every),
        names=people.names(acted),
        chosen=_chosen_decisions(),
        moments=people.timeline([found.id]),
    )


def _confirms_less_access() -> bool:
    """Check whether the form confirms a revocation or downgrade, which needs a fresh sign-in."""
    return bulk_pages.is_confirmed() and bool(set(_chosen_decisions().values()) - {"keep"})


def _decisions(access_review_id: UUID) -> list[tuple[str, str]]:
    chosen = _chosen_decisions()
    rows = {row.item.id: row.name for row in queries.reviewed_access(access_review_id)}
    return [
        (rows.get(item, "Unknown item"), _decision_name(choice)) for item, choice in chosen.items()
    ]


DECIDE = StepUp(
    "Save decisions",
    ReviewDecisionsForm,
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
    """Preview decisions, then save them: one per item, or with `all` one for the selected items.

    Confirming a revocation or downgrade needs a fresh sign-in.
    """
    found, form, chosen = (
        queries.review(access_review_id),
        ReviewDecisionsForm(),
        _chosen_decisions(),
    )
    if not chosen:
        form.form_errors.append("Choose a decision for at least one item.")
        return _review_page(found, form, status=form.status)
    if bulk_pages.is_confirmed() and bulk_pages.confirmed() != chosen.keys():
        raise Invalid(
            "The items differ from the ones you previewed, so nothing was saved. Choose the"
            " decisions again."
        )
    takes_away = set(chosen.values()) != {"keep"}
    action = BulkAction(
        noun="decision",
        title="Preview decisions",
        head="Person or key",
        columns=(DECISION,),
        find=partial(_bulk_items, found, chosen),
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
    back = REVIEW_ITEMS.read(place={"access_review_id": found.id}).address()
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
    "decision", "Decision", lambda values: {value: _decision_name(value) for value in values}
)


def _decision_name(decision: str | None) -> str:
    fixed = {None: "Not decided", "keep": "Keep", "revoke": "Revoke"}
    return (
        fixed.get(decision)
        or f"Downgrade to {ROLE_NAMES.get(decision or '', decision or '').lower()}"
    )


def _bulk_items(
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
            actions.why_not_decide(found, row, chosen[row.item.id]),
        )
        for row in queries.reviewed_access(found.id, ids, lock=lock)
    ]


def _chosen_decisions() -> dict[UUID, str]:
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
    found, form = queries.review(access_review_id, lock=True), ReviewDecisionsForm()
    if not accepted(form, lambda: actions.close_review(found)):
        return _review_page(queries.review(access_review_id), form, status=form.status)
    flash(
        f"{found.title} closed and saved as evidence. Another person must review that evidence"
        " before it counts."
    )
    return redirect(url_for("access_reviews.review", access_review_id=found.id), 303)


@feature.get(
    "/settings/access-reviews/<uuid:access_review_id>/export.csv",
    needs=permissions.REVIEW,
    answers=FILE,
)
def export(access_review_id: UUID) -> ResponseReturnValue:
    found = queries.review(access_review_id)
    asked = REVIEW_ITEMS.read(place={"access_review_id": found.id})
    rows = review_list.matching_items(queries.reviewed_access(found.id), asked)
    names = people.names(row.item.decided_by for row in rows)
    return csv_file(
        f"access-review-{found.created_at.date()}",
        review_list.ITEMS_CSV_HEADER,
        [[review_list.csv_cells(row, names) for row in rows]],
        asked,
    )
