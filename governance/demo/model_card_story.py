"""The model card of policy-lookup, published today. That of claims-triage can't be published.

Nobody has described the findings and incidents of claims-triage for readers yet. The search
was repaired and evaluated today, and its stop was drilled. The officer describes what users
saw of each known failure, and two people publish the card.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from governance.demo import lookup_repair_story
from governance.demo.cast import Cast
from governance.demo.story import StoryStep
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import approval
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.operations.systems import queries as systems
from governance.publishing.model_cards import actions, record

SYSTEM = lookup_repair_story.SYSTEM
WRITTEN, PUBLISHED = timedelta(minutes=5), timedelta(minutes=4)  # before now
TEXTS: Mapping[str, tuple[str, str]] = {
    "finding": (
        "Clauses that were withdrawn",
        (
            "34 of 400 answers cited a clause that was no longer in force. The index is built again,"
            " and the clause is one of the cases of each evaluation from now on."
        ),
    ),
    "incident": (
        "A search index without the marks of withdrawn clauses",
        (
            "For 28 minutes searches returned clause 14.3 as if it were in force. The index is built"
            " again. We still look at what used its answers."
        ),
    ),
}


def steps(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return the steps after policy-lookup is repaired."""
    return [
        StoryStep(now - WRITTEN, partial(_write, cast)),
        StoryStep(now - PUBLISHED, partial(_publish, cast)),
    ]


def _write(cast: Cast) -> None:
    with current.acting_as(cast("officer")), transaction():
        system = systems.system(SYSTEM)
        for each in record.assembled(system).failures:
            title, text = TEXTS[each.kind]
            actions.write(system, each, title=title, text=text, seen=0)


def _publish(cast: Cast) -> None:
    """Request publication as Jun, and approve it as the officer."""
    with current.acting_as(cast("jun")), transaction():
        system = systems.system(SYSTEM)
        request_id = actions.request_approval(system, seen=record.assembled(system).digest).id
    with current.acting_as(cast("officer")), transaction():
        found = approval(request_id)
        approvals.approve(found, seen=fingerprint_seen(found))
