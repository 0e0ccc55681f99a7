"""Rename a tenant's severities. Their order doesn't change: 1 is the worst."""

from sqlalchemy import select

from governance.assurance.incidents import permissions
from governance.assurance.incidents.models import SeverityName
from governance.assurance.incidents.severities import (
    LEVELS,
    MAX_MEANING_LENGTH,
    MAX_NAME_LENGTH,
)
from governance.assurance.incidents.severity_queries import severity_names
from governance.assurance.incidents.text_fields import required
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid
from governance.kernel.safety.access import require

RENAMED = action(
    "incident.severity.renamed",
    "renamed a severity of incidents",
    target="SeverityName",
    activity="update",
    severity="low",
    fields="level name meaning",
)


def rename(level: int, name: str, meaning: str) -> None:
    """Change a severity's name and meaning. Raise Invalid for a name that another severity has."""
    require(permissions.SETTINGS)
    if level not in LEVELS:
        raise Invalid("Choose one of the four severities.")
    lock_tenant("severities")
    name = " ".join(required(name, f"name_{level}", "Enter a name.", limit=MAX_NAME_LENGTH).split())
    meaning = required(
        meaning, f"meaning_{level}", "Enter what it means.", limit=MAX_MEANING_LENGTH
    )
    names = severity_names()
    if any(each.name.casefold() == name.casefold() for n, each in names.items() if n != level):
        raise Invalid(f"Another severity is called {name}.", field=f"name_{level}")
    old = names[level]
    if (old.name, old.meaning) == (name, meaning):
        return
    row = session().scalars(select(SeverityName).where(SeverityName.level == level)).one_or_none()
    if row is None:
        row = SeverityName(level=level, name=name, meaning=meaning, created_at=clock.now())
        session().add(row)
    row.name, row.meaning = name, meaning
    record(
        RENAMED,
        row,
        level=level,
        before={"name": old.name, "meaning": old.meaning},
        after={"name": name, "meaning": meaning},
    )
