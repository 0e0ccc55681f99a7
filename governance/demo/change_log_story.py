"""Acme's published changes: one that Jun wrote and the officer published.

It also publishes the public facts about claims-triage. The other drafts are created by the job.
"""

from collections.abc import Callable, Iterator
from datetime import date

from governance.demo.story import StoryEvent
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.operations.systems import queries as systems
from governance.publishing.change_log import actions, queries
from governance.publishing.change_log.actions import ChangeText
from governance.publishing.explanations import actions as explanations

TITLE = "Claims triage explains each decision"


def acme(ago: Callable[[int], date]) -> Iterator[StoryEvent]:
    """Yield the steps."""
    yield StoryEvent(ago(21), "admin", actions.start)
    yield StoryEvent(ago(20), "jun", _write)
    yield StoryEvent(ago(19), "officer", _publish)
    yield StoryEvent(ago(18), "officer", _explain)


def _write() -> None:
    found = actions.write(
        ChangeText(
            kind="other",
            system_id=systems.system("claims-triage").id,
            title=TITLE,
            body="Each suggestion names the clauses of the policy that it rests on.\n\n"
            "You can open a clause from the suggestion.",
            effect="Check the clauses before you approve a claim. Nothing else changes for you.",
        )
    )
    actions.request_approval(found)


def _publish() -> None:
    found = next(row for row, _system in queries.page_of({"q": TITLE}).rows)
    request = queries.open_request(found)
    if request is None:
        raise LookupError(found.ref)
    approvals.approve(request, seen=fingerprint_seen(request))


def _explain() -> None:
    system = systems.system("claims-triage")
    explanations.switch_on(system)
    explanations.choose_origins(system, "https://claims.acme.example")
