"""Unique names of people, in every place where the database has a person."""

import re
from contextlib import suppress
from typing import Any

from sqlalchemy import Uuid, update
from sqlalchemy.exc import DatabaseError

from governance.assurance.engagements import actions as engaging
from governance.assurance.engagements import queries as engagements
from governance.foundation.people.models import Person
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from tests import make
from tests.row_factory import TENANTED

CANARY = "Vexworth"
PERSON_COLUMN = re.compile(r"\w+_by|(owner|lead|communications|scribe|decider)_id")
LEFT_ALONE = {"memberships", "sessions", "engagement_auditors"}  # They hold who is signed in.


def rename_everybody() -> None:
    """Give acme's people, except the auditor, a unique name and address."""
    for number, part in enumerate(part for slug, part in make.PEOPLE if slug == "acme"):
        if part != "auditor":
            _call(make.person_id(part), f"Quillon {CANARY}", f"q{number}.vexworth@acme.example")


def name_everywhere(person_id: Any) -> None:
    """Set that person in every column that the database lets change."""
    for model in TENANTED:
        table: Any = model.__table__
        columns = [
            each.name
            for each in table.columns
            if isinstance(each.type, Uuid) and PERSON_COLUMN.fullmatch(each.name)
        ]
        for column in columns if table.name not in LEFT_ALONE else ():
            with suppress(DatabaseError), session().begin_nested():
                session().execute(update(table).values({column: person_id}))


def name_who_has_no_account() -> None:
    """Give contacts, signers and invited people unique names and addresses, too."""
    for model in TENANTED:
        table: Any = model.__table__
        named = {"name", "email"} & set(table.columns.keys())
        if table.name not in LEFT_ALONE and (
            "email" in named or table.name == "agreement_acceptances"
        ):
            values = {"name": f"Tessa {CANARY}", "email": f"tessa@{CANARY.lower()}.example"}
            with suppress(DatabaseError), session().begin_nested():
                session().execute(update(table).values({each: values[each] for each in named}))


def _call(person_id: Any, name: str, email: str) -> None:
    """Change a person's row as that person, which the database requires."""
    with current.acting_as(make.system_actor("acme")), transaction(person_id=person_id):
        chosen = update(Person).where(Person.id == person_id)
        session().execute(chosen.values(name=name, email=email))


def show_names(shows_names: bool) -> None:
    """Set whether the auditor's engagement shows names."""
    with make.acting("compliance_officer"):
        held = next(each for each in engagements.engagements() if each.firm == make.FIRM)
        engaging.change_engagement(
            held,
            version=held.version,
            firm=held.firm,
            framework_id=held.framework_id,
            criteria=held.criteria,
            period_from=held.period_from,
            period_to=held.period_to,
            fieldwork_from=held.fieldwork_from,
            fieldwork_to=held.fieldwork_to,
            freezes_changes=held.freezes_changes,
            shows_names=shows_names,
        )
