"""A year of Acme's collected evidence, and its quarterly access reviews.

month_begins(…)   the first of a month: a drill, a check of the log, the collectors, and a person
                  who reviews what they collected; in transactions of its own
reviews(…)        two closed access reviews, one in progress, an unknown key, and sign-ins before
                  each; in the caller's transactions
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from governance.assurance.access_reviews import actions as reviewing
from governance.assurance.access_reviews import queries as campaigns
from governance.assurance.access_reviews.permissions import DECIDE
from governance.assurance.collectors import jobs as collecting
from governance.assurance.evidence import queries as shelf
from governance.assurance.evidence import review_queue, version_actions
from governance.demo import machine_keys, stops_and_drills
from governance.demo.story import StoryEvent
from governance.foundation.api_keys import actions as keys
from governance.foundation.api_keys import queries as key_queries
from governance.foundation.audit import fsck
from governance.foundation.logbook.jobs import check_log
from governance.foundation.people import oidc_types, session_actions, sessions
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Person
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.safety.access import allowed
from governance.kernel.work import jobs

SINCE = collecting.MAX_CATCH_UP
CHECKED = timedelta(days=100)  # when the monthly check of the log started
LOST_KEY = "batch importer"
STILL_TO_REVIEW = ("members", "tenant-isolation")  # of the newest month
type Part = Callable[[str], Actor]


def month_begins(
    part: Part, console: Actor, first: date, *, now: datetime, drills_since: date
) -> None:
    """Run what happens automatically on the first of a month, within the past year."""
    at, today = datetime.combine(first, time(6, 15), UTC), now.date()
    if first <= today - SINCE or at + timedelta(hours=3) > now:
        return
    if first > drills_since + timedelta(days=2):
        _drill(part, console, at)
    if first > today - CHECKED:
        _check(console, at + timedelta(hours=2))
    with clock.frozen(at + timedelta(hours=3)), current.acting_as(console):
        collecting.collect_due_of(console, since=today - SINCE)
        jobs.drain(actor_of, of=console.tenant_id)
    newest = (first + timedelta(days=32)).replace(day=1) > today
    with (
        clock.frozen(min(at + timedelta(days=1, hours=4), now)),
        current.acting_as(part("jun")),
        transaction(),
    ):
        _review(but=STILL_TO_REVIEW if newest else ())


def _check(console: Actor, at: datetime) -> None:
    with clock.frozen(at), current.acting_as(console):
        report = check_log()
        with transaction():
            fsck.record_outcome(report)


def _drill(part: Part, console: Actor, at: datetime) -> None:
    with current.acting_as(console):
        key_id = machine_keys.key_id("claims-triage")
    pace = 0.7 + (at.month % 4) / 10
    stops_and_drills.tell_drill(
        part("officer"),
        part("jun"),
        console,
        at=at,
        key_id=key_id,
        feature="auto-approve",
        pace=pace,
    )


def _review(but: tuple[str, ...]) -> None:
    """Accept the collected evidence. Some items of the newest month stay pending."""
    for _, held in review_queue.queue_page({}, size=1000).rows:
        version, evidence = shelf.find_version(held.version_id, lock=True)
        if held.uploaded_by is None and not (version.filename or "").startswith(but or "\0"):
            version_actions.accept(version, evidence)


# ---- access reviews


def reviews(ago: Callable[[int], date]) -> Iterator[StoryEvent]:
    """Yield three quarterly access reviews.

    The first finds and revokes an unknown key, the second keeps all access, and this quarter's
    is half done.
    """
    yield StoryEvent(ago(205), "admin", lambda: keys.create(LOST_KEY, ("audit:read",)), 15)
    for days in (187, 97, 11, 8):
        for hour, part in enumerate(("admin", "officer", "jun", "anna"), 8):
            if (days + hour) % 3:
                yield StoryEvent(ago(days), part, _signs_in, hour)
    for days, revoked in ((183, True), (92, False)):
        yield StoryEvent(ago(days), "officer", _begun(ago(days)), 9)
        yield StoryEvent(ago(days - 3), "officer", _decided(without_lost=revoked), 14)
        if revoked:  # by an admin who didn't create it
            yield StoryEvent(ago(days - 3), "rosa", _revoke_lost, 15)
        yield StoryEvent(ago(days - 5), "admin", _rest, 9)
        yield StoryEvent(ago(days - 5), "officer", _closed, 11)
        yield StoryEvent(ago(days - 6), "jun", _accepted, 10)
    yield StoryEvent(ago(6), "officer", _begun(ago(6)), 9)
    yield StoryEvent(ago(3), "jun", _half, 15)


def _begun(day: date) -> Callable[[], object]:
    title = f"Access review, Q{(day.month + 2) // 3} {day.year}"

    def act() -> None:
        for key in key_queries.live():
            if key.name != LOST_KEY:
                keys.record_use(replace(current.actor(), key_id=key.id))
        reviewing.start_review(title, due_on=day + timedelta(days=14))

    return act


def _signs_in() -> None:
    """Sign in and out, because a review shows when each member last signed in."""
    person = session().get(Person, current.person_id())
    if person is None:
        raise LookupError(current.actor().name)
    at = clock.now().timestamp()
    identity = oidc_types.Identity(
        person.issuer, person.subject, person.email, True, person.name, (), None, at, ""
    )
    token = sessions.new_token()
    started = session_actions.start_session(
        person,
        identity,
        token=token,
        browser="Firefox",
        network="203.0.113.0/24",
        fresh=False,
        replaces=None,
    )
    session_actions.end_session(started, how="signed out")


def _open_rows() -> list[campaigns.ReviewedAccess]:
    review = campaigns.open_review()
    rows = campaigns.reviewed_access(review.id) if review else []
    return [row for row in rows if row.is_open and allowed(DECIDE, on=row)]


def _decided(*, without_lost: bool) -> Callable[[], object]:
    def act() -> None:
        kept = [row for row in _open_rows() if not (without_lost and row.name == LOST_KEY)]
        _decide({row.item.id for row in kept}, "keep")

    return act


def _revoke_lost() -> None:
    _decide(
        {row.item.id for row in _open_rows() if row.name == LOST_KEY},
        "revoke",
        "Created for an import that ended in spring. It hasn't been used for weeks.",
    )


def _rest() -> None:
    _decide({row.item.id for row in _open_rows()}, "keep")


def _half() -> None:
    rows = _open_rows()
    _decide({row.item.id for row in rows[: len(rows) // 2]}, "keep")


def _decide(ids: set[UUID], what: str, reason: str = "") -> None:
    review = campaigns.open_review()
    if review is not None and ids:
        reviewing.decide(review, dict.fromkeys(ids, what), reason=reason)


def _closed() -> None:
    review = campaigns.open_review()
    if review is not None:
        reviewing.close_review(review)


def _accepted() -> None:
    """Accept the filed review, as a person who neither closed it nor uploaded the file."""
    for _, held in review_queue.queue_page({}, size=1000).rows:
        version, evidence = shelf.find_version(held.version_id, lock=True)
        if version.source == "access review" and version.uploaded_by != current.actor().person_id:
            version_actions.accept(version, evidence)
