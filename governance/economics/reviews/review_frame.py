"""The frame that all tabs of a review share: month, revision, other months, and tabs.

load(month)             the frame; raises NotFound if the month has no figures yet
amounts(currency)       functions with which templates format money
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from flask import request, url_for

from governance.economics.formulas.money import (
    MINUS,
    money,
    round_to,
    short_money,
    unit_money,
    whole_money,
)
from governance.economics.reviews import figures, queries
from governance.economics.reviews.closing import awaited_sign_offs
from governance.economics.reviews.closing.awaited_sign_offs import SignOffSide
from governance.economics.reviews.models import Review
from governance.economics.reviews.queries import ReviewView
from governance.kernel.errors import NotFound
from governance.kernel.months import Month

TABS = {
    "reviews.month": "Review",
    "review_tabs.adoption": "Adoption",
    "operator_review_tenants.tenants": "Tenants",
    "reviews.reconciliation": "Reconciliation and allocation",
    "review_tabs.scenarios": "What-if",
    "review_tabs.actions": "Actions",
    "review_tabs.inputs": "Inputs and formulas",
}


@dataclass(frozen=True, slots=True)
class ReviewFrame:
    """A revision of a month, with the data that the frame of its pages shows."""

    view: ReviewView
    months: Sequence[Review]
    counts: queries.TabCounts
    sides: Sequence[SignOffSide]

    @property
    def month_name(self) -> str:
        return figures.month_name(self.view.review.month)

    @property
    def signers(self) -> list[UUID | None]:
        """The people that pages name: those who signed off, and those who closed a request."""
        refused = [each.request.closed_by for each in self.sides if each.request]
        return [*(each.person_id for each in self.view.sign_offs), *refused]

    @property
    def own_side(self) -> SignOffSide | None:
        """The side that awaits the current user's sign-off."""
        return awaited_sign_offs.own_side(self.sides)


def parse_month(text: str) -> Month:
    """Parse the month of a URL. Raises NotFound if it isn't one."""
    try:
        return Month.parse(text)
    except ValueError:
        raise NotFound("This month has no review.") from None


def load(month: Month) -> ReviewFrame:
    """Return the month with the revision in the query string. Raises NotFound."""
    asked = request.args.get("revision", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 6 else None  # noqa: PLR2004 - digits
    view = queries.review(month, number)
    return ReviewFrame(
        view,
        queries.reviewed_months(),
        queries.tab_counts(view.review.id),
        awaited_sign_offs.sides(view),
    )


def context(frame: ReviewFrame, tab: str) -> dict[str, Any]:
    """Return the values of templates/economics/reviews/frame.html around a tab."""
    view = frame.view
    revision = None if view.is_newest else view.revision.number
    counts = {
        "operator_review_tenants.tenants": len(view.facts.tenants),
        "review_tabs.scenarios": _counted(frame.counts.scenarios, "scenario"),
        "review_tabs.actions": f"{frame.counts.open_actions} open"
        if frame.counts.open_actions
        else None,
    }
    return {
        "frame": frame,
        "view": view,
        "facts": view.facts,
        "month": view.review.month,
        "fmt": amounts(view.facts.currency),
        "figure": figures,
        "months": [
            (figures.month_name(each.month), url_for("reviews.month", month=each.month))
            for each in frame.months
        ],
        "tabs": [
            {
                "label": label,
                "href": url_for(name, month=view.review.month, revision=revision),
                "current": name == tab,
                "count": counts.get(name),
            }
            for name, label in TABS.items()
        ],
    }


def _counted(count: int, noun: str) -> str | None:
    return f"{count} {noun if count == 1 else noun + 's'}" if count else None


def amounts(currency: str) -> dict[str, Callable[..., str]]:
    """Return functions for templates: exact, whole, short, unit and plain amounts."""
    return {
        "money": partial(money, currency=currency),
        "whole": partial(whole_money, currency=currency),
        "short": partial(short_money, currency=currency),
        "unit": partial(unit_money, currency=currency),
        "plain": plain,
    }


def plain(amount: Decimal, decimals: int = 0) -> str:
    """Return "3,120", with U+2212 if negative, for a column whose header names the currency."""
    rounded = round_to(amount, decimals) + 0  # turns -0 into 0
    return f"{rounded:,f}".replace("-", MINUS)
