"""Helpers that invite people and find their memberships."""

from governance.foundation.people import invitation_actions, queries
from tests import make


def invite_person(email: str, role: str = "viewer") -> None:
    with make.acting("admin"):
        invitation_actions.invite_member(
            email, role, tenant_name="Acme", link="http://localhost/login?tenant=acme"
        )


def membership_id(role: str, slug: str = "acme") -> str:
    with make.acting("admin", slug, read_only=True):
        found = queries.membership_of(make.person_id(role, slug))
        assert found
        return str(found.id)
