"""Erasures requested and approved through the front door, and a person to erase."""

from typing import Any

import pytest
from sqlalchemy import LargeBinary, select, text

from governance.app import schedule  # noqa: F401 - the handler of the work
from governance.foundation.audit import fsck, fsck_report, sequencer
from governance.foundation.people import admission_actions, member_actions, session_actions
from governance.foundation.people import queries as directory
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Membership, person_key
from governance.foundation.privacy.models import Erasure
from governance.kernel import current
from governance.kernel.data.db import Model, session, transaction
from governance.kernel.files import storage
from governance.kernel.work import jobs
from tests import make
from tests.foundation.approvals.approval_helpers import decide_approval

NAME, ADDRESS = "Nadia Kowalczyk", "nadia.kowalczyk@acme.example"


@pytest.fixture(autouse=True)
def own_erasure_list(app, isolated, tmp_path):
    """Store the erasure list outside the database, so that it outlives the test's transaction."""
    storage.use(f"file:{tmp_path / 'objects'}")
    yield
    storage.use(app.config["SETTINGS"].storage_url)


def add_person(
    slug: str = "acme",
    role: str = "contributor",
    name: str = NAME,
    address: str = ADDRESS,
    issuer: str = "acme",
) -> Membership:
    """Add a member. A person who exists elsewhere stays the same one."""
    who = make.identity(issuer, name, address)
    with (
        current.acting_as(make.system_actor(slug)),
        transaction(person_id=person_key(who.issuer, who.subject)),
    ):
        joined = member_actions.add_member(
            admission_actions.save_person(who), role, via="the test's world"
        )
        session().expunge_all()
    return joined


@pytest.fixture
def departing_member(database) -> Membership:
    """Return a contributor of acme, with a session."""
    joined = add_person()
    who = make.identity("acme", NAME, ADDRESS)
    with current.acting_as(make.system_actor("acme")), transaction(person_id=joined.person_id):
        person = directory.any_membership(joined.id).person
        session_actions.start_session(
            person,
            who,
            token="t" * 43,
            browser="Nadia's Firefox",
            network="198.51.100.0/24",
            fresh=False,
            replaces=None,
        )
    return joined


def membership_id_of(role: str) -> Membership:
    """Return the membership of a person of the test's world."""
    with make.acting(role):
        found = directory.membership_of(make.person_id(role))
        session().expunge_all()
    return found


def request_erasure(
    visitor: Any, member: Membership, then: int = 303, reason: str = "She asked us to."
) -> str:
    """Request an erasure. Return the path of its approval."""
    reply = visitor.post("privacy/erasures/new", then=then, member=str(member.id), reason=reason)
    return visitor.get(reply.location, then=303).location if then == 303 else reply.text


def erase_person(asker: Any, approver: Any, member: Membership, name: str = NAME) -> str:
    """Request, approve and carry out an erasure. Return its path."""
    decide_approval(approver, request_erasure(asker, member), verb="approve", typed=name)
    assert jobs.drain(actor_of) >= 1
    return erasure_page()


def erasure_page(slug: str = "acme") -> str:
    with make.acting("admin", slug, read_only=True):
        newest = session().scalars(select(Erasure.id).order_by(Erasure.created_at.desc())).first()
        return f"/t/{slug}/privacy/erasures/{newest}"


def sequence_and_recheck(slug: str = "acme") -> fsck_report.FsckReport:
    """Sequence every entry and verify the complete log again."""
    with current.acting_as(make.system_actor(slug)):
        while sequencer.sequence() == sequencer.BATCH:
            pass
        with transaction(read_only=True):
            return fsck.fsck()


def rows_with(word: str) -> set[str]:
    """Return the acting tenant's tables, and people it sees, that contain a word in any column.

    Bytes count, too.
    """
    found = set()
    for table in Model.metadata.sorted_tables:
        if "tenant_id" not in table.columns and table.name != "people":
            continue
        raw = [c.name for c in table.columns if isinstance(c.type, LargeBinary)]
        holds = " OR ".join(
            [
                "strpos(lower(t::text), lower(:word)) > 0",
                *(f"position(convert_to(:word, 'UTF8') in t.{c}) > 0" for c in raw),
            ]
        )
        if session().scalar(
            text(f"SELECT count(*) FROM {table.name} t WHERE {holds}"), {"word": word}
        ):
            found.add(table.name)
    return found
