"""A process that stores a batch and is killed before it commits, for test_clickhouse.py."""

import os
import signal
from datetime import datetime

from sqlalchemy import event

from governance.economics.usage import event_stores, usage_events
from governance.economics.usage.usage_events import UsageEvent
from governance.kernel import clock, current
from governance.kernel.data import db
from governance.operations.systems.models import AISystem


def write_and_die(
    url: str,
    clickhouse: str,
    who: current.Actor,
    body: bytes,
    now: datetime,
    is_killed: bool,
) -> None:
    """Store the events of `body`, and send SIGKILL to the commit that follows their insertion."""
    db.connect(url)
    event_stores.use(clickhouse)
    if is_killed:
        event.listen(db.engine(), "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    with clock.frozen(now), current.acting_as(who), db.transaction():
        write(usage_events.read(body).events)
    os._exit(0)


def write(events: list[UsageEvent]) -> None:
    systems = {each.key: each.id for each in db.session().query(AISystem)}
    event_stores.store().write(events, systems, "Europe/Berlin")
