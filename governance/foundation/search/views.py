"""The page of search results, for everybody; it works without JavaScript."""

from collections.abc import Iterator
from typing import Any

from flask import request, url_for

from governance.foundation.people import permissions
from governance.foundation.search import finding
from governance.foundation.search.finding import Findings
from governance.kernel.pages.rendering import page
from governance.kernel.pages.search_words import MAX_TYPED_LENGTH, typed
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("search", __name__)
PER_KIND = 5
OF_ONE_KIND = 100
MAX_KIND_LENGTH = 40


@feature.get("/search", needs=permissions.OWN)
def results() -> ResponseReturnValue:
    """Show what was found by kinds, or more of one kind."""
    text = " ".join(request.args.get("q", "")[:MAX_TYPED_LENGTH].split())
    kind = request.args.get("kind", "")[:MAX_KIND_LENGTH]
    found = finding.find(typed(text), text, per_kind=OF_ONE_KIND if kind else PER_KIND)
    shown = [group for group in found.kinds if group.kind == kind] if kind else found.kinds
    return page(
        "foundation/search/results.html",
        text=text,
        kind=kind,
        found=found,
        shown=shown,
        chips=list(_chips(found, text, kind)),
        everything=url_for("search.results", q=text),
    )


def _chips(found: Findings, text: str, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the kinds that were found, as links that show one of them alone."""
    for group in found.kinds:
        yield {
            "label": f"{group.many[:1].upper()}{group.many[1:]}",
            "count": group.count,
            "href": url_for("search.results", q=text, kind=group.kind),
            "current": group.kind == kind,
            "kind": group.kind,
        }
