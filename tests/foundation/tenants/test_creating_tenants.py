"""New tenants: the operator creates one, connects its provider and invites its first admin.

From then on the tenant manages itself.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from governance.demo.idp.directory import Person
from governance.foundation.audit.models import TenantKey
from governance.foundation.people.models import Membership
from governance.foundation.tenants import actions, queries
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from tests import faults, make
from tests.browser import Visitor
from tests.foundation.people.conftest import Arrival, entries_of_action
from tests.foundation.people.hostile_idp import HostileIdP, change_claims, change_document

DANA = Person("initech-1", "dana@initech.example", "Dana Whitlock", ())


@pytest.fixture(autouse=True)
def fresh_tenant_memory():
    """Clear the process's cache of tenants, since created ones are rolled back."""
    yield
    queries.forget()


def tenant(slug: str) -> Tenant | None:
    with transaction(read_only=True):
        found = queries.tenant_by_slug(slug)
        session().expunge_all()
        return found


def test_an_operator_founds_a_tenant(as_operator):
    as_operator.get("/operator/tenants/new")
    reply = as_operator.post("/operator/tenants/", slug="initech", name="Initech")
    assert reply.location == "/operator/tenants/initech/first-admin"
    link = "/operator/tenants/initech/first-admin"
    assert link in as_operator.get("/operator/").text, "who does it later finds the way back"
    made = tenant("initech")
    assert made
    with transaction(read_only=True, tenant_id=made.id):
        assert set(session().scalars(select(TenantKey.purpose))) == {"pseudonym", "seal"}
    founded = entries_of_action("tenant.created", "initech")[0]
    assert (
        founded.facts["slug"] == "initech"
        and founded.actor_kind == "operator"
        and set(founded.actor) != {"0"}
    )


@pytest.mark.parametrize(
    "slug", ["", "A", "9lives", "in itech", "initech\n", "x" * 60, "../x", "initéch"]
)
def test_a_short_name_that_is_none_is_refused(as_operator, slug):
    assert (
        "Not created."
        in as_operator.post("/operator/tenants/", then=422, slug=slug, name="Initech").text
    )


def test_a_short_name_is_taken_once(as_operator):
    assert (
        "The slug globex is already in use"
        in as_operator.post("/operator/tenants/", then=422, slug="globex", name="Globex again").text
    )


def test_founding_takes_an_operator_and_a_fresh_sign_in(app, as_admin, as_officer):
    as_admin.get("/operator/tenants/new", then=404)
    as_admin.post("/operator/tenants/", then=404, slug="initech", name="Initech")
    Visitor(app, make.cookie("operator_finance", "console")).post(
        "/operator/tenants/", then=403, slug="initech", name="Initech"
    )
    stale = Visitor(
        app, make.cookie("operator_admin", "console", signed_in_ago=timedelta(minutes=10))
    )
    assert (
        "Sign in again"
        in stale.post("/operator/tenants/", then=401, slug="initech", name="Initech").text
    )
    assert tenant("initech") is None


def test_the_first_admin_comes_in_and_invites(app, as_operator, isolated):
    as_operator.post("/operator/tenants/", slug="initech", name="Initech")
    with HostileIdP.serving(
        people=(DANA, Person("initech-2", "bo@initech.example", "Bo Ek", ()))
    ) as idp:
        page = as_operator.get("/operator/tenants/initech/first-admin").text
        assert "No one can sign in to Initech yet" in page and "/auth/back-channel/initech" in page
        given = {
            "issuer": idp.issuer,
            "client_id": idp.client.id,
            "secret": idp.client.secret,
            "domains": "initech.example",
            "email": DANA.email,
        }
        as_operator.post("/operator/tenants/initech/first-admin", **given)
        dana = Visitor(app, tenant="initech")
        Arrival(dana, DANA.email).finish()
        dana.get("settings/sign-in")
        dana.post("settings/members/invite", email="bo@initech.example", role="compliance_officer")
        bo = Visitor(app, tenant="initech")
        Arrival(bo, "bo@initech.example").finish()
        assert "Bo Ek" in dana.get("settings/members").text
        # No operator may intervene from now on.
        assert "first-admin" not in as_operator.get("/operator/").text
        as_operator.get("/operator/tenants/initech/first-admin", then=404)
        as_operator.post("/operator/tenants/initech/first-admin", then=404, **given)
        as_operator.get("/t/initech/settings/members", then=404)
    deeds = {e.action: e for e in entries_of_action(slug="initech")}
    assert (
        deeds["identity_provider.changed"].actor_kind == "operator"
        and deeds["tenant.domains.changed"].actor_kind == "operator"
    )


def test_the_operator_can_correct_the_first_step_until_somebody_has_joined(
    app, as_operator, isolated
):
    """Allow it, since a typo would otherwise lock the first admin out for good.

    So would a provider that sends no email_verified.
    """
    link = "/operator/tenants/initech/first-admin"
    as_operator.post("/operator/tenants/", slug="initech", name="Initech")
    with HostileIdP.serving(people=(DANA,)) as idp:
        change_claims(email_verified=None)(idp)
        change_document("/userinfo", email_verified=None)(idp)
        form = {
            "issuer": idp.issuer,
            "client_id": idp.client.id,
            "domains": "initech.example",
            "email": "typo@initech.example",
        }
        as_operator.post(link, secret=idp.client.secret, **form)
        told = Arrival(Visitor(app), DANA.email).finish(then=403).text
        assert (
            "the operator can turn on “This provider verifies email addresses” on the first"
            " admin&#39;s page" in told
        )
        assert link in as_operator.get("/operator/").text
        page = as_operator.get(link).text
        assert "No one has signed in to Initech yet" in page
        assert (
            all(f'value="{value}"' in page for value in form.values())
            and idp.client.secret not in page
        )
        as_operator.post(
            link, **form | {"email": DANA.email, "verifies_addresses": "y"}
        )  # The secret is kept.
        assert [e.facts["how"] for e in entries_of_action("invitation.withdrawn", "initech")] == [
            "the operator corrected the setup"
        ]
        Arrival(Visitor(app), DANA.email).finish(then=303)
        as_operator.get(link, then=404)
        as_operator.post(link, then=404, **form)


def test_a_tenant_that_everybody_has_left_is_none_of_the_operators_business(as_operator, isolated):
    """Deny it: otherwise an operator could take the place of the admins.

    The page exists only for a tenant that nobody has joined.
    """
    with current.acting_as(make.system_actor("globex")), transaction():
        session().execute(update(Membership).values(ended_at=clock.now()))
    as_operator.get("/operator/tenants/globex/first-admin", then=404)
    assert "globex/first-admin" not in as_operator.get("/operator/").text


def test_a_typo_is_corrected_until_somebody_has_signed_in(app, as_operator, provider_of_initech):
    """Allow it: a wrong secret or a typo in an address would lock the tenant out for good."""
    where, idp = "/operator/tenants/initech/first-admin", provider_of_initech
    as_operator.post("/operator/tenants/", slug="initech", name="Initech")
    given = {
        "issuer": idp.issuer,
        "client_id": idp.client.id,
        "secret": idp.client.secret,
        "domains": "initech.example",
        "email": DANA.email,
    }
    as_operator.post(
        where,
        **given
        | {
            "secret": "mistyped",
            "email": "dna@initech.example",
            "domains": "initech.exmaple",
        },
    )
    lost = Arrival(Visitor(app, tenant="initech"), DANA.email, tenant="initech").finish(then=503)
    assert "client ID or secret" in lost.text
    assert where in as_operator.get("/operator/").text
    page = as_operator.get(where).text
    assert (
        "No one has signed in to Initech yet" in page
        and 'value="dna@initech.example"' in page
        and "mistyped" not in page
    )
    as_operator.post(where, **given)
    dana = Visitor(app, tenant="initech")
    Arrival(dana, DANA.email).finish()
    dana.get("settings/sign-in")
    as_operator.get(where, then=404)
    as_operator.post(where, then=404, **given | {"secret": "another"})
    assert [e.facts["how"] for e in entries_of_action("invitation.withdrawn", "initech")] == [
        "the operator corrected the setup"
    ]
    assert len(entries_of_action("identity_provider.changed", "initech")) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"email": ""},
        {"secret": ""},
        {"issuer": "http://10.0.0.1"},
        {"domains": "acme"},
        {"client_id": ""},
    ],
)
def test_a_refused_first_step_leaves_nothing(as_operator, provider_of_initech, changes):
    as_operator.post("/operator/tenants/", slug="initech", name="Initech")
    given = {
        "issuer": provider_of_initech.issuer,
        "client_id": "c",
        "secret": "s",
        "domains": "initech.example",
        "email": DANA.email,
    }
    page = as_operator.post(
        "/operator/tenants/initech/first-admin", then=422, **given | changes
    ).text
    assert (
        "Not invited." in page
        and not entries_of_action("identity_provider.changed", "initech")
        and not entries_of_action("tenant.domains.changed", "initech")
    )


@pytest.fixture(scope="module")
def provider_of_initech():
    with HostileIdP.serving(people=(DANA,)) as idp:
        yield idp


@pytest.mark.parametrize("slug", ["acme", "console", "nobody", "A%20b"])
def test_a_tenant_with_members_is_none_of_the_operators_business(as_operator, slug):
    as_operator.get(f"/operator/tenants/{slug}/first-admin", then=404)


def test_the_first_step_is_no_tenant_admins(as_admin, as_operator, app):
    as_operator.post("/operator/tenants/", slug="initech", name="Initech")
    as_admin.get("/operator/tenants/initech/first-admin", then=404)
    Visitor(app, make.cookie("operator_finance", "console")).get(
        "/operator/tenants/initech/first-admin", then=403
    )


def test_founding_is_all_or_nothing(database):
    broken = faults.fail(RuntimeError("no keys today"))
    with (
        faults.before_statement(database, "INSERT INTO tenant_keys", broken),
        pytest.raises(RuntimeError),
    ):
        actions.create_tenant("initech", "Initech")
    assert tenant("initech") is None


def test_the_tenants_share_nothing(database):
    """Share the directory, but no keys, members or sessions."""
    with current.acting_as(make.system_actor("globex")), transaction(read_only=True):
        here = current.actor().tenant_id
        assert {row.tenant_id for row in session().scalars(select(TenantKey))} == {here}
