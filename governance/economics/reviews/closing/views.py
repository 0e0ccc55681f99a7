"""The operator's pages of months: list, close, accept a residual, settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for

from governance.economics.costs import queries as costs
from governance.economics.reviews import permissions, queries, review_frame
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.closing import residual_actions, settings_actions
from governance.economics.reviews.forms import AcceptForm, SettingsForm
from governance.economics.reviews.models import Review
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.months import Month, month_of
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("review_months", __name__, scope="operator")
MONTHS_SHOWN = 24


@dataclass(frozen=True, slots=True)
class ListedMonth:
    """A month that is over, with its review if there is one."""

    month: Month
    review: Review | None

    @property
    def state(self) -> tuple[str, str]:
        """The shape and label of the status badge."""
        if self.review is None:
            return "none", "Not closed"
        if self.review.problem is not None:
            return "bad", "Stopped"
        if self.review.reopened is not None:
            return "due", "Reopened"
        if self.review.late:
            return "due", "Inputs changed since"
        return ("ok", "Closed") if self.review.is_closed else ("open", "Closing")

    @property
    def can_close(self) -> bool:
        """Whether a person may request its close now."""
        return self.review is None or not self.review.is_ready


@feature.get("/economics/months", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show the months that are over, the newest first, and the settings of the close."""
    return _page(SettingsForm(data=_settings()))


def _page(form: SettingsForm) -> ResponseReturnValue:
    return page(
        "economics/reviews/months.html",
        status=form.status if form.problems else 200,
        months=_months(),
        form=form,
        settings=queries.settings(),
    )


def _settings() -> dict[str, object]:
    found = queries.settings()
    return {"close_day": found.close_day, "limit_percent": found.residual_limit * 100}


def _months() -> Sequence[ListedMonth]:
    """Return the months from the first with a bill or a review to the last that is over.

    At most MONTHS_SHOWN, the newest first.
    """
    reviews = {each.its_month: each for each in queries.reviewed_months()}
    last = month_of(zone_periods(), clock.now()).plus(-1)
    billed = costs.months_with_costs()
    first = min([*reviews, *(billed[:1] if billed else ()), last])
    months = [last.plus(-back) for back in range(MONTHS_SHOWN)]
    return [ListedMonth(each, reviews.get(each)) for each in months if each >= first]


@feature.post("/economics/months/<month>/close", needs=permissions.CLOSE)
def close(month: str) -> ResponseReturnValue:
    """Close a month that is over, or retry its close."""
    asked = review_frame.parse_month(month)
    close_actions.request_close(asked)
    return redirect(url_for("reviews.month", month=str(asked)), 303)


@feature.route(
    "/economics/months/<month>/residual", needs=permissions.CLOSE, methods=["GET", "POST"]
)
def accept_residual(month: str) -> ResponseReturnValue:
    """Request another person's acceptance of the residual that stopped a close."""
    asked, form = review_frame.parse_month(month), AcceptForm()
    review = queries.review_of(asked)
    if request.method == "POST" and accepted(
        form, lambda: residual_actions.ask(review, form.reason.data or "")
    ):
        flash("Another person was asked to accept the residual.")
        return redirect(url_for("review_months.index"), 303)
    return page(
        "economics/reviews/accept_residual.html",
        status=form.status if form.problems else 200,
        review=review,
        month_name=asked.long_name,
        form=form,
    )


@feature.post("/economics/months/settings", needs=permissions.CLOSE)
def settings() -> ResponseReturnValue:
    """Save the day of the close and the residual limit."""
    form = SettingsForm()
    if accepted(form, lambda: settings_actions.save_settings(form.day, form.limit)):
        flash("Settings saved.")
        return redirect(url_for("review_months.index"), 303)
    return _page(form)
