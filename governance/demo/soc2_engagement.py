"""Acme's SOC 2 engagement with Halden & Co.

acme(…) yields the steps: the engagement is opened and its auditors get access. Its ten
requests are accepted, returned, provided or open, and one is overdue. Days count back from
today.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from uuid import UUID

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.auditors import access as auditor_access
from governance.assurance.engagements.requests import actions as requesting
from governance.assurance.engagements.requests import attachment_queries, responses
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.frameworks import queries as frameworks
from governance.demo.story import StoryEvent

FIRM, AUDITOR = "Halden & Co", ("Harriet Lowe", "auditor@audit.example")
BY_LINK = ("Nora Field", "nora.field@halden.example")
OPENED, BEGINS, ASKED, ASSIGNED, CLOSES = 24, 21, 20, 19, -21  # days ago
REQUESTS = (
    ("Access reviews of the period, with revoked access", "CC6.2, CC6.3", 14, "anna"),
    ("Penetration test report and remediation", "CC4.1, CC7.1", 14, "anna"),
    (
        "Members with their roles, at the end of each quarter",
        "CC6.1, CC6.3",
        13,
        "anna",
    ),
    ("Approvals of policy changes", "CC5.3, CC8.1", 12, "officer"),
    ("Backup restore tests", "A1.2, A1.3", 10, "officer"),
    ("Incidents of the period and their reviews", "CC7.3, CC7.4", 10, "anna"),
    ("Model changes with their tests", "CC8.1", 4, "anna"),
    ("Contracts with model vendors", "CC9.2", -3, "jun"),
    ("Training of claims adjusters", "CC1.4", -6, "anna"),
    ("How the audit log is checked, and by which role", "CC7.2", -9, None),
)
ANSWERED = (
    (0, 17, "anna"),
    (1, 16, "anna"),
    (2, 16, "anna"),
    (3, 15, "officer"),
    (4, 12, "officer"),
    (5, 12, "anna"),
)
EVIDENCE = (  # evidence that answers the first six requests, by its title
    ("Reviewed access list", "List of removals"),
    ("Penetration test report", "Remediation of findings"),
    ("Members and roles, collected by Meridian", "Comparison of accounts with the staff list"),
    ("Policy changes with approvals, collected by Meridian", "List of changes to the policy"),
    ("Record of the restore", "Backups and restores, collected by Meridian"),
    ("List of incidents", "Record of the exercise"),
)
type Ago = Callable[[int], date]


@dataclass(slots=True)
class Story:
    """State that later steps need from earlier ones."""

    engagement: UUID | None = None
    requests: tuple[UUID, ...] = ()


def acme(person: Callable[[str], UUID], ago: Ago) -> Iterator[StoryEvent]:
    """Yield the steps. `person` returns the id of a part, `ago` the day a number of days ago."""
    story = Story()
    yield StoryEvent(ago(OPENED), "officer", partial(_open, story, ago))
    yield StoryEvent(ago(ASKED), "auditor", partial(_ask, story, ago))
    yield StoryEvent(ago(ASSIGNED), "officer", partial(_assign, story, person), 9)
    for number, day, part in ANSWERED:
        yield StoryEvent(
            ago(day),
            part,
            partial(_provide, story, number, 0, "" if number else "Both reviews, as closed."),
            11,
        )
    yield StoryEvent(ago(14), "auditor", partial(_accept, story, 0, "Complete for the period."))
    yield StoryEvent(ago(13), "auditor", partial(_accept, story, 1, ""))
    yield StoryEvent(
        ago(13),
        "auditor",
        partial(_return, story, 2, "The list of the second quarter is missing."),
        12,
    )
    yield StoryEvent(
        ago(12),
        "anna",
        partial(_say, story, 2, "It was filed under another title. I've attached it now."),
        15,
    )
    yield StoryEvent(ago(11), "anna", partial(_provide, story, 2, 1, ""), 9)
    yield StoryEvent(
        ago(9), "auditor", partial(_accept, story, 2, "Thank you. All four quarters are there.")
    )
    yield StoryEvent(
        ago(8),
        "auditor",
        partial(
            _return,
            story,
            5,
            "The review of the second incident doesn't state a cause. Please add it.",
        ),
    )
    yield StoryEvent(
        ago(7),
        "anna",
        partial(_say, story, 5, "The review meeting is this week. I'll add the record afterwards."),
        16,
    )
    yield StoryEvent(
        ago(2), "auditor", partial(_say, story, 3, "Which of these loosened a policy?"), 11
    )


def _open(story: Story, ago: Ago) -> None:
    today = ago(0)
    number = today.year * 12 + today.month - 12
    held = actions.open_engagement(
        FIRM,
        framework_id=frameworks.framework("soc2-tsc-2017").id,
        period_from=date(number // 12, number % 12 + 1, 1),
        period_to=today,
        fieldwork_from=ago(BEGINS),
        fieldwork_to=ago(0) + timedelta(days=-CLOSES),
    )
    story.engagement = held.id
    for (name, email), way in ((AUDITOR, "sso"), (BY_LINK, "link")):
        auditor_access.add_auditor(
            held,
            name=name,
            email=email,
            way=way,
            address="http://127.0.0.1/auditor/acme",
            sign_in="http://127.0.0.1/login",
        )


def _ask(story: Story, ago: Ago) -> None:
    held = queries.engagement(_known(story))
    story.requests = tuple(
        requesting.add_request(held, title=title, criteria=criteria.split(","), due_on=ago(due)).id
        for title, criteria, due, _owner in REQUESTS
    )


def _assign(story: Story, person: Callable[[str], UUID]) -> None:
    for number, (_title, _criteria, _due, owner) in enumerate(REQUESTS):
        held, asked = request_queries.request(_known(story), story.requests[number], lock=True)
        requesting.assign_request(
            held, asked, owner_id=person(owner) if owner else None, due_on=asked.due_on
        )


def _provide(story: Story, number: int, nth: int, said: str) -> None:
    """Attach the nth newest version of each evidence item to the request, and provide it."""
    held, asked = request_queries.request(_known(story), story.requests[number], lock=True)
    for title in EVIDENCE[number]:
        of_title = [
            version_id
            for version_id, says in attachment_queries.version_choices(held, title)
            if f": {title}, to " in says
        ]
        for version_id in of_title[nth : nth + 1]:
            responses.attach_version(held, asked, version_id)
    responses.provide_response(held, asked, said=said)


def _accept(story: Story, number: int, said: str) -> None:
    responses.accept_response(
        *request_queries.request(_known(story), story.requests[number], lock=True), said=said
    )


def _return(story: Story, number: int, reason: str) -> None:
    responses.return_response(
        *request_queries.request(_known(story), story.requests[number], lock=True), reason=reason
    )


def _say(story: Story, number: int, text: str) -> None:
    responses.add_comment(
        *request_queries.request(_known(story), story.requests[number], lock=True), text
    )


def _known(story: Story) -> UUID:
    if story.engagement is None:
        raise LookupError("the engagement is not open yet")
    return story.engagement
