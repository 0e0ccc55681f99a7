"""Helpers that start, decide and close access reviews."""

from datetime import timedelta

from governance.assurance.access_reviews import actions, queries
from governance.foundation.api_keys import actions as keys
from governance.kernel import clock
from governance.kernel.safety.access import known_scopes
from tests import make

REASON = "Left the claims team."


def start_review(by="compliance_officer", due=14):
    with make.acting(by):
        return actions.start_review("Q4", due_on=clock.today() + timedelta(days=due)).id


def create_key(name="mirror", by="admin"):
    with make.acting(by):
        return keys.create(name, [min(known_scopes)])[0].id


def review_item(review_id, role):
    """Return the row of a member of the test's world, or of the key of that name."""
    with make.acting("admin"):
        name = make.PEOPLE["acme", role][0] if ("acme", role) in make.PEOPLE else role
        return next(row.item.id for row in queries.reviewed_access(review_id) if row.name == name)


def decide_items(review_id, by, reason=REASON, **decisions):
    with make.acting(by):
        chosen = {review_item(review_id, who): what for who, what in decisions.items()}
        return actions.decide(queries.review(review_id), chosen, reason=reason)


def decide_all_but_own(review_id):
    others = dict.fromkeys(("admin", "reviewer", "contributor", "viewer", "auditor"), "keep")
    return decide_items(review_id, "compliance_officer", "", **others) + decide_items(
        review_id, "admin", "", compliance_officer="keep"
    )


def close_review(review_id, by="compliance_officer"):
    with make.acting(by):
        return actions.close_review(queries.review(review_id)).id
