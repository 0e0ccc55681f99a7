"""Objects that tests need, created by the product's own actions.

`world()` is committed once; the rest is rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from governance.assurance.engagements import actions as engaging
from governance.assurance.engagements import queries as engagements
from governance.assurance.engagements.models import EngagementAuditor
from governance.foundation.people import (
    admission_actions,
    member_actions,
    oidc_types,
    session_actions,
    sessions,
)
from governance.foundation.people.models import Membership, Person, person_key
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction

PEOPLE = {
    ("acme", "admin"): ("Sanjay Patel", "admin@acme.example", "admin"),
    ("acme", "compliance_officer"): ("Ines Duarte", "officer@acme.example", "compliance_officer"),
    ("acme", "reviewer"): ("Jun Chen", "jun.chen@acme.example", "compliance_officer"),
    ("acme", "contributor"): ("Anna Rossi", "contributor@acme.example", "contributor"),
    ("acme", "second_admin"): ("Olga Novak", "olga.novak@acme.example", "admin"),
    ("acme", "viewer"): ("Maya Okafor", "viewer@acme.example", "viewer"),
    ("acme", "auditor"): ("Harriet Lowe", "auditor@audit.example", "auditor"),
    ("globex", "admin"): ("Tomas Lindqvist", "admin@globex.example", "admin"),
    ("globex", "compliance_officer"): (
        "Priya Nair",
        "officer@globex.example",
        "compliance_officer",
    ),
    ("console", "operator_admin"): ("Eva Brandt", "operator@console.example", "operator_admin"),
    ("console", "second_operator"): (
        "Noor Haddad",
        "noor.haddad@console.example",
        "operator_admin",
    ),
    ("console", "operator_finance"): ("Leo Moreau", "finance@console.example", "operator_finance"),
}
LATER = {
    ("acme", "second_admin"),
    ("console", "second_operator"),
}  # Not in the world: add_member() adds them.
ISSUER = "https://id.{}.example"
MEMBERS_FOR = timedelta(
    days=800
)  # Earlier than any test's past dates, so that members may approve later requests.


def create_world() -> None:
    """Commit tenants, people and memberships, from which every test starts.

    Called again, it restores everyone's role, whatever a test committed meanwhile.
    """
    for slug, name, kind in (
        ("acme", "Acme Insurance", "customer"),
        ("globex", "Globex", "customer"),
        ("console", "Console", "operator"),
    ):
        if directory.tenant_id(slug) is None:
            tenants.create_tenant(slug, name, kind=kind)
    for slug, part in PEOPLE:
        if (slug, part) not in LATER:
            add_member(part, slug, since=clock.now() - MEMBERS_FOR)
    _open_engagement()


def add_member(part: str, slug: str = "acme", *, since: datetime | None = None) -> None:
    """Make that person a member since then, by default from now on."""
    name, email, role = PEOPLE[slug, part]
    who = identity(slug, name, email)
    with (
        current.acting_as(system_actor(slug)),
        transaction(person_id=person_key(who.issuer, who.subject)),
    ):
        person = admission_actions.save_person(who)
        query = select(Membership).where(Membership.person_id == person.id)
        if (member := session().scalars(query).one_or_none()) is None:
            member = member_actions.add_member(person, role, via="the test's world")
            member.created_at = member.role_since = since or clock.now()
        elif (member.role, member.ended_at) != (role, None):
            member.role, member.ended_at, member.role_since = role, None, member.created_at


FIRM = "Halden & Co"


def _open_engagement() -> None:
    """Open an engagement over everything, without which Acme's auditors would have no access.

    It starts two years ago: some tests are of November 2026, also where TODAY is later.
    """
    with current.acting_as(system_actor("acme")), transaction():
        if engagements.engagement_refs():
            return
        today, year = clock.today(), timedelta(days=365)
        held = engaging.open_engagement(
            FIRM,
            framework_id=None,
            period_from=today - 2 * year,
            period_to=today + year,
            fieldwork_from=today - 2 * year,
            fieldwork_to=today + year,
        )
        session().add(
            EngagementAuditor(
                engagement_id=held.id,
                name="Harriet Lowe",
                email="auditor@audit.example",
                person_id=person_id("auditor"),
            )
        )


def identity(slug: str, name: str, email: str) -> oidc_types.Identity:
    return oidc_types.Identity(
        ISSUER.format(slug),
        email,
        email,
        True,
        name,
        (),
        f"sid-{email}",
        clock.now().timestamp(),
        "token",
    )


def system_actor(slug: str) -> Actor:
    tenant_id = directory.tenant_id(slug)
    assert tenant_id, f"no tenant {slug}"
    return system_actor_in(tenant_id, slug, {"acme": "Acme Insurance"}.get(slug, slug.title()))


def person_id(role: str, slug: str = "acme") -> UUID:
    return person_key(ISSUER.format(slug), PEOPLE[slug, role][1])


def actor(role: str, slug: str = "acme") -> Actor:
    name, email, real_role = PEOPLE[slug, role]
    base = system_actor(slug)
    return Actor(
        base.tenant_id,
        slug,
        base.tenant_name,
        person_id(role, slug),
        name,
        real_role,
        kind="operator" if real_role.startswith("operator") else "person",
        email=email,
        authenticated_at=clock.now(),
    )


@contextmanager
def acting(
    role: str = "compliance_officer", slug: str = "acme", *, read_only: bool = False
) -> Iterator[Actor]:
    """Act as that person, in one transaction."""
    who = actor(role, slug)
    with current.acting_as(who), transaction(read_only=read_only):
        yield who


def cookie(role: str, slug: str = "acme", *, signed_in_ago: timedelta = timedelta(0)) -> str:
    """Start a session of that person. Return the value of its cookie."""
    name, email, _ = PEOPLE[slug, role]
    token = sessions.new_token()
    who = identity(slug, name, email)
    moment = (clock.now() - signed_in_ago).timestamp()
    with acting(role, slug):
        person = session().get(Person, person_id(role, slug))
        assert person
        aged = oidc_types.Identity(
            who.issuer, who.subject, email, True, name, (), who.sid, moment, "token"
        )
        session_actions.start_session(
            person,
            aged,
            token=token,
            browser="test",
            network="127.0.0.0/24",
            fresh=False,
            replaces=None,
        )
    return f"{slug}.{token}"


def change_freeze() -> None:
    """Open an engagement of Acme during which evidence and controls can't change."""
    today = clock.today()
    with acting("admin"):
        engaging.open_engagement(
            "Still & Co",
            framework_id=None,
            period_from=today - timedelta(days=9),
            period_to=today,
            fieldwork_from=today,
            fieldwork_to=today + timedelta(days=9),
            freezes_changes=True,
        )
