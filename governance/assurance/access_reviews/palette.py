"""Access reviews in search, by title."""

from typing import Any

from governance.assurance.access_reviews.models import AccessReview
from governance.kernel.manifest import IndexedSearch, SearchText


def _text(row: Any) -> SearchText:
    return SearchText("", row.title)


access_reviews = IndexedSearch(
    kind="access review",
    model=AccessReview,
    reads=("title",),
    text=_text,
    endpoint="access_reviews.review",
    address=lambda row_id, _ref, _parent: {"access_review_id": row_id},
)
