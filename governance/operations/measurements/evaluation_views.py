"""The page that makes an indicator count the cases of an evaluation."""

from uuid import UUID

from flask import redirect, url_for
from wtforms import SelectField
from wtforms.validators import InputRequired

from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.measurements import evaluation_feeds, permissions, queries
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.views import feature

AT = "/reliability/indicators/<uuid:indicator_id>/evaluation"


class FeedForm(Form):
    measure = SelectField(
        "Measure",
        [InputRequired("Choose a measure.")],
        choices=[],
        description="A share of cases. Each judged run adds its cases, at the minute in which it ended.",
    )


@feature.get(AT, needs=permissions.MANAGE)
def evaluation(indicator_id: UUID) -> ResponseReturnValue:
    """Show the indicator's current feed and its possible feeds."""
    found = queries.indicator(indicator_id)
    return _page(found, _form())


def _form() -> FeedForm:
    form = FeedForm()
    form.measure.choices = evaluation_feeds.choices()
    return form


def _page(found: Indicator, form: FeedForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "operations/measurements/evaluation.html",
        status=status,
        indicator=found,
        form=form,
        fed=evaluation_feeds.feed_of(found.id),
    )


@feature.post(AT, needs=permissions.MANAGE)
def feed_evaluation(indicator_id: UUID) -> ResponseReturnValue:
    found, form = queries.indicator(indicator_id, lock=True), _form()
    if not accepted(form, lambda: evaluation_feeds.feed(found, form.measure.data or "")):
        return _page(found, form, status=form.status)
    return redirect(url_for("indicators.indicator", indicator_id=found.key), 303)


@feature.post(f"{AT}/stop", needs=permissions.MANAGE)
def stop_evaluation(indicator_id: UUID) -> ResponseReturnValue:
    found = queries.indicator(indicator_id, lock=True)
    evaluation_feeds.stop(found)
    return redirect(url_for("indicators.indicator", indicator_id=found.key), 303)
