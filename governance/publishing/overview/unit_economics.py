"""The newest review on the operator's first page, for people who may see money."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from governance.economics.reviews import (
    conclusions,
    figures,
    permissions,
    queries,
    review_frame,
    review_page,
)
from governance.economics.reviews.closing import awaited_sign_offs
from governance.economics.reviews.models import Review
from governance.economics.reviews.queries import ReviewView
from governance.kernel.safety.access import allowed

MAX_LOSERS = 3
MAX_WAITING = 5


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """A blocker of a review. `shape` is due or bad."""

    shape: str
    text: str
    note: str
    href: str
    link: str


def newest_review() -> dict[str, Any] | None:
    """Return the newest review's panel.

    None before the first review, and for people without access.
    """
    if not allowed(permissions.VIEW):
        return None
    months = queries.reviewed_months()
    newest = next((each for each in months if each.is_closed), None)
    if newest is None:
        return None
    view = queries.review(newest.its_month)
    headlines = queries.headlines(view.month)
    losing = conclusions.losers(view.facts)
    return {
        "month": newest.month,
        "month_name": figures.month_name(newest.month),
        "title": conclusions.headline(view.facts, review_page.before_of(headlines, newest.month)),
        "figures": review_page.four_figures(view.facts, headlines),
        "losers": losing[:MAX_LOSERS],
        "more_losers": len(losing) - MAX_LOSERS,
        "currency": view.facts.currency,
        "fmt": review_frame.amounts(view.facts.currency),
        "waiting": [*_unsigned(view), *_months_waiting(months)][:MAX_WAITING],
    }


def _unsigned(view: ReviewView) -> Iterator[WaitingItem]:
    """Yield each side that hasn't signed the newest month."""
    sides = awaited_sign_offs.sides(view)
    own = awaited_sign_offs.own_side(sides)
    page = url_for("reviews.month", month=view.review.month)
    for each in sides:
        if each.is_awaited:
            yield WaitingItem(
                "due",
                f"{each.label} hasn't signed {view.month.long_name}",
                "You sign for this side" if each == own else f"Revision {view.revision.number}",
                page,
                "Open",
            )


def _months_waiting(months: Sequence[Review]) -> Iterator[WaitingItem]:
    """Yield months whose close stopped, were reopened, or have late inputs.

    A close stops, for example, if the residual is above the limit.
    """
    page = url_for("review_months.index")
    for each in months:
        name = each.its_month.long_name
        if each.problem is not None:
            yield WaitingItem("bad", f"{name} can't close yet", each.problem, page, "Months")
        elif each.reopened is not None:
            yield WaitingItem("due", f"{name} was reopened", each.reopened, page, "Months")
        elif each.late:
            changed = f"Changed: {', '.join(each.late)}"
            href = url_for("reviews.month", month=each.month)
            yield WaitingItem("due", f"Inputs of {name} changed since", changed, href, "Open")
