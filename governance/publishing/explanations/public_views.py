"""“Why am I seeing this?”, a public page for each AI system, and the same as JSON.

The sites that the tenant chooses may embed it, and it sets no cookie. Every wrong address gets the
same response, whether the tenant exists or not.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, g, jsonify, make_response, request

from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.public_addresses import tenant_of
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.publishing.explanations import queries
from governance.publishing.explanations.actions import ADDRESS
from governance.publishing.explanations.models import SystemExplanation
from governance.publishing.explanations.wording import VERDICTS, PublicExplanation, as_json

public = Feature("public_explanations", __name__, scope="public")
NOT_HERE = "This page doesn't exist."
CACHE = "public, max-age=60"


@contextmanager
def _opened(token: str) -> Iterator[tuple[SystemExplanation, PublicExplanation]]:
    """Open a public explanation in the tenant's transaction.

    Raises NotFound for any wrong token.
    """
    who = tenant_of(token, ADDRESS)
    if who is None:
        raise NotFound(NOT_HERE)
    with current.acting_as(who), transaction(read_only=True):
        tenant = tenants.tenant_by_id(who.tenant_id)
        found = queries.explanation_of_token(token)
        if found is None or tenant is None or tenant.status != "active":
            raise NotFound(NOT_HERE)
        yield found[0], queries.content(found[1])


@public.get("/public/systems/<token>", needs=PUBLIC)
def explanation(token: str) -> ResponseReturnValue:
    with _opened(token) as (found, content):
        g.frame_ancestors = " ".join(found.origins)
        answer = make_response(
            page(
                "publishing/explanations/public.html",
                content=content,
                address=f"/public/systems/{token}",
                VERDICTS=VERDICTS,
            )
        )
    return _cached(answer)


@public.get("/public/systems/<token>.json", needs=PUBLIC)
def as_data(token: str) -> ResponseReturnValue:
    """Return the explanation as JSON for programs of any site. It is public and reads no cookie."""
    with _opened(token) as (_found, content):
        answer = jsonify(as_json(content))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return _cached(answer)


def _cached(answer: Response) -> ResponseReturnValue:
    answer.headers["Cache-Control"] = CACHE
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.add_etag()
    return answer.make_conditional(request)
