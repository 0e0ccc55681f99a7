"""Closed months and their tabs in the command palette: "October 2026 review"."""

from collections.abc import Iterator, Sequence

from flask import url_for
from sqlalchemy import select

from governance.economics.reviews import figures, permissions
from governance.economics.reviews.models import Review
from governance.economics.reviews.review_frame import TABS
from governance.kernel.data.db import session
from governance.kernel.manifest import Hit
from governance.kernel.safety.access import allowed

KIND = "review"
MAX_MONTHS = 120


def closed_months(text: str) -> Iterator[Hit]:
    """Yield each tab of a closed month that matches every word of the text.

    Review tabs come first, then other tabs, each with the newest month first. Examples: `october
    review`, `2026-10`, `october reconciliation`.
    """
    if not allowed(permissions.VIEW):
        return
    words = text.lower().split()
    months = _months()
    tabs = list(TABS.items())
    for chosen in (tabs[:1], tabs[1:]):
        for month in months:
            for endpoint, tab in chosen:
                label = _label(month, tab)
                if all(word in f"{month} {label}".lower() for word in words):
                    yield Hit(label, KIND, url_for(endpoint, month=month))


def _label(month: str, tab: str) -> str:
    name = figures.month_name(month)
    return f"{name} review" if tab == "Review" else f"{name} review: {tab.lower()}"


def _months() -> Sequence[str]:
    query = select(Review.month).where(Review.revision > 0).order_by(Review.month.desc())
    return session().scalars(query.limit(MAX_MONTHS)).all()
