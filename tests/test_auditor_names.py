"""No page, file or answer that an auditor opens names a person whose name their engagement hides.

Every name and address of the tenant's people is replaced by one that nothing else contains, and
every address that an auditor may open is opened.
"""

import re
from contextlib import suppress
from io import BytesIO
from typing import Any
from zipfile import ZipFile, is_zipfile

import pytest
from sqlalchemy import Uuid, update
from sqlalchemy.exc import DatabaseError

from governance.assurance.engagements import actions as engaging
from governance.assurance.engagements import queries as engagements
from governance.foundation.comments.models import ObjectComment
from governance.foundation.people.models import Person
from governance.kernel import current
from governance.kernel.db import session, transaction
from tests import make
from tests.browser import Visitor
from tests.route_helpers import RouteMethod, route_methods
from tests.row_factory import TENANTED

CANARY = "Vexworth"
PERSON_COLUMN = re.compile(r"\w+_by|(owner|lead|communications|scribe|decider)_id")
LEFT_ALONE = {"memberships", "sessions", "engagement_auditors"}  # who is signed in


@pytest.fixture
def planted(app, acme_ids, acting) -> dict[str, Any]:
    """Acme with a row of each table, which its admin made, owns and decided."""
    admin = make.person_id("admin")
    with acting("admin"):
        _name_everywhere(admin)
        said = {"text": f"Ask @{{{admin}}}.", "mentions": [str(admin)]}
        session().execute(update(ObjectComment).values(said))
    for number, part in enumerate(part for slug, part in make.PEOPLE if slug == "acme"):
        if part != "auditor":
            _call(make.person_id(part), f"Quillon {CANARY}", f"q{number}.vexworth@acme.example")
    return acme_ids


def _name_everywhere(person_id: Any) -> None:
    """Let that person have done and own everything that the database lets change its owner."""
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


def _call(person_id: Any, name: str, email: str) -> None:
    """A person's row is changed by nobody but themselves."""
    with current.acting_as(make.system_actor("acme")), transaction(person_id=person_id):
        chosen = update(Person).where(Person.id == person_id)
        session().execute(chosen.values(name=name, email=email))


def pages(app: Any, ids: dict[str, Any], role: str) -> list[tuple[RouteMethod, str]]:
    return [
        (door, path)
        for door in route_methods(app, "tenant")
        if door.method == "GET" and role in door.needs.roles
        for path in {door.address(app, "acme", ids)}
    ]


def text_of(reply: Any) -> str:
    body = reply.get_data()
    if is_zipfile(BytesIO(body)):  # a workbook, a package
        with ZipFile(BytesIO(body)) as archive:
            body = b"\n".join(archive.read(each) for each in archive.namelist())
    return body.decode("utf-8", "replace")


def named(visitor: Visitor, walk: list[tuple[RouteMethod, str]]) -> list[str]:
    found = []
    for door, path in walk:
        reply = visitor.client.get(path)
        if reply.mimetype == "text/event-stream":
            reply.close()
            continue
        text = text_of(reply)
        if CANARY.lower() in text.lower():
            at = text.lower().index(CANARY.lower())
            found.append(f"{door}: …{' '.join(text[max(0, at - 160) : at + 40].split())}…")
    return found


def test_an_auditor_reads_no_name(app, planted):
    auditor = Visitor(app, make.cookie("auditor"), "acme")
    walk = pages(app, planted, "auditor")
    assert len(walk) > 150
    wrong = named(auditor, walk)
    assert wrong == [], "\n".join(wrong)


def test_an_officer_reads_them_on_the_same_pages(app, planted):
    """Otherwise the walk above would prove nothing."""
    officer = Visitor(app, make.cookie("compliance_officer"), "acme")
    walk = [
        each
        for each in pages(app, planted, "compliance_officer")
        if "auditor" in each[0].needs.roles
    ]
    seen = {each.partition(":")[0] for each in named(officer, walk)}
    print(len(seen), sorted(seen))
    assert len(seen) > 40


def test_a_page_that_is_open_follows_the_scope_at_the_next_request(app, planted):
    """Shown, hidden, shown: a kept page and a kept ledger are those of the scope of now."""
    auditor = Visitor(app, make.cookie("auditor"), "acme")
    for shows_names in (False, True, False):
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
        for path in ("controls/", "evidence/", "systems/", "reports/"):
            assert (CANARY in auditor.get(path).text) == shows_names, (path, shows_names)
