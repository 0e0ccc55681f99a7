"""One admin is one person: neither a provider of their own nor a new member makes them two."""

from sqlalchemy import select

from governance.kernel.db import session
from governance.people.models import Connection
from tests import make
from tests.people.idp import HostileIdP


def live(slug: str = "acme") -> Connection:
    with make.acting("admin", slug, read_only=True):
        found = session().scalars(select(Connection)).one()
        session().expunge(found)
        return found


def test_an_admin_alone_doesnt_point_the_connection_at_a_provider_of_their_own(as_admin, idp):
    with HostileIdP.serving("globex") as evil:
        as_admin.post("settings/sign-in", then=None, issuer=evil.issuer, client_id=evil.client.id, secret=evil.client.secret,
                      domains="acme.example", group_roles="officers = admin", enforced="y", version="1")  # fmt: skip
        assert live().issuer == idp.issuer, "one person changed who can sign in"
