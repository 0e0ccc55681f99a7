"""Email the people who have to act before an incident's deadline passes, once per deadline."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from governance.assurance.incidents import deadlines
from governance.assurance.incidents.clocks import UNFINISHED, Clock, duration_text
from governance.assurance.incidents.models import DeadlineReminder, Incident
from governance.assurance.incidents.states import LIVE
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import members
from governance.kernel import clock, current
from governance.kernel.config import public_address
from governance.kernel.data.db import session
from governance.kernel.formatting import moment
from governance.kernel.work import outbox

REMINDED = action(
    "incident.reminder.sent",
    "reminded people of a deadline of an incident",
    target="Incident",
    activity="update",
    severity="informational",
    fields="ref clock due_at people",
)
EARLIEST = timedelta(hours=24)
LAST_PART = 4  # The last quarter of a period, at most 24 hours.


def remind() -> int:
    """Send the reminders that are due in the acting tenant. Return the number of deadlines."""
    found = session().scalars(select(Incident).where(Incident.state.in_(LIVE))).all()
    if not found:
        return 0
    r = DeadlineReminder
    query = select(r.incident_id, r.clock, r.due_at).where(
        r.incident_id.in_([each.id for each in found])
    )
    sent = {tuple(row) for row in session().execute(query)}
    every = deadlines.clocks_of_many(found)
    count = 0
    for incident in found:
        for each in every[incident.id]:
            if is_near(each) and (incident.id, each.key, each.due_at) not in sent:
                _remind(incident, each)
                count += 1
    return count


def is_near(of: Clock) -> bool:
    """Check whether the deadline is near enough, or past, so that people are notified."""
    if of.due_at is None or of.state not in UNFINISHED:
        return False
    ahead = min(EARLIEST, (of.due_at - of.started_at) / LAST_PART)
    return clock.now() >= of.due_at - ahead


def _remind(incident: Incident, of: Clock) -> None:
    if of.due_at is None:
        return
    session().add(
        DeadlineReminder(
            incident_id=incident.id, clock=of.key, due_at=of.due_at, created_at=clock.now()
        )
    )
    left = of.due_at - clock.now()
    when = f"in {duration_text(left)}" if left > timedelta(0) else "already past"
    link = f"{public_address()}/t/{current.actor().tenant_slug}/incidents/{incident.id}"
    to = list(_addresses(incident, of))
    for address in to:
        outbox.send_mail(
            address,
            f"{incident.ref}: {of.verb} by {moment(of.due_at)}",
            f"{of.name} of {incident.ref} is due {moment(of.due_at)}, {when}. To do: {of.verb}.\n\n"
            f"{link}\n\nMeridian reminds you once for each deadline.\n",
        )
    record(REMINDED, incident, ref=incident.ref, clock=of.name, due_at=of.due_at, people=len(to))


def _addresses(incident: Incident, of: Clock) -> Iterable[str]:
    """Return the addresses of the incident's roles, plus compliance officers if a law sets the
    deadline.
    """
    roles: set[UUID | None] = {incident.lead_id, incident.communications_id}
    return (
        each.email
        for each in members()
        if each.person_id in roles or (of.kind == "statutory" and each.role == "compliance_officer")
    )
