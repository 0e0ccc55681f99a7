"""Pages for samples, their items and results, and the sample sizes."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.evidence.history import timeline_entries
from governance.assurance.testing import (
    exception_queries,
    permissions,
    sample_actions,
    sample_queries,
)
from governance.assurance.testing.forms import (
    ANSWER_WORDS,
    SampleResultForm,
    SampleSizesForm,
    result_form_for,
)
from governance.assurance.testing.models import Sample, SampleItem
from governance.assurance.testing.sampling import (
    BANDS,
    DEFAULT_TABLE,
    METHOD,
    spaced_seed,
)
from governance.assurance.testing.views import feature
from governance.foundation.people.aliases import shown_names
from governance.kernel.errors import Invalid
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.pages.step_pages import Steps
from governance.kernel.safety.access import allowed
from governance.kernel.web.forms import accepted, counted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue

SIZE_FIELDS = {
    "yearly": "yearly",
    "half_yearly": "half-yearly",
    "quarterly": "quarterly",
    "monthly": "monthly",
    "weekly": "weekly",
    "daily": "daily",
}
BAND_FIELDS = ("up_to_25", "to_100", "to_250", "over_250")


@feature.get("/evidence/type-ii/samples/<uuid:sample_id>", needs=permissions.VIEW)
def sample(sample_id: UUID) -> ResponseReturnValue:
    return _sample(sample_id)


def _sample(
    sample_id: UUID, form: SampleResultForm | None = None, *, status: int = 200
) -> ResponseReturnValue:
    sample, population, control = sample_queries.sample(sample_id)
    items = sample_queries.items(sample.id)
    progress = next(s for s in sample_queries.samples(control.id) if s.sample.id == sample.id)
    return page(
        "assurance/testing/sample.html",
        status=status,
        s=sample,
        p=population,
        control=control,
        items=items,
        progress=progress,
        method=METHOD,
        spaced=spaced_seed,
        form=form or _result_form(sample, control.id),
        names=shown_names([sample.drawn_by, *(v.result.tested_by for v in items if v.result)]),
        timeline=timeline_entries([sample.id]),
    )


def _result_form(sample: Sample, control_id: UUID) -> SampleResultForm:
    form = result_form_for(sample.attributes)()
    form.evidence_version_id.choices = [("", "None"), *sample_queries.version_choices(control_id)]
    return form


def _checks(sample: Sample, form: SampleResultForm) -> dict[str, str]:
    return {name: form[f"a{n}"].data or "" for n, name in enumerate(sample.attributes)}


@feature.post("/evidence/type-ii/samples/<uuid:sample_id>/results", needs=permissions.TEST)
def record_results(sample_id: UUID) -> ResponseReturnValue:
    """Record the same result for every selected item."""
    sample, _, control = sample_queries.sample(sample_id)
    form = _result_form(sample, control.id)
    selected_ids = {uuid_or_none(i) for i in request.form.getlist("ids")}
    items = [v.item for v in sample_queries.items(sample.id) if v.item.id in selected_ids]
    if len(items) != len(selected_ids):
        raise Invalid(
            "A selected item isn't in this sample. Nothing was recorded; select the items again."
        )
    if not accepted(
        form,
        lambda: sample_actions.record_results(
            items,
            _checks(sample, form),
            note=form.note.data or "",
            evidence_version_id=form.evidence_version_id.data or None,
        ),
    ):
        return _sample(sample_id, form, status=form.status)
    flash(f"Results recorded for {len(items)} of {plural(sample.size, 'item')}.")
    return redirect(url_for("testing.sample", sample_id=sample.id), 303)


@feature.get("/evidence/type-ii/items/<uuid:sample_item_id>", needs=permissions.VIEW)
def item(sample_item_id: UUID) -> ResponseReturnValue:
    return _item(sample_item_id)


def _item(
    sample_item_id: UUID, form: SampleResultForm | None = None, *, status: int = 200
) -> ResponseReturnValue:
    item = sample_queries.item(sample_item_id)
    of, population, control = sample_queries.sample(item.sample_id)
    results = sample_queries.results(item.id)
    steps = _steps(item)
    return page(
        "assurance/testing/item.html",
        status=status,
        item=item,
        s=of,
        p=population,
        control=control,
        results=results,
        steps=steps,
        exception=exception_queries.exception_of_item(item.id),
        form=form or _result_form(of, control.id),
        names=shown_names(r.tested_by for r in results),
        versions=dict(sample_queries.version_choices(control.id)),
        may_record=not results or allowed(permissions.REPLACE, on=results[0]),
        words=ANSWER_WORDS,
    )


def _steps(item: SampleItem) -> Steps:
    """Return the item's position in its sample, and the next untested item.

    The search for the next item continues from the start of the sample.
    """
    views = sample_queries.items(item.sample_id)
    at = next(n for n, view in enumerate(views) if view.item.id == item.id)
    order = [*views[at + 1 :], *views[:at]]
    untested = [view.item for view in order if view.result is None]
    return Steps(
        noun="item",
        number=item.number,
        total=len(views),
        previous=_address(views[at - 1].item) if at else None,
        next=_address(views[at + 1].item) if at + 1 < len(views) else None,
        left=sum(view.result is None for view in views),
        left_word="untested",
        open=_address(untested[0]) if untested else None,
        open_label="Next untested item",
    )


def _address(item: SampleItem) -> str:
    return url_for("testing.item", sample_item_id=item.id)


@feature.post("/evidence/type-ii/items/<uuid:sample_item_id>", needs=permissions.TEST)
def record_result(sample_item_id: UUID) -> ResponseReturnValue:
    item = sample_queries.item(sample_item_id)
    of, _, control = sample_queries.sample(item.sample_id)
    form = _result_form(of, control.id)
    if not accepted(
        form,
        lambda: sample_actions.record_result(
            item,
            _checks(of, form),
            note=form.note.data or "",
            evidence_version_id=form.evidence_version_id.data or None,
        ),
    ):
        return _item(sample_item_id, form, status=form.status)
    found = exception_queries.exception_of_item(item.id)
    flash(
        f"The result of item {item.number} is recorded."
        + (
            f" It opened exception {found.ref}."
            if found and sample_queries.results(item.id)[0].outcome == "failed"
            else ""
        )
    )
    following = _steps(item).open
    if following is None:
        flash(f"Every item of the sample is tested: {of.size} of {of.size}.")
    return redirect(following or url_for("testing.sample", sample_id=of.id), 303)


@feature.route("/evidence/type-ii/sizes", methods=["GET", "POST"], needs=permissions.MANAGE)
def sizes() -> ResponseReturnValue:
    sizes, row = sample_queries.sample_sizes(), sample_queries.stored_sample_sizes()
    shown = {name: sizes.by_cadence[cadence] for name, cadence in SIZE_FIELDS.items()}
    form = SampleSizesForm(
        **shown,
        **dict(zip(BAND_FIELDS, sizes.per_event, strict=True)),
        number=row.number if row else 0,
    )
    if request.method == "POST" and accepted(form, lambda: _set_sizes(form)):
        flash("New samples use these sizes. Existing samples keep theirs.")
        return redirect(url_for("testing.sizes"), 303)
    if form.stale:
        form.number.data = str(row.number if row else 0)
    return page(
        "assurance/testing/sizes.html",
        form=form,
        row=row,
        house=DEFAULT_TABLE,
        bands=BANDS,
        names=shown_names([row.changed_by] if row else []),
        status=form.status if request.method == "POST" else 200,
    )


def _set_sizes(form: SampleSizesForm) -> None:
    by_cadence = {cadence: form[name].data for name, cadence in SIZE_FIELDS.items()}
    sample_actions.set_sample_sizes(
        by_cadence,
        [form[name].data for name in BAND_FIELDS],
        reason=form.reason.data or "",
        number=counted(form.number.data),
    )
