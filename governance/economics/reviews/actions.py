"""Comments, actions with an owner and a due date, and scenarios of a review."""

from datetime import date
from uuid import UUID

from governance.economics.reviews import permissions, queries
from governance.economics.reviews.models import (
    Review,
    ReviewAction,
    ReviewComment,
    ReviewScenario,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as people
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety.access import require

COMMENTED = action(
    "review.commented",
    "commented on a review",
    target="Review",
    activity="create",
    severity="informational",
    fields="month revision",
)
PLANNED = action(
    "review.action.planned",
    "planned an action of a review",
    target="ReviewAction",
    activity="create",
    severity="informational",
    fields="month title due_on",
)
DONE = action(
    "review.action.done",
    "finished an action of a review",
    target="ReviewAction",
    activity="update",
    severity="informational",
    fields="title",
    shape="ok",
)
SAVED = action(
    "review.scenario.saved",
    "saved a scenario",
    target="ReviewScenario",
    activity="update",
    severity="informational",
    fields="month name",
)
DELETED = action(
    "review.scenario.deleted",
    "deleted a scenario",
    target="ReviewScenario",
    activity="delete",
    severity="informational",
    fields="month name",
)

MAX_BODY_LENGTH = 5000
MAX_TITLE_LENGTH = 200
MAX_SCENARIOS = 20  # per month


def add_comment(review: Review, body: str) -> ReviewComment:
    """Add a comment to the newest revision."""
    require(permissions.DISCUSS)
    text = _checked(body, MAX_BODY_LENGTH, "body", "Write a comment.")
    made = ReviewComment(
        review_id=review.id, revision=review.revision, person_id=current.person_id(), body=text
    )
    session().add(made)
    record(COMMENTED, review, month=review.month, revision=review.revision)
    return made


def add_action(review: Review, title: str, owner_id: UUID, due_on: date) -> ReviewAction:
    """Plan an action. Its owner must be a member of the operator's team."""
    require(permissions.DISCUSS)
    text = _checked(title, MAX_TITLE_LENGTH, "title", "Say what is to be done.")
    if people.membership_of(owner_id) is None:
        raise Invalid("Choose a member of your team.", field="owner_id")
    if due_on < clock.today():
        raise Invalid("Choose a date from today on.", field="due_on")
    made = ReviewAction(
        review_id=review.id,
        title=text,
        owner_id=owner_id,
        due_on=due_on,
        done_at=None,
        done_by=None,
    )
    session().add(made)
    session().flush()
    record(PLANNED, made, month=review.month, title=text, due_on=due_on)
    return made


def finish_action(found: ReviewAction) -> None:
    """Mark an action as done. Idempotent."""
    require(permissions.DISCUSS)
    session().refresh(found, with_for_update=True)
    if found.done_at is not None:
        return
    found.done_at, found.done_by = clock.now(), current.person_id()
    record(DONE, found, title=found.title)


def save_scenario(review: Review, name: str, assumptions: dict[str, object]) -> ReviewScenario:
    """Save a scenario, replacing one with the same name."""
    require(permissions.DISCUSS)
    text = _checked(name, MAX_TITLE_LENGTH, "name", "Name the scenario.")
    lock_tenant("review scenarios")
    every = queries.scenarios(review.id)
    found = next((each for each in every if each.name == text), None)
    if found is None:
        if len(every) >= MAX_SCENARIOS:
            raise DomainError(f"A month has at most {MAX_SCENARIOS} scenarios. Delete one first.")
        found = ReviewScenario(
            review_id=review.id, name=text, assumptions={}, person_id=current.person_id()
        )
        session().add(found)
    found.assumptions, found.person_id = dict(assumptions), current.person_id()
    session().flush()
    record(SAVED, found, month=review.month, name=text)
    return found


def delete_scenario(review: Review, found: ReviewScenario) -> None:
    """Delete a scenario."""
    require(permissions.DISCUSS)
    record(DELETED, found, month=review.month, name=found.name)
    session().delete(found)


def _checked(text: str, longest: int, field: str, missing: str) -> str:
    found = text.strip()
    if not found:
        raise Invalid(missing, field=field)
    if len(found) > longest:
        raise Invalid(f"Use {longest:,} characters or fewer.", field=field)
    return found
