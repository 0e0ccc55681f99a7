"""The AI systems that Acme's product teams propose.

A chat for brokers awaits a decision, photo retouching has untested safeguards, and a monitor
of emotions was rejected.
"""

from collections.abc import Callable, Iterator
from datetime import date

from governance.demo.story import StoryEvent
from governance.foundation.approvals import actions as approvals
from governance.operations.intake import actions, queries
from governance.operations.intake.actions import Draft

BROKER_CHAT = Draft(
    name="Broker chat",
    key="broker-chat",
    purpose="Answers brokers' questions about products and quotes, from the product documents.",
    users="Brokers of our partners; their customers read what brokers pass on.",
    answers={
        "regions": ["eu", "uk"],
        "role": "deployer",
        "audience": "business",
        "decides": "no",
        "autonomy": "advice",
        "data_used": ["confidential", "personal"],
        "area": "none",
        "safety": "no",
        "practices": ["none"],
        "contact": ["creates", "talks"],
        "safeguards": "none",
    },
)
PHOTO_RETOUCHING = Draft(
    name="Photo retouching",
    key="photo-retouching",
    purpose="Removes backgrounds and people from photos of damage, for the pages of a claim.",
    users="Claims handlers; people in the photos are affected.",
    answers={
        "regions": ["eu"],
        "role": "both",
        "audience": "employees",
        "decides": "no",
        "autonomy": "advice",
        "data_used": ["personal"],
        "area": "none",
        "safety": "no",
        "practices": ["none"],
        "contact": ["creates"],
        "safeguards": "untested",
    },
)
EMOTIONS = Draft(
    name="Call mood monitor",
    key="call-mood",
    purpose="Shows team leads the mood of agents during calls, from their voice.",
    users="Team leads of the claims hotline; agents are affected.",
    answers={
        "regions": ["eu"],
        "role": "deployer",
        "audience": "employees",
        "decides": "informs",
        "autonomy": "advice",
        "data_used": ["special"],
        "area": "4",
        "profiles": "yes",
        "task": "none",
        "safety": "no",
        "practices": ["f"],
        "contact": ["senses"],
        "service": "none",
    },
)
REASON = (
    "Reading emotions at work is prohibited. Propose an analysis of topics instead, without voices."
)


def acme(ago: Callable[[int], date]) -> Iterator[StoryEvent]:
    """Yield the steps."""
    yield StoryEvent(ago(26), "anna", lambda: actions.propose(EMOTIONS))
    yield StoryEvent(ago(24), "officer", _reject)
    yield StoryEvent(ago(3), "anna", lambda: actions.propose(BROKER_CHAT))
    yield StoryEvent(ago(2), "anna", lambda: actions.propose(PHOTO_RETOUCHING))


def _reject() -> None:
    found = next(
        each for each in queries.page_of({"state": "in_review"}).rows if each.key == EMOTIONS.key
    )
    request = queries.open_request(found)
    if request is None:
        raise LookupError(found.ref)
    approvals.reject(request, reason=REASON)
