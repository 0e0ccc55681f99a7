"""Comments of Acme's people on controls: questions, mentions, one question without an answer."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from uuid import UUID

from governance.assurance.controls import queries
from governance.assurance.controls.discussions import CONTROL
from governance.demo.story import StoryEvent
from governance.foundation.comments import actions
from governance.foundation.people.queries import membership_of

COMMENTS = (  # days ago, author, control, text, person mentioned
    (6, "officer", "SEC-04", "{} does the new test include the claims API?", "jun"),
    (
        5,
        "jun",
        "SEC-04",
        "It does, since September. {} please add the scope to the evidence item.",
        "anna",
    ),
    (
        1,
        "officer",
        "SEC-04",
        "{} the auditors start with this control. Is the scope there by Friday?",
        "anna",
    ),
)


def acme(
    controls: Mapping[str, UUID], person: Callable[[str], UUID], ago: Callable[[int], date]
) -> Iterator[StoryEvent]:
    """Yield the steps. `controls` must be filled before they run."""
    for days, part, ref, text, mentioned in COMMENTS:
        step = partial(_comment, controls, person, ref, text, mentioned)
        yield StoryEvent(ago(days), part, step, 14)


def _comment(
    controls: Mapping[str, UUID], person: Callable[[str], UUID], ref: str, text: str, mentioned: str
) -> None:
    control = queries.find_control(controls[ref])
    actions.post(CONTROL, control, text.format(mention_of(person(mentioned))))


def mention_of(person_id: UUID) -> str:
    """Return the text that mentions a person, or an empty one for a former member."""
    member = membership_of(person_id)
    return f"@{member.person.email}" if member else ""
