"""Words shared by the approvals of switches."""

from datetime import datetime
from typing import Any

from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.kernel.formatting import ago


def person_name(person_id: Any) -> str:
    return people.names([person_id]).get(person_id, "a former member")


def sentence_start(what: str) -> str:
    """Return the name for the start of a sentence; a slug stays as it is."""
    return "Everything" if what == "everything" else what


def stopped_for(since: datetime, until: datetime | None = None) -> str:
    """Return the duration of the stop, such as "42 minutes"."""
    return ago(clock.now() - ((until or clock.now()) - since)).removesuffix(" ago")
